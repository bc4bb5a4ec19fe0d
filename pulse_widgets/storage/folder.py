"""Reads the folder of one writer: what can be read, and what is missing from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import FormatVersionError, RecordingError
from pulse_widgets.storage.directory import (
    ABOUT,
    covered_journals,
    journal_name,
    part_name,
    standing,
    written_problems,
)
from pulse_widgets.storage.journal import read_journal
from pulse_widgets.storage.memory import MemorySegment
from pulse_widgets.storage.segment import ParquetSegment
from pulse_widgets.storage.untrusted import as_ours, sentences

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pulse_widgets.storage.damage import Damage
    from pulse_widgets.storage.directory import PartName, WriterFolder
    from pulse_widgets.storage.index import Catalog
    from pulse_widgets.storage.journal import JournalContent
    from pulse_widgets.storage.place import Place

__all__ = ["OWN_HOST", "lost_end", "lost_part", "name_hosts", "read_folder", "torn_journals"]

NAMED: Final = 10
"""Lost parts that are named one by one."""
OWN_HOST: Final = "h0"
"""What each writer calls the machine it is on."""
MOST_HOSTS: Final = 10_000
MOST_NAME: Final = 255
"""Letters of a file name, at most."""
_KEPT_OPEN: Final = 64


def read_folder(
    folder: WriterFolder,
    known: dict[str, ParquetSegment],
    damage: Damage,
    *,
    alive: bool,
) -> list[ParquetSegment | MemorySegment]:
    """Return the segments of a writer; what cannot be read goes to `damage`.

    Their hosts are called as the writer calls them.

    Parameters
    ----------
    folder : WriterFolder
    known : dict of str to ParquetSegment
        Parts that are open already, by their names in the directory. They never change, so they
        are not read again.
    damage : Damage
    alive : bool
        The end of the newest journal may still be on its way, and parts come and go.

    Raises
    ------
    FormatVersionError
        If a newer program wrote a part.
    FileNotFoundError
        If a file was replaced meanwhile; the folder must be listed again.
    """
    try:
        names = [item.name for item in folder.place.items()]
    except FileNotFoundError:
        raise
    except OSError as exc:
        damage.add(folder.name, f"{folder.name} cannot be listed: {exc.strerror}", exc)
        return []
    parts, journals = standing(names)
    segments: dict[int, ParquetSegment | MemorySegment | None] = {}
    for part in parts:
        segments[part.first] = _part(folder, part_name(part), known, damage)
    for n in journals:
        segments[n] = _journal(folder, journal_name(n), damage, alive=alive)
    if not alive:
        damage.problems += _gone(folder, parts)
    # In order of arrival, in which parts and journals may alternate.
    found = [segment for _, segment in sorted(segments.items()) if segment is not None]
    if folder.fault is not None and found and not alive:
        lost = "what it says of its machine and devices is missing"
        reason = _words(folder.fault, folder.place / ABOUT)
        sentence = f"{folder.name}/{ABOUT} cannot be read, {lost}: {reason}"
        gone = isinstance(folder.fault, FileNotFoundError)
        damage.add(f"{folder.name}/{ABOUT}", sentence, None if gone else folder.fault)
    damage.problems += sentences(_object(folder.about.get("about")).get("problems"))
    damage.problems += written_problems(folder)
    return found


def torn_journals(folder: WriterFolder) -> list[str]:
    """Return journals that have become parts and were torn: a part has only what could be read.

    By their names in the directory, as in `Damage`.
    """
    covered = covered_journals([item.name for item in folder.place.items()])
    torn: list[str] = []
    for name in map(journal_name, covered):
        place = folder.place / name
        try:
            with as_ours(place):
                whole = not read_journal(place).dropped_bytes
        except RecordingError:
            whole = False
        torn += [] if whole else [f"{folder.name}/{name}"]
    return torn


def lost_end(name: str, content: JournalContent) -> str:
    """Return the sentence on the end of a journal that was torn or damaged."""
    return f"{content.dropped_bytes} bytes at the end of {name} were dropped: {content.reason}"


def lost_part(folder: WriterFolder, name: str, exc: BaseException) -> str:
    """Return the sentence on a part that cannot be read."""
    rows = folder.count(name)
    lost = "its rows are missing" if rows is None else f"its {rows} rows are missing"
    return f"{folder.name}/{name} cannot be read, {lost}: {_words(exc, folder.place / name)}"


def _part(
    folder: WriterFolder, name: str, known: dict[str, ParquetSegment], damage: Damage
) -> ParquetSegment | None:
    place, called = folder.place / name, f"{folder.name}/{name}"
    if called in known:
        return known[called]
    try:
        with as_ours(place, FileNotFoundError):  # then it was merged, or the run finished
            # The number of files that a process may have open is limited.
            known[called] = ParquetSegment(place, keep=len(known) < _KEPT_OPEN)
    except FormatVersionError:
        raise
    except RecordingError as exc:
        damage.add(called, lost_part(folder, name, exc), exc)
    return known.get(called)


def _journal(
    folder: WriterFolder, name: str, damage: Damage, *, alive: bool
) -> MemorySegment | None:
    place, called = folder.place / name, f"{folder.name}/{name}"
    try:
        with as_ours(place, FileNotFoundError):  # then it became a part
            content = read_journal(place)
            segment = MemorySegment(content.series, content.columns, content.infos)
    except RecordingError as exc:
        reason = _words(exc, place)
        damage.add(called, f"{called} cannot be read, its rows are missing: {reason}", exc)
        return None
    if content.dropped_bytes and not alive:
        damage.add(called, lost_end(called, content))
    return segment


def _gone(folder: WriterFolder, parts: Sequence[PartName]) -> list[str]:
    """Return sentences on parts that the writer lists and that are not there.

    A writer that is killed right after a merge lists the parts that were merged, and not yet
    the one that has their rows.
    """
    listed = [name for name in _object(folder.about.get("parts")) if len(name) <= MOST_NAME]
    there = set(parts)
    wanted, _ = standing([*listed, *map(part_name, parts)])
    gone = [part_name(part) for part in wanted if part not in there]
    missing = [f"{folder.name}/{name} is missing{_with(folder.count(name))}" for name in gone]
    if len(missing) <= NAMED:
        return missing
    counts = [count for name in gone[NAMED:] if (count := folder.count(name)) is not None]
    rest = f"{len(missing) - NAMED} more parts of {folder.name} are missing"
    return [*missing[:NAMED], f"{rest}{_with(sum(counts) if counts else None)}"]


def _with(rows: int | None) -> str:
    return "" if rows is None else f", with {rows} rows"


def _words(exc: BaseException, place: Place) -> str:
    """Return why a file cannot be read, without saying again which file it is."""
    problem = exc.problem if isinstance(exc, RecordingError) else str(exc)
    for said in (f"{place} cannot be read as a recording: ", f"{place} ", str(place)):
        problem = problem.replace(said, "")
    return problem


def name_hosts(
    folders: Sequence[WriterFolder], catalog: Catalog, used: Sequence[Collection[str]] = ()
) -> list[dict[str, str]]:
    """Give every machine an id of its own; each writer calls its own machine h0.

    A writer that cannot say which machine it is on has one to itself: rows of two machines are
    never mixed.

    Parameters
    ----------
    folders : sequence of WriterFolder
    catalog : Catalog
        Gets what is known of the machines.
    used : sequence of collection of str
        The hosts in the series of each writer. A reader may tell of machines that the writer
        does not list; they keep their ids.

    Returns
    -------
    list of dict
        For each writer the ids to be called otherwise.
    """
    named: dict[tuple[str, str], str] = {}
    taken = {
        host
        for folder, hosts in zip(folders, used, strict=False)
        for host in {*hosts} - {OWN_HOST, *_object(folder.about.get("hosts"))}
    }
    renames: list[dict[str, str]] = []
    free = 0
    for folder in folders:
        rename: dict[str, str] = {}
        for host, about in list(_object(folder.about.get("hosts")).items())[:MOST_HOSTS]:
            facts = _object(about)
            machine = (str(facts.get("name")), str(facts.get("boot_id")))
            if machine not in named:
                while f"h{free}" in taken:
                    free += 1
                named[machine] = f"h{free}" if host in taken else host
                taken.add(named[machine])
            chosen = named[machine]
            catalog.hosts.setdefault(chosen, facts)
            if chosen != host:
                rename[host] = chosen
        renames.append(rename)
    for folder, rename in zip(folders, renames, strict=True):
        if OWN_HOST in _object(folder.about.get("hosts")):
            continue
        if OWN_HOST in taken:
            while f"h{free}" in taken:
                free += 1
            rename[OWN_HOST] = f"h{free}"
        taken.add(rename.get(OWN_HOST, OWN_HOST))
    return renames


def _object(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}
