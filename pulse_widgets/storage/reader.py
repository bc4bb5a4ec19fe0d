"""Opens a recording: a finished file, a running directory, or what a crash left of one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import FormatVersionError, RecordingError
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.levels import Drawn, levels_of
from pulse_widgets.storage.arrow.convert import DAMAGE
from pulse_widgets.storage.damage import Damage
from pulse_widgets.storage.directory import (
    FINISHED,
    RUN,
    SUFFIX,
    RunInfo,
    finished_name,
    is_running,
    read_run,
    recording_path,
    writer_folders,
)
from pulse_widgets.storage.extent import Extent
from pulse_widgets.storage.folder import name_hosts, read_folder
from pulse_widgets.storage.foreign import ForeignSegment
from pulse_widgets.storage.gpus import entity_called, name_gpus
from pulse_widgets.storage.index import Catalog, entity_labels
from pulse_widgets.storage.overview_file import OverviewFile
from pulse_widgets.storage.place import Local, bytes_in
from pulse_widgets.storage.segment import OtherWriterError, ParquetSegment, Want, columns_of
from pulse_widgets.storage.untrusted import as_ours, few, sentences

if TYPE_CHECKING:
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.series.envelopes import Envelopes
    from pulse_widgets.storage.place import Place
    from pulse_widgets.storage.segment import Segment

__all__ = [
    "Stored",
    "is_finished_run",
    "open_directory",
    "open_file",
    "open_stored",
    "survey",
]

_TRIES: Final = 20


@dataclass(slots=True)
class Stored:
    """An opened recording; a directory is seen as it was when it was opened.

    Attributes
    ----------
    place : Place
    run : RunInfo
    catalog : Catalog
    segments : list of Segment
    known_problems : tuple of str
        What was missing or dropped when it was opened, in sentences.
    running : bool
        Whether a writer was still at work.
    """

    place: Place
    run: RunInfo
    catalog: Catalog
    segments: list[Segment]
    known_problems: tuple[str, ...] = ()
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
                sums[e.key] = fresh if old is None else old.joined(fresh)
        self.extents = dict(sorted(sums.items()))
        self._numbers = {key: number for number, key in enumerate(self.extents)}

    @property
    def path(self) -> Path:
        """The file or the directory; of a recording that lies elsewhere, its name."""
        return self.place.path or Path(self.place.name)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing, was dropped or could not be read so far, in sentences."""
        found = (problem for segment in self.segments for problem in segment.problems)
        return (*self.known_problems, *found)

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
        """Bytes it takes now, of the finished file when the directory has become one."""
        return bytes_in(self.place) or bytes_in(_finished(self.place))


def open_stored(where: Path | Place) -> Stored:
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
    with as_ours(where):
        place = _meant(where)
        # The name may be that given as `record=`, or the directory's after it was finished.
        base = place.name.removesuffix(FINISHED).removesuffix(SUFFIX)
        found = place.stat()
        if found is not None:
            return _open_either(place) if found.is_folder else open_file(place)
        running, finished = place.parent / (base + SUFFIX), _finished(place)
        found = running.stat()
        if found is not None and found.is_folder:
            return _open_either(running)
        if finished.stat() is not None:
            return open_file(finished)
    raise RecordingError(
        f"There is no recording at {where}",
        remedy="pw.recordings() lists the recordings of this machine.",
    )


def _meant(where: Path | Place) -> Place:
    """Return where the recording lies that is meant: for its description, the directory."""
    if isinstance(where, Path):
        return Local(recording_path(where))
    return where.parent if where.name == RUN else where


def _finished(directory: Place) -> Place:
    return directory.parent / finished_name(directory.name)


def _open_either(directory: Place) -> Stored:
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
    # If it was finished meanwhile, some of its files may have been gone when it was read.
    return _instead_of(directory) or stored


