"""Recordings as users see them: opened, listed, saved, repaired."""
