"""Reads numpy masked arrays: a masked value is a missing value."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["is_masked"]


def is_masked(value: Any) -> bool:
    """Return whether `value` is ``numpy.ma.masked``, or a masked array with an element masked.

    Nothing is loaded: whoever has one has loaded the module. Another thread may be doing so just
    now; then nobody has one yet.
    """
    kind = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    return kind is not None and isinstance(value, kind) and bool(value.mask.any())
