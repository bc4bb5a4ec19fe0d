"""Parses the text of events, marks and alerts."""

from __future__ import annotations

from typing import Any

from pulse_widgets.series.facts import facts_of

__all__ = ["event_of"]


def event_of(metric: str, text: str) -> dict[str, Any]:
    """Return what an event says: kind, message, remedy and the rest of its facts."""
    facts = facts_of(text) or {}
    message = facts.get("message") or facts.get("label") or facts.get("text") or ""
    return {
        "kind": str(facts.get("kind", metric)),
        "message": str(message or (text if not facts else "")),
        "remedy": str(facts.get("remedy", "")),
    }
