"""The only part that knows the recording format."""
