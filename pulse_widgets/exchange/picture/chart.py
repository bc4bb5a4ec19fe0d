"""The records a saved picture is made of: charts, their lines, and the points of each line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.metrics.entities import Part, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["KNOWN", "NAMES", "PLURALS", "Chart", "Line", "Trace", "entity_label"]


NAMES: Final = {
    "gpu": "GPU",
    "mig": "MIG",
    "ci": "CI",
    "cpu": "core",
    "rank": "rank",
    "link": "link",
}
KNOWN: Final = (
    "host", "gpu", "mig", "ci", "link", "cpu", "disk", "fs", "net", "kernel", "pid", "cell",
    "user", "rank", "pulse", "worker", "pod", "stream", "labels",
)  # fmt: skip
"""Classes of entities that are ours, and not of a reader of another package."""
PLURALS: Final = {
    "gpu": "GPUs",
    "mig": "MIG instances",
    "cpu": "cores",
    "disk": "disks",
    "net": "interfaces",
    "fs": "file systems",
    "pid": "processes",
    "rank": "ranks",
    "host": "hosts",
}


@dataclass(frozen=True)
class Trace:
    """What is known of one line: a point for each bucket that has a sample.

    Attributes
    ----------
    time : (n,) float64
        Middle of the bucket, Unix seconds.
    width : (n,) float64
        Seconds of the bucket.
    low, high : (n,) float64
        Smallest and largest value.
    mean : (n,) float64
        Mean of the values, of several series that of their means; NaN where it is not known.
    segment : (n,) int64
        Rises where readings were missing in between.
    lost : bool
        Readings were missing at the end.
    last : float or None
        The newest value, where it is known and of one series.
    """

    time: NDArray[np.float64]
    width: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    segment: NDArray[np.int64]
    lost: bool
    last: float | None = None

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.time)

    @cached_property
    def extent(self) -> tuple[float, float] | None:
        """Smallest and largest value; None without a sample."""
        return (float(self.low.min()), float(self.high.max())) if len(self) else None

    @property
    def average(self) -> float | None:
        """The mean over time; None without a sample, or where one of the means is not known."""
        if not len(self) or np.isnan(self.mean).any():
            return None
        # Shares first: the sum of large numbers may be too large for a number.
        return float((self.mean * (self.width / self.width.sum())).sum())

    @property
    def newest(self) -> tuple[float, float] | None:
        """The last value, as the range it lies in; None where the newest reading is missing."""
        if self.lost or not len(self):
            return None
        if self.last is not None:
            return self.last, self.last
        return float(self.low[-1]), float(self.high[-1])


@dataclass(frozen=True)
class Line:
    """A line of a chart and a row of the table: one series, or the envelope of several.

    Attributes
    ----------
    metric, unit : str
    label : str
        What the legend calls it: ``GPU 3``, ``72 GPUs``, ``read``.
    owner : str
        What it belongs to: ``GPU 3``, ``72 GPUs``, ``host``.
    place : int
        Its place in the palette.
    ids : tuple of int
        The series it stands for.
    trace : Trace
    title : str
        What the metric is called; a user's key is its own title.
    heading : str
        What it stands under in a table.
    """

    metric: str
    unit: str
    label: str
    owner: str
    place: int
    ids: tuple[int, ...]
    trace: Trace
    title: str
    heading: str

    @property
    def merged(self) -> bool:
        """Whether it is an envelope over several series."""
        return len(self.ids) > 1


@dataclass(frozen=True, slots=True)
class Chart:
    """One small picture.

    Attributes
    ----------
    title, unit : str
    lines : tuple of Line
        In the order of the legend.
    limit : float or None
        Largest value there can be, as far as it is known.
    whole : Line or None
        The envelope of all lines, where they are of one metric and more than one.
    rows : tuple of Line
        Of a chart of too many lines each of them, which are drawn as rows of colours.
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    limit: float | None = None
    whole: Line | None = None
    rows: tuple[Line, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether no line has a sample."""
        return not any(len(line.trace) for line in self.lines)


def entity_label(entity: str, labels: Mapping[str, Any]) -> str:
    """Return an id as people say it: ``gpu:0/mig:1`` is ``GPU 0 · MIG 1``.

    What only a reader of another package knows is called by its label ``name``, and written as
    in the label ``group``: ``npu:0`` under "My NPUs" is ``NPU 0``.
    """
    parts = parse(entity)
    if parts and parts[0].kind == "pid":
        name = labels.get("name")
        first = f"{name} ({parts[0].name})" if name else f"process {parts[0].name}"
        return " · ".join([first, *(_part_label(part, "") for part in parts[1:])])
    heading = str(labels.get("group") or "")
    said = [_part_label(part, heading) for part in parts]
    name = str(labels.get("name") or "").strip()
    if parts and name and parts[-1].kind not in KNOWN:
        number = parts[-1].name or parts[-1].kind
        said[-1] = name if name.split(" ")[-1] == number else f"{name} ({number})"
    return " · ".join(said) or entity


def _part_label(part: Part, heading: str) -> str:
    if part.kind == "labels":
        return part.name[1:-1].replace('"', "") or part.name
    if part.kind in NAMES and part.name:
        return f"{NAMES[part.kind]} {part.name}"
    # An id that is only a number gets its class in front.
    if part.name.isascii() and part.name.isdecimal():
        return f"{_spelled(part.kind, heading)} {part.name}"
    return part.name or part.kind


def _spelled(kind: str, heading: str) -> str:
    """Return a class of entities as the heading writes it."""
    wanted = {kind.lower(), f"{kind.lower()}s"}
    words = (word for word in re.split(r"[\W_]+", heading) if word.lower() in wanted)
    return next(words, kind)[: len(kind)]
