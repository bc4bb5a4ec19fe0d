"""A recording whose session has ended becomes one file, also where several processes write it."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import PulseError
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.compact import BusyError, compact
from pulse_widgets.storage.directory import RUN, is_running, writer_folders
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.place import Local

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compact_ended"]

AGAIN_S: Final = 0.02
"""Seconds between two looks at what another process does to the same directory."""
OTHERS_S: Final = 5.0
"""How long another process may take for a step in which it holds a directory."""


def compact_ended(directory: Path, *, stopped: Callable[[], bool] = lambda: False) -> None:
    """Make one file of a directory, unless somebody still writes there: the last one does it.

    Processes that stop at the same moment may each find the other at it. So whoever is refused
    looks again, until the file is there or somebody is seen to write. Where the file beside the
    directory would fill the disk it is left to a later session: no row is missing meanwhile.

    Raises
    ------
    StorageError
        If the disk refuses, or another process has held the directory for long.
    RecordingError
        If the directory cannot be read just now; it stays as it is.
    """
    ends = time.monotonic() + OTHERS_S
    while not stopped():
        try:
            if any(map(is_running, writer_folders(Local(directory)))) or not _has_room(directory):
                return
            compact(directory, stopped=stopped)
        except (PulseError, OSError) as error:
            if not directory.exists():
                return  # another process has just done it
            done = finished_path(directory).exists() and not (directory / RUN).exists()
            if time.monotonic() > ends or not (done or isinstance(error, BusyError)):
                raise
            time.sleep(AGAIN_S)
        else:
            return


def _has_room(directory: Path) -> bool:
    """Return whether a file of the size of a directory may be written beside it."""
    reserve = Reserve()
    if reserve.refused(directory) is None:
        return True
    size = 0
    for place, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):  # another process may be removing it
                size += Path(place, name).stat().st_size
    return reserve.spares(directory, size)
