"""Has the kernel list a comm while a session runs, so that pages see that without asking us."""

from __future__ import annotations

import threading
from typing import Any, Final

from pulse_widgets.default_session import default
from pulse_widgets.link import comm_manager, report

__all__ = ["RUNNING", "follow"]

RUNNING: Final = "pulse_widgets.running"
"""The target of that comm; nobody opens or closes it."""
_lock = threading.Lock()
_comm: list[Any] = []
"""That comm, kept: one that nobody holds tells every page that it is closed."""


def follow() -> None:
    """Have that comm come and go with the session of this process; twice is harmless."""
    default.observe(_show)
    _show()


def _show() -> None:
    try:
        manager = comm_manager()
        if manager is None:
            return
        from comm import create_comm

        with _lock:
            run, known = default.run, manager.comms.get(RUNNING)
            runs = run is not None and run.session.running
            if runs and known is None:
                if not _comm:
                    _comm.append(create_comm(comm_id=RUNNING, target_name=RUNNING, primary=False))
                manager.register_comm(_comm[0])
            elif known is not None and not runs:
                manager.unregister_comm(known)
    except Exception:  # noqa: BLE001  inside a cell of the user's, and a foreign program
        report("pages cannot be told whether a session runs")
