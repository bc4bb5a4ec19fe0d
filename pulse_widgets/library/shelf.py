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
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import PulseError, StorageError
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.directory import FINISHED, RUN, SUFFIX, is_running, writer_folders
from pulse_widgets.storage.disk import refusal

if TYPE_CHECKING:
    import pandas as pd

    from pulse_widgets.library.recording import Recording

__all__ = ["finish", "home", "keep_within", "network_note", "new_place", "recordings"]

MOST_BYTES: Final = 5 << 30
MOST_DAYS: Final = 30.0
NEWEST: Final = 3

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
        return Path(place).expanduser() / "recordings"
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
    if path is not None:
        return _wanted(path.expanduser(), title)
    place = home()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise refusal(exc, place) from exc
    return _free(place, _name(title))


def finish(directory: Path) -> Recording:
    """Return the recording that has just ended, and make one file of it in the background.

    On the shelf, old recordings then make room. When the process ends first, the recording
    stays a directory, which reads the same, and the next `finish` completes it.

    Raises
    ------
    RecordingError
        If nothing was recorded.
    """
    from pulse_widgets.library.recording import Recording

    opened = Recording.open(directory)
    thread = threading.Thread(target=_settle, args=(directory,), name="pulse-finish", daemon=True)
    _threads[:] = [t for t in _threads if t.is_alive()]
    _threads.append(thread)
    thread.start()
    return opened


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
    running = directory.exists() and any(map(is_running, writer_folders(directory)))
    if directory.exists() and not running and any(directory.iterdir()):
        raise StorageError(
            f"{directory} is there already",
            remedy="Record to another path, or move the directory.",
        )
    return directory


def _name(title: str) -> str:
    stamp = dt.datetime.now(dt.UTC).astimezone().strftime("%Y-%m-%d-%H%M%S")
    word = re.sub(r"[^\w.-]+", "-", title).strip("-.")[:60]
    return f"{stamp}-{word}" if word else stamp


def _free(place: Path, name: str) -> Path:
    names = [name, *(f"{name}-{k}" for k in range(2, 1000))]
    return next(
        place / (n + SUFFIX)
        for n in names
        if not (place / (n + SUFFIX)).exists() and not (place / (n + FINISHED)).exists()
    )


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


def _settle(directory: Path) -> None:
    try:
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
