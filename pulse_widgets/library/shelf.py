"""Where recordings lie, which there are, and how long they stay."""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import logging
import os
import re
import threading
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import PulseError, StorageError
from pulse_widgets.signals import Flag
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.directory import FINISHED, RUN, SUFFIX, is_running, writer_folders
from pulse_widgets.storage.disk import refusal

if TYPE_CHECKING:
    import pandas as pd

    from pulse_widgets.library.recording import Recording

__all__ = [
    "begin_finishing",
    "finish",
    "home",
    "keep_within",
    "network_note",
    "new_place",
    "recordings",
]

MOST_BYTES: Final = 5 << 30
MOST_DAYS: Final = 30.0
NEWEST: Final = 3

SMALL_ROWS: Final = 1_000_000
"""A recording of so many rows is made one file while its `stop` waits."""
FINISH_S: Final = 1.0
"""How long that is waited for at most."""
NAME_BYTES: Final = 200
"""Bytes of a name that we choose: file systems allow 255, and there are endings to come."""

_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "afs", "9p", "fuse.sshfs"}
)
_logger = logging.getLogger(__name__)
_ended = threading.Event()
_threads: list[threading.Thread] = []


def home() -> Path:
    """Return the directory of this user's recordings: under PULSE_HOME, else the user data dir."""
    place = os.environ.get("PULSE_HOME")
    if place:
        return _absolute(Path(place)) / "recordings"
    import platformdirs

    return Path(platformdirs.user_data_dir("pulse_widgets", appauthor=False)) / "recordings"


def new_place(path: Path | None = None, title: str = "") -> Path:
    """Return the directory a new recording is written to; it is not made yet.

    Parameters
    ----------
    path : Path or None
        Where the user wants it: a name, with or without ``.pulse`` or ``.pulse.parquet``, or
        a directory that is there. None puts it on the shelf, named by the time and `title`.
    title : str

    Raises
    ------
    StorageError
        If there is a recording of that name, or the shelf cannot be made.
    """
    place = home() if path is None else _absolute(path)
    try:
        if path is not None:
            return _wanted(place, title)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _free(place, _name(title))
    except StorageError:
        raise
    except (OSError, ValueError) as exc:
        raise refusal(exc if isinstance(exc, OSError) else OSError(str(exc)), place) from exc


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
    from pulse_widgets.library.finishing import open_ended
    from pulse_widgets.library.recording import Recording

    done = begin_finishing(directory)
    done.wait(FINISH_S if rows <= SMALL_ROWS else 0.0)
    return Recording(open_ended(directory))


def begin_finishing(directory: Path) -> Flag:
    """Make one file of a recording in the background; return what is raised when that is over."""
    done = Flag()
    thread = threading.Thread(
        target=_settle, args=(directory, done), name="pulse-finish", daemon=True
    )
    _threads[:] = [t for t in _threads if t.is_alive()]
    _threads.append(thread)
    thread.start()
    return done


def recordings(place: Path | None = None) -> pd.DataFrame:
    """Return the recordings in a directory, by default those of this user, newest first.

    Returns
    -------
    DataFrame
        Columns ``name``, ``start`` (UTC), ``seconds``, ``bytes``, ``series``, ``rows``,
        ``state`` (running, unfinished, finished, unreadable), ``title`` and ``path``.
    """
    import pandas as pd

    found = [line for item in _items(place or home()) if (line := _line_now(item)) is not None]
    names = ["name", "start", "seconds", "bytes", "series", "rows", "state", "title", "path"]
    frame = pd.DataFrame(found, columns=names)
    frame["start"] = pd.to_datetime(frame["start"], unit="us", utc=True)
    return frame.sort_values("start", ascending=False, ignore_index=True)


def keep_within(
    place: Path,
    *,
    most_bytes: int = MOST_BYTES,
    most_days: float = MOST_DAYS,
    newest: int = NEWEST,
    now_s: float | None = None,
) -> list[Path]:
    """Delete the oldest finished recordings beyond the bounds; return what was deleted.

    Only files that a session of ours left here are deleted: not a running or unfinished
    recording, not a copy somebody saved, not a file of another kind.
    """
    files = sorted((f for f in map(_ours, place.glob(f"*{FINISHED}")) if f), reverse=True)
    oldest_s = (time.time() if now_s is None else now_s) - most_days * 86_400
    held, deleted = 0, list[Path]()
    for number, file in enumerate(files):
        held += file.nbytes
        if number >= newest and (held > most_bytes or file.compacted_s < oldest_s):
            with contextlib.suppress(OSError):
                file.path.unlink()
                held -= file.nbytes
                deleted.append(file.path)
    return deleted


def network_note(path: Path) -> str:
    """Return a sentence when `path` lies on a network file system; empty when it does not.

    Locks and crash safety are only as good there as the server is.
    """
    kind = _file_system(path)
    if kind not in _NETWORK:
        return ""
    return f"{path} lies on a network file system ({kind}); set PULSE_HOME to a local disk"


