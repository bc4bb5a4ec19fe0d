"""The dashboard widget, live or replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anywidget
import traitlets
from ipywidgets import widget_serialization

from pulse_widgets.arguments import checked_metrics
from pulse_widgets.errors import ArgumentError, ReplayError
from pulse_widgets.widgets.display import Outputs, in_notebook, show_text
from pulse_widgets.widgets.feed import Feed, bundled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from pulse_widgets.library.cell_report import CellReport
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.session.alert import Alert, AlertEvent
    from pulse_widgets.widgets.hub import Hub

__all__ = ["Monitor"]

KINDS: Final = ("dashboard", "strip", "charts")


class Monitor(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is not typed for subclassing
    """A view of a session, or of a recording.

    Made by `pulse_widgets.monitor` and `pulse_widgets.replay`; it shows itself when it is
    the last value of a cell, or with ``display(mon)``.

    Parameters
    ----------
    hub : Hub
        The feed that this view and its siblings share.
    kind : str
        ``dashboard``, ``strip`` (one line) or ``charts`` (no figures above them).
    metrics : sequence of str or None
        Name patterns of the metrics to show, such as ``gpu.*``; None is all.
    title : str
    """

    feed = traitlets.Instance(Feed).tag(sync=True, **widget_serialization)
    kind = traitlets.Unicode("dashboard").tag(sync=True)
    metrics = traitlets.List(traitlets.Unicode(), None, allow_none=True).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        hub: Hub,
        *,
        kind: str = "dashboard",
        metrics: str | Sequence[str] | None = None,
        title: str = "",
    ) -> None:
        if kind not in KINDS:
            raise ArgumentError(
                f"There is no layout {kind!r}", remedy=f"Use one of {', '.join(KINDS)}."
            )
        self._hub = hub
        chosen = checked_metrics(metrics)
        self._outputs = Outputs(kind, chosen)
        super().__init__(
            _esm=bundled("loader.js"), feed=hub.feed, kind=kind, metrics=chosen, title=title
        )
        hub.add_view(self._outputs, few_charts=chosen is not None)

    def __repr__(self) -> str:
        # Of a monitor whose making was refused there is no more to tell.
        hub = vars(self).get("_hub")
        if hub is None:
            return "<Monitor>"
        layout = "" if self.kind == "dashboard" else f"{self.kind}, "
        closed = "" if self._outputs in hub.views else "closed view, "
        return f"<Monitor {layout}{closed}{hub.line()}>"

    def __del__(self) -> None:
        """Leave the page alone: what is shown goes on when nobody holds the view any more.

        The base class would close the model here, which a replay refuses, and would do so for
        a view that was never made because its arguments were refused.
        """

    def _ipython_display_(self) -> None:
        if not in_notebook():
            # A terminal shows text alone, and keeps none of it.
            show_text(repr(self))
            return
        live = self.comm is not None and self._hub.wants_widget
        view = self._repr_mimebundle_() if live else None
        view, metadata = view if isinstance(view, tuple) else (view, None)
        saved = self._hub.saved_view(self.kind, self._outputs.metrics)
        self._outputs.show(view, self._hub.feed.model_id if live else None, saved, metadata)
        if live:
            self._hub.shown()

    # What a user asks -----------------------------------------------------------------

    @property
    def recording(self) -> Recording | None:
        """The recording so far; None when nothing is recorded."""
        return self._hub.recording()

    @property
    def status(self) -> pd.DataFrame:
        """One row a source and one for the monitor itself: state, problem, remedy, cost.

        Returns
        -------
        DataFrame
            Index ``source``; columns ``state``, ``problem``, ``remedy``, ``missing`` (how
            many readings are not available here), ``rejected`` (how many values could not be
            true, and so are missing) and ``cost`` (cores; NaN where unknown).
        """
        return self._hub.status()

    def cell(self, which: int | str | None = None) -> CellReport:
        """Return what was going on while a notebook cell ran, and what it cost.

        Parameters
        ----------
        which : int or str, optional
            Its execution count, of several executions with it the newest; -1 is the last cell,
            -2 the one before; or the notebook's id of the cell. Without it the cell that has ended
            last. Of a cell that still runs the
            numbers are those so far.

        Raises
        ------
        ArgumentError
            If there is no such cell; says which there are.
        """
        return self._hub.cell(which)

    def view(
        self, layout: str = "dashboard", metrics: str | Sequence[str] | None = None
    ) -> Monitor:
        """Return another view of the same stream.

        Parameters
        ----------
        layout : {"dashboard", "strip", "charts"}
            Everything; one line; or charts alone. A strip of chosen metrics has of each its name,
            how it went and its value.
        metrics : str, sequence of str, or None
            Name patterns of the metrics to show, such as ``"train/*"``; None is all. ``*`` is any
            run of characters, ``?`` is one, all else is itself.

        Raises
        ------
        ArgumentError
            There is no such layout, or `metrics` are no names.
        """
        return Monitor(self._hub, kind=layout, metrics=metrics, title=self.title)

    def stop(self) -> Recording | None:
        """End the session for all views and return its recording.

        Stopping twice returns the same recording; None when nothing was recorded.
        """
        return self._session("stop").stop()

    def close(self) -> None:
        """Remove this view; the session and its other views go on."""
        self._session("close")
        if self._outputs in self._hub.views:
            self._hub.views.remove(self._outputs)
        super().close()

    def mark(self, label: str) -> None:
        """Put a labelled line on the time axis, now.

        Raises
        ------
        SessionEndedError
            The session is over.
        """
        self._session("mark").mark(label)

    def alert(
        self,
        text: str,
        then: Callable[[AlertEvent], object] | Callable[[], object] | None = None,
    ) -> Alert:
        """Watch a condition: say on the page and in the recording when it becomes true.

        It is looked at for each thing apart: every GPU, the machine, your metrics. It fires once
        when it has been true for long enough, and again only after it was untrue. A missing
        reading never fires it. The same condition again, as when a cell is run again, replaces
        the callback of the alert there is.

        Parameters
        ----------
        text : str
            Such as ``"gpu.memory.used > 0.95 * gpu.memory.total for 30s"``. Names without a dot
            are quoted: ``'"train/loss" > 5'``. Numbers may have a unit: ``300 W``, ``90%``.
        then : callable, optional
            Called when it fires, on a thread of its own, with an `AlertEvent` or with nothing.
            What it raises is shown as the state of the alert.

        Returns
        -------
        Alert
            Its `phase` says how it does; `cancel` takes it away.

        Raises
        ------
        ArgumentError
            The text is no condition, or `then` is no function of one argument or of none.
        SessionEndedError
            The session is over.
        """
        return self._session("alert").alert(text, then)

    def burst(self, seconds: float = 10, interval: float = 0.1) -> None:
        """Take readings more often for a while.

        Parameters
        ----------
        seconds : float
            How long.
        interval : float
            Seconds between readings meanwhile, 0.1 or more.

        Raises
        ------
        SessionEndedError
            The session is over.
        """
        self._session("burst").burst(seconds, interval)

    def _session(self, action: str) -> Hub:
        if self._hub.is_replay:
            raise ReplayError(
                f"{action}() is for a live monitor; this one shows a recording",
                remedy="Start a live one with pw.monitor().",
            )
        return self._hub
