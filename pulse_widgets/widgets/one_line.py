"""What a running session is and holds, in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pulse_widgets.metrics.amounts import lasting, of_devices
from pulse_widgets.metrics.units import format_value

if TYPE_CHECKING:
    from pulse_widgets.session.session import Session

__all__ = ["session_line"]


def session_line(session: Session) -> str:
    """Return a session as ``live, 2 min 10 s, 8 GPUs, 214 series, recording 1.2 MiB at run-17``."""
    end = session.clock.now_us() if session.stopped_us is None else session.stopped_us
    series = session.registry.since(0)
    facts = [
        "live" if session.running else "stopped",
        lasting((end - session.clock.start_us) / 1e6),
        *of_devices([(info.host, info.entity) for info in series]),
        _recorded(session),
    ]
    return ", ".join(facts)


def _recorded(session: Session) -> str:
    """Return how much was recorded, and the name it has; not where it lies."""
    told = session.recorder.state(session.path)
    trouble = " (see .status)" if told["problem"] else ""
    if told["path"] is None:
        return f"not recorded{trouble}"
    size = format_value(float(told["bytes"]), "B")
    word = "recording" if session.running else "recorded"
    # A file may be called anything, also what would do something to a terminal.
    name = Path(told["path"]).name.removesuffix(".pulse")
    name = name if name.isprintable() else repr(name)
    return f"{word} {size} at {name}{trouble}"
