"""The JSON objects in texts of events and spans, which anybody may have written."""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["facts_of"]

MOST_LETTERS: Final = 1 << 20
"""Letters of a text that is looked at as JSON; parsed, it takes many times its size."""


def facts_of(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is; None when it is none, too long or too deep.

    Numbers that JSON does not have, such as NaN, are texts in it.
    """
    if not text or len(text) > MOST_LETTERS:
        return None
    try:
        parsed = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
