"""The built-in sources, a module each: its name is the name that ``sources=`` takes.

A module has a function ``make(gpus)`` that returns the backend. It is imported when the source is
asked for, and nothing else lists it.
"""
