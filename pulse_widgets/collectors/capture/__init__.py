"""What the process prints: one watch of its streams, for any number of listeners."""
