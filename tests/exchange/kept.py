"""Screens too large for a notebook, and what is kept of them.

`js/core/still/fit.test.ts` asks the same.

``python -m tests.exchange.kept`` writes anew what is kept; look at what has changed.
"""

import json
from pathlib import Path

import numpy as np

from pulse_widgets.exchange.fitting import fit
from pulse_widgets.series.history import Screen

FILE = Path(__file__).parents[1] / "data" / "figure" / "kept.json"
BUCKETS = 300


def series_of(case):
    """The series of a case, one for each entity of each of its groups."""
    named = [
        (entity.format(n), metric) for entity, count, metric in case["groups"] for n in range(count)
    ]
    return [
        {"id": n, "host": "h0", "entity": entity, "metric": metric, "unit": "W",
         "kind": "gauge", "labels": {}}
        for n, (entity, metric) in enumerate(named)
    ]  # fmt: skip


def noise(rows, buckets):
    """Numbers from 0 to 65533 that do not compress, the same as in `fit.test.ts`."""
    x = np.arange(rows * buckets, dtype=np.uint32) + np.uint32(1)
    for factor, shift in ((2654435761, 15), (2246822519, 13)):
        x *= np.uint32(factor)
        x ^= x >> np.uint32(shift)
    return (x % np.uint32(65534)).astype(float).reshape(rows, buckets)


def fitted(case):
    """The screen of a case and its header, as small as the case asks for."""
    series = series_of(case)
    low = noise(len(series), BUCKETS)
    high = np.maximum(low, np.roll(low, 7, axis=1))
    low[:, 0], high[:, 0] = 0, 65533
    screen = Screen(
        np.arange(len(series), dtype=np.int32),
        1e9 + np.arange(BUCKETS + 1.0),
        low,
        high,
        np.floor((low + high) / 2),
        np.zeros(low.shape, bool),
        np.zeros(0, np.int32),
        np.zeros((0, BUCKETS)),
    )
    names = dict.fromkeys(s["entity"] for s in series)
    entities = [{"host": "h0", "entity": name, "labels": {"name": name}} for name in names]
    state = {"phase": "stopped", "recording": {"path": "run.pulse"}, "sources": []}
    header = {"series": series, "entities": entities, "state": state}
    return fit(screen, header, case["limit"])


def kept(case):
    """What is kept of each group, as the number of its series, and what is said of the rest."""
    _, header = fitted(case)
    ids = {s["id"] for s in header["series"]}
    counts, at = [], 0
    for _, count, _ in case["groups"]:
        counts.append(len(ids & set(range(at, at + count))))
        at += count
    return {"kept": counts, "said": [s["problem"] for s in header["state"]["sources"]]}


if __name__ == "__main__":
    cases = [case | kept(case) for case in json.loads(FILE.read_text(encoding="utf-8"))]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
