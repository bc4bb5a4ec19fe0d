"""Parses numbers in the files of the kernel under /proc and /sys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.omissions import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST", "clock_hz", "number", "numbers"]

MOST: Final = 1 << 64
"""The kernel counts with 64 bits."""
_DIGITS: Final = len(str(MOST))
_FASTEST_HZ: Final = 1e12


def number(word: bytes) -> int:
    """Return a number of the kernel, which has digits only.

    Raises
    ------
    ValueError
        When it is something else: a word, negative, or more than the kernel can count.
    """
    # int() would also take "+5", "1_000" and digits of other scripts.
    if word.isdigit() and (len(word) < _DIGITS or (len(word) == _DIGITS and int(word) < MOST)):
        return int(word)
    raise ValueError(f"says {shown(word)} in place of a number")


def numbers(words: Sequence[bytes]) -> list[int]:
    """Return several numbers; checking all together costs less than checking each.

    Raises
    ------
    ValueError
        As `number`, of the first that is none.
    """
    if b"".join(words).isdigit() and max(map(len, words)) < _DIGITS:
        return list(map(int, words))
    return [number(word) for word in words]


def clock_hz(text: bytes, unit_hz: float) -> float:
    """Return how fast a core runs.

    Raises
    ------
    ValueError
        When that is no number, or no clock has it: 0 is what some virtual machines say.
    """
    try:
        clock = float(text) * unit_hz
    except ValueError:
        clock = 0.0
    if 0 < clock < _FASTEST_HZ:
        return clock
    raise ValueError(f"says {shown(text)} in place of a clock")
