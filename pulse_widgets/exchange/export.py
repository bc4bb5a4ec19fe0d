"""Writes as TypeScript the constants and record types that Python shares with the page.

``python -m pulse_widgets.exchange.export`` writes the files into the source tree it is run in; a
test fails while one of them is stale. The catalog has its own, `pulse_widgets.metrics.export`.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    get_args,
    get_origin,
    get_type_hints,
)

from pulse_widgets.exchange import fitting
from pulse_widgets.exchange.picture import (
    alarms,
    axis,
    chart,
    curve,
    document,
    figures,
    heat,
    pairs,
    story,
    svg,
    table,
    wishes,
)
from pulse_widgets.metrics import entities
from pulse_widgets.series import header, packing, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

__all__ = ["GENERATED", "header_typescript", "shared_typescript", "state_typescript", "write"]

_BY: Final = "python -m pulse_widgets.exchange.export"
_WIDTH: Final = 100
"""Letters a line has at most: the files are as the formatter of the page's code wants them."""

_AXIS: Final = (
    "HEADROOM", "NEAR_ZERO", "LEAST_SHARE", "LEAST_DEGREES", "AMOUNTS", "LOOSE",
    "DECIMAL_STEPS", "BINARY_STEPS", "CLOCK_STEPS", "MONTHS",
)  # fmt: skip
_FIGURE: Final = (
    "MOST_BYTES", "MOST_CHARTS", "MOST_ROWS", "MOST_POINTS", "LEAST_POINTS", "MOST_SENTENCES",
    "OPEN_SENTENCES", "PHASE_WORDS",
)  # fmt: skip
_FITTING: Final = (
    "LEAST_BUCKETS", "DETAILS", "ALL_WITH", "OWN_FIRST", "STRIP_METRICS", "FIGURES", "CORE",
    "CORE_COUNT", "STRIP_BYTES",
)  # fmt: skip
_CHOICE: Final = (
    "MOST_LINES", "HEAT_ROWS", "COLUMNS", "OWN_ROWS", "WHOLES", "SINGLE", "RANK_OWN",
    "RANK_REST", "LIMIT_OF",
)  # fmt: skip
_CURVES: Final = ("PX", "AROUND", "SPIKE", "LONE", "LEAST_SPIKE", "UNDER_LINE")
_PAIRS: Final = ("PARTS", "OTHER_COLORS", "MANNERS")
_ALARMS: Final = ("SIGNS", "WATCHED", "FULL", "NEAR", "HOT", "MOST_NAMED", "ALARMS")
_STORY: Final = ("CELL", "MARK", "LEAST_IDLE", "LEAST_MARKS", "MOST_MARKS")
_HEAT: Final = ("RAMP", "LEVELS", "HEAT_BYTES", "HEAT_COLUMNS")
_FIGURES: Final = ("MOST_FIGURES", "FIGURE_COLUMNS", "FIGURE_ROW")
_DRAWING: Final = (
    "WIDTH", "GAP", "HEADER", "LEFT", "RIGHT", "TOP", "BOTTOM", "PLOT", "TALL_PLOT",
    "FLAT_ROWS", "AXIS", "LEGEND_COLUMNS", "LEGEND_ROW", "LONG", "RAISED", "MOST_BANDS", "COLORS",
    "INK", "SOFT", "GRID", "EDGE", "PAPER", "WARN", "IDLE", "FONT",
)  # fmt: skip

_HEADER: Final = (
    header.SeriesWire,
    header.EntityWire,
    header.MomentWire,
    header.SpanWire,
    header.TextLineWire,
    header.OddWire,
)
_STATE: Final = (
    state.MissingField,
    state.AlertState,
    state.SourceState,
    state.RecordingState,
    state.CostState,
    state.KernelState,
    state.Versions,
    state.State,
)
_WORDS: Final = {
    state.Phase: ("Phase", "PHASES", "Where a session is in its life."),
    state.Readiness: ("Readiness", "READINESS", "How a source does."),
    state.AlertPhase: (
        "AlertPhase",
        "ALERT_PHASES",
        "How an alert does: untrue; true, but not for long enough; true for long enough; unknown.",
    ),
}
_EXPORTED: Final = frozenset(
    {*_HEADER, state.MissingField, state.AlertState, state.SourceState, state.State}
)
"""The page names these; the others are only parts of them."""
_TYPES: Final = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    NoneType: "null",
    Any: "unknown",
}

_PREFERRED_CHART: Final = """\
/** A chart that is worth having. */
export interface PreferredChart {
  readonly metrics: readonly string[];
  /** Comes before the user's own metrics. */
  readonly first: boolean;
  /** Of several metrics in one chart: what it is called, and what each is called in it. */
  readonly title?: string;
  readonly words?: readonly string[];
}
"""


