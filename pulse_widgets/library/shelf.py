"""The user's directory of recordings: lists it, finishes what was left, removes the oldest."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import PulseError
from pulse_widgets.library.destination import home
from pulse_widgets.library.lookup import base_name, holds_any, listed, recordings_in
from pulse_widgets.library.retention import keep_within
from pulse_widgets.signals import Flag
from pulse_widgets.storage.cleanup import remove_empty, remove_unfinished
from pulse_widgets.storage.directory import (
    FAILED,
    MOST_US,
    SUFFIX,
)
from pulse_widgets.storage.untrusted import as_ours

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pulse_widgets.library.recording import Recording
    from pulse_widgets.storage.reader import Stored

__all__ = [
    "COLUMNS",
    "begin_finishing",
    "finish",
    "home",
    "keep_within",
    "lines",
    "network_note",
    "recordings",
]

AGAIN_S: Final = 86_400.0
"""How long a directory that could not be finished waits for the next try."""


COLUMNS: Final = (
    "name",
    "start",
    "seconds",
    "bytes",
    "series",
    "rows",
    "state",
    "title",
    "problem",
)
"""What is listed of a recording, beside its path."""
SMALL_ROWS: Final = 1_000_000
"""A recording of so many rows is made one file while its `stop` waits."""
FINISH_S: Final = 1.0
"""How long that is waited for at most."""

_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "afs", "9p", "fuse.sshfs"}
)
_logger = logging.getLogger(__name__)
_ended = threading.Event()
_threads: list[threading.Thread] = []


def finish(directory: Path, rows: int = 0) -> Recording:
    """Make one file of the recording that has just ended, and return it.

    A recording of up to about a million rows is one file when this returns, unless other
    processes still write it; a larger one becomes one in the background. On the shelf, old
    recordings then make room. When the process ends first, the recording stays a directory,
    which reads the same, and the next `finish` completes it.

    Parameters
    ----------
    directory : Path
    rows : int
        How many it has, about.

    Raises
    ------
    RecordingError
        If nothing was recorded.
    """
    from pulse_widgets.library.recording import Recording

    done = begin_finishing(directory)
    done.wait(FINISH_S if rows <= SMALL_ROWS else 0.0)
    return Recording.open(directory)


def begin_finishing(directory: Path) -> Flag:
    """Make one file of a recording in the background; return what is raised when that is over."""
    done = Flag()
    thread = threading.Thread(
        target=_settle, args=(directory, done), name="pulse-finish", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:
        # For instance too many threads. A directory reads the same, and a later session
        # finishes it.
        done.set()
    else:
        _threads[:] = [*(t for t in _threads if t.is_alive()), thread]
    return done


def recordings(place: Path | None = None) -> pd.DataFrame:
    """Return the recordings in a directory, by default those of this user, newest first.

    Returns
    -------
    DataFrame
        Columns ``name``, ``start`` (UTC), ``seconds``, ``bytes``, ``series``, ``rows``,
        ``state`` (running, unfinished, finished, unreadable), ``title``, ``problem`` (why it
        cannot be read, or the first of what is missing from it) and ``path``.
    """
    import pandas as pd

    found = lines(place)
    table = pd.DataFrame([line for _, line in found], columns=COLUMNS)
    # Of type object: a path need not be valid text, which a text column requires.
    paths = [str(path) for path, _ in found]
    table["path"] = pd.Series(paths, index=table.index, dtype=object)
    table["start"] = pd.to_datetime(table["start"], unit="us", utc=True)
    return table.sort_values("start", ascending=False, ignore_index=True)


def lines(place: Path | None = None) -> list[tuple[Path, tuple[object, ...]]]:
    """Return where the recordings in a directory lie, and of each the values of `COLUMNS`.

    A start is in microseconds. Needs no pandas.
    """
    found: dict[Path, tuple[object, ...]] = {}
    for item in recordings_in(place or home()):
        if item not in found:
            path, line = _line(item)
            found[path] = line
    return [(path, line) for path, line in found.items() if line]


def network_note(path: Path) -> str:
    """Return a sentence when `path` lies on a network file system; empty when it does not.

    Locks and crash safety are only as good there as the server is.
    """
    kind = _file_system(path)
    if kind not in _NETWORK:
        return ""
    return f"{path} lies on a network file system ({kind}); set PULSE_HOME to a local disk"


def _line(path: Path) -> tuple[Path, tuple[object, ...]]:
    """Return where a recording lies now, and its line; an empty one when it has gone meanwhile."""
    from pulse_widgets.storage.reader import open_stored

    try:
        with as_ours(path):
            stored = open_stored(path)
            return stored.path, _line_of(stored)
    except PulseError as exc:
        return path, _unreadable(path, exc.problem)


def _line_of(stored: Stored) -> tuple[object, ...]:
    extents = stored.extents.values()
    start = stored.run.start_us
    end = max((x.end for x in extents), default=start)
    state = "running" if stored.running else "unfinished" if stored.path.is_dir() else "finished"
    return (
        _readable(base_name(stored.path.name)),
        start,
        max(0.0, (end - start) / 1e6),
        stored.nbytes,
        len(extents),
        sum(x.rows for x in extents),
        state,
        str(stored.run.about.get("title") or ""),
        stored.problems[0] if stored.problems else "",
    )


def _unreadable(path: Path, problem: str) -> tuple[object, ...]:
    try:
        start = int(path.lstat().st_mtime * 1e6)
    except OSError:
        return ()
    begin = start if 0 <= start <= MOST_US else None
    name, words = _readable(base_name(path.name)), _readable(problem)
    return name, begin, None, None, None, None, "unreadable", "", words


def _readable(text: str) -> str:
    """Return a name from the disk as text; its bytes may not be valid text."""
    return text.encode("utf-8", "replace").decode()


def _settle(directory: Path, done: Flag) -> None:
    """Finish a directory and, on the shelf, whatever a crash left there; then make room."""
    from pulse_widgets.library.finishing import compact_ended
    from pulse_widgets.storage.compact import compact

    try:
        try:
            _complete(directory, compact_ended)
        finally:
            done.set()
        place = directory.parent
        if place != home():
            return
        remove_unfinished(place)
        for each in listed(place):
            if _ended.is_set():
                return
            left = each.name.endswith(SUFFIX) and each != directory and os.path.isdir(each)  # noqa: PTH112
            if left and not remove_empty(each) and holds_any(each) and not _failed_lately(each):
                _complete(each, compact)
        if not _ended.is_set():
            keep_within(place)
    except Exception:
        # The top of the thread. The recording stays a directory, which reads the same.
        _logger.exception("%s was not finished", directory)


def _complete(directory: Path, finish_it: Callable[..., object]) -> None:
    """Make a directory one file; if that fails, report it and try again after a day."""
    from pulse_widgets.storage.compact import BusyError

    try:
        finish_it(directory, stopped=_ended.is_set)
    except BusyError:
        pass  # it is still recorded, or another process finishes it
    except PulseError as exc:
        # It stays a directory, which reads the same as a file.
        _logger.warning("%s was not finished. %s", directory, exc.problem)
        with contextlib.suppress(OSError):
            (directory / FAILED).touch(0o600)


def _failed_lately(directory: Path) -> bool:
    try:
        age_s = time.time() - (directory / FAILED).lstat().st_mtime
    except OSError:
        return False
    return 0 <= age_s < AGAIN_S


@atexit.register
def _end() -> None:
    """Let the threads finish what is small and stop the rest, as a rule within a second.

    A thread that is inside Arrow when the interpreter goes would abort the process, so that
    a slow machine is waited for.
    """
    for patience_s, last in ((0.7, False), (5.0, True)):
        if last:
            _ended.set()
        deadline = time.monotonic() + patience_s
        for thread in _threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _file_system(path: Path) -> str:
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    place = str(path.absolute())
    best, kind = "", ""
    for line in mounts.splitlines():
        _, mount, system, *_ = line.split(" ")
        inside = place == mount or place.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, system
    return kind
