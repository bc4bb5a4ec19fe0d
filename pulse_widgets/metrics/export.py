"""The catalog as TypeScript for the browser and as a table for the documentation.

``python -m pulse_widgets.metrics.export`` writes both files into the source tree it is run in; a
test fails while one of them is stale.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.metrics.catalog import CATALOG, Group, Metric, Pace
from pulse_widgets.metrics.headings import HEADING_OF, HEADINGS
from pulse_widgets.metrics.kinds import KINDS, UNKNOWN, Drawing, Kind
from pulse_widgets.metrics.metric import Shown
from pulse_widgets.metrics.ranges import ANYTHING, range_of
from pulse_widgets.metrics.units import format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["GENERATED", "to_markdown", "to_typescript", "write"]

_BY: Final = "python -m pulse_widgets.metrics.export"

_UNTOLD: Final = frozenset({"help", "listed"})
"""What the page does not need to know of a kind."""

_KIND_TYPE: Final = """\
/** What the rows of a series are; `pulse_widgets/metrics/kinds.py` says what each field means. */
export interface Kind {
  readonly name: string;
  /** What a recording and the wire call it; several kinds may share that. */
  readonly stored: string;
  readonly drawnAs: Drawing;
  readonly carries: readonly ("value" | "text" | "data")[];
  readonly paired: boolean;
  readonly sampled: boolean;
  readonly cumulative: boolean;
  readonly averaged: boolean;
  readonly facts: boolean;
  readonly private: boolean;
  readonly inKeyframes: boolean;
}
"""

_TYPES: Final = """\
/** What the catalog says of one metric. */
interface CatalogMetric {
  /** `1` (fraction), `B`, `B/s`, `W`, `J`, `s`, `Hz`, `degC`, `cores`, `count`, `count/s` or "". */
  readonly unit: string;
  readonly kind: KindName;
  readonly title: string;
  readonly group: MetricGroup;
  readonly help: string;
  /** Only of a rate that has a counter, called name + ".total": the unit of that counter. */
  readonly totalUnit?: string;
  /** Whether a dashboard draws it unasked: always, or never since it is a constant. */
  readonly shown?: "main" | "silent";
}
"""

_INTRODUCTION: Final = f"""\
# Metrics

<!-- Written by `{_BY}`; do not edit. -->

Every name a recording can hold, besides your own. A name carries no unit and no source, and means
the same whichever source delivers it. Units are base units: a fraction is 0 to 1, memory is in
bytes, a clock in hertz. A missing reading is missing, never 0.

**Kinds.** In brackets stands what a recording calls a kind, where that is another name.

{{kinds}}

**Rates and counters.** Where the column *counter* gives a unit, the metric `X` is a rate, and the
counter behind it is `X.total` in that unit. A recording holds the form that its source has;
selecting `X` finds either. A counter of seconds gives a share of time. All other names ending in
`.total`, such as `memory.total`, are sizes.

**Can be.** A value outside of this range is a fault of its source, a driver that answers with all
bits set say: it is missing, it is counted, and the status of the source says so.

