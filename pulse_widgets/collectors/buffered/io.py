"""A collector of what the process prints."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.buffered.collector import Collector
from pulse_widgets.collectors.buffered.door import taker
from pulse_widgets.collectors.buffered.entry import Entry
from pulse_widgets.collectors.buffered.words import say
from pulse_widgets.collectors.capture.hook import leads_to, wrapped
from pulse_widgets.collectors.capture.lines import Lines, LinesOf
from pulse_widgets.collectors.capture.notebook import CellSignals
from pulse_widgets.collectors.capture.watch import STREAMS, watch
from pulse_widgets.errors import PulseError, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["IOCollector"]

MEASUREMENT: Final = "log"


class _Reader:
    """What one reader outside of the watch hands in.

    Attributes
    ----------
    name : str
        What it reads: ``stdout``, ``stderr`` or another name.
    lines : LinesOf
        On the clock of the wall.
    lock : RLock
        Made in C and held briefly: an interrupt cannot leave it locked.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines = LinesOf()
        self.lock = threading.RLock()
        self.given: Any = None
        """The ``write`` that it stands for, if it is a hook."""
        self.hook: Any = None
        """What stands for that."""
        self.stream = ""
        """The stream of the process that it passes on to; empty where that is none."""
        self._writes: tuple[Any, ...] = ()
        self._heard = False

    def is_heard(self) -> bool:
        """Return whether the watch hears what a hook is given, above it or beneath it."""
        channels = watch.channels
        if any(one.name == self.stream and one.is_heard_below for one in channels):
            return True
        writes = tuple(one.write for one in channels)
        if writes != self._writes:
            # Looked for once for each time that the watch hooks a stream.
            self._writes = writes
            self._heard = any(
                leads_to(self.given, write) or leads_to(write, self.hook)
                for write in writes
                if write is not None
            )
        return self._heard


