"""The hook that IPython itself puts on the streams while a cell runs.

It is put anew for each cell, and what stands above it is gone when the cell has ended.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from pulse_widgets.ipython import shell_here

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Cells", "is_of_a_cell"]


def is_of_a_cell(write: Any) -> bool:
    """Return whether a ``write`` is one that IPython takes away at the end of the cell."""
    return str(getattr(write, "__module__", None)).startswith("IPython.")


class Cells:
    """Calls two functions around each cell of the IPython of this process."""

    def __init__(self, begins: Callable[[], None], ends: Callable[[], None]) -> None:
        self._calls = {
            "pre_run_cell": lambda _info=None: begins(),
            "post_run_cell": lambda _result=None: ends(),
        }
        self._shell: Any = None

    def follow(self) -> None:
        """Call them from now on, where there is an IPython; twice is harmless."""
        self._shell = shell = shell_here()
        if shell is not None:
            for event, call in self._calls.items():
                shell.events.register(event, call)

    def leave(self) -> None:
        """Call them no more."""
        shell, self._shell = self._shell, None
        if shell is not None:
            for event, call in self._calls.items():
                # Gone already when somebody has reset the notebook's events.
                with contextlib.suppress(ValueError):
                    shell.events.unregister(event, call)
