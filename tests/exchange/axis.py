"""Examples of axes and of times as text, which the kernel and the browser must make alike.

``python -m tests.exchange.axis`` writes what comes out of them anew; look at what has changed.
`js/core/charts/axis.test.ts` asks the same of the browser. A time is written as a
number of seconds.
"""

import json
from pathlib import Path

from pulse_widgets.exchange.picture.axis import stretch, time_ticks, value_range, value_ticks

FILE = Path(__file__).parents[1] / "data" / "axis.json"
GIB = 1024.0**3
NOON = 1_790_000_000.0
"""21 September 2026, 14:13:20 UTC."""
DAY = 86_400.0

RANGES = [
    (low, high, metric, unit, limit)
    for metric, unit, limit in (
        ("gpu.utilization", "1", None),
        ("disk.busy", "1", None),
        ("cpu.iowait", "1", None),
        ("my.share", "1", None),
        ("gpu.memory.used", "B", 80 * GIB),
        ("gpu.power", "W", 700.0),
        ("gpu.temperature", "degC", None),
        ("gpu.clock.sm", "Hz", None),
        ("loss", "", None),
        ("loss", "", 5.0),
        ("steps", "count", None),
        ("late", "s", None),
    )
    for low, high in (
        (0.0, 0.0), (0.0, 0.5), (0.4, 0.5), (0.0, 1.2), (0.99, 1.0), (60.0, 60.5), (60.0, 90.0),
        (1.8e9, 1.9e9), (1.9e9, 1.9e9), (GIB, 2 * GIB), (300.0, 700.0), (7.0, 7.0),
    )
] + [
    (low, high, "loss", unit, None)
    for unit in ("", "W", "degC")
    for low, high in (
        (-1.0, 1.0), (-9.0, -7.0), (-5.0, 0.0), (-3.0, -3.0), (1e-320, 1e-320), (-1e-300, 1e-300),
        (-1.7e308, 1.7e308), (1e308, 1.7e308), (1e15, 1e15 + 0.25), (5e-324, 1.0),
    )
]  # fmt: skip
TICKS = [
    (bottom, top, unit, most)
    for unit in ("", "1", "B", "B/s", "Hz", "count", "s", "W")
    for bottom, top in (
        (0.0, 1.0), (0.0, 2.0), (0.0, 85 * GIB), (-3.0, 7.0), (57.0, 64.0), (0.0, 3e-7),
        (1.7e9, 2e9), (0.0, 250.0), (0.0, 9000.0), (0.0, 90_000.0), (0.0, 4e5), (0.0, 3e7),
        (5.0, 5.0), (0.0, 1e-320), (-1.7e308, 1.7e308),
    )
    for most in (1, 4, 8)
]  # fmt: skip
TIMES = [
    (NOON, NOON + length, most)
    for length in (
        *(0.001, 0.01, 0.5, 1.0, 2.0, 3.9, 4.0, 12.0, 59.0, 300.0, 1800.0, 7200.0, 30_000.0),
        *(DAY, 3 * DAY, 9 * DAY, 40 * DAY, 900 * DAY),
    )
    for most in (4, 8)
] + [(NOON, NOON, 4), (NOON, NOON - 1, 4), (-5.0, 5.0, 4), (1e14, 1e14 + 10, 4), (0.0, 1e-5, 4)]
STRETCHES = [
    (NOON, NOON + length)
    for length in (
        0.0, 0.2, 0.999, 1.0, 1.5, 2.5, 59.4, 720.0, 35_199.0, 35_201.0, DAY, 400 * DAY,
    )
] + [
    (NOON + 0.9996, NOON + 5), (0.4994, 1.4996), (-0.5, 0.5), (-1e10, 0.0), (1e14, 2e14), (0.0, 1e14),
    (1e300, 0.0), (0.5, 0.5), (-62_135_596_800.0, -62_135_596_799.0),
]  # fmt: skip


def examples():
    """All examples with what comes out of them."""
    return {
        "ranges": [
            [*one, *value_range(low, high, metric=metric, unit=unit, limit=limit)]
            for one in RANGES
            for low, high, metric, unit, limit in [one]
        ],
        "ticks": [[*one, value_ticks(*one)] for one in TICKS],
        "times": [[*one, time_ticks(*one)] for one in TIMES],
        "stretches": [[*one, stretch(*one)] for one in STRETCHES],
    }


if __name__ == "__main__":
    parts = (
        f"{json.dumps(name)}: [\n"
        + ",\n".join(json.dumps(one, ensure_ascii=False) for one in some)
        + "\n]"
        for name, some in examples().items()
    )
    FILE.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")
