"""Makes tables of a recording: pandas DataFrames, and Arrow tables of rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pulse_widgets.insight.events import event_of, events_in
from pulse_widgets.loading import PANDAS, load
from pulse_widgets.storage.arrow.convert import tidy_table as arrow_table
from pulse_widgets.storage.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from pulse_widgets.insight.summary import Summary
    from pulse_widgets.library.selection import Chosen
    from pulse_widgets.series.columns import Columns

__all__ = [
    "as_pandas",
    "event_table",
    "extent_of",
    "output_table",
    "series_table",
    "stamp",
    "summary_table",
    "texts",
    "tidy_table",
    "times",
    "wide_table",
]

_NOT_A_TIME = np.datetime64("NaT", "us").view("int64")


def stamp(time_us: int) -> pd.Timestamp:
    """Return a time in microseconds as a UTC timestamp."""
    load(*PANDAS)
    import pandas as pd

    return pd.Timestamp(np.datetime64(time_us, "us"), tz="UTC")


def times(moments: Sequence[int | None]) -> Any:
    """Return times in microseconds, None for absent, as a UTC column."""
    load(*PANDAS)
    import pandas as pd

    whole = np.array([_NOT_A_TIME if t is None else t for t in moments], np.int64)
    return pd.Series(whole.view("datetime64[us]")).dt.tz_localize("UTC")


def texts(several: Sequence[str]) -> Any:
    """Return texts as a column, NA for empty ones."""
    load(*PANDAS)
    import pandas as pd

    return pd.array([text or pd.NA for text in several], dtype="string")


def extent_of(columns: Columns | Extent | None) -> tuple[int, int | None, int | None]:
    """Return rows, first and last time of columns, or of what an index says of them."""
    if isinstance(columns, Extent):
        return columns.rows, columns.start, columns.end
    if columns is None or not len(columns):
        return 0, None, None
    return len(columns), int(columns.time[0]), int(columns.time[-1])


def series_table(
    chosen: Sequence[Chosen],
    spans: Sequence[tuple[int, int | None, int | None]],
    host_name: Callable[[str], str],
) -> pd.DataFrame:
    """Return one row a series, with its rows, start and end.

    Of several hosts it also has their names.
    """
    load(*PANDAS)
    import pandas as pd

    hosts = [c.key.host for c in chosen]
    table = pd.DataFrame(
        {
            "host": hosts,
            "entity": [c.key.entity for c in chosen],
            "metric": [c.metric for c in chosen],
            "unit": [c.unit for c in chosen],
            "kind": [c.kind for c in chosen],
            "rows": np.array([rows for rows, _, _ in spans], np.int64),
            "start": times([start for _, start, _ in spans]),
            "end": times([end for _, _, end in spans]),
        }
    )
    if len(set(hosts)) > 1:
        table["host_name"] = [host_name(host) for host in hosts]
    return table


def tidy_table(series: Iterable[tuple[Chosen, Columns]], *, data: bool) -> Any:
    """Return all rows as an Arrow table in the schema of the file."""
    held = [(c.key._replace(metric=c.metric), columns) for c, columns in series if len(columns)]
    table = arrow_table(held)
    return table if data else table.drop_columns(["data"])


def output_table(series: Iterable[tuple[Chosen, Columns]]) -> pd.DataFrame:
    """Return the lines that were printed, in order of time."""
    load(*PANDAS)
    import pandas as pd

    parts = [(c.key, columns) for c, columns in series if len(columns)]
    stamps = np.concatenate([np.zeros(0, np.int64), *(columns.time for _, columns in parts)])
    order = np.argsort(stamps, kind="stable")
    names = [(key.host, key.entity, key.metric.rpartition(".")[2]) for key, _ in parts]
    sizes = [len(columns) for _, columns in parts]
    texts = [text for _, columns in parts for text in _lines(columns)]
    which = np.repeat(np.arange(len(parts)), sizes)[order].tolist()
    table = {"time": times(stamps[order].tolist())}
    for place, column in enumerate(("host", "entity", "stream")):
        table[column] = [names[number][place] for number in which]
    table["text"] = pd.array([texts[place] for place in order.tolist()], dtype="string")
    return pd.DataFrame(table)


def _lines(columns: Columns) -> list[str]:
    return [""] * len(columns) if columns.text is None else columns.text.texts()


def as_pandas(table: Any) -> pd.DataFrame:
    """Return an Arrow table of rows as one of pandas, with NA for what is absent."""
    load(*PANDAS)
    import pandas as pd

    # Not through float64, in which steps beyond 2**53 are not exact.
    known: dict[Any, Any] = {"step": pd.Int64Dtype()}
    made: pd.DataFrame = table.drop_columns(["step"]).to_pandas()
    steps = table.select(["step"]).to_pandas(types_mapper=lambda _: known["step"])
    made.insert(table.column_names.index("step"), "step", steps["step"])
    for name in {"text", "data"} & set(made.columns):
        held = made[name].astype("object")
        made[name] = held.where(held.notna(), pd.NA)
    return made


def wide_table(series: Sequence[tuple[Chosen, Columns]]) -> pd.DataFrame:
    """Return one column a series, under (entity, metric) or (host, entity, metric)."""
    load(*PANDAS)
    import pandas as pd

    several = len({c.key.host for c, _ in series}) > 1
    columns: dict[tuple[str, ...], Any] = {}
    for c, x in series:
        name = (c.key.entity, c.metric)
        times = pd.DatetimeIndex(x.time.view("datetime64[us]"), tz="UTC", name="time")
        values = pd.Series(x.value, times)
        # The table has one row a time, so of two rows at one time the later is taken.
        columns[(c.key.host, *name) if several else name] = values[~times.duplicated(keep="last")]
    if not columns:
        return pd.DataFrame(index=pd.DatetimeIndex([], tz="UTC", name="time"))
    table: pd.DataFrame = pd.concat(columns, axis=1, sort=True)
    table.columns.names = ["host", "entity", "metric"] if several else ["entity", "metric"]
    return table


def event_table(series: Sequence[tuple[Chosen, Columns]], problems: Sequence[str]) -> pd.DataFrame:
    """Return the events in order of time."""
    load(*PANDAS)
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {"time": t, "host": c.key.host, "entity": c.key.entity, "metric": c.key.metric}
        | event_of(c.key.metric, facts)
        for c, x in series
        for t, facts in events_in(c.key, x, c.stored_kind)
    ]
    rows.sort(key=lambda row: row["time"])
    rows += [
        {"time": None, "metric": "event", "kind": "drop", "message": problem, "remedy": ""}
        for problem in problems
    ]
    names = ["time", "host", "entity", "metric", "kind", "message", "remedy"]
    table = pd.DataFrame(rows, columns=names)
    table["time"] = times([row["time"] for row in rows])
    return table


def summary_table(lines: Sequence[tuple[Chosen, Summary]]) -> pd.DataFrame:
    """Return one row a series."""
    load(*PANDAS)
    import pandas as pd

    rows = []
    for c, line in lines:
        rows.append(
            {
                "host": c.key.host,
                "entity": c.key.entity,
                "metric": line.metric,
                "unit": line.unit,
                "min": line.min,
                "mean": line.mean,
                "max": line.max,
                "last": line.last,
                "count": line.count,
                "total": line.total,
                "total_unit": pd.NA if math.isnan(line.total) else line.total_unit,
            }
        )
    names = ["host", "entity", "metric", "unit", "min", "mean", "max", "last", "count", "total"]
    return pd.DataFrame(rows, columns=[*names, "total_unit"])
