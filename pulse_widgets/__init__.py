"""See what your GPUs, your machine, your kernel and your own metrics are doing.

``import pulse_widgets as pw; pw.monitor()`` in a notebook cell is the whole of it. Importing
starts nothing and loads nothing heavy: every name below is loaded when it is first used.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pulse_widgets.loading import load, load_later
from pulse_widgets.notices import in_kernel

if TYPE_CHECKING:
    from pulse_widgets.api import (
        doctor,
        monitor,
        recordings,
        replay,
        snapshot,
        stop,
    )
    from pulse_widgets.errors import PulseError
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.user import log, log_batch
    from pulse_widgets.widgets.monitor import Monitor

__all__ = [
    "Monitor",
    "PulseError",
    "Recording",
    "doctor",
    "log",
    "log_batch",
    "monitor",
    "recordings",
    "replay",
    "snapshot",
    "stop",
]

_HOMES = {
    "Monitor": "pulse_widgets.widgets.monitor",
    "PulseError": "pulse_widgets.errors",
    "Recording": "pulse_widgets.library.recording",
    "log": "pulse_widgets.user",
    "log_batch": "pulse_widgets.user",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pulse_widgets")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "pulse_widgets.api")
    load(home)
    if in_kernel():
        _stand_there()
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


@cache
def _stand_there() -> None:
    """Have the kernel know that there may be something for a page to see, from soon on."""
    load_later("pulse_widgets.link.here")


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the extension is, for development installs."""
    return [{"src": "labextension", "dest": "pulse-widgets"}]
