"""Threads that turn readings into rows."""
