"""`Recording`: an opened recording, a selection of it, and the tables it answers with."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.arguments import checked_path
from pulse_widgets.library import tables
from pulse_widgets.library.answers import Answers
from pulse_widgets.library.listing import html_table
from pulse_widgets.library.lookup import located
from pulse_widgets.library.one_line import line_of
from pulse_widgets.library.saving import save_copy
from pulse_widgets.library.selection import (
    narrow,
    narrow_steps,
    time_us,
)
from pulse_widgets.series.said import CONFIG, facts_in
from pulse_widgets.storage.claim import finished_path
from pulse_widgets.storage.reader import open_stored
from pulse_widgets.storage.untrusted import as_ours

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from pulse_widgets.storage.reader import Stored

__all__ = ["Recording"]

_LINES: Final = 30


class Recording(Answers):
    """What a session left, or leaves while it runs; made by `Recording.open`.

    A finished file, a running directory and what a crash left give the same answers. A
    directory is seen as it was when it was opened: open it again to see more.

    All tables have UTC timestamps, durations in seconds and NA for what is absent. Nothing
    in a recording is changed by any method.
    """

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

    # Leaving ---------------------------------------------------------------------------

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


def _text(entity: Any) -> Any:
    return str(entity) if isinstance(entity, int) else entity
