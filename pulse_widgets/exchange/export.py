"""What Python and the page both go by, written as TypeScript.

``python -m pulse_widgets.exchange.export`` writes the files into the source tree it is run in; a
test fails while one of them is stale. The catalog has its own, `pulse_widgets.metrics.export`.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.exchange import fitting, picture, picture_axis, picture_choice, picture_svg
from pulse_widgets.exchange.picture_line import PLURALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

__all__ = ["GENERATED", "to_typescript", "write"]

_BY: Final = "python -m pulse_widgets.exchange.export"
_WIDTH: Final = 100
"""Letters a line has at most: the files are as the formatter of the page's code wants them."""

_AXIS: Final = (
    "HEADROOM", "NEAR_ZERO", "LEAST_SHARE", "LEAST_DEGREES", "AMOUNTS", "LOOSE",
    "DECIMAL_STEPS", "BINARY_STEPS", "CLOCK_STEPS", "MONTHS",
)  # fmt: skip
_FIGURE: Final = (
    "MOST_BYTES", "MOST_CHARTS", "MOST_ROWS", "MOST_POINTS", "LEAST_POINTS", "MOST_SAID", "PHASES",
)  # fmt: skip
_FITTING: Final = ("LEAST_BUCKETS", "SERIES_FACTS", "TOLD_BYTES")
_DRAWING: Final = (
    "WIDTH", "PX", "CARD", "GAP", "HEADER", "LEFT", "RIGHT", "TOP", "BOTTOM",
    "COLORS", "INK", "SOFT", "GRID", "EDGE", "PAPER", "WARN",
)  # fmt: skip


def to_typescript() -> str:
    """Return the text of ``js/core/shared.gen.ts``."""
    return "\n".join(
        (
            f"// Written by `{_BY}`; do not edit.\n",
            "// Axes: `picture_axis.py` says what each is.\n",
            *_constants(picture_axis, _AXIS),
            "\n// A saved picture: `picture.py`, `picture_svg.py`, `fitting.py`.\n",
            *_constants(picture, _FIGURE),
            *_constants(fitting, _FITTING),
            *_constants(picture_svg, _DRAWING),
            "\n// What a saved picture shows: `picture_choice.py`.\n",
            *_wishes(),
            *_constants(picture_choice, ("WHOLES", "SINGLE", "LIMIT_OF")),
            *_constant("PLURALS", PLURALS),
            "",
        )
    )


GENERATED: Final[Mapping[str, Callable[[], str]]] = {"js/core/shared.gen.ts": to_typescript}
"""Path below the root of the source tree to the function that returns the file's text."""


def write(root: Path) -> None:
    """Write the generated files into a source tree."""
    for path, text in GENERATED.items():
        (root / path).write_text(text(), encoding="utf-8")


def _wishes() -> Iterator[str]:
    yield "export interface Wish {"
    yield "  readonly metrics: readonly string[];"
    yield "  /** Comes before the user's own metrics. */"
    yield "  readonly first: boolean;"
    yield "}\n"
    yield "export const WISHES: readonly Wish[] = ["
    for wish in picture_choice.WISHES:
        yield f"  {{ metrics: {_text(wish.metrics)}, first: {_text(wish.first)} }},"
    yield "];"


def _constants(module: ModuleType, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from _constant(name, getattr(module, name))


def _constant(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield f"export const {name}: Readonly<Record<string, string>> = {{"
        for key, one in value.items():
            yield f"  {key if key.isidentifier() else _text(key)}: {_text(one)},"
        yield "};"
    elif isinstance(value, tuple):
        yield from _list(name, value)
    else:
        yield f"export const {name} = {_text(value)};"


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


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    write(Path.cwd())
