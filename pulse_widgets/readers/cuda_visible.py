"""What CUDA makes of ``CUDA_VISIBLE_DEVICES``, as far as it can be known without asking CUDA.

Entries count up to the first that names no GPU. Where the same GPU is named twice, CUDA uses none.
Numbers count the GPUs that this process can reach, the fastest first: which one CUDA takes for the
fastest is known to CUDA alone, and the driver's order is taken, with a note where GPUs differ.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.gpus import Gpu, Mig, by_uuid, short

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
    named: list[Named] = []
    notes: list[str] = []
    for word in words:
        matches = _matches(word, words[0], here)
        if len(matches) != 1:
            if named and word not in _ENDS:
                notes.append(f"{short(word)!r} is no GPU here: CUDA ignores it and what follows it")
            break
        if matches[0] in named:
            return [], [f"{short(word)!r} is a GPU that was named before: CUDA then uses none"]
        named += matches
    numbers = [int(found[1]) for found in map(_LEADING.match, words[: len(named)]) if found]
    return named, notes + _doubts(numbers, here, environ)


def _matches(word: str, first: str, here: Sequence[Gpu]) -> list[Named]:
    """Return what one entry names. UUIDs and numbers are not mixed: the first says which it is."""
    kind = first[:4].upper()
    if kind in {"GPU-", "MIG-"}:
        return by_uuid(word, here) if word[:4].upper() == kind else []
    # CUDA reads the digits that come first: `1gpu` is 1.
    number = _LEADING.match(word)
    return _numbered(int(number[1]), here) if number and len(number[1]) < _DIGITS else []


def _numbered(number: int, here: Sequence[Gpu]) -> list[Named]:
    if number < len(here):
        return [(here[number], None)]
    # Some schedulers write the node's number although the job can reach only some GPUs.
    return [(gpu, None) for gpu in here if gpu.minor == number]


def _doubts(numbers: Sequence[int], here: Sequence[Gpu], environ: Mapping[str, str]) -> list[str]:
    """Return where CUDA may use others than these numbers are taken for."""
    if any(number >= len(here) for number in numbers):
        return [_NODE_NUMBERS.format(len(here))]
    alike = len({gpu.model for gpu in here}) == 1
    by_bus = environ.get(_ORDER, "").strip() == "PCI_BUS_ID"
    return [_OTHER_ORDER] if 0 < len(numbers) < len(here) and not alike and not by_bus else []
