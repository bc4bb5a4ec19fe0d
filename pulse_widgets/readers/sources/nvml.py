"""NVIDIA GPUs, asked through the driver's own library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.readers.nvml.backend import NvmlBackend

if TYPE_CHECKING:
    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuChoice

__all__ = ["make"]


def make(gpus: GpuChoice) -> Backend:
    """Return the backend, not opened yet."""
    return NvmlBackend(gpus)
