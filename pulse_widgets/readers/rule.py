"""What one field of a source means: the rows of the tables that `translate` uses."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One field of a source: which metric it is, and how to get the catalog's unit.

    Attributes
    ----------
    metric : str
        A name of the catalog, counters (``X.total``) included.
    scale : float
        What the source's number is multiplied by. A scale below 1 divides by its inverse instead,
        so that 37 with scale 0.01 is exactly 0.37.
    highest : float or None
        The largest number the source can mean, in the source's own unit; a larger one is
        missing, not cut off.
    """

    metric: str
    scale: float = 1.0
    highest: float | None = None
