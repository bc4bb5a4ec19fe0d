"""Which GPUs: what a user, CUDA, a container or a scheduler asked for, resolved to real ones.

``"mine"`` asks the environment, in this order: ``CUDA_VISIBLE_DEVICES``,
``NVIDIA_VISIBLE_DEVICES``, ``SLURM_STEP_GPUS``, ``SLURM_JOB_GPUS``. The first is read as CUDA reads
it: its entries count up to the first that names no GPU, and where that is the very first, or a GPU
is named twice, there is none. Any other variable counts when it names at least one GPU that is
here, otherwise the next one is asked, and in the end all GPUs are mine.

The numbers of CUDA count the GPUs that this process can reach; those of a scheduler or a
container runtime count the GPUs of the node. A UUID is only ever compared with UUIDs: its digits
are no index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import ArgumentError, NoDeviceError
from pulse_widgets.readers.cuda_visible import VARIABLE, visible
from pulse_widgets.readers.gpus import Gpu, Mig, by_uuid, short, unnamed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Gpu", "GpuChoice", "Mig", "Selection", "choose", "numbers", "short", "words_of"]

GpuChoice = str | int | list[str | int] | tuple[str | int, ...]
"""What `gpus=` takes."""

# No number of a GPU has more than twelve digits; Python refuses to read thousands of them.
_N: Final = r"(\d{1,12})"
_TOO_LONG: Final = re.compile(r"\d{13}", re.ASCII)
_RANGE: Final = re.compile(f"{_N}-{_N}", re.ASCII)
_NUMBER: Final = re.compile(f"(?:(?:gpu|mig)[ :-]?)?{_N}", re.ASCII | re.IGNORECASE)
_HOSTLIST: Final = re.compile(rf"[a-z_]\w*\[{_N}-{_N}\]", re.ASCII | re.IGNORECASE)
_INDEX: Final = re.compile(rf"(?:gpu:?|gpu |gpu-(?=\d{{1,2}}$))?{_N}", re.ASCII)
_INSTANCE: Final = re.compile(f"gpu:{_N}/mig:{_N}(?:/ci:{_N})?", re.ASCII)
_CONTAINER_MIG: Final = re.compile(f"{_N}:{_N}", re.ASCII)
_BUS: Final = re.compile(
    r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])(?:/.*)?", re.ASCII | re.IGNORECASE
)
_NOTHING_SAID: Final = frozenset({"", "none", "void"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The GPUs to show, and why these.

    Attributes
    ----------
    gpus : tuple of int
        Indices, ascending.
    migs : mapping of int to frozenset of str
        Index to the UUIDs of the MIG instances asked for; an absent index means all of them.
    reason : str
        ``"gpus"``, ``"all"``, ``"none"`` or the variable that decided.
    value : str
        What that variable says.
    ignored : mapping of str to str
        Variables that are set and did not count, or not all of them, to their value and why.
    """

    gpus: tuple[int, ...]
    migs: Mapping[int, frozenset[str]] = field(default_factory=dict)
    reason: str = "all"
    value: str = ""
    ignored: Mapping[str, str] = field(default_factory=dict)


class _Found:
    """Collects what the words of one list name."""

    def __init__(self) -> None:
        self.migs: dict[int, set[str] | None] = {}

    def add(self, gpu: Gpu, mig: Mig | None = None) -> None:
        if mig is None:
            self.migs[gpu.index] = None
        elif (chosen := self.migs.setdefault(gpu.index, set())) is not None:
            chosen.add(mig.uuid)

    def selection(self, reason: str, value: str, ignored: Mapping[str, str]) -> Selection:
        migs = {index: frozenset(uuids) for index, uuids in self.migs.items() if uuids}
        return Selection(tuple(sorted(self.migs)), migs, reason, value, dict(ignored))


def words_of(gpus: GpuChoice) -> tuple[str, ...]:
    """Return the words of a `gpus=` value, checked for form: ``"0,2-3"`` is ``("0", "2", "3")``.

    Raises
    ------
    ArgumentError
        If the value is no word, number or list of those.
    """
    items = gpus if isinstance(gpus, list | tuple) else [gpus]
    words: list[str] = []
    for item in items:
        # Python writes no number of thousands of digits.
        huge = isinstance(item, int) and abs(item) > _MOST
        if isinstance(item, bool) or huge or not isinstance(item, str | int):
            raise _no_choice(gpus)
        for word in str(item).split(","):
            words.extend(_expanded(word.strip()))
    if not all(_WORD.fullmatch(word) and not _TOO_LONG.search(word) for word in words):
        raise _no_choice(gpus)
    return tuple(words)