def open_file(place: Place) -> Stored:
    """Open a finished file, of this program or of another."""
    try:
        segment = ParquetSegment(place)
    except OtherWriterError:
        segment = foreign = ForeignSegment(place)
        run = foreign.run()
    else:
        if b"pulse.run" not in segment.marks:
            raise RecordingError(
                f"{place} is a part of a recording, not a whole one",
                remedy=f"Open the .pulse directory it lies in, or a {FINISHED} file.",
            )
        run = RunInfo.decode(segment.marks[b"pulse.run"], str(place))
    problems = tuple(few(sentences(run.about.get("problems"))))
    return Stored(place, run, segment.catalog, [segment], problems)


def _instead_of(directory: Place) -> Stored | None:
    """Return the file that the directory beside it became; None when it is none, or only a copy.

    A copy that somebody saved may hold less than the directory.
    """
    finished = _finished(directory)
    if finished.stat() is None:
        return None
    try:
        with as_ours(directory):
            number = read_run(directory).id
    except FormatVersionError:
        raise
    except RecordingError:
        # Finishing removes the description last. While there are folders of writers, the file
        # stands for the directory only if it was made by finishing it.
        stored = open_file(finished)
        alone = not _has_writers(directory)
        return stored if alone or "compacted" in stored.run.about else None
    try:
        with as_ours(finished):
            stored = open_file(finished)
    except RecordingError:
        return None
    return stored if is_finished_run(stored.run, number) else None


def _has_writers(directory: Place) -> bool:
    """Return whether there is a writer's folder in a directory; none where it cannot be listed."""
    try:
        return any(item.name.startswith("w-") for item in directory.items())
    except OSError:
        return False


def is_finished_run(run: RunInfo, number: str) -> bool:
    """Return whether a file has the whole of the run `number`, as finishing leaves it."""
    return run.id == number and "compacted" in run.about


def open_directory(directory: Place) -> Stored:
    """Open a directory as it is now: the parts and journals of all its writers."""
    return survey(directory)[0]


def survey(directory: Place) -> tuple[Stored, Damage]:
    """Open a directory as it is now, and return besides what of it cannot be read."""
    opened: dict[str, ParquetSegment] = {}
    for _ in range(_TRIES):
        try:
            return _look(directory, opened)
        except FileNotFoundError:
            continue  # a journal became a part, or parts were merged, after they were listed
    raise RecordingError(
        f"{directory} changes faster than it can be read",
        remedy="Try again in a moment.",
    )


def _look(directory: Place, known: dict[str, ParquetSegment]) -> tuple[Stored, Damage]:
    """Read the directory once; parts never change, so those in `known` are not read again."""
    run = read_run(directory)
    folders = writer_folders(directory)
    catalog, segments, damage = Catalog(), list[Any](), Damage()
    running, about = False, dict(run.about)
    damage.problems += sentences(about.get("problems"))
    held = []
    for folder in folders:
        alive = is_running(folder)
        running = running or alive
        held.append(read_folder(folder, known, damage, alive=alive))
    # Only when all is read: from here on nothing fails, so nothing is renamed twice.
    used = [{e.key.host for segment in own for e in segment.entries} for own in held]
    labels = [entity_labels(folder.about.get("entities")) for folder in folders]
    everywhere = [{*hosts, *named} for hosts, named in zip(used, labels, strict=True)]
    renames = name_hosts(folders, catalog, everywhere)
    for folder, own, entities, hosts, gpus in zip(
        folders, held, labels, renames, name_gpus(labels, renames), strict=True
    ):
        for segment in own:
            if hosts or gpus:
                segment.rehost(hosts, gpus)
            catalog.add(segment.catalog.infos.values())
            segments.append(segment)
        for host, named in entities.items():
            called = {entity_called(one, host, gpus): words for one, words in named.items()}
            catalog.label({hosts.get(host, host): called})
        extra = folder.about.get("about")
        about.update(extra if isinstance(extra, dict) else {})
    about.pop("problems", None)  # those of all writers are in `damage`
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
        return OverviewFile(only.file, only.marks[b"pulse.overview"])
    except DAMAGE:
        return None
