"""Warnings for whoever has no dashboard to read them on."""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from pathlib import Path
from typing import Final

from pulse_widgets.ipython import kernel_here

__all__ = ["in_kernel", "warn", "warn_from_thread"]

_HERE: Final = str(Path(__file__).parent) + os.sep
_logger = logging.getLogger("pulse_widgets")


def in_kernel() -> bool:
    """Return whether this process is a Jupyter kernel; loads nothing to find out."""
    return kernel_here() is not None


def warn(message: str) -> None:
    """Warn at the user's line that called us; in a kernel the dashboard shows it instead."""
    if in_kernel():
        return
    level = _calls_inside()
    if level:
        warnings.warn(message, RuntimeWarning, stacklevel=level)
    else:
        # No frame of the stack is the user's, so there is no line to point at.
        warnings.warn_explicit(message, RuntimeWarning, "pulse_widgets", 1)


def warn_from_thread(message: str) -> None:
    """Warn from a thread of ours, which never fails by it."""
    try:
        warn(message)
    except RuntimeWarning:
        # Warnings may be set to raise, and on this thread nobody would catch the error.
        _logger.warning("%s", message)


def _calls_inside() -> int:
    """Return how many calls up, from `warn`, the first one of the user's is; 0 if there is none."""
    if threading.get_ident() != threading.main_thread().ident:
        return 0
    frame, level = sys._getframe(1), 1  # noqa: SLF001  warnings.warn does the same
    while frame.f_code.co_filename.startswith(_HERE):
        if frame.f_back is None:
            return 0
        frame, level = frame.f_back, level + 1
    return level
