"""The sentences of a saved output about what it had no room for.

The twin of `js/core/vocabulary/left-out.ts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.series.header import plain
from pulse_widgets.series.state import SourceState

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LEFT_OUT_BYTES",
    "LEFT_OUT_NAME",
    "left_out_sentence",
    "left_out_source",
    "with_events_left_out",
]

LEFT_OUT_BYTES: Final = 300
"""More than the sentences take as a paragraph."""

LEFT_OUT_NAME: Final = "saved output"
"""Of the sources that say what was left out."""


def left_out_source(count: int, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source by which a state says that `count` series were left out."""
    return _source(f"{count} series {'is' if count == 1 else 'are'} left out", state)


def with_events_left_out(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state that says, once, that the oldest events were left out."""
    said, sources = _source("The oldest cells and marks are left out", state), _sources(state)
    return {**state, "sources": sources if said in sources else [*sources, said]}


def _source(what: str, state: Mapping[str, Any]) -> dict[str, Any]:
    said = f"{what} of this saved view"
    if (state.get("recording") or {}).get("path"):
        said += "; pw.replay(...) of the recording shows all"
    source = SourceState(LEFT_OUT_NAME, "", "", "ok", f"{said}.", "", missing=(), rejected=0)
    made: dict[str, Any] = plain(source)
    return made


def _sources(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(state.get("sources") or [])


def left_out_sentence(state: Mapping[str, Any]) -> str:
    """Return what is said of what was left out; empty where all is there."""
    own = (source for source in _sources(state) if source.get("name") == LEFT_OUT_NAME)
    said = (str(source.get("problem") or "") for source in own)
    return " ".join(filter(None, said))
