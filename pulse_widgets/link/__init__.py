"""The kernel's end of the JupyterLab extension; `js/lab/shared/protocol.ts` is what is said.

The extension asks a kernel for `register` and then opens comms of the target, from the panel in
the sidebar for instance. Importing this starts nothing and loads nothing heavy: a kernel in which
nobody monitors anything pays next to nothing for a panel that looks at it.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from pulse_widgets.busy import stay_busy
from pulse_widgets.ipython import kernel_here
from pulse_widgets.link.output import give_back
from pulse_widgets.loading import load

__all__ = [
    "HERE",
    "LINK_VERSION",
    "TARGET",
    "Registered",
    "comm_manager",
    "package_version",
    "register",
    "report",
    "subshells",
]

TARGET: Final = "pulse_widgets"
LINK_VERSION: Final = 1
HERE: Final = "pulse_widgets.here"
"""The target of the comm by which a page sees, in `comm_info_reply`, that it need not register."""


class Registered:
    """What `register` has done, as the extension reads it: its text is JSON.

    Parameters
    ----------
    state : str
        ``ready``, ``no kernel`` or ``failed``.
    """

    def __init__(self, state: str) -> None:
        self.state = state

    def __repr__(self) -> str:
        said = {"state": self.state, "version": LINK_VERSION, "package": package_version()}
        return json.dumps(said)


def register() -> Registered:
    """Take comms of the extension from now on; twice is harmless.

    Returns
    -------
    Registered
        ``no kernel`` where this is no kernel of IPython; ``failed`` where its log says why.
    """
    try:
        manager = comm_manager()
        if manager is None:
            return Registered("no kernel")
        manager.register_target(TARGET, _opened)
        _stand_there(manager)
        give_back()
        stay_busy()
    except Exception:  # noqa: BLE001  a foreign program; the extension is told
        report("comms of the JupyterLab extension cannot be taken")
        return Registered("failed")
    return Registered("ready")


@cache
def package_version() -> str:
    """Return the version of the installed package; ``0`` where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pulse_widgets")
    except PackageNotFoundError:
        return "0"


def report(what: str) -> None:
    """Write the error that is being handled to the log of the kernel.

    A logger of ours would write it into the output of the cell that runs.
    """
    from traitlets.log import get_logger

    get_logger().exception("pulse_widgets: %s", what)


def subshells() -> frozenset[str] | None:
    """Return the ids of the subshells of this kernel; None where it does not tell."""
    thread: Any = getattr(kernel_here(), "shell_channel_thread", None)
    try:
        return frozenset(thread.manager.list_subshell())
    except Exception:  # noqa: BLE001  not a public part of a kernel
        return None


def comm_manager() -> Any:
    """Return what the kernel takes comms with; None without a kernel."""
    return getattr(kernel_here(), "comm_manager", None)


def _stand_there(manager: Any) -> None:
    """Have a comm of no page among those that the kernel lists, so that pages see we are here.

    To ask the kernel in any other way would disturb the cell that runs.
    """
    from comm import create_comm

    if manager.comms.get(HERE) is None:
        manager.register_comm(create_comm(comm_id=HERE, target_name=HERE, primary=False))


def _opened(comm: Any, message: Any) -> None:
    """Serve a comm that a page has opened."""
    load("pulse_widgets.link.links")
    from pulse_widgets.link.links import serve

    serve(comm, message)
