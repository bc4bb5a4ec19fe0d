"""Keeps what threads of the user print with the cell that runs, whatever a page says meanwhile.

Text that a thread prints goes to the message that the kernel has handled last, on whichever shell.
So a message of a page that is handled on a subshell, beside a running cell, would draw away from
that cell what its threads print. It is given back at once.
"""

from __future__ import annotations

import contextvars
import threading
from typing import Any, Final

from pulse_widgets.busy import message_of_main_shell
from pulse_widgets.ipython import shell_here

__all__ = ["give_back"]

RUNS_CELL: Final = "execute_request"


class _Cells:
    """Knows the message of the cell that runs, or that ran last.

    Parameters
    ----------
    shell : InteractiveShell
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._parent: Any = _parent_of_running_cell()
        shell.events.register("pre_run_cell", self._before)

    def _before(self, _info: object = None) -> None:
        if threading.current_thread() is threading.main_thread():
            self._parent = self._shell.get_parent()
            # A message on a subshell may just have come between.
            self._shell.set_parent(self._parent)

    def give_back(self) -> None:
        """Have threads print into that cell again; this thread goes on as it is."""
        parent = None
        while self._parent is not parent:
            # Again if another cell began meanwhile.
            parent = self._parent
            contextvars.copy_context().run(self._shell.set_parent, parent)


_cells: list[_Cells] = []
_door = threading.Lock()


def give_back() -> None:
    """Give back to the running cell what its threads print, if a message was handled beside it."""
    if threading.current_thread() is threading.main_thread():
        return
    shell = shell_here()
    if shell is None or not hasattr(shell, "set_parent"):
        return
    with _door:
        if not _cells:
            _cells.append(_Cells(shell))
    _cells[0].give_back()


def _parent_of_running_cell() -> Any:
    """Return the message of a cell that has begun before anybody listened; None where none has."""
    message = message_of_main_shell()
    return message if message is not None and message["msg_type"] == RUNS_CELL else None
