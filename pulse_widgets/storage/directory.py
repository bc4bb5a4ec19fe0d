"""What lies in the directory of a running recording, and who is still writing to it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import socket
import time
import uuid
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError, RecordingError
from pulse_widgets.storage.disk import refusal, replace_file
from pulse_widgets.storage.place import Local, content_of, open_regular
from pulse_widgets.storage.untrusted import as_ours, parse_json
from pulse_widgets.storage.version import MOST_JSON, VERSION, check_version

if TYPE_CHECKING:
    from collections.abc import Collection

    from pulse_widgets.storage.place import Place

__all__ = [
    "PartName",
    "RunInfo",
    "WriterFolder",
    "boot_id",
    "covered_journals",
    "finished_name",
    "is_running",
    "journal_name",
    "part_name",
    "plan_merge",
    "read_run",
    "recording_path",
    "standing",
    "start_run",
    "writer_folders",
    "written_problems",
]

RUN: Final = "run.pulse.json"
SUFFIX: Final = ".pulse"
FINISHED: Final = ".pulse.parquet"
LOCK: Final = "lock"
ABOUT: Final = "writer.json"
READERS: Final = ".readers"
"""Of this file a process locks a byte for everything that it records for all."""
FAILED: Final = ".failed"
"""Touched in a directory that could not be finished, so that it is not tried again at once."""
HEARTBEAT_S: Final = 5.0
SILENCE_S: Final = 30.0
MERGED: Final = 16
MOST_RUN: Final = 8 << 20
"""Bytes of the description of a run, at most."""
MOST_US: Final = (1 << 63) // 1000 - 1
"""The last moment that tables of pandas can hold, in the year 2262."""
PROBLEMS_BYTES: Final = 4096
"""Bytes of a lock: what its writer says is missing, in JSON, filled up with spaces."""

_PART: Final = re.compile(r"part-(\d{6,})(?:-(\d{6,}))?\.parquet")
_JOURNAL: Final = re.compile(r"journal-(\d{6,})\.arrows")


@dataclass(frozen=True, slots=True, order=True)
class PartName:
    """The journals a part stands for, first to last, inclusive."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many journals."""
        return self.last - self.first + 1


def part_name(part: PartName) -> str:
    """Return the file name of a part: one number, or the range of a merged one."""
    if part.first == part.last:
        return f"part-{part.first:06d}.parquet"
    return f"part-{part.first:06d}-{part.last:06d}.parquet"


def journal_name(number: int) -> str:
    """Return the file name of a journal."""
    return f"journal-{number:06d}.arrows"


def finished_name(name: str) -> str:
    """Return the name of the finished file of a directory."""
    return name.removesuffix(SUFFIX) + FINISHED


def standing(names: list[str]) -> tuple[list[PartName], list[int]]:
    """Return the parts and journals that count, of the file names of a writer.

    A part whose range lies in another's was merged into it, and a journal whose number lies
    in a part was written to it; the crash that left them there doubles no row.
    """
    # A name with other zeros than ours was not written by this program.
    parts: list[PartName] = []
    for part in sorted(_part_names(names), key=lambda p: (p.first, -p.last)):
        if part.last >= part.first and (not parts or part.last > parts[-1].last):
            parts.append(part)
    return parts, [n for n in _journal_numbers(names) if not _covered(n, parts)]


def covered_journals(names: list[str]) -> list[int]:
    """Return the numbers of the journals whose rows are in a part already."""
    parts, _ = standing(names)
    return [n for n in _journal_numbers(names) if _covered(n, parts)]


def _part_names(names: list[str]) -> list[PartName]:
    matches = [m for m in map(_PART.fullmatch, names) if m]
    parts = [(PartName(int(m[1]), int(m[2] or m[1])), m[0]) for m in matches]
    return [part for part, name in parts if part_name(part) == name]