@dataclass(frozen=True, slots=True, order=True)
class _File:
    compacted_s: float
    path: Path
    nbytes: int


def _ours(path: Path) -> _File | None:
    from pulse_widgets.storage.reader import open_file

    try:
        stamp = open_file(path).run.about.get("compacted")
        if not isinstance(stamp, int):
            return None
        return _File(stamp / 1e6, path, path.stat().st_size)
    except (PulseError, OSError):
        return None


def _absolute(path: Path) -> Path:
    """Return a path that means the same wherever the process goes."""
    try:
        return path.expanduser().absolute()
    except (OSError, RuntimeError) as exc:
        # There is no such user, or the working directory is gone.
        raise StorageError(
            f"{path} cannot be found: {exc}", remedy="Give a whole path with record=PATH."
        ) from exc


def _wanted(path: Path, title: str) -> Path:
    if path.is_dir() and not path.name.endswith(SUFFIX):
        return _free(path, _name(title))
    name = path.name.removesuffix(".parquet").removesuffix(SUFFIX)
    directory, finished = path.with_name(name + SUFFIX), path.with_name(name + FINISHED)
    if finished.exists():
        raise StorageError(
            f"{finished} is there already",
            remedy="Record to another path, or move the file.",
        )
    if directory.exists() and not _may_be_joined(directory):
        raise StorageError(
            f"{directory} is there already",
            remedy="Record to another path, or move the directory.",
        )
    return directory


def _may_be_joined(directory: Path) -> bool:
    """Return whether somebody records there now, or is just beginning to."""
    folders = writer_folders(directory)
    if folders:
        return any(map(is_running, folders))
    # So far there is at most what comes before the first row of all.
    return all(path.name == RUN or path.name.startswith(".") for path in directory.iterdir())


def _name(title: str) -> str:
    stamp = dt.datetime.now(dt.UTC).astimezone().strftime("%Y-%m-%d-%H%M%S")
    word = re.sub(r"[^\w.-]+", "-", title).strip("-.")[:60]
    name = f"{stamp}-{word}" if word else stamp
    return name.encode()[:NAME_BYTES].decode(errors="ignore")


def _free(place: Path, name: str) -> Path:
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    directories = (place / (free + SUFFIX) for free in names)
    return next(d for d in directories if not d.exists() and not finished_path(d).exists())


def _items(place: Path) -> list[Path]:
    directories = [p.parent for p in place.glob(f"*{SUFFIX}/{RUN}")]
    names = {d.name for d in directories}
    files = [p for p in place.glob(f"*{FINISHED}") if p.name.removesuffix(".parquet") not in names]
    return directories + files


def _line_now(path: Path) -> tuple[object, ...] | None:
    """Return the line of a recording, which may become one file while it is looked at."""
    for place in (path, finished_path(path)):
        with contextlib.suppress(FileNotFoundError):
            return _line(place)
    return None


def _line(path: Path) -> tuple[object, ...]:
    from pulse_widgets.storage.reader import open_stored

    name = path.name.removesuffix(".parquet").removesuffix(SUFFIX)
    try:
        stored = open_stored(path)
    except PulseError:
        start = int(path.stat().st_mtime * 1e6)
        return name, start, None, None, None, None, "unreadable", "", str(path)
    extents = stored.extents.values()
    end = max((x.end for x in extents), default=stored.run.start_us)
    state = "running" if stored.running else "unfinished" if stored.path.is_dir() else "finished"
    return (
        name,
        stored.run.start_us,
        max(0.0, (end - stored.run.start_us) / 1e6),
        stored.nbytes,
        len(extents),
        sum(x.rows for x in extents),
        state,
        str(stored.run.about.get("title") or ""),
        str(stored.path),
    )


def _settle(directory: Path, done: Flag) -> None:
    from pulse_widgets.library.finishing import compact_ended

    try:
        try:
            # A recording that is damaged stays as it is; reading it says why.
            with contextlib.suppress(PulseError):
                compact_ended(directory, _ended.is_set)
        finally:
            done.set()
        _settle_all(directory)
    except Exception:
        # The top of the thread. The recording stays a directory, which reads the same.
        _logger.exception("%s was not finished", directory)


def _settle_all(directory: Path) -> None:
    """Finish a directory and, on the shelf, whatever a crash left there; then make room."""
    from pulse_widgets.storage.compact import compact

    place = directory.parent
    shelved = place == home()
    left = [p.parent for p in place.glob(f"*{SUFFIX}/{RUN}")] if shelved else []
    for each in [directory, *(d for d in left if d != directory)]:
        if _ended.is_set():
            return
        # A recording that still runs, or is damaged, stays as it is; reading it says why.
        with contextlib.suppress(PulseError):
            compact(each, stopped=_ended.is_set)
    if shelved and not _ended.is_set():
        keep_within(place)


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
