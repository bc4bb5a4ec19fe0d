"""A recording whose session has ended becomes one file, also where several processes write it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import RecordingError, StorageError
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.directory import is_running, writer_folders
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.reader import open_stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulse_widgets.storage.reader import Stored

__all__ = ["compact_ended", "open_ended"]

AGAIN_S: Final = 0.02
"""Seconds between two looks at what another process does to the same directory."""
OTHERS_S: Final = 5.0
"""How long another process may take for a step in which it holds a directory."""


def compact_ended(directory: Path, stopped: Callable[[], bool] = lambda: False) -> None:
    """Make one file of a directory, unless somebody still writes there: the last one does it.

    Processes that stop at the same moment may each find the other at it. So whoever is refused
    looks again, until the file is there or somebody is seen to write.

    Raises
    ------
    StorageError
        If the disk refuses, or has no room for the file beside the directory.
    RecordingError
        If a part is damaged; the directory stays as it is.
    """
    ends = time.monotonic() + OTHERS_S
    while not stopped():
        if not directory.exists() or any(map(is_running, writer_folders(directory))):
            return
        _require_room(directory)
        try:
            compact(directory, stopped=stopped)
        except StorageError as error:
            refused_by_disk = error.errno is not None
            if refused_by_disk or time.monotonic() > ends or finished_path(directory).exists():
                raise
            time.sleep(AGAIN_S)
        else:
            return


def open_ended(directory: Path) -> Stored:
    """Open a recording that other processes may be finishing at this moment.

    Raises
    ------
    RecordingError
        If there is none.
    """
    ends = time.monotonic() + OTHERS_S
    while True:
        finished = finished_path(directory)
        there = finished.exists()
        try:
            opened = open_stored(directory)
        except RecordingError:
            if finished.exists():
                return open_stored(finished)
            if time.monotonic() > ends or not directory.exists():
                raise
            time.sleep(AGAIN_S)
            continue
        # A file that has come meanwhile stands for a directory that may be half removed by now.
        if there or opened.path == finished or not finished.exists():
            return opened


def _require_room(directory: Path) -> None:
    """Refuse to write the file where it would fill the disk; its rows are safe as they are."""
    reserve = Reserve()
    refused = reserve.refused(directory)
    if refused is None:
        return
    size = 0
    for path in directory.rglob("*"):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
    if not reserve.spares(directory, size):
        raise refused
