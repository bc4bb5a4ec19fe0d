"""Checks what is asked of a figure, and has it drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import ArgumentError, MissingExtraError
from pulse_widgets.library.figure import drawing
from pulse_widgets.library.figure.parts import Asked, panels_of, wanted
from pulse_widgets.loading import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.library.figure.parts import Held

__all__ = ["check", "figure_of"]

KINDS: Final[Mapping[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "series": (drawing.series, ("metric", "entity")),
    "heatmap": (drawing.heatmap, ("entity",)),
    "scatter": (drawing.scatter, ("entity",)),
    "distribution": (drawing.distribution, ("entity", "cell")),
}
"""What draws each kind, and by what it can be split; the first is the default."""

POINTS_MOST: Final = 20_000


def check(kind: str, by: str | None, points: int) -> Asked:
    """Return what is asked for, checked.

    Raises
    ------
    ArgumentError
    """
    if kind not in KINDS:
        raise ArgumentError(
            f"kind={kind!r} is no kind of figure",
            remedy=f"Choose one of {', '.join(map(repr, KINDS))}.",
        )
    splits = KINDS[kind][1]
    if by is not None and by not in splits:
        raise ArgumentError(
            f"A {kind} figure cannot be split by={by!r}",
            remedy=f"Choose one of {', '.join(map(repr, splits))}, or leave it out.",
        )
    whole = isinstance(points, int) and not isinstance(points, bool)
    if not whole or not 2 <= points <= POINTS_MOST:  # noqa: PLR2004  a line has two ends
        raise ArgumentError(
            f"points={points!r} is no number of points", remedy=f"Ask for 2 to {POINTS_MOST}."
        )
    return Asked(by or splits[0], points)


def figure_of(
    held: Held, kind: str, metrics: str | Sequence[str] | None, asked: Asked, template: Any
) -> Any:
    """Return a `plotly.graph_objects.Figure`.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    ArgumentError
        If nothing fits, or the template is none of Plotly's.
    """
    groups = wanted(held, metrics)
    if isinstance(metrics, (list, tuple)):
        # As they were named: a scatter figure draws the first against the second.
        groups.sort(key=lambda group: _place(group[0].metric, metrics))
    try:
        load("plotly.graph_objects", "plotly.subplots")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "A figure needs Plotly, which is not installed",
            remedy='Run: pip install "pulse_widgets[plot]"',
        ) from error
    figure = KINDS[kind][0](held, panels_of(held, groups), asked)
    if template is not None:
        try:
            figure.update_layout(template=template)
        except (ValueError, TypeError) as error:
            raise ArgumentError(
                f"template={template!r} is no template of Plotly",
                remedy="See plotly.io.templates for their names.",
            ) from error
    return figure


def _place(metric: str, metrics: Sequence[str]) -> int:
    return metrics.index(metric) if metric in metrics else len(metrics)
