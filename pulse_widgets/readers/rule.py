"""What one field of a source means."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One field of a source: which metric it is, and how to get the metric's unit.

    A number below `lowest` or above `highest` cannot be true: it is missing, not cut off, it is
    counted, and the status of the source says so.

    Attributes
    ----------
    metric : str
        A name of the catalog, counters (``X.total``) included, or of the backend's `metrics`.
    scale : float
        What the source's number is multiplied by. A scale below 1 divides by its inverse instead,
        so that 37 with scale 0.01 is exactly 0.37.
    lowest, highest : float or None
        The smallest and the largest number that can be true, in the source's own unit, in place
        of what the metric allows. None leaves that as it is, see `pulse_widgets.metrics.ranges`.
    """

    metric: str
    scale: float = 1.0
    lowest: float | None = None
    highest: float | None = None
