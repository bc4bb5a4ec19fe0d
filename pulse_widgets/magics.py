"""The magics ``%pulse`` and ``%%pulse`` of IPython: what a cell cost.

``%%pulse`` is taken off a cell before IPython compiles it, so that the cell runs as it does without
that line: its output, its result, its errors, and ``await`` at its top. When it has ended, the
report is displayed below.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from pulse_widgets.collectors.cell_watch import watch
from pulse_widgets.default_session import default, disabled
from pulse_widgets.errors import PulseError
from pulse_widgets.loading import load
from pulse_widgets.signals import aside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulse_widgets.collectors.cell_watch import Execution, Outcome
    from pulse_widgets.library.cell_report import CellReport
    from pulse_widgets.run import Run

__all__ = ["PulseMagics", "load_into", "unload_from"]

STARTED: Final = (
    "pulse_widgets: a session has started, and watches from here on; pw.stop() ends it."
)
NOT_FIRST: Final = "%%pulse must be the first line of its cell, with nothing behind it"
NEEDED: Final = ("pulse_widgets.session.so_far", "pulse_widgets.library.cells")


@magics_class
class PulseMagics(Magics):  # type: ignore[misc]  # IPython is not typed for subclassing
    """What the magics share with the signals of the notebook.

    Parameters
    ----------
    shell : InteractiveShell
    """

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._asked = False
        """Whether the cell that IPython has compiled last begins with ``%%pulse``."""

    def begin(self) -> None:
        """Listen to the notebook."""
        self.shell.input_transformers_cleanup.append(self.take_off)
        self.shell.events.register("pre_execute", self.prepare)
        watch.subscribe(self, last=True)

    def end(self) -> None:
        """Listen no more."""
        if self.take_off in self.shell.input_transformers_cleanup:
            self.shell.input_transformers_cleanup.remove(self.take_off)
        if self.prepare in self.shell.events.callbacks["pre_execute"]:
            self.shell.events.unregister("pre_execute", self.prepare)
        watch.unsubscribe(self)

    @line_cell_magic  # type: ignore[untyped-decorator]
    def pulse(self, line: str = "", cell: str | None = None) -> CellReport | None:
        """Tell what was going on while a cell ran, and what it cost.

        ``%pulse`` tells of the cell that has ended last, ``%pulse 12`` of cell 12. ``%%pulse`` as
        the first line of a cell tells of that cell, when it has ended.
        """
        if cell is not None:
            raise UsageError(NOT_FIRST)
        if _ensure_session():
            return None  # it has seen no cell yet
        try:
            return _report(_which(line))
        except PulseError as error:
            raise UsageError(str(error)) from None

    # The cell magic ---------------------------------------------------------------------

    def take_off(self, lines: list[str]) -> list[str]:
        """Return the lines of a cell without ``%%pulse``; the others keep their numbers."""
        self._asked = _asks(lines)
        if not lines or not _is_ours(lines[0]):
            return lines
        # The line of another magic must be the first.
        rest = lines[1:]
        return rest if rest and rest[0].startswith("%%") else ["\n", *rest]

    def prepare(self) -> None:
        """Have a session, and a reading, before the cell begins."""
        if not self._asked:
            return
        try:
            _ensure_session()
            if default.session is not None and default.session.running:
                load(*NEEDED)
                from pulse_widgets.session.so_far import read_now

                read_now(default.session)
        except PulseError as error:
            _say(str(error))

    # Told by the watch ------------------------------------------------------------------

    def began(self, run: Execution) -> None:
        """Wait for its end."""

    def ended(self, run: Execution, outcome: Outcome) -> None:
        """Display the report of a cell that asked for it."""
        del outcome
        if not _asks(run.source.splitlines(keepends=True)):
            return
        try:
            report = _report(run.count)
        except PulseError as error:
            _say(str(error))
        else:
            if report is not None:
                display(report)

    def vanished(self, run: Execution) -> None:
        """There is nothing to tell."""


def _asks(lines: Sequence[str]) -> bool:
    """Return whether ``%%pulse`` is among the magics that a cell begins with."""
    magics = takewhile(lambda line: line.startswith("%%"), lines)
    return any(map(_is_ours, magics))


def _is_ours(line: str) -> bool:
    return re.fullmatch(r"%%pulse\s*", line) is not None


def _which(line: str) -> int | str | None:
    """Return which cell is meant; None is the one that has ended last."""
    word = line.strip().strip("'\"")
    return int(word) if re.fullmatch(r"-?\d+", word) else word or None


def _report(which: int | str | None) -> CellReport | None:
    """Return the report of a cell of the session, or of the last one; None where all is off."""
    run = default.run
    if run is None or disabled():
        return None
    load(*NEEDED)
    return aside("pulse-cell", lambda: _of_run(run, which))


def _of_run(run: Run, which: int | str | None) -> CellReport:
    from pulse_widgets.session.so_far import cell_so_far

    recording = None if run.session.running else run.recording()
    if recording is None:
        return cell_so_far(run.session, which)
    book = recording.book()
    return book.find(which)


def _ensure_session() -> bool:
    """Start a session where there is none, and say so; return whether one was started."""
    if disabled():
        _say("pulse_widgets is off: PULSE_DISABLED is set.")
        return True
    if default.run is not None:
        return False
    load("pulse_widgets.readers.discover")
    from pulse_widgets.readers.discover import source_names

    default.begin(source_names("auto"), interval_s=None, gpus=None, title="")
    _say(STARTED)
    return True


def _say(text: str) -> None:
    print(text)  # noqa: T201  it belongs to the cell, on the thread that runs it


_loaded: list[PulseMagics] = []


def load_into(shell: Any) -> None:
    """Give a shell the magics."""
    unload_from(shell)
    magics = PulseMagics(shell)
    shell.register_magics(magics)
    magics.begin()
    _loaded.append(magics)


def unload_from(shell: Any) -> None:
    """Take the magics from a shell."""
    for magics in [one for one in _loaded if one.shell is shell]:
        magics.end()
        _loaded.remove(magics)
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("pulse", None)
