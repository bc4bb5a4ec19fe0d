"""Displays a monitor in a notebook, and replaces it by a saved output at its end.

A live output carries the widget, and beside it a saved view, in forms that need neither
kernel nor trust. When the session ends, every output of the monitor is replaced by its
saved view alone. Models are never closed for that: a page that was reloaded in between has
lost the connection from output to display id, and would be left with an empty box.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.loading import load

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Outputs", "in_notebook", "show_text"]

BUNDLE: Final = "pulse_widgets.exchange.bundle"
_logger = logging.getLogger("pulse_widgets")


def in_notebook() -> bool:
    """Return whether there is a kernel with a front end to talk to."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


def show_text(text: str) -> None:
    """Display plain text."""
    from IPython.display import display

    display({"text/plain": text}, raw=True)


class Outputs:
    """The cell outputs that show one view, so that all can be replaced when it ends.

    Parameters
    ----------
    layout : str
    metrics : list of str or None
        What the view shows.
    """

    def __init__(self, layout: str, metrics: list[str] | None) -> None:
        self.layout = layout
        self.metrics = metrics
        self._view = {"layout": layout, "metrics": metrics}
        self._handles: list[Any] = []

    def show(
        self,
        widget_view: Mapping[str, Any] | None,
        feed_id: str | None,
        saved: SavedView,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Display a view together with its saved form.

        `metadata` is what a front end needs to show the widget: Colab is told where the code of
        widgets comes from.
        """
        load(BUNDLE)
        from IPython.display import display

        from pulse_widgets.exchange.bundle import final_bundle, live_bundle

        bundle = (
            live_bundle(widget_view, feed_id, saved.keyframe, saved.html, view=self._view)
            if widget_view is not None
            else final_bundle(saved.keyframe, saved.html, view=self._view)
        )
        handle = display(bundle, raw=True, display_id=True, metadata=dict(metadata or {}))
        if handle is not None and widget_view is not None:
            self._handles.append(handle)

    def finish(self, saved: SavedView) -> None:
        """Replace every output by the saved view alone."""
        load(BUNDLE)
        from pulse_widgets.exchange.bundle import final_bundle

        bundle = final_bundle(saved.keyframe, saved.html, view=self._view)
        handles, self._handles = self._handles, []
        for handle in handles:
            try:
                handle.update(bundle, raw=True)
            except Exception:
                # Foreign code behind a closing front end; the recording is safe already.
                _logger.exception("an output could not be replaced by its picture")


class SavedView:
    """A view as it is saved: a keyframe for our own renderer, HTML for everything else."""

    def __init__(self, keyframe: bytes, html: str) -> None:
        self.keyframe = keyframe
        self.html = html
