"""Samples as columns in memory: arrivals, history, and the bytes a browser gets."""
