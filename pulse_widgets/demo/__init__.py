"""What ``pulse-widgets demo`` does."""