Areas, the first parts of the names, are reserved: {{areas}}. A key of your own may be called alike;
it stands under the entity `user`, so the two are never one series.
"""


def to_typescript() -> str:
    """Return the text of ``js/core/vocabulary/catalog.gen.ts``."""
    groups = "\n".join(f"  | {_quoted(group)}" for group in Group)
    headings = "\n".join(f"  {_quoted(heading)}," for heading in HEADINGS)
    places = "\n".join(
        f"  {group if group.isidentifier() else _quoted(group)}: {_quoted(heading)},"
        for group, heading in HEADING_OF.items()
    )
    names = " | ".join(_quoted(name) for name in KINDS)
    drawings = " | ".join(_quoted(drawing) for drawing in Drawing)
    return "\n".join(
        (
            f"// Written by `{_BY}`; do not edit.\n",
            f"type KindName = {names};\n",
            f"type Drawing = {drawings};\n",
            _KIND_TYPE,
            "/** Every kind. Where several are stored under one name it is the first of them. */",
            "export const KINDS: Readonly<Record<KindName, Kind>> = {",
            *(f"  {name}: {_kind(kind, '  ')}," for name, kind in KINDS.items()),
            "};\n",
            "/** What a newer version wrote: it is kept and not drawn. */",
            f"export const UNKNOWN: Kind = {_kind(UNKNOWN, '')};\n",
            f"type MetricGroup =\n{groups};\n",
            "/** What charts and tables stand under, in order; our own cost comes last. */",
            f"export const HEADINGS: readonly string[] = [\n{headings}\n];\n",
            "/** Where the metrics of a group stand. */",
            f"export const HEADING_OF: Readonly<Record<MetricGroup, string>> = {{\n{places}\n}};\n",
            _TYPES,
            "/** Metric name to what it means, in the order of the dashboard. */",
            "export const CATALOG: Readonly<Record<string, CatalogMetric>> = {",
            *(line for metric in CATALOG.values() for line in _typescript_entry(metric)),
            "};\n",
        )
    )


def to_markdown() -> str:
    """Return the text of ``docs/metrics.md``."""
    areas = ", ".join(f"`{a}`" for a in dict.fromkeys(m.area for m in CATALOG.values()))
    kinds = "\n".join(map(_markdown_kind, KINDS.values()))
    sections = [_INTRODUCTION.replace("{areas}", areas).replace("{kinds}", kinds)]
    for group in Group:
        rows = "\n".join(_markdown_row(m) for m in CATALOG.values() if m.group is group)
        head = "| name | unit | kind | counter | can be | meaning |\n|---|---|---|---|---|---|"
        sections.append(f"## {group}\n\n{head}\n{rows}\n")
    return "\n".join(sections)


GENERATED: Final[Mapping[str, Callable[[], str]]] = {
    "js/core/vocabulary/catalog.gen.ts": to_typescript,
    "docs/metrics.md": to_markdown,
}
"""Path below the root of the source tree to the function that returns the file's text."""


def write(root: Path) -> None:
    """Write the generated files into a source tree."""
    for path, text in GENERATED.items():
        (root / path).write_text(text(), encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(str(text), ensure_ascii=False)


def _kind(kind: Kind, indent: str) -> str:
    """Return one kind as an object of TypeScript; what only Python needs stays here."""
    camel = {"in_keyframes": "inKeyframes", "drawn_as": "drawnAs"}
    shared = {name: value for name, value in asdict(kind).items() if name not in _UNTOLD}
    lines = [
        f"{indent}  {camel.get(name, name)}: {_literal(value)}," for name, value in shared.items()
    ]
    return "\n".join(["{", *lines, f"{indent}}}"])


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _typescript_entry(metric: Metric) -> Iterator[str]:
    # The linter's formatter wants a key quoted only where it must be.
    yield f"  {metric.name if metric.name.isidentifier() else _quoted(metric.name)}: {{"
    yield f"    unit: {_quoted(metric.unit)},"
    yield f"    kind: {_quoted(metric.kind.name)},"
    yield f"    title: {_quoted(metric.title)},"
    yield f"    group: {_quoted(metric.group)},"
    yield f"    help: {_quoted(metric.help)},"
    if metric.rated:
        yield f"    totalUnit: {_quoted(metric.total_unit)},"
    if metric.shown is not Shown.MORE:
        yield f"    shown: {_quoted(metric.shown)},"
    yield "  },"


def _markdown_kind(kind: Kind) -> str:
    stored = "" if kind.stored == kind.name else f" (`{kind.stored}`)"
    return f"- *{kind.name}*{stored}: {kind.help}"


def _markdown_row(metric: Metric) -> str:
    unit, total = (f"`{u}`" if u else "" for u in (metric.unit, metric.total_unit))
    pace = "" if metric.pace is Pace.TICK else f", {metric.pace}"
    meaning = f"{metric.title}. {metric.help}"
    kind = f"{metric.kind.name}{pace}"
    return f"| `{metric.name}` | {unit} | {kind} | {total} | {_range(metric)} | {meaning} |"


def _range(metric: Metric) -> str:
    ends = range_of(metric)
    if not metric.kind.numeric or ends == ANYTHING:
        return ""
    lowest, highest = (format_value(end, metric.unit) for end in ends)
    return f"{lowest} to {highest}"


if __name__ == "__main__":
    write(Path.cwd())
