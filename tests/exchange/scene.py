"""Screens to draw, made by the history that a session has."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from pulse_widgets.exchange.picture.document import figure_html
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.series.history import History
from pulse_widgets.series.rows import Rows

START = 1_790_000_000.0
"""21 September 2026, 14:13:20 UTC."""

STATE: dict[str, Any] = {"phase": "stopped", "simulated": False, "sources": [], "recording": {}}


@dataclass
class Scene:
    """Series with their samples, one each interval."""

    interval_s: float = 1.0
    series: list[dict[str, Any]] = field(default_factory=list)
    entities: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[Rows] = field(default_factory=list)

    def add(self, entity, metric, values, *, host="h0", kind="gauge", unit=None, first=0, **labels):
        """Add a series with one sample each interval; `labels` are its labels."""
        number = len(self.series)
        known = lookup(metric)
        self.series.append(
            {
                "id": number,
                "host": host,
                "entity": entity,
                "metric": metric,
                "unit": unit if unit is not None else known.unit if known else "",
                "kind": kind,
                "labels": labels,
            }
        )
        values = np.asarray(values, float)
        if len(values):
            time = START + (first + np.arange(len(values))) * self.interval_s
            ids = np.full(len(values), number, np.int32)
            self.blocks.append(Rows.of(ids, np.rint(time * 1e6).astype(np.int64), values))
        return number

    def label(self, entity, *, host="h0", **labels):
        """Say what is known of an entity."""
        self.entities.append({"host": host, "entity": entity, "labels": labels})

    def screen(self):
        history = History(self.interval_s)
        rows = Rows.concat(self.blocks)
        order = np.argsort(rows.time, kind="stable")
        history.add(
            Rows(*(column[order] for column in (rows.series, rows.time, rows.step, rows.value)))
        )
        return history.screen(range(len(self.series)))

    def html(
        self, *, title="Training", limit_bytes=60_000, strip=False, metrics=None, **state
    ) -> str:
        return figure_html(
            self.screen(),
            self.series,
            title=title,
            state=STATE | state,
            entities=self.entities,
            limit_bytes=limit_bytes,
            strip=strip,
            metrics=metrics,
        )


def svg_of(html: str) -> ET.Element:
    """Return the picture in a figure."""
    return ET.fromstring(svg_text(html))


def svg_text(html: str) -> str:
    """Return the text of the picture in a figure."""
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', html)
    return base64.b64decode(data).decode()
