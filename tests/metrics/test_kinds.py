"""What the rows of a series are is said by one record a kind, and listed nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pulse_widgets
from pulse_widgets.metrics import kinds
from pulse_widgets.metrics.catalog import CATALOG, kind_of
from pulse_widgets.metrics.kinds import (
    GAUGE,
    KINDS,
    MEDIA,
    MOMENT,
    OUTPUT,
    SPAN,
    STATE,
    UNKNOWN,
    kind_stored_as,
)

PACKAGE = Path(pulse_widgets.__file__).parent
NAMES = {name for kind in KINDS.values() for name in (kind.name, kind.stored)}
TOLD = {metric.name for metric in CATALOG.values() if not metric.kind.numeric}
"""Metrics whose rows are told, not drawn as numbers."""


@pytest.mark.parametrize(
    ("metric", "stored", "kind"),
    [
        ("gpu.power", "gauge", GAUGE),
        ("gpu.health", "state", STATE),
        ("event", "text", MOMENT),
        ("log.stdout", "text", OUTPUT),
        ("log.stderr", "text", OUTPUT),
        ("cell", "span", SPAN),
        ("notes", "text", MOMENT),
        ("task", "span", SPAN),
        ("sample", "media", MEDIA),
        # What a user logs may be called like a metric of the catalog.
        ("log.stdout", "gauge", GAUGE),
        ("cell", "gauge", GAUGE),
        ("gpu.power", "histogram", UNKNOWN),
        ("notes", "", UNKNOWN),
    ],
)
def test_what_is_stored_decides_and_the_metric_tells_apart_what_is_stored_alike(
    metric, stored, kind
):
    assert kind_of(metric, stored) is kind


def test_what_a_newer_version_prints_in_its_own_way_stays_private():
    found = kind_of("log.stdout", "lines")

    assert found.private
    assert not found.numeric
    assert not found.on_timeline


@pytest.mark.parametrize("metric", [m for x in CATALOG.values() for m in x.forms()], ids=str)
def test_every_metric_is_found_again_by_what_is_stored(metric):
    assert kind_of(metric.name, metric.kind.stored) is metric.kind


@pytest.mark.parametrize("kind", [*KINDS.values(), UNKNOWN], ids=lambda kind: kind.name)
def test_a_record_does_not_contradict_itself(kind):
    assert not (kind.numeric and kind.on_timeline)
    assert not kind.numeric or "value" in kind.carries
    assert not kind.facts or "text" in kind.carries
    assert not (kind.averaged or kind.cumulative or kind.sampled) or kind.numeric
    assert not (kind.private and kind.in_keyframes)
    assert kind is UNKNOWN or kind_stored_as(kind.stored).stored == kind.stored


def listed(source: str) -> list[str]:
    """Return the places of a module that list names of kinds, or compare with one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Set | ast.List | ast.Tuple):
            names = strings(node)
            whole = len(names) == len(node.elts) > 1
            wrong = whole and (names <= NAMES or names <= TOLD)
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            wrong = any(map(is_kind, sides)) and any(strings(side) & NAMES for side in sides)
        elif isinstance(node, ast.keyword):
            wrong = node.arg == "kind" and bool(strings(node.value) & NAMES)
        elif isinstance(node, ast.Call):
            begin = isinstance(node.func, ast.Attribute) and node.func.attr == "startswith"
            wrong = begin and any(
                name.startswith(text) for a in node.args for text in strings(a) for name in TOLD
            )
        else:
            continue
        if wrong:
            found.append(ast.unparse(node))
    return found


def strings(node: ast.expr) -> set[str]:
    """Return the texts that stand in an expression: a constant, or a display or call of them."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.Set | ast.List | ast.Tuple):
        return {text for each in node.elts for text in strings(each)}
    if isinstance(node, ast.IfExp):
        return strings(node.body) | strings(node.orelse)
    return set()


def is_kind(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        return strings(node.slice) == {"kind"}
    return getattr(node, "attr", getattr(node, "id", "")) == "kind"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('DRAWN = frozenset({"gauge", "counter"})', 1),
        ('EVENTS = ("event", "mark", "alert")', 1),
        ('info.kind == "counter"', 1),
        ('kind not in ("span",)', 1),
        ('s["kind"] != "text"', 1),
        ('add("h0", "event", kind="text")', 1),
        ('add(kind=known.kind if known else "gauge")', 1),
        ('metric.startswith("log.")', 1),
        ('FIELDS = ("text", "data")', 0),
        ('frame["state"] == "unreadable"', 0),
        ('key.metric == "cell" and kind.paired', 0),
        ('line.startswith("#")', 0),
    ],
)
def test_the_search_for_names_of_kinds_reads(source, count):
    assert len(listed(source)) == count


def test_no_other_module_lists_kinds():
    own = Path(kinds.__file__)
    modules = [path for path in PACKAGE.rglob("*.py") if path != own]
    found = {
        str(path.relative_to(PACKAGE)): places
        for path in modules
        if (places := listed(path.read_text("utf-8")))
    }

    assert len(modules) > 100
    assert found == {}
