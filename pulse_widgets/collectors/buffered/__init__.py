"""Collectors that keep entries until a consumer says that they were delivered."""
