"""The report of one execution of a notebook cell: what ran meanwhile, and what it cost."""

from __future__ import annotations

import datetime as dt
import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.insight.cells import Answer, Why
from pulse_widgets.library.cell_numbers import COUNTER, INTEGRAL, MIXED, NUMBERS, Numbers
from pulse_widgets.loading import PANDAS, load
from pulse_widgets.metrics.units import MISSING, format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

__all__ = ["CellReport", "Facts", "nothing_known"]

UNITS: Final[Mapping[str, str]] = {"seconds": "s", **NUMBERS}
TITLES: Final[Mapping[str, str]] = {
    "seconds": "Time",
    "gpu_busy_s": "GPU busy",
    "sm_active_s": "SMs active",
    "gpu_memory_peak": "GPU memory, peak",
    "gpu_memory_left": "GPU memory left behind",
    "energy_j": "GPU energy",
    "pcie_rx": "PCIe received",
    "pcie_tx": "PCIe sent",
    "throttled": "Throttled",
    "rss_peak": "Memory of the kernel, peak",
    "cpu_s": "CPU time",
}
REASONS: Final[Mapping[int, str]] = {
    Why.NO_SOURCE: "nothing reads it here",
    Why.NOT_COVERED: "readings are missing for the time of the cell",
    Why.TOO_SHORT: "the cell is too short for readings so rare",
    Why.RESET: "the counter began anew while the cell ran",
}
METHODS: Final[Mapping[str, str]] = {
    COUNTER: "from the counters of the GPUs",
    INTEGRAL: "summed up from readings of the rate",
    MIXED: "from the counters of some GPUs, of others summed up from readings of the rate",
}
TWO_WAYS: Final[Mapping[str, str]] = {"energy_j": "Energy", "pcie_rx": "PCIe"}
OF_PROCESS: Final = ("rss_peak", "cpu_s")
GPUS_BESIDE: Final = 4
"""So many GPUs have a column each; more have a row each, below."""
GPUS_BELOW: Final = 16
"""So many of them are in the text; the table has all of them, folded."""
SHORT: Final[Mapping[str, str]] = {
    "gpu_busy_s": "busy",
    "sm_active_s": "SMs active",
    "gpu_memory_peak": "memory, peak",
    "gpu_memory_left": "left behind",
    "energy_j": "energy",
    "pcie_rx": "PCIe received",
    "pcie_tx": "PCIe sent",
    "throttled": "throttled",
}
"""The numbers of GPUs, where each has a row."""
_PLACE: Final = "padding:1px 10px;border:none;white-space:nowrap;vertical-align:baseline"
_CELL: Final = f"{_PLACE};text-align:right;font-variant-numeric:tabular-nums"
_HEAD: Final = f"{_PLACE};text-align:left;font-weight:normal"
# The colours and letters of the page, also where its style has others for tables.
_TABLE: Final = "border-collapse:collapse;margin:4px 0;color:inherit;font:inherit;border:none"
_FAINT: Final = "opacity:0.7"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an execution without any reading.

    Attributes
    ----------
    cell : int or None
        Its execution count.
    host, line : str
    cell_id, error : str or None
    status : str
        ``ok``, ``error``, ``interrupted``, ``running``, or ``unfinished`` where its end is not in
        the recording.
    start_us : int
    end_us : int or None
    seconds : float
        So far, where it has not ended.
    overlaps : tuple of int
        The counts of cells that ran beside it.
    simulated : bool
    """

    cell: int | None
    host: str
    line: str
    cell_id: str | None
    status: str
    error: str | None
    start_us: int
    end_us: int | None
    seconds: float
    overlaps: tuple[Any, ...]
    simulated: bool


class CellReport:
    """What was going on while a notebook cell ran, and what it cost.

    Made by `Recording.cell` and `Monitor.cell`; prints as text, displays as a table.
    """

    def __init__(
        self, facts: Facts, numbers: Numbers, previous: Callable[[], CellReport] | None
    ) -> None:
        self._facts = facts
        self._made = numbers
        self._find_previous = previous
        self._previous: CellReport | None = None

    @property
    def cell(self) -> int | None:
        """Its execution count."""
        return self._facts.cell

    @property
    def seconds(self) -> float:
        """How long it ran; so far, where it has not ended."""
        return self._facts.seconds

    @property
    def status(self) -> str:
        """``ok``, ``error``, ``interrupted``, ``running``, or ``unfinished``."""
        return self._facts.status

    @property
    def overlaps(self) -> tuple[int, ...]:
        """The counts of cells that ran beside it; the numbers are of all that ran meanwhile."""
        return self._facts.overlaps

    @property
    def numbers(self) -> dict[str, float | None]:
        """The numbers, by the names of the columns of `Recording.cells`; None: not known."""
        told = {name: _plain(self._made.total[name].value[0]) for name in NUMBERS}
        return {"seconds": self.seconds, **told}

    @property
    def absent(self) -> dict[str, str]:
        """Why a number is not there, by its name."""
        return {
            name: REASONS[int(answer.why[0])]
            for name, answer in self._made.total.items()
            if answer.why[0] != Why.KNOWN
        }

    @property
    def previous(self) -> CellReport | None:
        """The execution of the same notebook cell before this one; None where there is none.

        The same cell has the same id in the notebook; where that is not known, the same first
        line.
        """
        if self._previous is None and self._find_previous is not None:
            self._previous = self._find_previous()
        return self._previous

    @property
    def compared(self) -> pd.DataFrame | None:
        """Each number now and in the previous execution; None where there is none.

        Returns
        -------
        DataFrame
            Index ``number``; columns ``unit``, ``now``, ``before`` and ``change``.
        """
        before = self.previous
        if before is None:
            return None
        load(*PANDAS)
        import pandas as pd

        nan = float("nan")
        pairs = list(zip(self.numbers.values(), before.numbers.values(), strict=True))
        table = pd.DataFrame(
            {
                "unit": list(UNITS.values()),
                "now": [nan if now is None else now for now, _ in pairs],
                "before": [nan if then is None else then for _, then in pairs],
            },
            index=pd.Index(list(UNITS), name="number"),
        )
        table["change"] = table["now"] - table["before"]
        return table

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON.

        Numbers are in the units of `Recording.cells`, None where they are not known; ``absent``
        says why, and ``gpus`` has them for each GPU.
        """
        facts = self._facts
        told: dict[str, Any] = {
            "cell": facts.cell,
            "host": facts.host,
            "cell_id": facts.cell_id,
            "line": facts.line,
            "start": _iso(facts.start_us),
            "end": None if facts.end_us is None else _iso(facts.end_us),
            "seconds": facts.seconds,
            "status": facts.status,
            "error": facts.error,
            **{name: self.numbers[name] for name in NUMBERS},
            "energy_error_j": _plain(self._made.total["energy_j"].error[0]),
        }
        for name, by in (("energy_method", "energy_j"), ("pcie_method", "pcie_rx")):
            told[name] = str(self._made.method[by][0]) or None
        told["overlaps"] = list(facts.overlaps)
        told["gpus"] = {
            gpu: {name: _plain(answer.value[0]) for name, answer in there.items()}
            for gpu, there in self._made.each.items()
        }
        told["absent"] = self.absent
        return told

    # How it looks -----------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return it as a short table."""
        below = self._below()
        told = len(below) - 1
        more = [f"... and {told - GPUS_BELOW} more"] if told > GPUS_BELOW else []
        each = [*_aligned(below[: GPUS_BELOW + 1]), *more]
        return "\n".join([*self._head(), *_aligned(self._rows()), *each, *self._notes()])

    def _repr_html_(self) -> str:
        """Return it as a small table; where there are many GPUs, one of them below, folded."""
        title, *more = map(html.escape, self._head())
        foot = "".join(f'<div style="{_FAINT}">{html.escape(note)}</div>' for note in self._notes())
        said = "".join(f'<div style="{_FAINT}">{line}</div>' for line in more)
        below = self._below()
        each = f"<details><summary>each GPU</summary>{_table(below)}</details>" if below else ""
        table = _table(self._rows())
        return f"<div><div><strong>{title}</strong></div>{said}{table}{each}{foot}</div>"

    def _rows(self) -> list[list[str]]:
        """Return the rows of the table."""
        now, before = self.numbers, self.previous
        gpus = list(self._made.each)
        columns = gpus if 1 < len(gpus) <= GPUS_BESIDE else []
        rows = []
        if columns or before is not None:
            compared = ["before", "change"] if before is not None else []
            rows.append(["", "all" if columns else "now", *compared, *columns])
        then = {} if before is None else before.numbers
        for name, title in TITLES.items():
            of_each = [self._of_gpu(gpu, name) for gpu in columns]
            # Where one GPU is not known the sum is not; what is known of the others is told.
            known = now[name] is not None or any(text not in {"", MISSING} for text in of_each)
            if not known or (name == "seconds" and before is None):
                continue
            row = [self._titled(name, title), self._text(name)]
            if before is not None:
                row += [before._text(name), _change(now[name], then[name])]  # noqa: SLF001
            rows.append(row + of_each)
        return rows

    def _titled(self, name: str, title: str) -> str:
        """Return what a number is called, and of how many GPUs it is."""
        count = sum(name in there for there in self._made.each.values())
        if count < 2:  # noqa: PLR2004  of one GPU that is clear
            return title
        return f"{title}, {'worst' if name == 'throttled' else 'all'} of {count} GPUs"

    def _below(self) -> list[list[str]]:
        """Return a row for each GPU, under their titles, where there are too many for columns."""
        each = self._made.each
        if len(each) <= GPUS_BESIDE:
            return []
        names = [name for name in SHORT if any(self._of_gpu(gpu, name) for gpu in each)]
        rows = [[gpu, *(self._of_gpu(gpu, name) or MISSING for name in names)] for gpu in each]
        return [["", *(SHORT[name] for name in names)], *rows]

    def _head(self) -> list[str]:
        facts = self._facts
        name = f"cell [{MISSING if facts.cell is None else facts.cell}]"
        title = f"{name} {facts.line}".rstrip()
        cut = "not ended when the session did, until then"
        ended = {"running": "running, so far", "unfinished": cut}
        status = ended.get(facts.status, facts.status)
        status = f"{status} ({facts.error})" if facts.error else status
        begun = f"from {_iso(facts.start_us)[11:19]} UTC" if facts.start_us else "never begun"
        simulated = ["simulated"] if facts.simulated else []
        return [title, ", ".join([status, format_value(facts.seconds, "s"), begun, *simulated])]

    def _notes(self) -> list[str]:
        notes, absent = [], self.absent
        if not self._made.each:
            notes.append("No GPU was read.")
            absent = {name: why for name, why in absent.items() if name in OF_PROCESS}
        for why in dict.fromkeys(absent.values()):
            names = [TITLES[name] for name in TITLES if absent.get(name) == why]
            notes.append(f"Not known: {', '.join(names)} ({why}).")
        made = {title: str(self._made.method[name][0]) for name, title in TWO_WAYS.items()}
        for way, how in METHODS.items():
            titles = [title for title, each in made.items() if each == way]
            notes += [f"{' and '.join(titles)}: {how}."] if titles else []
        if self.overlaps:
            others = ", ".join(map(str, self.overlaps))
            notes.append(f"Cells ran beside it, and are in its numbers: {others}.")
        return notes

    def _text(self, name: str) -> str:
        value, unit = self.numbers[name], UNITS[name]
        text = format_value(value, unit)
        if value is None:
            return text
        if name == "energy_j":
            error = _plain(self._made.total[name].error[0])
            bar = f" ± {format_value(error, unit)}" if error is not None else ""
            return f"{text}{bar}"
        if name in {"gpu_busy_s", "sm_active_s"} and self.seconds:
            gpus = max(1, sum(name in there for there in self._made.each.values()))
            return f"{text} ({format_value(value / self.seconds / gpus, '1')})"
        return f"+{text}" if name == "gpu_memory_left" and value > 0 else text

    def _of_gpu(self, gpu: str, name: str) -> str:
        answer: Answer | None = self._made.each[gpu].get(name)
        return "" if answer is None else format_value(_plain(answer.value[0]), NUMBERS[name])