class IOCollector(Collector):
    """Takes in what the process prints, an entry a line.

    Each entry has the measurement ``log``, the time at which its line began, and one field:
    ``stdout`` or ``stderr``. What is printed in pieces is one line, a text of several lines is
    several; of a progress bar the states at which it rested are kept; blank lines are not.
    Escapes of a terminal stay, secrets are masked by their form, and a line has at most 64 KiB.
    The streams get what they get without it. Of more than 20 000 lines or 4 MiB a second the
    newest are taken, and an entry with the field ``left_out`` and the tag ``io`` says how many
    are missing. Nothing waits for a consumer that is slow: beyond `BUDGET` the oldest are
    dropped.

    A session that runs takes the same lines: into its recording, and onto its dashboards.

    Examples
    --------
    >>> collector = IOCollector()
    >>> external = collector.create_callback("stderr")
    >>> external(1700000000.0, "from a log file")
    >>> collector.collect()[0].fields
    {'stderr': 'from a log file'}
    """

    DROP_THRESHOLD = None
    PATIENCE_S = 0.0

    def __init__(self) -> None:
        super().__init__()
        self._cells = CellSignals(watch)
        self._readers: tuple[_Reader, ...] = ()
        self._warned = False

    def start(self) -> None:
        """Take in what is printed from now on; twice is once."""
        session = taker()
        if session is not None:
            session.capture()
        watch.subscribe(self._hear)
        self._cells.follow()

    def stop(self) -> None:
        """Take in the unfinished lines as far as they go, and then nothing; twice is harmless.

        The streams are as they were, unless a session or another collector still listens.
        """
        self._cells.leave()
        listening = watch.find(self._hear)
        if listening is not None:
            listening.finish()
        for reader in self._readers:
            self._rest_of(reader, end=True)

    def collect(self, consumer: str = "default") -> list[Any]:
        """Return the entries that a consumer has not let go of, oldest first, and keep them."""
        for reader in self._readers:
            self._rest_of(reader, end=False)
        return super().collect(consumer)

    def create_write_hook(self, orig_write: Callable[..., Any], io_name: str) -> Callable[..., Any]:
        """Return a ``write`` that takes in what it is given and then calls `orig_write`.

        It works without `start`. On a stream that is watched already nothing is taken in twice.

        Parameters
        ----------
        orig_write : callable
            It is given the same text, and what it returns is returned.
        io_name : str
            The name of the field. Under ``stdout`` and ``stderr`` a running session records the
            lines as well; under another name they are entries alone.
        """
        reader = _Reader(io_name)
        for name in STREAMS:
            if orig_write == getattr(getattr(sys, name, None), "write", None):
                reader.stream = name
        reader.given = orig_write
        hook = reader.hook = wrapped(orig_write, lambda piece: self._note(reader, piece))
        self._readers = (*self._readers, reader)
        return hook

    def create_callback(self, io_name: str) -> Callable[[float, str], None]:
        """Return a function by which a reader of other logs hands in lines.

        Parameters
        ----------
        io_name : str
            As in `create_write_hook`.

        Returns
        -------
        callable taking a time and a text
            In Unix seconds; an entry for each line of the text, blank ones too.
        """
        reader = _Reader(io_name)

        def take(ts: float, content: str) -> None:
            text = content.removesuffix("\n")
            with reader.lock:
                lines = reader.lines.take([f"{text}\n"], ts, ts)
                self._keep(io_name, lines.texts, [ts] * len(lines))
            self._record(io_name, lines.texts, [ts] * len(lines))

        return take

    # Taken in ---------------------------------------------------------------------------

    def _hear(self, stream: str, lines: Lines) -> None:
        """Make entries of lines; called on a thread of the watch."""
        since_s = time.time() - time.monotonic()
        self._keep_printed(stream, lines.texts, (since_s + lines.times_s).tolist())
        if lines.left_out:
            fields = {"left_out": lines.left_out}
            self.add([Entry(MEASUREMENT, time.time(), fields, {"io": stream})])

    def _note(self, reader: _Reader, piece: str) -> None:
        """Take in a piece that a hook was given."""
        heard = reader.is_heard()
        if heard and watch.find(self._hear) is not None:
            return
        now = time.time()
        with reader.lock:
            rests = reader.lines.due_s is not None and reader.lines.due_s <= now
            rested = [reader.lines.unfinished()] if rests else []
            lines = Lines.joined([*rested, reader.lines.take([piece], now, now)])
            times = lines.times_s.tolist()
            self._keep_printed(reader.name, lines.texts, times)
        if not heard:
            self._record(reader.name, lines.texts, times)

    def _rest_of(self, reader: _Reader, *, end: bool) -> None:
        """Take in the unfinished line of a hook, if it has waited long enough or is the last."""
        with reader.lock:
            due = reader.lines.due_s
            if due is None or not (end or due <= time.time()):
                return
            lines = reader.lines.unfinished()
            times = lines.times_s.tolist()
            self._keep_printed(reader.name, lines.texts, times)
        if not reader.is_heard():
            self._record(reader.name, lines.texts, times)

    def _keep_printed(self, name: str, texts: Sequence[str], times_s: Sequence[float]) -> None:
        told = [(text, ts) for text, ts in zip(texts, times_s, strict=True) if text.strip()]
        self._keep(name, [text for text, _ in told], [ts for _, ts in told])

    def _keep(self, name: str, texts: Sequence[str], times_s: Sequence[float]) -> None:
        if texts:
            pairs = zip(texts, times_s, strict=True)
            self.add([Entry(MEASUREMENT, ts, {name: text}) for text, ts in pairs])

    def _record(self, name: str, texts: Sequence[str], times_s: Sequence[float]) -> None:
        """Have the session that runs record lines that it does not hear itself."""
        session = taker()
        if session is None or name not in STREAMS or not texts:
            return
        try:
            session.lines(name, texts, times_s)
        except PulseError as error:
            if not self._warned:
                self._warned = True
                say("Lines are in no recording: %s", words_of(error))