def _no_choice(gpus: GpuChoice) -> ArgumentError:
    try:
        said = f"gpus={short(repr(gpus))}"
    except ValueError:
        said = "gpus= with a number of thousands of digits"
    return ArgumentError(f"{said} is not a choice of GPUs", remedy=_FORMS)


# A word; or what begins as an index, a UUID, a bus id or an entity does.
_WORD: Final = re.compile(
    r"mine|all|none|[0-9a-f][0-9a-f:./-]*|(GPU|MIG)[\w:/-]*", re.ASCII | re.IGNORECASE
)
_FORMS: Final = (
    'Use "mine", "all", "none", an index, a UUID or the beginning of one, a bus id, or a list.'
)


_MOST: Final = 10**12
_NAMED: Final = 8
"""GPUs named in a message."""


def _expanded(word: str) -> list[str]:
    span = _RANGE.fullmatch(word)
    if span is None:
        return [word]
    first, last = sorted(map(int, span.groups()))
    return [str(number) for number in range(first, min(last, first + 1023) + 1)]


def choose(gpus: GpuChoice, here: Sequence[Gpu], environ: Mapping[str, str]) -> Selection:
    """Return which of the GPUs that are here are asked for.

    Parameters
    ----------
    gpus : str, int or list of those
        ``"mine"``, ``"all"``, ``"none"``, or what to take.
    here : sequence of Gpu
        Every GPU that this process can reach.
    environ : mapping of str to str
        The environment that ``"mine"`` asks.

    Returns
    -------
    Selection
        Empty for ``"none"``, and for ``"mine"`` where CUDA is told to use none.

    Raises
    ------
    ArgumentError
        If a word is malformed, or fits several GPUs.
    NoDeviceError
        If a word fits no GPU that is here.
    """
    words = words_of(gpus)
    if words == ("none",):
        return Selection((), reason="none")
    if words == ("all",):
        return Selection(tuple(gpu.index for gpu in here))
    if words == ("mine",):
        return _mine(here, environ)
    found = _Found()
    for word in words:
        _take(word, here, found)
    return found.selection("gpus", ",".join(words), {})


def _take(word: str, here: Sequence[Gpu], found: _Found) -> None:
    matches = _matches(word, here)
    if not matches and not _INDEX.fullmatch(word) and (lost := unnamed(here)):
        # It may be one of those that cannot be opened: then it is missing, with the reason.
        for gpu in lost:
            found.add(gpu)
        return
    if not matches:
        some = ", ".join(f"{gpu.index} ({_called(gpu)})" for gpu in here[:_NAMED]) or "none"
        more = f" and {len(here) - _NAMED} more" if len(here) > _NAMED else ""
        raise NoDeviceError(
            f"No GPU here is called {short(word)!r}.", remedy=f"GPUs of this machine: {some}{more}."
        )
    if len({gpu.index for gpu, _ in matches}) > 1:
        fits = ", ".join(str(gpu.index) for gpu, _ in matches)
        raise ArgumentError(
            f"{short(word)!r} fits the GPUs {fits}.", remedy="Give more of the UUID."
        )
    for gpu, mig in matches:
        found.add(gpu, mig)


def _called(gpu: Gpu) -> str:
    return gpu.uuid or gpu.refused or "no UUID"


def _matches(word: str, here: Sequence[Gpu]) -> list[tuple[Gpu, Mig | None]]:
    """Return what one word of a user names."""
    if number := _INDEX.fullmatch(word):
        return [(gpu, None) for gpu in here if gpu.index == int(number[1])]
    if instance := _INSTANCE.fullmatch(word):
        index, gi, ci = instance.groups()
        return [
            (gpu, mig)
            for gpu in here
            for mig in gpu.migs
            if gpu.index == int(index) and mig.gi == int(gi) and ci in (None, str(mig.ci))
        ]
    if bus := _bus(word):
        return [(gpu, None) for gpu in here if _bus(gpu.bus_id) == bus]
    return by_uuid(word, here)


