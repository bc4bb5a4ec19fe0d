"""Finds the recordings of a directory, and the one that a bare name means."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from pulse_widgets.errors import RecordingError
from pulse_widgets.library.destination import home
from pulse_widgets.storage.directory import FINISHED, RUN, SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["base_name", "holds_any", "listed", "located", "recordings_in"]


def located(path: Path) -> Path:
    """Return a path; where a bare name is none here, that of the recording on the shelf.

    Raises
    ------
    RecordingError
        If a bare name is neither here nor on the shelf; the remedy lists similar names.
    """
    if str(path) != path.name or any(map(os.path.lexists, _forms(path))):
        return path
    there = [each for each in _forms(home() / path.name) if os.path.lexists(each)]
    if there:
        return there[0]
    names = sorted({base_name(item.name) for item in recordings_in(home())})
    base = base_name(path.name)
    close = [name for name in names if base.lower() in name.lower()]
    close += [x for x in difflib.get_close_matches(base, names) if x not in close]
    like = " or ".join(map(repr, close[-3:]))
    raise RecordingError(
        f"There is no recording at {path}, and none of that name in {home()}",
        remedy=f"{f'Perhaps {like}? ' if like else ''}pw.recordings() lists what there is.",
    )


def base_name(name: str) -> str:
    """Return the name of a recording without the ending of its file or directory."""
    return name.removesuffix(".parquet").removesuffix(SUFFIX)


def recordings_in(place: Path) -> list[Path]:
    """Return the directories of recordings, and then the files."""
    there = listed(place)
    directories = [p for p in there if p.name.endswith(SUFFIX) and holds_any(p)]
    return directories + [p for p in there if p.name.endswith(FINISHED)]


def listed(place: Path) -> list[Path]:
    """Return what lies in a directory; hidden files are unfinished ones."""
    try:
        return sorted(place / name for name in os.listdir(place) if not name.startswith("."))  # noqa: PTH208
    except OSError:
        return []


def _forms(path: Path) -> list[Path]:
    """Return the paths at which a recording of that name may lie; as it was named comes first."""
    base = base_name(path.name)
    return [path, path.with_name(base + SUFFIX), path.with_name(base + FINISHED)]


def holds_any(directory: Path) -> bool:
    """Return whether there is anything of a recording in a directory, or it cannot be told."""
    try:
        names = os.listdir(directory)  # noqa: PTH208
    except NotADirectoryError:
        return False
    except OSError:
        return True
    return any(name == RUN or name.startswith("w-") for name in names)
