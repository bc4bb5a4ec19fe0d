"""Recordings to test with, made through the writer a session uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

START_US = 1_790_000_000_000_000
ANY_ROOM = Reserve(0, 0.0)


class Bench:
    """A writer with a clock in the test's hand, and every row it accepted."""

    def __init__(self, directory: Path, **about) -> None:
        self.now = 0.0
        self.registry = Registry()
        self.directory = directory
        self.rows: list[tuple] = []
        self.writer = Writer(
            directory,
            self.registry,
            host_name="h0",
            start_us=START_US,
            about=about,
            reserve=ANY_ROOM,
            now=lambda: self.now,
        )

    def series(self, entity="host", metric="memory.used", **about) -> int:
        return self.registry.add("h0", entity, metric, **about)

    def put(self, rows: list[tuple], seconds: float = 0.1) -> None:
        """Append rows of (series, time, step, value, text, data)."""
        ids, times, steps, values, texts, blobs = map(list, zip(*rows, strict=True))
        self.writer.append(
            Rows.of(
                ids,
                times,
                values,
                steps,
                texts if any(texts) else None,
                blobs if any(blobs) else None,
            )
        )
        for number, time, step, value, text, data in rows:
            x = self.registry[number]
            self.rows.append((x.host, x.entity, x.metric, time, step, value, text, data))
        self.now += seconds
        self.writer.beat()

    def numbers(self, series: int, times, values) -> None:
        self.put([(series, t, NO_STEP, v, "", b"") for t, v in zip(times, values, strict=True)])

    def minute(self) -> None:
        """Let a minute pass, so that the journal becomes a part."""
        self.now += 61.0
        self.writer.beat()
        self.settle()

    def settle(self) -> None:
        """Wait until parts and descriptions are on disk."""
        self.writer._parts.wait(20)


def tidy(stored) -> list[tuple]:
    """Every row of an opened recording."""
    rows = []
    for key in stored.extents:
        c = stored.columns(key)
        texts = c.text.texts() if c.text is not None else [""] * len(c)
        blobs = c.data.pieces() if c.data is not None else [b""] * len(c)
        rows += [
            (*key, *rest)
            for rest in zip(
                c.time.tolist(), c.step.tolist(), c.value.tolist(), texts, blobs, strict=True
            )
        ]
    return rows


def expected(rows: list[tuple]) -> list[tuple]:
    return sorted(rows, key=lambda r: r[:4])


def same(a: list[tuple], b: list[tuple]) -> bool:
    """Equal with NaN equal to itself."""
    return repr(a) == repr(b)


def noise(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)
