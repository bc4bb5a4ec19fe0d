"""Machines, and what a picture of each draws and lists; js/core/still/choice.test.ts asks the same.

``python -m tests.exchange.choice`` writes anew what is chosen; look at what has changed.
"""

import json
from pathlib import Path

import numpy as np

from pulse_widgets.exchange.picture.choice import pick
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.series.history import Screen

FILE = Path(__file__).parents[1] / "data" / "figure" / "choice.json"
BUCKETS = 4


def series_of(case):
    """The series of a case: each of its groups is a metric of `count` entities of every host."""
    named = [
        (host, entity.format(n), metric)
        for host in case.get("hosts", ["h0"])
        for entity, count, metric in case["groups"]
        for n in range(count)
    ]
    return [
        {
            "id": n,
            "host": host,
            "entity": entity,
            "metric": metric,
            "unit": known.unit if (known := lookup(metric)) else "",
            "kind": known.kind.stored if known else "gauge",
            "labels": {},
        }
        for n, (host, entity, metric) in enumerate(named)
    ]


def entities_of(case):
    """The machines of a case, as far as they have names, and what the user said of metrics."""
    machines = [
        {"host": host, "entity": "host", "labels": {"name": name}}
        for host, name in case.get("hosts", {}).items()
        if name
    ]
    said = json.dumps(case.get("defined", {}))
    return [*machines, {"host": "h0", "entity": "user", "labels": {"defined": said}}]


def chosen(case):
    """What a picture shows of a case: its charts with their lines, and the rows of its table."""
    series = series_of(case)
    ids = [s["id"] for s in series if s["metric"] not in case["silent"]]
    shape = (len(ids), BUCKETS)
    screen = Screen(
        np.array(ids, np.int32),
        1e9 + np.arange(BUCKETS + 1.0),
        np.zeros(shape),
        np.ones(shape),
        np.ones(shape) / 2,
        np.zeros(shape, bool),
        np.zeros(0, np.int32),
        np.zeros((0, BUCKETS)),
    )
    picked = pick(screen, series, entities_of(case), case["charts"], 40)
    return {
        "drawn": [
            [_titled(chart.title, chart.unit, case), [line.label for line in chart.lines]]
            for chart in picked.charts
        ],
        "listed": [[line.title, line.owner, len(line.ids)] for line in picked.lines],
    }


def _titled(title, unit, case):
    """A title, with its unit where the case is about units."""
    return f"{title} ({unit})" if "defined" in case else title


if __name__ == "__main__":
    cases = [case | chosen(case) for case in json.loads(FILE.read_text(encoding="utf-8"))]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