def _bus(text: str) -> tuple[int, ...] | None:
    parts = _BUS.fullmatch(text)
    return None if parts is None else tuple(int(part or "0", 16) for part in parts.groups())


def _mine(here: Sequence[Gpu], environ: Mapping[str, str]) -> Selection:
    if VARIABLE in environ:
        value = environ[VARIABLE].strip()
        named, notes = visible(value, here, environ)
        found = _Found()
        for gpu, mig in named:
            found.add(gpu, mig)
        said = {VARIABLE: f"'{short(value)}': {'; '.join(notes)}"} if notes else {}
        return found.selection(VARIABLE, value, said)
    ignored: dict[str, str] = {}
    for name, resolve in _VARIABLES:
        if name not in environ:
            continue
        value = environ[name].strip()
        found = resolve(value, here)
        if found.migs:
            return found.selection(name, value, ignored)
        if value not in _NOTHING_SAID:
            ignored[name] = f"'{short(value)}' names no GPU that this process can reach"
    return Selection(tuple(gpu.index for gpu in here), ignored=ignored)


def _container(value: str, here: Sequence[Gpu]) -> _Found:
    """Follow the container runtime: ``all``, node indices, ``gpu:mig`` indices, UUIDs."""
    found = _Found()
    if value in _NOTHING_SAID:
        return found
    words = [part.strip() for part in value.split(",")]
    if value == "all" or all(_NUMBER.fullmatch(word) for word in words):
        _by_node_number({int(word) for word in words if word.isdecimal()}, here, found, value)
        return found
    for word in words:
        if place := _CONTAINER_MIG.fullmatch(word):
            index, instance = place.groups()
            for gpu in here:
                if gpu.index == int(index) and int(instance) < len(gpu.migs):
                    found.add(gpu, gpu.migs[int(instance)])
            continue
        _by_name(word, here, found)
    return found


def _scheduler(value: str, here: Sequence[Gpu]) -> _Found:
    found = _Found()
    for word in (part.strip() for part in value.split(",")):
        if word[:4].upper() in {"GPU-", "MIG-"}:
            _by_name(word, here, found)
    if not found.migs:
        _by_node_number(numbers(value), here, found, value)
    return found


def _by_name(word: str, here: Sequence[Gpu], found: _Found) -> None:
    matches = by_uuid(word, here)
    if len({gpu.index for gpu, _ in matches}) == 1:
        for gpu, mig in matches:
            found.add(gpu, mig)


def _by_node_number(wanted: set[int], here: Sequence[Gpu], found: _Found, value: str) -> None:
    """Take the GPUs that the node counts so.

    Where as many GPUs can be reached as are asked for, the container or the job's cgroup has
    already left only these, under other numbers.
    """
    already = value == "all" or (len(wanted) == len(here) > 0)
    by_minor = {gpu.minor for gpu in here} >= wanted
    for gpu in here:
        number = gpu.minor if by_minor and gpu.minor is not None else gpu.index
        if already or number in wanted:
            found.add(gpu)


def numbers(text: str) -> set[int]:
    """Return the GPU numbers of a scheduler's list: ``"0,2-4"``, ``"node[0-2]"``, ``"gpu2"``.

    Anything else, a UUID above all, has none.
    """
    found: set[int] = set()
    for word in re.split(r",(?![^\[]*\])", text):
        stripped = word.strip()
        if span := _RANGE.fullmatch(stripped) or _HOSTLIST.fullmatch(stripped):
            first, last = sorted(map(int, span.groups()))
            found.update(range(first, min(last, first + 1023) + 1))
            continue
        # A bus id may stand before the number; the end of a UUID is none.
        before, slash, last_part = stripped.rpartition("/")
        number = _NUMBER.fullmatch(last_part)
        if number and (not slash or _BUS.fullmatch(before)):
            found.add(int(number[1]))
    return found


_VARIABLES: Final = (
    ("NVIDIA_VISIBLE_DEVICES", _container),
    ("SLURM_STEP_GPUS", _scheduler),
    ("SLURM_JOB_GPUS", _scheduler),
)
