"""The sentence of a saved output about series that it had no room for.

The twin of `js/core/vocabulary/left-out.ts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.series.header import plain
from pulse_widgets.series.state import SourceState

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LEFT_OUT_BYTES", "left_out_sentence", "left_out_source"]

LEFT_OUT_BYTES: Final = 150
"""More than the sentence takes as a paragraph."""

_NAME: Final = "saved output"


def left_out_source(count: int, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source by which a state says that `count` series were left out."""
    said = f"{count} series {'is' if count == 1 else 'are'} left out of this saved view"
    if (state.get("recording") or {}).get("path"):
        said += "; pw.replay(...) of the recording shows all"
    source = SourceState(_NAME, "", "", "ok", f"{said}.", "", missing=(), rejected=0)
    made: dict[str, Any] = plain(source)
    return made


def left_out_sentence(state: Mapping[str, Any]) -> str:
    """Return the sentence about series that were left out; empty where all are there."""
    sources = state.get("sources") or []
    said = (str(s.get("problem") or "") for s in sources if s.get("name") == _NAME)
    return next(said, "")
