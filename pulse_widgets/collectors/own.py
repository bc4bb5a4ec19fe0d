"""What the monitor itself costs and does, as series like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.metrics.kinds import GAUGE
from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulse_widgets.series.registry import Registry

__all__ = ["own_rows"]


def own_rows(
    registry: Registry, host: str, time_us: int, values: Mapping[tuple[str, str], float | None]
) -> Rows:
    """Return one row for each value that is there.

    Parameters
    ----------
    registry : Registry
    host : str
    time_us : int
        Microseconds since the epoch.
    values : mapping of (entity, metric) to float or None
        In base units; None leaves the row out.
    """
    ids, present = [], []
    for (entity, metric), value in values.items():
        if value is None:
            continue
        known = lookup(metric)
        ids.append(
            registry.add(
                host,
                entity,
                metric,
                unit=known.unit if known else "",
                kind=(known.kind if known else GAUGE).stored,
            )
        )
        present.append(value)
    return Rows.of(ids, [time_us // 1000 * 1000] * len(ids), present)
