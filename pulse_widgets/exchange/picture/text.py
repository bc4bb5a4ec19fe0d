"""Foreign texts in a picture: safe to show, and short enough for their place."""

from __future__ import annotations

import html
import math
import re
from typing import Final

__all__ = ["clean", "nearest", "shorten", "text_width"]

_NOT_XML: Final = re.compile(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return a foreign text as markup that shows it and nothing else."""
    return html.escape(_TURNING.sub("", _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)))


def shorten(text: str, most: int) -> str:
    """Return a text of at most `most` characters, its end given up for an ellipsis."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: max(most, 1) - 1] + "…"


def text_width(text: str, *, bold: bool = False) -> float:
    """Return about how many pixels a text takes; a bold one is that of a title."""
    plain = sum(7.5 if letter.isupper() else 6.0 for letter in text)
    return plain * 1.3 if bold else plain


def nearest(x: float) -> int:
    """Return a number as a whole one; a half goes up, as it does in the browser."""
    return math.floor(x + 0.5)
