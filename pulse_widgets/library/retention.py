"""How long finished recordings stay on the shelf."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulse_widgets.errors import PulseError
from pulse_widgets.storage.claim import damaged_path
from pulse_widgets.storage.cleanup import remove_damaged
from pulse_widgets.storage.directory import FINISHED
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.untrusted import as_ours

__all__ = ["keep_within"]

MOST_BYTES: Final = 5 << 30
MOST_DAYS: Final = 30.0
NEWEST: Final = 3
_AUTOMATIC: Final = re.compile(rf"\d{{4}}-\d\d-\d\d-\d{{6}}(?:-[\w.-]+)?{re.escape(FINISHED)}")
"""The names that `_name` gives."""


def keep_within(
    place: Path,
    *,
    most_bytes: int = MOST_BYTES,
    most_days: float = MOST_DAYS,
    newest: int = NEWEST,
    now_s: float | None = None,
) -> list[Path]:
    """Delete the oldest finished recordings beyond the bounds; return what was deleted.

    Only files that a session of ours left here under a name of its own making are deleted: not
    a recording that somebody named, not a running or unfinished one, not a copy somebody saved,
    not a file of another kind, and none that cannot be read.
    """
    named = [path for path in place.glob(f"*{FINISHED}") if _AUTOMATIC.fullmatch(path.name)]
    files = sorted((f for f in map(_ours, named) if f), reverse=True)
    oldest_s = (time.time() if now_s is None else now_s) - most_days * 86_400
    held, deleted = 0, list[Path]()
    for number, file in enumerate(files):
        held += file.nbytes
        if number >= newest and (held > most_bytes or file.compacted_s < oldest_s):
            with contextlib.suppress(OSError):
                file.path.unlink()
                remove_damaged(_damaged(file.path))
                held -= file.nbytes
                deleted.append(file.path)
    return deleted


@dataclass(frozen=True, slots=True, order=True)
class _File:
    compacted_s: float
    path: Path
    nbytes: int


def _ours(path: Path) -> _File | None:
    from pulse_widgets.storage.reader import open_file

    try:
        with as_ours(path):
            stamp = open_file(Local(path)).run.about.get("compacted")
            if not isinstance(stamp, int):
                return None
            kept = [p for p in _damaged(path).rglob("*") if not p.is_dir()]
            return _File(stamp / 1e6, path, sum(p.lstat().st_size for p in (path, *kept)))
    except PulseError:
        return None


def _damaged(path: Path) -> Path:
    return damaged_path(path.with_name(path.name.removesuffix(".parquet")))
