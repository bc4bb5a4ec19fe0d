"""Warnings of these collectors, which none of them may take for what the user prints."""

from __future__ import annotations

import logging
from typing import Final

from pulse_widgets.collectors.capture.watch import watch

__all__ = ["say"]

_logger: Final = logging.getLogger("pulse_widgets")


def say(message: str, *values: object, error: BaseException | None = None) -> None:
    """Log a warning. Logging often prints it, and a warning of a warning would never end."""
    with watch.unheard():
        _logger.warning(message, *values, exc_info=error)
