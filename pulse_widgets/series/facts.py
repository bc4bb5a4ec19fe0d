"""The JSON objects in texts of events and spans: how they are written, and how they are read."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.series.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["facts_of", "row_of_facts"]

MOST_LETTERS: Final = 1 << 20
"""Letters of a text that is looked at as JSON; parsed, it takes many times its size."""

# `json.loads` would make one for each text.
_DECODER: Final = json.JSONDecoder(parse_constant=str)


def facts_of(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is; None when it is none, too long or too deep.

    Anybody may have written it. Numbers that JSON does not have, such as NaN, are texts in it.
    """
    if not text or len(text) > MOST_LETTERS:
        return None
    try:
        # Of what we write there is nothing before it and nothing behind, and it is read faster.
        parsed, end = _DECODER.raw_decode(text) if text[0] == "{" else (None, 0)
        if end != len(text):
            parsed = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def row_of_facts(
    series: int, time_us: int, facts: Mapping[str, object], value: float = math.nan
) -> Rows:
    """Return one row that says something in words: an event, a mark, an end of a span.

    Parameters
    ----------
    series : int
    time_us : int
        Microseconds since the epoch.
    facts : mapping
        What JSON has; numbers that are not finite must be texts.
    value : float
        The seconds of a span that ends; else none.
    """
    return Rows.of([series], [time_us], [value], text=[json.dumps(facts)])