def nothing_known(cell: int | None) -> CellReport:
    """Return the report of a cell that nobody has watched."""
    nothing = Facts(cell, "", "", None, "not watched", None, 0, None, math.nan, (), simulated=False)
    totals = {name: Answer.none(1) for name in NUMBERS}
    method = dict.fromkeys(("energy_j", "pcie_rx", "pcie_tx"), np.array([""], object))
    return CellReport(nothing, Numbers(totals, {}, method), None)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, with their columns below each other."""
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.rjust(wide) if at else text.ljust(wide)
            for at, (text, wide) in enumerate(zip(row, width, strict=True))
        ).rstrip()
        for row in rows
    ]


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table of a page."""
    body = "".join(
        f'<tr style="background:none"><th style="{_HEAD}">{html.escape(row[0])}</th>'
        + "".join(f'<td style="{_CELL}">{html.escape(text)}</td>' for text in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<div style="overflow-x:auto"><table style="{_TABLE}">{body}</table></div>'


def _change(now: float | None, before: float | None) -> str:
    """Return by what share a number has changed, in words."""
    if now is None or before is None or not before:
        return MISSING
    text = format_value((now - before) / abs(before), "1")
    return f"+{text}" if now > before else text


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _iso(time_us: int) -> str:
    moment = dt.datetime.fromtimestamp(time_us // 1_000_000, dt.UTC)
    return moment.replace(microsecond=time_us % 1_000_000).isoformat()
