"""Pure functions on columns: what the numbers mean."""
