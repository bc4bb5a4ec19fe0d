"""What is said when an alert fires, and when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pulse_widgets.insight.alerts.tree import Comparison, Not, Reading, Window
from pulse_widgets.insight.alerts.unit_check import unit_of
from pulse_widgets.metrics.units import format_value

if TYPE_CHECKING:
    from pulse_widgets.insight.alerts.subject import Change
    from pulse_widgets.insight.alerts.tree import Condition

__all__ = ["sentence"]

ALONE: Final = frozenset({"host", "kernel", "user"})
"""Things that need no name beside their metrics."""
WORDS: Final = {
    ">": "above",
    ">=": "at or above",
    "<": "below",
    "<=": "at or below",
    "==": "equal to",
    "!=": "other than",
}


def sentence(condition: Condition, entity: str, change: Change) -> str:
    """Return what a change says.

    Parameters
    ----------
    condition : Condition
    entity : str
        Of what it is true.
    change : Change
    """
    test = condition.test
    over = change.phase != "firing"
    if not isinstance(test, Comparison) or change.value is None or change.limit is None:
        ended = str(test.of) if isinstance(test, Not) else f"no longer {test}"
        return f"{entity}: {ended if over else condition}"
    known = unit_of(test.left)
    unit = known if known is not None else unit_of(test.right) or ""
    left, right = format_value(change.value, unit), format_value(change.limit, unit)
    what = test.left.metric if isinstance(test.left, Reading) else str(test.left)
    if isinstance(test.left, Reading | Window) and entity not in ALONE:
        what = f"{entity} {what}"
    if over:
        return f"{what} is {left}, no longer {WORDS[test.operator]} {right}"
    lasting = f" for {condition.lasting}" if condition.lasting is not None else ""
    return f"{what} is {left}, {WORDS[test.operator]} {right}{lasting}"
