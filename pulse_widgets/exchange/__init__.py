"""Functions between foreign files, pictures and recordings."""
