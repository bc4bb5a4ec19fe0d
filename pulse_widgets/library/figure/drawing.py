"""Draws panels with Plotly: lines in bands, heat maps, one metric against another, spreads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.errors import ArgumentError
from pulse_widgets.insight.curves import Curve, bucket_means, curve_of
from pulse_widgets.library.figure.parts import Line, Panel, stamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.library.figure.parts import Asked, Held

__all__ = ["distribution", "heatmap", "scatter", "series"]

BANDS_MOST: Final = 8
"""Of more lines in a chart, the bands would hide each other."""
GREY: Final = "rgba(128,128,128,{})"
IDLE_SHARE: Final = 0.005
NAMED_MOST: Final = 40
"""Cells and marks that are named beside their line; of more, the names would overlap."""
SHAPES_MOST: Final = 400
BOXES_MOST: Final = 60
LEGEND_MOST: Final = 24
PANEL_PX: Final = 210
EDGES_PX: Final = 110


def series(held: Held, panels: Sequence[Panel], asked: Asked) -> Any:
    """Return a figure of lines over time."""
    if asked.by == "entity":
        panels = [
            Panel(p.metric, f"{p.title}, {line.label}", p.size, p.suffix, (line,))
            for p in panels
            for line in p.lines
        ]
    figure = _grid(panels)
    shown: set[str] = set()
    for row, panel in enumerate(panels, 1):
        for line in panel.lines:
            curve = curve_of(line.time, line.value, line.silent, asked.points)
            if len(panel.lines) <= BANDS_MOST:
                figure.add_traces(list(_band(panel, line, curve)), rows=row, cols=1)
            trace = _mean(panel, line, curve)
            trace.showlegend = line.label not in shown and len(shown) < LEGEND_MOST
            shown.add(line.label)
            figure.add_trace(trace, row=row, col=1)
        figure.update_yaxes(title_text=panel.suffix.strip(), row=row, col=1)
    _over_time(figure, held)
    return figure


def _band(panel: Panel, line: Line, curve: Curve) -> Iterator[Any]:
    """Yield the area between least and greatest value, where there is any."""
    import plotly.graph_objects as go

    if not (curve.low < curve.high).any():
        return
    known = np.isfinite(curve.mean)
    runs = np.flatnonzero(np.diff(known.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    # There along the upper edge and back along the lower one; a NaN between two areas.
    time = curve.time / 1000
    x = np.concatenate([[*time[a:b], *time[a:b][::-1], np.nan] for a, b in runs.tolist()])
    y = np.concatenate(
        [[*curve.high[a:b], *curve.low[a:b][::-1], np.nan] for a, b in runs.tolist()]
    )
    y /= panel.size
    yield go.Scatter(
        x=x, y=y, fill="toself", mode="lines", line={"width": 0}, fillcolor=_faint(line.color),
        hoverinfo="skip", legendgroup=line.label, showlegend=False,
        name=f"{line.label}, least to greatest",
    )  # fmt: skip


def _mean(panel: Panel, line: Line, curve: Curve) -> Any:
    import plotly.graph_objects as go

    wide = bool((curve.low < curve.high).any())
    bounds = np.stack([curve.low, curve.high], axis=1) / panel.size
    between = "<br>%{customdata[0]:.4~g} to %{customdata[1]:.4~g}" if wide else ""
    # A lone value between two gaps has no line.
    alone = int(np.isfinite(curve.mean).sum()) == 1
    return go.Scatter(
        x=stamps(curve.time), y=curve.mean / panel.size, name=line.label,
        mode="markers" if alone else "lines", legendgroup=line.label, connectgaps=False,
        line={"color": line.color, "width": 1.5}, marker={"color": line.color},
        customdata=bounds if wide else None,
        hovertemplate=f"%{{y:.4~g}}{panel.suffix}{between}<extra>{_plain(line.label)}</extra>",
    )  # fmt: skip


def heatmap(held: Held, panels: Sequence[Panel], asked: Asked) -> Any:
    """Return a figure with a row for each entity, coloured by the mean in each stretch of time."""
    import plotly.graph_objects as go

    figure = _grid(panels)
    height = 1 / len(panels)
    for row, panel in enumerate(panels, 1):
        edges = _edges(panel.lines, asked.points)
        means = [bucket_means(line.time, line.value, edges) / panel.size for line in panel.lines]
        labels = [line.label for line in panel.lines]
        full = {"zmin": 0, "zmax": 100} if panel.suffix == " %" else {}
        figure.add_trace(
            go.Heatmap(
                x=stamps(((edges[:-1] + edges[1:]) / 2).astype(np.int64)), y=labels, z=means,
                colorscale="Viridis", hoverongaps=False,
                hovertemplate=f"%{{y}}<br>%{{x}}<br>%{{z:.4~g}}{panel.suffix}<extra></extra>",
                colorbar={"title": {"text": panel.suffix.strip()}, "len": height * 0.9,
                          "y": 1 - height * (row - 0.5)},
                **full,
            ),
            row=row, col=1,
        )  # fmt: skip
        figure.update_yaxes(autorange="reversed", type="category", row=row, col=1)
    _over_time(figure, held)
    return figure


def scatter(held: Held, panels: Sequence[Panel], asked: Asked) -> Any:
    """Return a figure of one metric against another, coloured by a third or by entity."""
    import plotly.graph_objects as go

    if len(panels) not in {2, 3}:
        raise ArgumentError(
            f"A scatter figure needs two or three metrics, not {len(panels)}",
            remedy="Name them: figure('scatter', metrics=['gpu.power', 'gpu.temperature']).",
        )
    figure = go.Figure()
    across, up, *third = panels
    for lines in _matched(panels):
        edges = _edges(lines, asked.points)
        means = [bucket_means(line.time, line.value, edges) / panel.size
                 for line, panel in zip(lines, panels, strict=True)]  # fmt: skip
        there = np.isfinite(np.stack(means)).all(axis=0)
        x, y, *color = (column[there] for column in means)
        marker: dict[str, Any] = {"size": 5, "opacity": 0.7, "color": lines[1].color}
        extra = ""
        if third:
            extra = f"<br>{third[0].title} %{{marker.color:.4~g}}{third[0].suffix}"
            marker |= {"color": color[0], "coloraxis": "coloraxis"}
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="markers", marker=marker, name=_pair_label(lines),
                hovertemplate=f"%{{x:.4~g}}{across.suffix}, %{{y:.4~g}}{up.suffix}{extra}"
                f"<extra>{_plain(_pair_label(lines))}</extra>",
            )
        )  # fmt: skip
    if third:
        bar = {"colorscale": "Viridis", "colorbar": {"title": {"text": third[0].heading}}}
        figure.update_layout(coloraxis=bar, legend={"orientation": "h"})
    figure.update_xaxes(title_text=across.heading)
    figure.update_yaxes(title_text=up.heading)
    figure.update_layout(title_text=held.title, height=480)
    return figure


def distribution(held: Held, panels: Sequence[Panel], asked: Asked) -> Any:
    """Return a figure of the spread of values: least, quartiles, greatest, mean."""
    import plotly.graph_objects as go

    figure = _grid(panels, shared=False)
    stretches = _cell_stretches(held) if asked.by == "cell" else {"": (held.start, held.end + 1)}
    if sum(len(p.lines) for p in panels) * len(stretches) > BOXES_MOST * len(panels):
        raise ArgumentError(
            "There would be too many boxes to tell one from another",
            remedy="Narrow the recording with select(entity=..., start=..., end=...).",
        )
    shown: set[str] = set()
    for row, panel in enumerate(panels, 1):
        for line in panel.lines:
            spreads = {
                name: spread for name, (start, end) in stretches.items()
                if (spread := _spread(line, start, end)) is not None
            }  # fmt: skip
            if not spreads:
                continue
            columns = np.stack(list(spreads.values())) / panel.size
            figure.add_trace(
                go.Box(
                    x=[name or line.label for name in spreads], name=line.label,
                    lowerfence=columns[:, 0], q1=columns[:, 1], median=columns[:, 2],
                    q3=columns[:, 3], upperfence=columns[:, 4], mean=columns[:, 5],
                    marker={"color": line.color}, legendgroup=line.label,
                    showlegend=asked.by == "cell" and line.label not in shown,
                ),
                row=row, col=1,
            )  # fmt: skip
            shown.add(line.label)
        figure.update_yaxes(title_text=panel.suffix.strip(), ticksuffix="", row=row, col=1)
        figure.update_xaxes(type="category", row=row, col=1)
    figure.update_layout(title_text=held.title, boxmode="group" if asked.by == "cell" else None)
    return figure


# What they share ----------------------------------------------------------------------


def _grid(panels: Sequence[Panel], *, shared: bool = True) -> Any:
    from plotly.subplots import make_subplots

    rows = len(panels)
    height = rows * PANEL_PX + EDGES_PX
    figure = make_subplots(
        rows=rows, cols=1, shared_xaxes=shared, vertical_spacing=min(46 / height, 0.9 / rows),
        subplot_titles=[_plain(panel.title) for panel in panels],
    )  # fmt: skip
    figure.update_annotations(x=0, xanchor="left", font_size=13)
    figure.update_layout(height=height, hovermode="x unified" if shared else "closest")
    return figure


def _over_time(figure: Any, held: Held) -> None:
    """Add what lies on the time axis: the range, idle time between cells, cells and marks."""
    start, end = stamps(np.array([held.start, max(held.end, held.start + 1)]))
    figure.update_layout(title_text=held.title, hoversubplots="axis")
    figure.update_xaxes(range=[start, end], type="date")
    span = held.end - held.start
    busy = [(cell.start, held.end if cell.end is None else cell.end) for cell in held.cells]
    shapes: list[dict[str, Any]] = [
        {"type": "rect", "x0": t0, "x1": t1, "fillcolor": GREY.format(0.12), "line_width": 0}
        for t0, t1 in _between(busy, held.start, held.end)
        if t1 - t0 > span * IDLE_SHARE
    ]
    lines = [(cell.start, f"[{cell.facts.get('count', '')}]", "dot") for cell in held.cells]
    lines += [(time, label, "solid") for time, label in held.marks]
    lines = [line for line in sorted(lines) if held.start <= line[0] <= held.end]
    shapes += [
        {"type": "line", "x0": time, "x1": time, "line": {"color": GREY.format(0.6),
         "width": 1, "dash": dash}}
        for time, _, dash in lines
    ]  # fmt: skip
    if len(shapes) > SHAPES_MOST:
        return
    for shape in shapes:
        x0, x1 = stamps(np.array([shape.pop("x0"), shape.pop("x1")]))
        figure.add_shape(x0=x0, x1=x1, y0=0, y1=1, xref="x", yref="paper", layer="below", **shape)
    for time, label, dash in lines if len(lines) <= NAMED_MOST else ():
        # Cells above and marks below: a mark is often made where a cell begins.
        cell = dash == "dot"
        figure.add_annotation(
            x=stamps(np.array([time]))[0],
            y=1 if cell else 0,
            xref="x",
            yref="paper",
            xanchor="left",
            yanchor="top" if cell else "bottom",
            text=_plain(label[:24]),
            showarrow=False,
            font={"size": 10, "color": "#444"},
            bgcolor="rgba(255,255,255,0.7)",
        )


def _between(busy: list[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches in which no cell ran; none where nothing is known of cells."""
    at = start if busy else end
    for begin, stop in sorted(busy):
        if begin > at:
            yield at, min(begin, end)
        at = max(at, stop)
    if at < end:
        yield at, end


