"""What a selection of a recording answers: its rows, its tables, its cells, a figure.

`pulse_widgets.library.recording.Recording` is one; it adds where it comes from and how a part of it
is selected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.errors import ArgumentError
from pulse_widgets.library import tables
from pulse_widgets.library.selection import Chosen, Window, chosen_of, narrow
from pulse_widgets.library.summaries import envelope_of, summaries
from pulse_widgets.loading import load
from pulse_widgets.metrics.kinds import OUTPUT
from pulse_widgets.storage.merge import merged
from pulse_widgets.storage.segment import Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from pulse_widgets.insight.resample import Envelope
    from pulse_widgets.library.cell_report import CellReport
    from pulse_widgets.library.cells import CellBook
    from pulse_widgets.series.columns import Columns
    from pulse_widgets.storage.reader import Stored

__all__ = ["Answers"]


class Answers:
    """The rows of some series in a stretch of time, and what follows from them.

    Parameters
    ----------
    stored : Stored
    chosen : tuple of Chosen, optional
        The series; all of them without it.
    window : Window, optional
        The stretch; the whole without it.
    """

    def __init__(
        self, stored: Stored, chosen: tuple[Chosen, ...] | None = None, window: Window | None = None
    ) -> None:
        self._stored = stored
        self._chosen = chosen_of(stored) if chosen is None else chosen
        self._window = window or Window()
        self._book: CellBook | None = None

    def book(self) -> CellBook:
        """Return its cells; for this package, not for users."""
        load("pulse_widgets.library.cells")
        from pulse_widgets.library.cells import CellBook

        # What was opened does not change, and very many cells take a second to pair.
        if self._book is None:
            self._book = CellBook.of(self._stored, self._chosen, self._window)
        return self._book

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
        return tables.event_table(list(self._each(chosen)), self._stored.problems)

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

    def cell(self, which: int | str | None = None) -> CellReport:
        """Return what was going on while a notebook cell ran, and what it cost.

        Parameters
        ----------
        which : int or str, optional
            Its execution count, of several executions with it the newest; -1 is the last cell,
            -2 the one before; or the notebook's id of the cell. Without it the cell that has ended
            last.

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
