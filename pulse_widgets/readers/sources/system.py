"""The machine and the kernel process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.readers.host.backend import SystemBackend

if TYPE_CHECKING:
    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuChoice

__all__ = ["make"]


def make(_gpus: GpuChoice) -> Backend:
    """Return the backend, not opened yet."""
    return SystemBackend()
