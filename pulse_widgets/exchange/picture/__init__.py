"""The picture and the table that a saved output shows where nothing of ours runs."""
