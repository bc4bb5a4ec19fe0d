"""One line of a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "State"]


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    INFO = "info"
    """Neither good nor bad, and good to know."""
    WARN = "warn"
    """Something works less well than it could."""
    FAIL = "fail"
    """A monitor cannot work, or cannot record, until this is mended."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
    state : State
    detail : str
        What was found.
    remedy : str
        What to try; empty where there is nothing to mend.
    """

    name: str
    state: State
    detail: str
    remedy: str = ""
