"""Saves a recording, or what is selected of it, for others to open."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pulse_widgets.errors import RecordingError, StorageError
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.cleanup import remove_unfinished
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.directory import FINISHED, SUFFIX, finished_name
from pulse_widgets.storage.disk import one_file, refusal, sync
from pulse_widgets.storage.merge import better_split, extents, merged
from pulse_widgets.storage.pack import Packer
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.privacy import Redaction
from pulse_widgets.storage.reader import open_file
from pulse_widgets.storage.segment import Want
from pulse_widgets.storage.untrusted import as_ours

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from pulse_widgets.library.selection import Chosen, Window
    from pulse_widgets.storage.reader import Stored

__all__ = ["save_copy", "target_of"]


def save_copy(
    stored: Stored,
    chosen: Sequence[Chosen],
    window: Window,
    path: Path,
    include: Collection[str] = (),
) -> Path:
    """Write the series `chosen` within `window`; see `Recording.save`."""
    with one_file(path, "save it under another path"):
        return _save(stored, chosen, window, path, include)


def _save(
    stored: Stored,
    chosen: Sequence[Chosen],
    window: Window,
    path: Path,
    include: Collection[str],
) -> Path:
    name, own = stored.place.name, stored.place.path
    target = target_of(path, name if name.endswith(FINISHED) else finished_name(name))
    if own is not None and own.is_dir() and _is(target, finished_path(own)):
        _require_whole(stored, chosen, window, target)
        return compact(own)
    if not target.parent.is_dir():
        raise StorageError(
            f"There is no directory {target.parent}", remedy="Make it first, or save elsewhere."
        )
    with as_ours(stored.place):
        _require_replaceable(stored, target)
        remove_unfinished(target.parent, target.name)
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            _write(stored, chosen, window, fresh, Redaction(stored.catalog, include))
            _require_nothing_lost(target, fresh)
            fresh.replace(target)
            sync(target.parent)
        except StorageError:
            raise
        except OSError as exc:
            raise refusal(exc, target) from exc
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
    return target


def _write(
    stored: Stored, chosen: Sequence[Chosen], window: Window, fresh: Path, redaction: Redaction
) -> None:
    keys = redaction.keys([c.key for c in chosen])
    sizes = extents(stored.segments)
    packer = Packer(
        fresh,
        redaction.catalog(stored.catalog, keys),
        final=True,
        data_bytes=sum(sizes[key][2] for key in keys),
        split=better_split(stored.segments, {key: sizes[key] for key in keys}),
    )
    try:
        for key, columns in merged(stored.segments, list(keys), Want(window.start, window.end)):
            packer.add(keys[key], redaction.columns(key, window.cut(columns)))
        # Damage is known only once all rows were read.
        about = {**stored.run.about, "problems": [*stored.problems]}
        for mark in ("compacted", "damaged"):  # those of the file that stays here
            about.pop(mark, None)
        packer.finish({"pulse.run": redaction.run(replace(stored.run, about=about)).encode()})
    except BaseException:
        packer.discard()
        raise


def _is(target: Path, finished: Path) -> bool:
    return target.name == finished.name and target.parent.resolve() == finished.parent.resolve()


def _require_whole(stored: Stored, chosen: Sequence[Chosen], window: Window, target: Path) -> None:
    """Refuse a part under the name of the whole: the directory itself becomes that file."""
    if not window.whole or {c.key for c in chosen} != set(stored.extents):
        raise StorageError(
            f"{target} is the name of the whole recording",
            remedy="Save the part under another name.",
        )


def _require_nothing_lost(target: Path, fresh: Path) -> None:
    """Refuse to replace a file by one that holds less of the same recording."""
    if not target.exists():
        return
    there, ours = open_file(Local(target)).extents, open_file(Local(fresh)).extents
    lost = [key for key, held in there.items() if key not in ours or ours[key].rows < held.rows]
    if lost:
        raise StorageError(
            f"{target} holds more of this recording: {len(lost)} of its {len(there)} series would "
            "lose rows",
            remedy="Save the part under another name, or delete the file first.",
        )


def target_of(path: Path, name: str) -> Path:
    """Return the file that is meant by a path to write to: in a directory, it is called `name`.

    The directory of a recording is none to write into: its name is meant.
    """
    if path.is_dir() and not path.name.endswith(SUFFIX):
        return path / name
    if path.suffix == ".parquet":
        return path
    return path.with_name(path.name.removesuffix(SUFFIX) + FINISHED)


def _require_replaceable(stored: Stored, target: Path) -> None:
    if not target.exists():
        return
    # The directory may have been finished into a file since it was opened.
    path = stored.place.path
    own = [path, finished_path(path)] if path is not None else []
    if any(target.samefile(each) for each in own if each.exists()):
        raise StorageError(
            f"{target} is the recording itself",
            remedy="Save it under another name.",
        )
    try:
        same = open_file(Local(target)).run.id == stored.run.id
    except RecordingError:
        same = False
    if not same:
        raise StorageError(
            f"{target} is there already and is not this recording",
            remedy="Give another name, or delete the file first.",
        )
