"""`Recording`: an opened recording, a selection of it, and the tables it answers with."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.arguments import checked_path
from pulse_widgets.errors import ArgumentError
from pulse_widgets.library import tables
from pulse_widgets.library.listing import html_table
from pulse_widgets.library.lookup import located
from pulse_widgets.library.one_line import line_of
from pulse_widgets.library.saving import save_copy
from pulse_widgets.library.selection import (
    Chosen,
    Window,
    chosen_of,
    narrow,
    narrow_steps,
    time_us,
)
from pulse_widgets.library.summaries import envelope_of, summaries
from pulse_widgets.loading import load
from pulse_widgets.metrics.kinds import OUTPUT
from pulse_widgets.series.said import CONFIG, facts_in
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.merge import merged
from pulse_widgets.storage.reader import Stored, open_stored
from pulse_widgets.storage.segment import Want
from pulse_widgets.storage.untrusted import as_ours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from pulse_widgets.insight.resample import Envelope
    from pulse_widgets.library.cell_report import CellReport
    from pulse_widgets.library.cells import CellBook
    from pulse_widgets.series.columns import Columns

__all__ = ["Recording"]

_LINES: Final = 30


class Recording:
    """What a session left, or leaves while it runs; made by `Recording.open`.

    A finished file, a running directory and what a crash left give the same answers. A
    directory is seen as it was when it was opened: open it again to see more.

    All tables have UTC timestamps, durations in seconds and NA for what is absent. Nothing
    in a recording is changed by any method.
    """

    def __init__(
        self, stored: Stored, chosen: tuple[Chosen, ...] | None = None, window: Window | None = None
    ) -> None:
        self._stored = stored
        self._chosen = chosen_of(stored) if chosen is None else chosen
        self._window = window or Window()
        self._book: CellBook | None = None

    @classmethod
    def open(cls, path: str | Path) -> Recording:
        """Open a recording.

        Parameters
        ----------
        path : path
            A ``NAME.pulse.parquet`` file, a ``NAME.pulse`` directory, the ``run.pulse.json``
            in one, or a name from `pulse_widgets.recordings`.

        Raises
        ------
        RecordingError
            If there is no recording, or none of it can be read.
        FormatVersionError
            If a newer version of this package wrote it.
        """
        given = checked_path(path)
        with as_ours(given):
            return cls(open_stored(located(given)))

    # Facts ----------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The file, or the directory while it is not finished."""
        path = self._stored.path
        finished = finished_path(path)
        return finished if not path.exists() and finished.exists() else path

    @property
    def simulated(self) -> bool:
        """Whether the readings were made up, for a demonstration or a test."""
        return bool(self._stored.run.about.get("simulated", False))

    @property
    def title(self) -> str:
        """What the session was called; empty when it had no title."""
        return str(self._stored.run.about.get("title") or "")

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing from the recording or was dropped on reading, in sentences."""
        return self._stored.problems

    @property
    def start(self) -> pd.Timestamp:
        """When the session, or the stretch that is selected, begins."""
        return tables.stamp(self._extent()[0])

    @property
    def end(self) -> pd.Timestamp:
        """Time of the last row; of a selected stretch its end, when that comes before."""
        return tables.stamp(self._extent()[1])

    @property
    def series(self) -> pd.DataFrame:
        """One row a series: host, entity, metric, unit, kind, rows, start, end.

        Where there are several hosts, ``host_name`` at the end is what each is called;
        ``select(host=...)`` takes either.
        """
        return tables.series_table(self._chosen, self._spans(), self._stored.catalog.host_name)

    @property
    def config(self) -> dict[str, Any]:
        """What the run was started with, as `pulse_widgets.config` was told; of all its writers."""
        return facts_in(self._stored.catalog.entities, CONFIG)

    @property
    def stored(self) -> Stored:
        """The files behind it, whatever is selected; for this package, not for users."""
        return self._stored

    def book(self) -> CellBook:
        """Return its cells; for this package, not for users."""
        load("pulse_widgets.library.cells")
        from pulse_widgets.library.cells import CellBook

        # What was opened does not change, and very many cells take a second to pair.
        if self._book is None:
            self._book = CellBook.of(self._stored, self._chosen, self._window)
        return self._book

    # Selecting ------ -----------------------------------------------------------------

    def select(  # noqa: PLR0913  one keyword for each thing a row has
        self,
        metric: str | Sequence[str] | None = None,
        *,
        entity: str | int | Sequence[str] | None = None,
        host: str | Sequence[str] | None = None,
        labels: Mapping[str, str] | None = None,
        start: Any = None,
        end: Any = None,
        step: Any = None,
    ) -> Recording:
        """Return the part of the recording that matches everything given.

        Parameters
        ----------
        metric : str or list of str
            A name or a pattern (``"gpu.*"``): ``*`` is any run of characters, ``?`` is one,
            all else is itself. The name of a rate also finds its counter, which then answers
            as the rate.
        entity : str, int or list
            An id or a pattern; for a device also its UUID, the beginning of it, its bus id,
            or for a GPU its number.
        host : str or list of str
            An id (``h0``), the name of the machine, or a pattern.
        labels : mapping
            Labels a series or its entity must have; values may be patterns.
        start, end : Timestamp, datetime, ISO text, number or timedelta
            From `start` up to, not including, `end`. Numbers count seconds from the start of
            the recording; a time without a zone is UTC, a time of day is of its first day.
        step : int, (first, last) or slice
            Steps, both ends inside.

        Raises
        ------
        UnknownMetricError
            If nothing matches a name; names close matches.
        ArgumentError
            If a time or a step is not one.
        """
        begin = self._stored.run.start_us
        chosen = narrow(
            self._chosen,
            self._stored,
            metric=metric,
            wanted={"entity": _text(entity), "host": host},
            labels=labels,
        )
        window = self._window.within(
            time_us(start, begin, "start"), time_us(end, begin, "end"), narrow_steps(step)
        )
        return Recording(self._stored, chosen, window)

    # The rows -------------------------------------------------------------------------

    def values(self) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
        """Return times and values of the one series that is selected.

        Returns
        -------
        time : (n,) datetime64[us]
            UTC.
        value : (n,) float64
            In the unit that `series` tells; NaN where a reading is missing. Of a counter
            selected by the name of its rate, the rate.

        Raises
        ------
        ArgumentError
            If more than one series is selected.
        """
        columns = self._columns(self._one(), payload=False)
        return columns.time.view("datetime64[us]"), columns.value

    def envelope(self, points: int) -> Envelope:
        """Return least, greatest and mean of the one series selected in `points` even stretches.

        A stretch in which no value was read, as in an outage, is NaN and counts 0. Infinities
        and NaN that were logged are left out, and so is the rate of a counter across a silence.

        Long stretches come from the overview in the file, which sums up blocks of rows: least
        and greatest are then rounded outwards to float32, and stand in every stretch that their
        block reaches, mostly an eighth of a stretch too far at most.

        Raises
        ------
        ArgumentError
            If more than one series is selected, or `points` is less than 1.
        """
        if not isinstance(points, int) or points < 1:
            raise ArgumentError(
                f"points={points!r} is no number of points", remedy="Ask for 1 or more."
            )
        return envelope_of(self._stored, self._one(), self._window, points)

    def to_arrow(self, *, data: bool = False) -> Any:
        """Return the rows that are selected as a `pyarrow.Table`, tidy as in the file.

        Parameters
        ----------
        data : bool
            Bring the column of payloads (media, tables) along.
        """
        return tables.tidy_table(((c, x) for c, x in self._each()), data=data)

    def to_pandas(self, *, wide: bool = False, data: bool = False) -> pd.DataFrame:
        """Return the rows that are selected, one a line or one column a series.

        Parameters
        ----------
        wide : bool
            One row a time and one column a series, numbers only, nothing filled in; else one
            row a sample with host, entity, metric, time, step, value, text. Devices are read
            milliseconds apart, each a time of its own: ``frame.resample("1s").mean()``
            brings them together. Of values logged in the same microsecond the last stands.
        data : bool
            Bring the column of payloads along.
        """
        if wide:
            return tables.wide_table([(c, x) for c, x in self._each(payload=False) if c.numeric])
        return tables.as_pandas(self.to_arrow(data=data))

    # Answers --------------------------------------------------------------------------

    @property
    def events(self) -> pd.DataFrame:
        """Events, marks, alerts and findings: time, host, entity, metric, kind, message, remedy.

        What was dropped on reading stands last, as an event without a time.
        """
        chosen = [c for c in self._chosen if c.stored_kind.listed]
        return tables.event_table(list(self._each(chosen)), self.problems)

    @property
    def output(self) -> pd.DataFrame:
        """The lines that were printed, in order of time: time, host, entity, stream, text.

        ``stream`` is ``"stdout"`` or ``"stderr"``. Escapes of a terminal, such as colours, are in
        the text as they were printed; an empty line is an empty text. A progress bar, which is
        written over itself, has a line a second. What looks like a secret is ``[masked]``.
        """
        chosen = [c for c in self._chosen if c.stored_kind is OUTPUT]
        return tables.output_table(self._each(chosen))

    def cells(self) -> pd.DataFrame:
        """Return the notebook cells: when each ran, how it ended, and what it cost.

        Returns
        -------
        DataFrame
            One row an execution: ``cell`` (its count), ``host``, ``start``, ``end`` (UTC),
            ``seconds``, ``status`` (ok, error, interrupted; without an end ``running`` while the
            recording runs, else ``unfinished``), ``line``, ``error``; and, of all GPUs together,
            ``gpu_busy_s`` and ``sm_active_s`` (seconds), ``gpu_memory_peak`` and
            ``gpu_memory_left`` (bytes), of the kernel ``rss_peak`` (bytes) and ``cpu_s``;
            ``energy_j``, ``energy_error_j``, ``energy_method``, ``pcie_rx``, ``pcie_tx`` (bytes),
            ``throttled`` (share of the time), ``overlaps`` (counts of cells that ran beside it:
            the numbers are of all that ran meanwhile).

            NaN or NA where nothing reads it, where readings are missing, and where a cell is too
            short for them; `Recording.cell` says which. Numbers are made of the series that are
            selected. Of a cell that lies partly in the stretch selected, they are of that part.
        """
        return self.book().table()

    def cell(self, which: int | str = -1) -> CellReport:
        """Return what was going on while a notebook cell ran, and what it cost.

        Parameters
        ----------
        which : int or str
            Its execution count, of several executions with it the newest; -1 is the last cell,
            -2 the one before; or the notebook's id of the cell.

        Raises
        ------
        ArgumentError
            If there is no such cell; says which there are.
        """
        return self.book().find(which)

    def summary(self) -> pd.DataFrame:
        """Return one row a series: unit, min, mean, max, last, count, total, total_unit.

        A counter is summed up by its rate, with what it grew by as total (``gpu.energy`` in
        joules). A GPU without that counter has the integral of its power as total.

        Series that never changed are told from the overview in the file, all others from their
        rows: what an overview says of those is rounded.
        """
        lines = summaries(
            self._stored,
            [c for c in self._chosen if c.numeric],
            lambda chosen: self._each(chosen, payload=False, form=False),
            whole=self._window.whole,
        )
        return tables.summary_table(lines)

    def figure(
        self,
        kind: str = "series",
        *,
        metrics: str | Sequence[str] | None = None,
        by: str | None = None,
        points: int = 600,
        template: Any = None,
    ) -> go.Figure:
        """Return a Plotly figure of what is selected, to style, save and share.

        Parameters
        ----------
        kind : str
            ``"series"``: each metric over time, the mean as a line in a band from least to
            greatest value, broken where nothing is known, idle time between notebook cells in
            grey. ``"heatmap"``: a row for each entity, coloured by the mean.
            ``"scatter"``: the first metric against the second, coloured by the third or by
            entity. ``"distribution"``: least, quartiles, greatest value and mean.
        metrics : str or list of str, optional
            Names or patterns, as in `select`. Without them a series figure of a whole recording
            shows your own metrics and the usual ones of GPUs and machine.
        by : str, optional
            What a figure is split by. Series: a chart for each ``"metric"`` or for each
            ``"entity"``, too. Distribution: a box for each ``"entity"`` or each ``"cell"``.
        points : int
            Points of a line, and columns of a heat map, at most.
        template : str or plotly.graph_objects.layout.Template, optional
            Of Plotly, such as ``"plotly_dark"``.

        Returns
        -------
        plotly.graph_objects.Figure
            Times are UTC. Axes are in the units people use; titles and hover name them.

        Raises
        ------
        MissingExtraError
            If Plotly is not installed: ``pip install "pulse_widgets[plot]"``.
        ArgumentError
            If there is nothing to draw, or too much for one figure.
        UnknownMetricError
            If nothing matches a name.
        """
        load("pulse_widgets.library.figure.make", "pulse_widgets.library.figure.held")
        from pulse_widgets.library.figure.held import held_of
        from pulse_widgets.library.figure.make import check, figure_of

        asked = check(kind, by, points)
        chosen = self._chosen
        if metrics is not None:
            chosen = narrow(chosen, self._stored, metric=metrics, wanted={}, labels=None)
        narrowed = len(chosen) < len(chosen_of(self._stored))
        held = held_of(self._stored, chosen, self._window, self._extent(), narrowed=narrowed)
        return figure_of(held, kind, metrics, asked, template)

    def save(self, path: str | Path, include: str | Collection[str] = ()) -> Path:
        """Write what is selected as one finished file, and return its path.

        Left out are captured output, cell source, command lines and tracebacks, unless
        `include` names them, and always names of users and hosts and absolute paths. A file
        that is already there is replaced only by the same recording, and only where nothing
        is lost by it: a part does not replace the whole.

        What a crash left is finished by saving it whole under its own name: the directory
        becomes the file, with everything that was recorded, and goes.

        Parameters
        ----------
        path : path
            ``.pulse.parquet`` is added to a name that does not end in ``.parquet``; in a
            directory the file gets the recording's name.
        include : collection of str
            Any of ``"output"``, ``"code"``, ``"argv"``.

        Raises
        ------
        ArgumentError
            If `path` is no path, or `include` names something else.
        StorageError
            If the file cannot be written, is another recording, or holds more than this.
        """
        named = (include,) if isinstance(include, str) else include
        return save_copy(self._stored, self._chosen, self._window, checked_path(path), named)

    def __repr__(self) -> str:
        """Return its name and what it holds, without reading a row."""
        start, end = self._extent()
        seconds = (end - start) / 1e6
        return f"<Recording {line_of(self._stored, self._chosen, self._window, seconds)}>"

    def _repr_html_(self) -> str:
        """Return a small table: what it is, and its first series."""
        start, end = self._extent()
        spans = self._spans()
        rows = sum(held for held, _, _ in spans)
        facts = [
            self.path.name,
            f"{len(spans)} series, {rows} rows, {(end - start) / 1e6:.1f} s",
            *(["simulated"] if self.simulated else []),
            *self.problems,
            *([f"The first {_LINES} of them; all are in .series:"] if len(spans) > _LINES else []),
        ]
        lines = "".join(f"<div>{html.escape(fact)}</div>" for fact in facts)
        return lines + html_table(
            ("entity", "metric", "unit", "kind", "rows"),
            [
                (c.key.entity, c.metric, c.unit, c.kind, str(held))
                for c, (held, _, _) in zip(self._chosen[:_LINES], spans, strict=False)
            ],
        )

    # Private --------------------------------------------------------------------------

    def _extent(self) -> tuple[int, int]:
        """Return when what is selected begins and ends, microseconds since the epoch."""
        start = self._stored.run.start_us if self._window.start is None else self._window.start
        extents = self._stored.extents
        ends = [extents[c.key].end for c in self._chosen if c.key in extents]
        last = max(ends, default=self._stored.run.start_us)
        last = last if self._window.end is None else min(last, self._window.end)
        return start, max(last, start)

    def _spans(self) -> list[tuple[int, int | None, int | None]]:
        """Return rows, first and last time of every series."""
        if self._window.whole:
            return [tables.extent_of(self._stored.extents[c.key]) for c in self._chosen]
        held = {c.key: columns for c, columns in self._each(payload=False)}
        return [tables.extent_of(held.get(c.key)) for c in self._chosen]

    def _one(self) -> Chosen:
        if len(self._chosen) == 1:
            return self._chosen[0]
        several = len({c.key.host for c in self._chosen}) > 1
        named = self._stored.catalog.host_name
        places = {c.key.host: f" on {named(c.key.host)}" * several for c in self._chosen}
        some = [f"{c.metric} of {c.key.entity}{places[c.key.host]}" for c in self._chosen[:5]]
        raise ArgumentError(
            f"{len(self._chosen)} series are selected, not one: {', '.join(some)}",
            remedy="Narrow it with select(metric, entity=..., host=...).",
        )

    def _columns(self, chosen: Chosen, *, payload: bool = True) -> Columns:
        """Return the rows of a series inside the window, in the form that is wanted."""
        start = None if chosen.rated else self._window.start
        whole = self._stored.columns(chosen.key, start, self._window.end, payload=payload)
        return self._window.cut(chosen.shown(whole))

    def _each(
        self, chosen: Sequence[Chosen] | None = None, *, payload: bool = True, form: bool = True
    ) -> Iterator[tuple[Chosen, Columns]]:
        """Yield every series with its rows, reading each row group once.

        Without `form`, counters come as they are stored.
        """
        wanted = {c.key: c for c in (self._chosen if chosen is None else chosen)}
        rated = form and any(c.rated for c in wanted.values())
        want = Want(None if rated else self._window.start, self._window.end, payload)
        for key, columns in merged(self._stored.segments, list(wanted), want):
            c = wanted[key]
            yield c, self._window.cut(c.shown(columns) if form else columns)


def _text(entity: Any) -> Any:
    return str(entity) if isinstance(entity, int) else entity
