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
    from pulse_widgets.session.alert import Alert, AlertEvent
    from pulse_widgets.spans import span, traced
    from pulse_widgets.telling import config, define, progress
    from pulse_widgets.user import log, log_batch
    from pulse_widgets.widgets.monitor import Monitor

__all__ = [
    "Alert",
    "AlertEvent",
    "Monitor",
    "PulseError",
    "Recording",
    "config",
    "define",
    "doctor",
    "log",
    "log_batch",
    "monitor",
    "progress",
    "recordings",
    "replay",
    "snapshot",
    "span",
    "stop",
    "traced",
]

_HOMES = {
    "Alert": "pulse_widgets.session.alert",
    "AlertEvent": "pulse_widgets.session.alert",
    "Monitor": "pulse_widgets.widgets.monitor",
    "PulseError": "pulse_widgets.errors",
    "Recording": "pulse_widgets.library.recording",
    "config": "pulse_widgets.telling",
    "define": "pulse_widgets.telling",
    "log": "pulse_widgets.user",
    "log_batch": "pulse_widgets.user",
    "progress": "pulse_widgets.telling",
    "span": "pulse_widgets.spans",
    "traced": "pulse_widgets.spans",
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


def load_ipython_extension(shell: Any) -> None:
    """Give IPython the magics ``%pulse`` and ``%%pulse``; ``%load_ext pulse_widgets`` does it."""
    load("pulse_widgets.magics")
    import_module("pulse_widgets.magics").load_into(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take the magics away again."""
    import_module("pulse_widgets.magics").unload_from(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the extension is, for development installs."""
    return [{"src": "labextension", "dest": "pulse-widgets"}]
