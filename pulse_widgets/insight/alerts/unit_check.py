"""Finds comparisons of things that have different units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.insight.alerts.tree import (
    UNITS,
    Arithmetic,
    Magnitude,
    Negated,
    Number,
    Reading,
    Window,
)
from pulse_widgets.metrics.catalog import CATALOG

if TYPE_CHECKING:
    from pulse_widgets.insight.alerts.tree import Comparison, Numeric

__all__ = ["unit_of", "unit_problem"]


def unit_of(tree: Numeric) -> str | None:
    """Return the unit that a number is known to have; None where it is not known."""
    if isinstance(tree, Number):
        return UNITS[tree.suffix][1] if tree.suffix else None
    if isinstance(tree, Reading | Window):
        known = CATALOG.get(tree.metric)
        return known.unit or None if known else None
    if isinstance(tree, Negated | Magnitude):
        return unit_of(tree.of)
    left, right = unit_of(tree.left), unit_of(tree.right)
    if tree.operator in "+-":
        return left or right
    return _of_product(tree, left, right)


def _of_product(tree: Arithmetic, left: str | None, right: str | None) -> str | None:
    """Return the unit of a product or quotient, as far as that is simple."""
    if tree.operator == "/" and left is not None and left == right:
        return "1"
    if _plain(tree.right) or right == "1":
        return left
    if tree.operator == "*" and (_plain(tree.left) or left == "1"):
        return right
    return None


def _plain(tree: Numeric) -> bool:
    """Return whether a tree is a number without a unit."""
    return isinstance(tree, Number) and not tree.suffix


def unit_problem(compared: Comparison) -> tuple[str, str] | None:
    """Return what is wrong with the units of a comparison, and a remedy; None where nothing is."""
    left, right = unit_of(compared.left), unit_of(compared.right)
    if left is None or right is None or left == right:
        return None
    said = {"1": "a share"}
    problem = f"The left side is in {said.get(left, left)}, the right in {said.get(right, right)}"
    if right == "1" and isinstance(compared.left, Reading):
        of = compared.left.metric.rpartition(".")[0] + ".total"
        if of in CATALOG:
            return problem, f"Say of what it is a share: `{compared.right} * {of}`."
    return problem, "Compare what has the same unit, or leave the unit of the number out."