def shared_typescript() -> str:
    """Return the text of ``js/core/vocabulary/shared.gen.ts``."""
    return "\n".join(
        (
            f"// Written by `{_BY}`; do not edit.\n",
            "// Axes: `picture/axis.py` says what each is.\n",
            *_constants(axis, _AXIS),
            "\n// A saved picture: the modules of `picture`, and `fitting.py`.\n",
            *_constants(document, _FIGURE),
            *_constants(fitting, _FITTING),
            *_constants(svg, _DRAWING),
            *_constants(curve, _CURVES),
            *_constants(heat, _HEAT),
            *_constants(alarms, _ALARMS),
            *_constants(story, _STORY),
            *_constants(figures, _FIGURES),
            *_constants(table, ("HEADS",)),
            "\n// What a saved picture shows: `picture/wishes.py`.\n",
            *_preferred_charts(),
            *_constants(wishes, _CHOICE),
            *_constants(pairs, _PAIRS),
            "\n// Entities: `metrics/entities.py`, `picture/chart.py`.\n",
            *_constants(entities, ("GREEDY", "ORDER")),
            *_constants(chart, ("KNOWN", "NAMES", "PLURALS")),
            "",
        )
    )


def state_typescript() -> str:
    """Return the text of ``js/core/state.gen.ts``."""
    return "\n".join(
        (
            f"// Written by `{_BY}`; do not edit.\n",
            *(line for one in _WORDS.items() for line in _words(*one)),
            *(line for one in _STATE for line in _interface(one)),
        )
    )


def header_typescript() -> str:
    """Return the text of ``js/core/header.gen.ts``."""
    records = (line for one in _HEADER for line in _interface(one))
    sizes = _constants(packing, ("MOST_INFLATED",))
    return "\n".join(
        (
            f"// Written by `{_BY}`; do not edit.\n",
            "// Sizes: `series/packing.py` says what each is.\n",
            *sizes,
            "",
            *records,
        )
    )


GENERATED: Final[Mapping[str, Callable[[], str]]] = {
    "js/core/vocabulary/shared.gen.ts": shared_typescript,
    "js/core/state.gen.ts": state_typescript,
    "js/core/header.gen.ts": header_typescript,
}
"""Path below the root of the source tree to the function that returns the file's text."""


def write(root: Path) -> None:
    """Write the generated files into a source tree."""
    for path, text in GENERATED.items():
        (root / path).write_text(text(), encoding="utf-8")


def _preferred_charts() -> Iterator[str]:
    yield _PREFERRED_CHART
    yield "export const PREFERRED_CHARTS: readonly PreferredChart[] = ["
    for one in wishes.PREFERRED_CHARTS:
        fields = {"metrics": one.metrics, "first": one.first}
        if one.title:
            fields |= {"title": one.title, "words": one.words}
        parts = [f"{name}: {_text(value)}" for name, value in fields.items()]
        line = f"  {{ {', '.join(parts)} }},"
        yield from (
            (line,) if len(line) <= _WIDTH else ("  {", *(f"    {p}," for p in parts), "  },")
        )
    yield "];"


def _constants(module: ModuleType, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from _constant(name, getattr(module, name))


def _constant(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        kind = "number" if all(isinstance(one, int) for one in value.values()) else "string"
        yield f"export const {name}: Readonly<Record<string, {kind}>> = {{"
        for key, one in value.items():
            yield f"  {key if key.isidentifier() else _text(key)}: {_text(one)},"
        yield "};"
    elif isinstance(value, tuple):
        yield from _list(name, value)
    else:
        line = f"export const {name} = {_text(value)};"
        yield line if len(line) <= _WIDTH else line.replace(" = ", " =\n  ", 1)


def _list(name: str, value: tuple[str, ...] | tuple[float, ...]) -> Iterator[str]:
    kind = "string" if isinstance(value[0], str) else "number"
    line = f"export const {name}: readonly {kind}[] = {_text(value)};"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"export const {name}: readonly {kind}[] = ["
    # The formatter fills lines with numbers, and gives each text a line.
    if kind == "string":
        yield from (f"  {_text(one)}," for one in value)
    else:
        yield textwrap.indent(textwrap.fill(f"{_text(value)[1:-1]},", _WIDTH - 2), "  ")
    yield "];"


def _words(kind: Any, said: tuple[str, str, str]) -> Iterator[str]:
    name, values, doc = said
    yield f"/** {doc} */"
    words = get_args(kind)
    line = f"export const {values} = {_text(words)} as const;"
    lines = (f"export const {values} = [", *(f"  {_text(word)}," for word in words), "] as const;")
    yield line if len(line) <= _WIDTH else "\n".join(lines)
    yield f"type {name} = (typeof {values})[number];\n"


def _interface(record: type) -> Iterator[str]:
    yield f"/** {record.__doc__} */"
    yield f"{'export ' if record in _EXPORTED else ''}interface {record.__name__} {{"
    for name, hint in get_type_hints(record, include_extras=True).items():
        kind, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        if notes:
            yield f"  /** {notes[0].text} */"
        yield f"  readonly {name}{'?' if notes and notes[0].later else ''}: {_type(kind)};"
    yield "}\n"


def _type(hint: Any) -> str:
    """Return a type of a record's field as TypeScript writes it."""
    if hint in _TYPES:
        return _TYPES[hint]
    if is_dataclass(hint):
        return str(getattr(hint, "__name__", ""))
    parts = get_args(hint)
    if get_origin(hint) is Mapping:
        return f"Readonly<Record<string, {_type(parts[1])}>>"
    if get_origin(hint) is Literal:
        return _WORDS[hint][0]
    if get_origin(hint) is tuple:
        inside = [_type(part) for part in parts if part is not ...]
        return f"readonly {inside[0]}[]" if ... in parts else f"readonly [{', '.join(inside)}]"
    return " | ".join(map(_type, parts))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    write(Path.cwd())