def _journal_numbers(names: list[str]) -> list[int]:
    matches = [m for m in map(_JOURNAL.fullmatch, names) if m]
    return sorted(int(m[1]) for m in matches if journal_name(int(m[1])) == m[0])


def _covered(number: int, parts: list[PartName]) -> bool:
    # No part lies in another, so the last one that begins at or before the number ends last.
    place = bisect_right(parts, number, key=lambda part: part.first) - 1
    return place >= 0 and number <= parts[place].last


def plan_merge(parts: list[PartName], pending: Collection[int] = ()) -> list[PartName]:
    """Return the next 16 parts to merge into one; empty when there is nothing to merge.

    Parts of like size are merged, so that each row is rewritten once for every factor of 16
    in the length of the run, and at most 15 parts of a size are left. A merged part stands
    for its whole range, so the range must hold no journal whose part is still `pending`.
    """
    for place in range(len(parts) - MERGED, -1, -1):
        window = parts[place : place + MERGED]
        level = _level(window[0].size)
        alike = all(_level(p.size) == level for p in window)
        if alike and not any(window[0].first <= n <= window[-1].last for n in pending):
            return window
    return []


def _level(size: int) -> int:
    level = 0
    while size >= MERGED:
        size, level = size // MERGED, level + 1
    return level


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a recording as a whole.

    Attributes
    ----------
    id : str
        Hexadecimal, of the run; the same in every copy of the recording.
    start_us : int
        Microseconds since the epoch.
    version : str
        Format version, ``major.minor``.
    about : mapping
        Title, versions, whether the data are simulated, and other JSON values.
    """

    id: str
    start_us: int
    version: str = VERSION
    about: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> str:
        """Return the ASCII JSON."""
        content = {"version": self.version, "id": self.id, "start": self.start_us}
        return json.dumps({**content, "about": self.about})

    @classmethod
    def decode(cls, text: bytes, where: str) -> RunInfo:
        """Return the run of `encode`.

        Raises
        ------
        RecordingError
            If the text is not that.
        """
        try:
            content = parse_json(text, MOST_RUN)
            version, number, start = content["version"], content["id"], content["start"]
        except (ValueError, KeyError, TypeError) as exc:
            raise _not_ours(where, _WRONG) from exc
        check_version(version, where)
        about = content.get("about")
        known = isinstance(number, str) and isinstance(start, int) and start is not True
        if not (known and 0 <= start <= MOST_US):
            raise _not_ours(where, _WRONG)
        return cls(number, start, str(version), about if isinstance(about, dict) else {})


_WRONG: Final = "its description is not JSON with a version, an id and a start"
_ABSENT: Final = f"there is no {RUN} in it"


def _not_ours(where: str, why: str) -> RecordingError:
    return RecordingError(
        f"{where} is not a recording: {why}",
        remedy=f"Give a {FINISHED} file, or a {SUFFIX} directory with {RUN} in it.",
    )


def recording_path(path: Path) -> Path:
    """Return the path of the recording that is meant: for its description, the directory.

    Raises
    ------
    RecordingError
        If it is the root of all files, which has no name.
    """
    meant = path.parent if path.name == RUN else path
    # "." and ".." have no name of their own.
    meant = meant if meant.name not in {"", ".."} else Path(os.path.abspath(meant))  # noqa: PTH100
    if not meant.name:
        raise _not_ours(str(meant), _ABSENT)
    return meant


def read_run(directory: Place) -> RunInfo:
    """Return the run of a directory.

    Raises
    ------
    RecordingError
        If there is none, or it cannot be read.
    """
    try:
        with as_ours(directory, FileNotFoundError, NotADirectoryError):
            text = content_of(directory / RUN, MOST_RUN)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise _not_ours(str(directory), _ABSENT) from exc
    return RunInfo.decode(text, str(directory))


def start_run(directory: Path, start_us: int, about: dict[str, Any]) -> RunInfo:
    """Make the directory of a run, or join the one that is there.

    Raises
    ------
    StorageError
        If it cannot be made.
    """
    path = directory / RUN
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise refusal(exc, directory) from exc
    # Not `exists`: a link to a file that is not there would be replaced, and must not be.
    if not os.path.lexists(path):
        run = RunInfo(uuid.uuid4().hex, start_us, about=about)
        fresh = directory / f".{RUN}.{os.getpid()}"
        replace_file(fresh, run.encode().encode())
        try:
            _publish(fresh, path)
        except OSError as exc:
            raise refusal(exc, path) from exc
    return read_run(Local(directory))


def _publish(fresh: Path, path: Path) -> None:
    """Give a file its name unless another process was first."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        if not path.exists():
            fresh.rename(path)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class WriterFolder:
    """One writer's part of a directory.

    Attributes
    ----------
    place : Place
    about : mapping
        Content of ``writer.json``; empty when it cannot be read.
    fault : Exception or None
        Why it cannot be read.
    """

    place: Place
    about: dict[str, Any]
    fault: Exception | None = None

    @property
    def name(self) -> str:
        """Its name in the directory."""
        return self.place.name

    @property
    def start_us(self) -> int:
        """When it began; 0 when that is not known."""
        start = self.about.get("start", 0)
        return start if isinstance(start, int) else 0

    def count(self, name: str) -> int | None:
        """Return the rows that a part has according to its writer; None when it does not say."""
        rows = self.about.get("rows")
        count = rows.get(name) if isinstance(rows, dict) else None
        return count if isinstance(count, int) and count >= 0 else None


