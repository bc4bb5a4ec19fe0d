"""What a user holds: a recording, and the shelf of recordings."""
