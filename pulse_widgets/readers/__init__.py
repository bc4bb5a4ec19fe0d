"""One module a source: synchronous, no threads, every path and handle an argument."""
