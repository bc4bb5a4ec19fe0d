"""Opens a recording: a finished file, a running directory, or what a crash left of one."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import FormatVersionError, RecordingError
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.levels import Drawn, levels_of
from pulse_widgets.storage.arrow.convert import DAMAGE
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.damage import Damage
from pulse_widgets.storage.directory import (
    FINISHED,
    SUFFIX,
    RunInfo,
    is_running,
    place_of,
    read_run,
    writer_folders,
)
from pulse_widgets.storage.folder import name_hosts, read_folder
from pulse_widgets.storage.foreign import ForeignSegment
from pulse_widgets.storage.index import Catalog, entity_labels
from pulse_widgets.storage.overview_file import OverviewFile
from pulse_widgets.storage.segment import OtherWriterError, ParquetSegment, Want, columns_of
from pulse_widgets.storage.untrusted import as_ours, few, sentences

if TYPE_CHECKING:
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.series.envelopes import Envelopes
    from pulse_widgets.storage.segment import Segment

__all__ = [
    "Extent",
    "Stored",
    "is_finished_run",
    "open_directory",
    "open_file",
    "open_stored",
    "survey",
]

_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is of a series: rows, and first and last time in microseconds."""

    rows: int
    start: int
    end: int


@dataclass(slots=True)
class Stored:
    """An opened recording; a directory is seen as it was when it was opened.

    Attributes
    ----------
    path : Path
    run : RunInfo
    catalog : Catalog
    segments : list of Segment
    told : tuple of str
        What was missing or dropped when it was opened, in sentences.
    running : bool
        Whether a writer was still at work.
    """

    path: Path
    run: RunInfo
    catalog: Catalog
    segments: list[Segment]
    told: tuple[str, ...] = ()
    running: bool = False
    _written: OverviewFile | None = None
    _looked: bool = False
    _computed: dict[SeriesKey, dict[int, Envelopes]] = field(default_factory=dict)
    _numbers: dict[SeriesKey, int] = field(init=False)
    extents: dict[SeriesKey, Extent] = field(init=False)
    """Every series that has rows, in order of key."""

    def __post_init__(self) -> None:
        """Sum up the segments."""
        sums: dict[SeriesKey, Extent] = {}
        for segment in self.segments:
            for e in segment.entries:
                old = sums.get(e.key)
                fresh = Extent(e.rows, e.start, e.end)
                sums[e.key] = fresh if old is None else _sum(old, fresh)
        self.extents = dict(sorted(sums.items()))
        self._numbers = {key: number for number, key in enumerate(self.extents)}

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing, was dropped or could not be read so far, in sentences."""
        found = (problem for segment in self.segments for problem in segment.problems)
        return (*self.told, *found)

    def columns(
        self,
        key: SeriesKey,
        start: int | None = None,
        end: int | None = None,
        *,
        payload: bool = True,
    ) -> Columns:
        """Return the rows of a series with start <= time < end, in order of time.

        Raises
        ------
        RecordingError
            If a file is damaged where they lie.
        """
        return columns_of(self.segments, key, Want(start, end, payload))

    def levels(self, key: SeriesKey) -> dict[int, Envelopes]:
        """Return the levels of a series, by the rows of a full block.

        They come from the overview in the file; where that has none of them, or cannot be
        trusted, from the rows. Empty for spans, text and media.
        """
        kind = self.catalog.describe(key).kind
        if key not in self.extents or not kind_stored_as(kind).numeric:
            return {}
        if key not in self._computed:
            written = self._overview()
            with contextlib.suppress(*DAMAGE):
                found = written.levels(self._numbers[key], self.extents[key]) if written else {}
                if found:
                    return found
            columns = self.columns(key, payload=kind_stored_as(kind).takes_words)
            levels = levels_of([Drawn(kind, key.entity, columns)] if len(columns) else [])
            self._computed[key] = {level.size: level.envelopes for level in levels}
        return self._computed[key]

    def level(self, key: SeriesKey, enough: int) -> Envelopes | None:
        """Return the coarsest level of a series with at least `enough` blocks, else its finest.

        None where the file has no overview of the series, or none that can be trusted.
        """
        written = self._overview()
        if written is None or key not in self.extents:
            return None
        try:
            return written.level(self._numbers[key], self.extents[key], enough)
        except DAMAGE:
            return None

    def _overview(self) -> OverviewFile | None:
        if not self._looked:
            self._written = _overview(self.segments)
            self._looked = True
        return self._written

    @property
    def nbytes(self) -> int:
        """Bytes on disk now, of the finished file when the directory has become one."""
        total = 0
        inside = [Path(place, name) for place, _, names in os.walk(self.path) for name in names]
        for path in inside or [self.path, finished_path(self.path)]:
            with contextlib.suppress(OSError):  # parts come and go while this looks
                total += path.stat().st_size
        return total


def _sum(a: Extent, b: Extent) -> Extent:
    return Extent(a.rows + b.rows, min(a.start, b.start), max(a.end, b.end))


def open_stored(path: Path) -> Stored:
    """Open a ``.pulse.parquet`` file, a ``.pulse`` directory or its ``run.pulse.json``.

    A directory that was finished, before or meanwhile, gives the finished file, and either name
    opens whichever of the two is there.

    Raises
    ------
    RecordingError
        If there is no recording, or none of it can be read. Whatever else goes wrong on
        reading is this error, too.
    FormatVersionError
        If a newer program wrote it.
    """
    with as_ours(path):
        place = place_of(path)
        if place.is_dir():
            return _open_either(place)
        if place.exists():
            return open_file(place)
        finished = finished_path(place)
        # As it was named with `record=`, or by the other name of the two.
        base = place.name.removesuffix(FINISHED).removesuffix(SUFFIX)
        running = place.with_name(base + SUFFIX)
        if running.is_dir():
            return _open_either(running)
        if finished.exists():
            return open_file(finished)
    raise RecordingError(
        f"There is no recording at {path}",
        remedy="pw.recordings() lists the recordings of this machine.",
    )


def _open_either(directory: Path) -> Stored:
    """Open a directory, or the finished file beside it if that stands for it."""
    instead = _instead_of(directory)
    if instead is not None:
        return instead
    try:
        stored = open_directory(directory)
    except FormatVersionError:
        raise
    except RecordingError:
        instead = _instead_of(directory)
        if instead is None:
            raise
        return instead
    # Finished meanwhile, it may have been half gone when it was listed.
    return _instead_of(directory) or stored


def open_file(path: Path) -> Stored:
    """Open a finished file, of this program or of another."""
    try:
        segment = ParquetSegment(path)
    except OtherWriterError:
        segment = foreign = ForeignSegment(path)
        run = foreign.run()
    else:
        if b"pulse.run" not in segment.marks:
            raise RecordingError(
                f"{path} is a part of a recording, not a whole one",
                remedy=f"Open the .pulse directory it lies in, or a {FINISHED} file.",
            )
        run = RunInfo.decode(segment.marks[b"pulse.run"], str(path))
    problems = tuple(few(sentences(run.about.get("problems"))))
    return Stored(path, run, segment.catalog, [segment], problems)


def _instead_of(directory: Path) -> Stored | None:
    """Return the file that the directory beside it became; None when it is none, or only a copy.

    A copy that somebody saved may hold less than the directory.
    """
    finished = finished_path(directory)
    if not finished.exists():
        return None
    try:
        with as_ours(directory):
            number = read_run(directory).id
    except FormatVersionError:
        raise
    except RecordingError:
        # Its description goes last. While a writer's folder is there, only the whole will do.
        stored = open_file(finished)
        left = not directory.is_dir() or not any(directory.glob("w-*"))
        return stored if left or "compacted" in stored.run.about else None
    try:
        with as_ours(finished):
            stored = open_file(finished)
    except RecordingError:
        return None
    return stored if is_finished_run(stored.run, number) else None


def is_finished_run(run: RunInfo, number: str) -> bool:
    """Return whether a file has the whole of the run `number`, as finishing leaves it."""
    return run.id == number and "compacted" in run.about


def open_directory(directory: Path) -> Stored:
    """Open a directory as it is now: the parts and journals of all its writers."""
    return survey(directory)[0]


def survey(directory: Path) -> tuple[Stored, Damage]:
    """Open a directory as it is now, and return besides what of it cannot be read."""
    opened: dict[Path, ParquetSegment] = {}
    for _ in range(_TRIES):
        try:
            return _look(directory, opened)
        except FileNotFoundError:
            continue  # a journal became a part, or parts one, between two looks
    raise RecordingError(
        f"{directory} changes faster than it can be read",
        remedy="Try again in a moment.",
    )


def _look(directory: Path, known: dict[Path, ParquetSegment]) -> tuple[Stored, Damage]:
    """Read the directory once; parts never change, so those in `known` are not read again."""
    run = read_run(directory)
    folders = writer_folders(directory)
    catalog, segments, damage = Catalog(), list[Any](), Damage()
    running, about = False, dict(run.about)
    damage.problems += sentences(about.get("problems"))
    for folder, hosts in zip(folders, name_hosts(folders, catalog), strict=True):
        alive = is_running(folder)
        running = running or alive
        for segment in read_folder(folder, hosts, known, damage, alive=alive):
            catalog.add(segment.catalog.infos.values())
            segments.append(segment)
        entities = entity_labels(folder.about.get("entities"))
        catalog.label({hosts.get(host, host): named for host, named in entities.items()})
        extra = folder.about.get("about")
        about.update(extra if isinstance(extra, dict) else {})
    about.pop("problems", None)  # of all writers, they stand beside
    problems = tuple(few(damage.problems))
    made = Stored(directory, replace(run, about=about), catalog, segments, problems, running)
    return made, damage


def _overview(segments: list[Segment]) -> OverviewFile | None:
    """Return the overview of a finished file; None when there is none that can be read."""
    only = segments[0] if len(segments) == 1 else None
    if not isinstance(only, ParquetSegment) or not only.sealed:
        return None
    if b"pulse.overview" not in only.marks:
        return None
    try:
        return OverviewFile(only.path, only.size, only.marks[b"pulse.overview"])
    except DAMAGE:
        return None
