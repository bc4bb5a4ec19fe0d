"""The live view in a notebook: one feed, many views of it."""
