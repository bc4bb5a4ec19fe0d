"""Whether a test is true, of one moment and of many at once.

None, or False in the second array, stands for what is not known. `and` and `or` need only
know as much as decides them. A number that is NaN compares false.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from pulse_widgets.insight.alerts.tree import (
    Arithmetic,
    Comparison,
    Magnitude,
    Missing,
    Negated,
    Not,
    Number,
    Reading,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from pulse_widgets.insight.alerts.tree import Both, Numeric, Test

__all__ = ["Leaf", "Many", "number", "numbers", "test", "tests"]

Leaf: TypeAlias = Reading | Window | Missing
Many: TypeAlias = "tuple[NDArray[np.float64], NDArray[np.bool_]]"
"""Values, and which of them are known."""
Truths: TypeAlias = "tuple[NDArray[np.bool_], NDArray[np.bool_]]"

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def number(tree: Numeric, leaves: Mapping[Leaf, float | None]) -> float | None:
    """Return a number at one moment; None where it is not known."""
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Reading | Window):
        return leaves[tree]
    if isinstance(tree, Arithmetic):
        left, right = number(tree.left, leaves), number(tree.right, leaves)
        if left is None or right is None:
            return None
        made = _ARITHMETIC.get(tree.operator, _divided)
        return made(left, right)
    of = number(tree.of, leaves)
    if of is None:
        return None
    return -of if isinstance(tree, Negated) else abs(of)


def test(tree: Test, leaves: Mapping[Leaf, float | None]) -> bool | None:
    """Return whether a test is true at one moment; None where that is not known."""
    if isinstance(tree, Comparison):
        left, right = number(tree.left, leaves), number(tree.right, leaves)
        if left is None or right is None:
            return None
        odd = math.isnan(left) or math.isnan(right)
        return not odd and _COMPARE[tree.operator](left, right)
    if isinstance(tree, Missing):
        found = leaves[tree]
        return None if found is None else bool(found)
    if isinstance(tree, Not):
        of = test(tree.of, leaves)
        return None if of is None else not of
    return _both(tree, leaves)


def _both(tree: Both, leaves: Mapping[Leaf, float | None]) -> bool | None:
    decides = tree.operator == "or"
    first, second = test(tree.left, leaves), test(tree.right, leaves)
    if first is decides or second is decides:
        return decides
    return None if first is None or second is None else not decides


def numbers(tree: Numeric, leaves: Mapping[Leaf, Many], count: int) -> Many:
    """Return a number at many moments."""
    if isinstance(tree, Number):
        return np.full(count, tree.value), np.ones(count, np.bool_)
    if isinstance(tree, Reading | Window):
        return leaves[tree]
    if isinstance(tree, Negated | Magnitude):
        of, known = numbers(tree.of, leaves, count)
        return (-of if isinstance(tree, Negated) else np.abs(of)), known
    left, left_known = numbers(tree.left, leaves, count)
    right, right_known = numbers(tree.right, leaves, count)
    made = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[tree.operator]
    with np.errstate(all="ignore"):
        return made(left, right), left_known & right_known


def tests(tree: Test, leaves: Mapping[Leaf, Many], count: int) -> Truths:
    """Return whether a test is true at many moments, and where that is known."""
    if isinstance(tree, Comparison):
        left, left_known = numbers(tree.left, leaves, count)
        right, right_known = numbers(tree.right, leaves, count)
        true = _COMPARE[tree.operator](left, right) & ~np.isnan(left) & ~np.isnan(right)  # type: ignore[arg-type]  # numpy compares arrays alike
        return true, left_known & right_known
    if isinstance(tree, Missing):
        value, known = leaves[tree]
        return value != 0, known
    if isinstance(tree, Not):
        of, known = tests(tree.of, leaves, count)
        return ~of, known
    left_true, left_known = tests(tree.left, leaves, count)
    right_true, right_known = tests(tree.right, leaves, count)
    both = left_known & right_known
    if tree.operator == "or":
        decided = (left_true & left_known) | (right_true & right_known)
        return decided, both | decided
    decided = (~left_true & left_known) | (~right_true & right_known)
    return ~decided, both | decided


def _divided(left: float, right: float) -> float:
    """Return what dividing gives in arrays: no error where it is by 0."""
    if right:
        return left / right
    if math.isnan(left) or math.isnan(right) or not left:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)
