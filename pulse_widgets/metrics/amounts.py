"""How much of something there is, in words: ``1 GPU``, ``214 series``, ``1.2 million rows``.

The words are ASCII, as every terminal can show them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.entities import is_gpu
from pulse_widgets.metrics.units import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["amount", "lasting", "of_devices"]

_GROUPED_FROM: Final = 10_000
_LARGE: Final = ((1e9, "billion"), (1e6, "million"))


def amount(count: int, one: str, several: str = "") -> str:
    """Return a count and what is counted.

    Parameters
    ----------
    count : int
    one : str
        What one of them is called.
    several : str, optional
        What several are called; `one` and an ``s`` unless given.

    Examples
    --------
    >>> amount(1, "cell"), amount(0, "cell"), amount(1_234_000, "row")
    ('1 cell', '0 cells', '1.2 million rows')
    """
    word = one if count == 1 else several or f"{one}s"
    for size, name in _LARGE:
        if round(count / size, 1) >= 1:
            return f"{count / size:.1f} {name} {word}".replace(".0 ", " ")
    digits = f"{count:,}".replace(",", " ") if count >= _GROUPED_FROM else str(count)
    return f"{digits} {word}"


def lasting(seconds: float) -> str:
    """Return how long something took, to the millisecond."""
    return format_value(round(max(0.0, seconds), 3), "s")


def of_devices(owners: Sequence[tuple[str, str]]) -> list[str]:
    """Return how many GPUs and series there are, given host and entity of every series."""
    gpus = {owner for owner in owners if is_gpu(owner[1])}
    gpu = [amount(len(gpus), "GPU")] if gpus else []
    return [*gpu, amount(len(owners), "series", "series")]
