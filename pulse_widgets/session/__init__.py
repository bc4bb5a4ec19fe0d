"""A session: its collectors, the thread that flushes their rows to disk and screen, its cost."""
