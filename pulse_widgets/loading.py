"""Modules are loaded on a thread of ours, so that an interrupt of a cell tears no import.

Modules made in C, numpy and Arrow among them, can be loaded once in a process: an import that
was cut off in the middle can never be made up for. Interrupts reach the main thread alone. So
that thread only waits here, and when its wait is cut off, the loading goes on without it.
"""

from __future__ import annotations

import atexit
import contextlib

# First of all: what runs before a fork runs in the opposite order. A fork that held the lock of
# `logging` while it waits for a module would wait for ever, for the module may need that lock.
import logging  # noqa: F401
import os
import sys
import threading
from functools import partial
from importlib import import_module
from typing import Final

from pulse_widgets.errors import StorageError
from pulse_widgets.signals import aside, start_shielded

__all__ = ["PANDAS", "load", "load_later"]

PANDAS: Final = ("pandas", "pyarrow.pandas_compat", "pyarrow.vendored.version")
"""What makes a table; pandas itself loads Arrow's part of it when it is first given text."""

SPARE_HANDLES: Final = 8
"""File handles that must be free before anything is loaded: loading holds a few at a time."""
END_S: Final = 5.0
"""How long the end of the process waits for what is being loaded."""
FORK_S: Final = 10.0
"""How long a fork waits for what is being loaded."""
LATER_S: Final = 1.0
"""How long what is needed later is left alone."""

# One at a time: two threads in a circle of imports could each see a half-loaded module.
_door = threading.RLock()
_ending = threading.Event()


def load(*names: str) -> None:
    """Load modules, in order; what is loaded already costs nothing.

    Raises
    ------
    StorageError
        If the process has no file handles left to read them with.
    """
    if all(map(_is_loaded, names)):
        return
    if threading.get_ident() != threading.main_thread().ident:
        _load(names)
        return
    aside("pulse-load", partial(_load, names))


def load_later(*names: str) -> None:
    """Load modules in the background, after what the caller is starting now.

    Code that needs one of them sooner calls `load`, which also raises what is wrong with it.
    """
    start_shielded("pulse-load", partial(_load_each, names))


def _load_each(names: tuple[str, ...]) -> None:
    if _ending.wait(LATER_S):
        return
    # One by one: whoever needs a module meanwhile waits for at most one other.
    for name in names:
        if _ending.is_set():
            return
        with contextlib.suppress(Exception):
            _load((name,))


def _is_loaded(name: str) -> bool:
    module = sys.modules.get(name)
    # While a module is being loaded it can be seen there already.
    return module is not None and not getattr(module.__spec__, "_initializing", False)


def _load(names: tuple[str, ...]) -> None:
    with _door:
        try:
            if not all(map(_is_loaded, names)):
                _require_handles()
            for name in names:
                import_module(name)
        except OSError as error:
            raise StorageError(
                f"pulse_widgets cannot be loaded: {error.strerror or error}",
                remedy="Close files that are no longer needed, or allow more (ulimit -n); then "
                "call again.",
                errno=error.errno,
            ) from error


def _require_handles() -> None:
    """Check that enough file handles are left for an import not to fail halfway.

    Raises
    ------
    OSError
        If there are too few.
    """
    held: list[int] = []
    try:
        while len(held) < SPARE_HANDLES:
            held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    finally:
        for handle in held:
            os.close(handle)


@atexit.register
def _end() -> None:
    _ending.set()
    # A thread that is inside a module made in C when the interpreter goes may abort the process.
    if _door.acquire(timeout=END_S):
        _door.release()


_forking: list[bool] = []
"""For each fork under way, whether it holds the door."""


def _before_fork() -> None:
    # Not for ever: what waits for the door may hold a lock that the module needs.
    _forking.append(_door.acquire(timeout=FORK_S))


def _after_fork() -> None:
    if _forking.pop():
        _door.release()


# A child has a copy of every module, also of one that was half loaded, and nobody there to load
# the other half. So a fork waits until nothing is being loaded.
os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