def writer_folders(directory: Place) -> list[WriterFolder]:
    """Return the writers of a directory, in order of their start.

    Raises
    ------
    RecordingError
        If the directory may not be listed.
    FileNotFoundError
        If there is none.
    """
    try:
        # A link is not followed: what it leads to would be removed with the recording.
        names = [x.name for x in directory.items() if x.is_folder and x.name.startswith("w-")]
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise RecordingError(
            f"{directory} cannot be listed: {exc.strerror}",
            remedy="Check its permissions and its disk.",
        ) from exc
    return sorted((_folder(directory / name) for name in names), key=lambda w: (w.start_us, w.name))


def _folder(place: Place) -> WriterFolder:
    try:
        content = parse_json(content_of(place / ABOUT, MOST_JSON))
    except (PulseError, OSError, ValueError, MemoryError) as exc:
        return WriterFolder(place, {}, exc)
    if not isinstance(content, dict):
        return WriterFolder(place, {}, ValueError("it is not a JSON object"))
    return WriterFolder(place, content)


def written_problems(folder: WriterFolder) -> list[str]:
    """Return what is missing from the rows of a writer, as it has written, in sentences."""
    try:
        written = json.loads((folder.place / LOCK).open().read_at(0, PROBLEMS_BYTES))
    except (PulseError, OSError, ValueError, RecursionError):
        return []
    return [x for x in written if isinstance(x, str)] if isinstance(written, list) else []


def is_running(folder: WriterFolder) -> bool:
    """Return whether the writer still writes, or may write: when in doubt, it does.

    Its lock decides. Where locks cannot be seen, on some file systems, from another machine and
    at a place elsewhere, so does a heartbeat younger than 30 s.
    """
    lock = folder.place / LOCK
    try:
        if lock.path is None:
            return time.time() - lock.open().modified_s < SILENCE_S
        fd = open_regular(lock.path)
    except (FileNotFoundError, NotADirectoryError, RecordingError):
        return False
    except OSError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        seen = folder.about.get("locks", False) and folder.about.get("boot_id") == boot_id()
        return not seen and time.time() - os.fstat(fd).st_mtime < SILENCE_S
    except BlockingIOError:
        return True
    except OSError:
        return time.time() - os.fstat(fd).st_mtime < SILENCE_S
    finally:
        os.close(fd)


@cache
def boot_id() -> str:
    """Return an id of this machine since its last start."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return socket.gethostname()
