"""The signals of the notebook by which the streams are followed around each cell."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.ipython import shell_here

if TYPE_CHECKING:
    from pulse_widgets.collectors.capture.watch import Watch

__all__ = ["CellSignals"]

BEFORE: Final = "pre_run_cell"
AFTER: Final = "post_run_cell"


class CellSignals:
    """Tells a watch when a cell begins and ends; does nothing outside IPython."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._shell: Any = None
        self._pid = os.getpid()

    def follow(self) -> None:
        """Tell from now on; twice is harmless."""
        self._pid = os.getpid()
        self._shell = shell = shell_here()
        if shell is not None:
            shell.events.register(BEFORE, self._before)
            shell.events.register(AFTER, self._after)

    def leave(self) -> None:
        """Tell no more; twice is harmless."""
        shell, self._shell = self._shell, None
        if shell is not None:
            for event, hook in ((BEFORE, self._before), (AFTER, self._after)):
                # Gone already when somebody has reset the notebook's events.
                with contextlib.suppress(ValueError):
                    shell.events.unregister(event, hook)

    def _before(self, _info: object = None) -> None:
        if os.getpid() == self._pid:
            self._watch.begin_anew()

    def _after(self, _result: object = None) -> None:
        # IPython hooks the streams around each cell, and puts back what there was.
        if os.getpid() == self._pid:
            self._watch.look_soon()
