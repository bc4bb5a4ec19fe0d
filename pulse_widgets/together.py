"""Processes that record together: the directory that PULSE_RECORDING names, and their ends."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from pulse_widgets.arguments import checked_record
from pulse_widgets.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["VARIABLE", "forked", "is_worker", "leave_with_worker", "shared_path"]

VARIABLE: Final = "PULSE_RECORDING"

LAST: Final = -100
"""Among what multiprocessing calls at the end of a worker, ours comes after what may still log."""

_forks: list[int] = []
"""The process, if it was forked off one that had loaded this package."""


def shared_path() -> Path | None:
    """Return where this process records together with others; None where it records alone.

    Raises
    ------
    ArgumentError
        If the variable cannot be the name of a recording.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:
        return None
    try:
        place = checked_record(given)
    except ArgumentError as error:
        raise ArgumentError(
            error.problem.replace("record=", f"{VARIABLE}=", 1),
            remedy=f"Give a whole path, such as {VARIABLE}=$PWD/run.pulse, or unset it.",
        ) from error
    return None if isinstance(place, bool) else place


def forked() -> bool:
    """Return whether this process was forked off one that had loaded this package."""
    return bool(_forks)


def is_worker() -> bool:
    """Return whether another process started this one to work for it, and may start more.

    The recording is not over when such a process ends: it makes no file of it.
    """
    process = sys.modules.get("multiprocessing.process")
    return forked() or (process is not None and process.parent_process() is not None)


def leave_with_worker(leave: Callable[[], None]) -> None:
    """Call `leave` at the end of a worker of multiprocessing, which calls no exit handlers."""
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        util.Finalize(None, leave, exitpriority=LAST)


def _forked() -> None:
    _forks[:] = [os.getpid()]


os.register_at_fork(after_in_child=_forked)