def _edges(lines: Sequence[Line], points: int) -> NDArray[np.float64]:
    """Return even stretches of time in which each line that is not rarer has a value."""
    known = [line for line in lines if len(line.time)]
    if not known:
        return np.array([0.0, 1.0])
    start = min(int(line.time[0]) for line in known)
    end = max(int(line.time[-1]) for line in known) + 1
    # Two rows a stretch: with fewer, one that has none would look like an outage.
    rows = min(len(line.time) for line in known) // 2
    return np.linspace(start, end, max(1, min(points, rows)) + 1)


def _matched(panels: Sequence[Panel]) -> list[tuple[Line, ...]]:
    """Return the lines that belong together: of one entity, or the only one of their metric."""
    most = max(panels, key=lambda panel: len(panel.lines))
    found = []
    for line in most.lines:
        mates = [_mate(panel, line) for panel in panels]
        if all(mate is not None for mate in mates):
            found.append(tuple(mate for mate in mates if mate is not None))
    if not found:
        raise ArgumentError(
            "No entity has all of " + ", ".join(panel.metric for panel in panels),
            remedy="Select one entity of each first, as in select(entity=['gpu:0', 'host']).",
        )
    return found


def _mate(panel: Panel, line: Line) -> Line | None:
    same = [one for one in panel.lines if (one.host, one.entity) == (line.host, line.entity)]
    if same:
        return same[0]
    on_host = [one for one in panel.lines if one.host == line.host]
    return on_host[0] if len(on_host) == 1 else None


def _pair_label(lines: Sequence[Line]) -> str:
    return " · ".join(dict.fromkeys(line.label for line in lines))


def _cell_stretches(held: Held) -> dict[str, tuple[int, int]]:
    stretches = {
        _cell_name(cell.facts, place): (cell.start, held.end + 1 if cell.end is None else cell.end)
        for place, cell in enumerate(held.cells)
    }
    if not stretches:
        raise ArgumentError(
            "This recording knows of no notebook cells", remedy="Ask for by='entity'."
        )
    return stretches


def _cell_name(facts: Any, place: int) -> str:
    line = str(facts.get("line", ""))[:24]
    return f"[{facts.get('count', place + 1)}] {_plain(line)}".strip()


def _spread(line: Line, start: int, end: int) -> NDArray[np.float64] | None:
    inside = slice(*np.searchsorted(line.time, [start, end]).tolist())
    known = line.value[inside][np.isfinite(line.value[inside])]
    if not len(known):
        return None
    return np.append(np.percentile(known, [0, 25, 50, 75, 100]), known.mean())


def _faint(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.25)"


def _plain(text: str) -> str:
    """Return a text that Plotly shows as it stands; it reads a few tags of HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
