"""What CUDA makes of ``CUDA_VISIBLE_DEVICES``, as far as it can be known without asking CUDA.

Entries count up to the first that names no GPU. Where the same GPU is named twice, CUDA uses none.
Numbers count the GPUs that this process can reach, the fastest first: which one CUDA takes for the
fastest is known to CUDA alone, and the driver's order is taken, with a note where GPUs differ. One
that is lost or cannot be opened keeps its place, so that the others keep their numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.gpus import Gpu, Mig, by_uuid, short, unnamed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Named = tuple[Gpu, Mig | None]

__all__ = ["VARIABLE", "visible"]

VARIABLE: Final = "CUDA_VISIBLE_DEVICES"

_LEADING: Final = re.compile(r"\s*\+?(\d+)", re.ASCII)
_ORDER: Final = "CUDA_DEVICE_ORDER"
_ENDS: Final = frozenset({"", "-1"})
"""What ends a list on purpose."""
_DIGITS: Final = 10
"""No GPU has a number of so many digits."""

_NODE_NUMBERS: Final = (
    "taken as the node's numbers; CUDA itself counts the {} GPUs that this process reaches from 0, "
    "and may use none"
)
_OTHER_ORDER: Final = (
    "the GPUs here differ, and CUDA counts the fastest first, so it may use others than are shown; "
    f"set {_ORDER}=PCI_BUS_ID or use UUIDs"
)


def visible(
    value: str, here: Sequence[Gpu], environ: Mapping[str, str]
) -> tuple[list[Named], list[str]]:
    """Return what a value names, and what is to be said of it.

    Parameters
    ----------
    value : str
    here : sequence of Gpu
        Every GPU that this process can reach, in the driver's order.
    environ : mapping of str to str
        Where ``CUDA_DEVICE_ORDER`` may stand.
    """
    words = [word.strip() for word in value.split(",")]
    by_minor = _by_minor(words, here)
    named: list[Named] = []
    notes: list[str] = []
    for word in words:
        matches = _matches(word, words[0], here, by_minor, named)
        if len(matches) != 1:
            if named and word not in _ENDS:
                notes.append(f"{short(word)!r} is no GPU here: CUDA ignores it and what follows it")
            break
        if matches[0] in named:
            return [], [f"{short(word)!r} is a GPU that was named before: CUDA then uses none"]
        named += matches
    if by_minor:
        return named, [*notes, _NODE_NUMBERS.format(len(here))]
    numbers = [number for number in map(_number, words[: len(named)]) if number is not None]
    return named, notes + _doubts(numbers, here, environ)


def _matches(
    word: str,
    first: str,
    here: Sequence[Gpu],
    by_minor: Mapping[int, Gpu],
    named: Sequence[Named],
) -> list[Named]:
    """Return what one entry names. UUIDs and numbers are not mixed: the first says which it is."""
    kind = first[:4].upper()
    if kind in {"GPU-", "MIG-"}:
        if word[:4].upper() != kind:
            return []
        # The UUID of a GPU that cannot be opened is mostly unknown.
        rest: list[Named] = [(gpu, None) for gpu in unnamed(here) if (gpu, None) not in named]
        return by_uuid(word, here) or rest[:1]
    number = _number(word)
    if number is None:
        return []
    if by_minor:
        return [(by_minor[number], None)]
    return [(here[number], None)] if number < len(here) else []


def _number(word: str) -> int | None:
    """Return the number of an entry. CUDA reads the digits that come first: `1gpu` is 1."""
    found = _LEADING.match(word)
    return int(found[1]) if found and len(found[1]) < _DIGITS else None


def _by_minor(words: Sequence[str], here: Sequence[Gpu]) -> dict[int, Gpu]:
    """Return the GPUs by the node's numbers where every number is one of those, else nothing.

    Some schedulers write the node's numbers although the job can reach only some GPUs. A list is
    read so as a whole or not at all, and only where some number is too high for a place.
    """
    wanted: list[int] = []
    for word in words:
        number = _number(word)
        if number is None:
            break
        wanted.append(number)
    if all(number < len(here) for number in wanted):
        return {}
    named = {gpu.minor: gpu for gpu in here if gpu.minor is not None}
    # What cannot be opened does not say its number: it has one that no other GPU has.
    unknown = [gpu for gpu in here if gpu.refused and gpu.minor is None]
    rest = [number for number in dict.fromkeys(wanted) if number not in named]
    if len(rest) > len(unknown):
        return {}
    return named | dict(zip(rest, unknown, strict=False))


def _doubts(numbers: Sequence[int], here: Sequence[Gpu], environ: Mapping[str, str]) -> list[str]:
    """Return where CUDA may use others than these numbers are taken for."""
    alike = len({gpu.model for gpu in here if gpu.model}) <= 1
    by_bus = environ.get(_ORDER, "").strip() == "PCI_BUS_ID"
    return [_OTHER_ORDER] if 0 < len(numbers) < len(here) and not alike and not by_bus else []
