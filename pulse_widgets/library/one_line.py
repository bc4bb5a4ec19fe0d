"""What a recording holds, in one line; told from its catalog alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.amounts import amount, lasting, of_devices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulse_widgets.library.selection import Chosen, Window
    from pulse_widgets.storage.extent import Extent
    from pulse_widgets.storage.reader import Stored

__all__ = ["line_of", "short_name"]

_ENDINGS: Final = (".parquet", ".pulse")


def short_name(name: str) -> str:
    """Return the name of a recording without what every file name of one ends in."""
    short = name
    for ending in _ENDINGS:
        short = short.removesuffix(ending)
    return short or name


def line_of(stored: Stored, chosen: Sequence[Chosen], window: Window, seconds: float) -> str:
    """Return what is selected of a recording, as ``'run-17': 5 min 59 s, 1 host, 8 GPUs, ...``.

    Rows and cells inside a part of the time are not known without reading, and so not told.
    """
    extents = [stored.extents[c.key] for c in chosen]
    facts = ["nothing recorded"]
    if chosen:
        facts = _counted(chosen, extents, window, seconds)
    if stored.run.about.get("simulated"):
        facts.append("simulated")
    if stored.running:
        facts.append("running when it was opened")
    if stored.problems:
        facts.append(f"{amount(len(stored.problems), 'problem')} (see .problems)")
    # Its repr, because a file may be called anything.
    return f"{short_name(stored.path.name)!r}: {', '.join(facts)}"


def _counted(
    chosen: Sequence[Chosen], extents: Sequence[Extent], window: Window, seconds: float
) -> list[str]:
    facts = [
        lasting(seconds),
        amount(len({c.key.host for c in chosen}), "host"),
        *of_devices([(c.key.host, c.key.entity) for c in chosen]),
    ]
    if window.whole:
        facts.append(amount(sum(extent.rows for extent in extents), "row"))
        cells = sum(
            # A cell has two rows, one that has not ended only the first.
            (extent.rows + 1) // 2
            for c, extent in zip(chosen, extents, strict=True)
            if c.key.metric == "cell" and c.stored_kind.paired
        )
        facts += [amount(cells, "cell")] if cells else []
    return facts
