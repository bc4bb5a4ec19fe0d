"""Opens a recording: a finished file, a running directory, or what a crash left of one."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import FormatVersionError, RecordingError
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.directory import (
    FINISHED,
    RUN,
    SUFFIX,
    RunInfo,
    WriterFolder,
    is_running,
    journal_name,
    part_name,
    read_run,
    standing,
    writer_folders,
)
from pulse_widgets.storage.foreign import ForeignSegment
from pulse_widgets.storage.index import Catalog, entity_labels
from pulse_widgets.storage.journal import read_journal
from pulse_widgets.storage.overview import read_overview
from pulse_widgets.storage.segment import (
    MemorySegment,
    OtherWriterError,
    ParquetSegment,
    Want,
    columns_of,
)

if TYPE_CHECKING:
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.storage.overview import Cells
    from pulse_widgets.storage.segment import Segment
from pulse_widgets.storage.version import MOST_JSON

__all__ = ["Extent", "Stored", "open_directory", "open_stored"]

_TRIES: Final = 20
_KEPT_OPEN: Final = 64
_MOST_OVERVIEW: Final = 16 * MOST_JSON


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
    _overview: dict[int, dict[int, Cells]] | None = None
    _looked: bool = False
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

    def cells(self, key: SeriesKey) -> dict[int, Cells]:
        """Return the overview of a series: rows a cell to cells; empty when there is none."""
        if not self._looked:
            self._looked = True
            self._overview = _overview(self.segments, [x.rows for x in self.extents.values()])
        if self._overview is None or key not in self.extents:
            return {}
        return self._overview.get(list(self.extents).index(key), {})

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

    A directory that was finished meanwhile gives the finished file.

    Raises
    ------
    RecordingError
        If there is no recording, or none of it can be read.
    FormatVersionError
        If a newer program wrote it.
    """
    place = path.parent if path.name == RUN else path
    finished = finished_path(place)
    if place.is_dir():
        if finished.exists() and _same_run(place, finished):
            return open_file(finished)
        return open_directory(place)
    if not place.exists() and finished.exists():
        return open_file(finished)
    if not place.exists():
        # As it was named with `record=`, while it runs and after a crash.
        running = place.with_name(place.name + SUFFIX)
        if running.is_dir():
            return open_directory(running)
        raise RecordingError(
            f"There is no recording at {path}",
            remedy="pw.recordings() lists the recordings of this machine.",
        )
    return open_file(place)


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
    problems = run.about.get("problems")
    told = tuple(str(p) for p in problems) if isinstance(problems, list) else ()
    return Stored(path, run, segment.catalog, [segment], told)


def _same_run(directory: Path, finished: Path) -> bool:
    try:
        return open_file(finished).run.id == read_run(directory).id
    except RecordingError:
        return False


def open_directory(directory: Path) -> Stored:
    """Open a directory as it is now: the parts and journals of all its writers."""
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


def _look(directory: Path, known: dict[Path, ParquetSegment]) -> Stored:
    """Read the directory once; parts never change, so those in `known` are not read again."""
    run = read_run(directory)
    folders = writer_folders(directory)
    catalog, segments, problems = Catalog(), list[Any](), list[str]()
    running, about = False, dict(run.about)
    for folder, hosts in zip(folders, _name_hosts(folders, catalog), strict=True):
        alive = is_running(folder)
        running = running or alive
        opened, told = _read_folder(folder, hosts, known, alive=alive)
        problems += told
        for segment in opened:
            catalog.add(segment.catalog.infos.values())
            segments.append(segment)
        entities = entity_labels(folder.about.get("entities"))
        catalog.label({hosts.get(host, host): named for host, named in entities.items()})
        extra = folder.about.get("about")
        about.update(extra if isinstance(extra, dict) else {})
    return Stored(directory, replace(run, about=about), catalog, segments, tuple(problems), running)


def _read_folder(
    folder: WriterFolder, hosts: dict[str, str], known: dict[Path, ParquetSegment], *, alive: bool
) -> tuple[list[Segment], list[str]]:
    """Return the segments of a writer, and what is wrong with them."""
    segments, problems = list[Any](), list[str]()
    parts, journals = standing([p.name for p in folder.path.iterdir()])
    for part in parts:
        path = folder.path / part_name(part)
        try:
            if path not in known:
                # A process may have few files open at once, and each takes its memory.
                known[path] = ParquetSegment(path, hosts, keep=len(known) < _KEPT_OPEN)
            segments.append(known[path])
        except FormatVersionError:
            raise
        except RecordingError as exc:
            problems.append(f"The rows of a part are missing. {exc.problem}")
    for number in journals:
        name = journal_name(number)
        content = read_journal(folder.path / name)
        segments.append(MemorySegment(content.series, content.columns, content.infos, hosts))
        if content.dropped_bytes and not alive:
            problems.append(
                f"{content.dropped_bytes} bytes at the end of {folder.path.name}/{name} were "
                f"dropped: {content.reason}"
            )
    if not alive:
        there = {part_name(part) for part in parts}
        listed = folder.about.get("parts")
        gone = sorted(set(listed) - there) if isinstance(listed, dict) else []
        problems += [f"{folder.path.name}/{name} is missing" for name in gone]
    return segments, problems


def _name_hosts(folders: list[WriterFolder], catalog: Catalog) -> list[dict[str, str]]:
    """Give every machine an id of its own; each writer calls its own machine h0."""
    named: dict[str, tuple[str, str]] = {}
    renames: list[dict[str, str]] = []
    for folder in folders:
        hosts = folder.about.get("hosts")
        rename: dict[str, str] = {}
        for host, about in (hosts if isinstance(hosts, dict) else {}).items():
            facts = about if isinstance(about, dict) else {}
            machine = (str(facts.get("name")), str(facts.get("boot_id")))
            known = [h for h, m in named.items() if m == machine]
            free = [host, *(f"h{k}" for k in range(len(named) + 1))]
            chosen = known[0] if known else next(h for h in free if h not in named)
            named[chosen] = machine
            catalog.hosts.setdefault(chosen, facts)
            if chosen != host:
                rename[host] = chosen
        renames.append(rename)
    return renames


def _overview(segments: list[Segment], rows: list[int]) -> dict[int, dict[int, Cells]] | None:
    only = segments[0] if len(segments) == 1 else None
    if not isinstance(only, ParquetSegment) or b"pulse.overview" not in only.marks:
        return None
    mark = only.marks[b"pulse.overview"]
    try:
        said = json.loads(mark)
        offset, length = int(said["offset"]), int(said["length"])
    except (ValueError, KeyError, TypeError):
        return None
    if not (0 <= offset <= offset + length <= only.size and length <= _MOST_OVERVIEW):
        return None
    with only.path.open("rb") as file:
        file.seek(offset)
        content = file.read(length)
    return read_overview(content, mark, rows)
