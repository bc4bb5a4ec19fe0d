"""The one watch of what this process prints; several listeners may follow it at once."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.capture.hook import Break, Hook, Mark, is_gone
from pulse_widgets.collectors.capture.lines import Limit, Lines, LinesOf
from pulse_widgets.ipython import kernel_here
from pulse_widgets.loading import load
from pulse_widgets.signals import Alarm, start_shielded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.collectors.capture.descriptors import DescriptorTee

__all__ = ["STREAMS", "Subscription", "Watch", "watch"]

STREAMS: Final = ("stdout", "stderr")
DESCRIPTORS: Final = "pulse_widgets.collectors.capture.descriptors"

TOGETHER_S: Final = 0.1
"""What comes within so many seconds is looked at together."""
EXACT_PIECES: Final = 128
"""While no more pieces and times wait, each piece has its time; then it is noted now and then."""
FLOOD_MARKS: Final = 5
"""So often in `TOGETHER_S`."""
FLOOD_PIECES: Final = 4000
"""More than so many in that time are a flood, which is left alone until it ends."""
FLOOD_S: Final = 1.0
"""It is left alone so long at most."""
LOOK_S: Final = 2.0
"""How often the streams are looked at while nothing is printed: one may have been replaced."""

LINES_A_SECOND: Final = 20_000
LETTERS_A_SECOND: Final = 4 << 20
BURST_S: Final = 10.0
"""So many seconds of that may come at once."""

WAITING_PIECES: Final = 2_000_000
"""More do not wait; only a thread that gets no time lets so much come together."""

_logger = logging.getLogger("pulse_widgets")


class _Channel:
    """One of the two streams of the process.

    Attributes
    ----------
    name : str
        ``stdout`` or ``stderr``.
    pieces : list of str
        What was printed and is not looked at yet, with marks.
    """

    def __init__(self, name: str, note: Callable[[_Channel, str], None]) -> None:
        self.name = name
        self.pieces: list[str] = []
        self._hook: Hook | None = None
        self._note = note
        self.lines = LinesOf()
        self.limit = Limit(LINES_A_SECOND, LETTERS_A_SECOND, BURST_S)
        self.taken_s = 0.0
        """Until when the pieces were taken; monotonic seconds."""
        self.shed = 0
        """Lines that there was no room for."""
        self._tee: DescriptorTee | None = None
        self._torn: tuple[DescriptorTee, ...] = ()
        """Those that gave the descriptor back, and may have something left."""

    @property
    def is_hooked(self) -> bool:
        return self._hook is not None

    def hook(self, taken: list[Any]) -> None:
        """Put a hook on the stream that is there now, unless it is one of `taken`."""
        stream = getattr(sys, self.name, None)
        if stream is not None and all(stream is not one for one in taken):
            self._put(stream)

    def _put(self, stream: Any) -> None:
        hook = Hook(stream, self.pieces, self._noted)
        # Known before it is put: whatever interrupts this, `unhook` removes it.
        self._hook = hook
        if not hook.put():
            self._hook = None

    def tee(self) -> None:
        """Take in what is printed to the descriptor, too, unless the stream does so itself."""
        if self._tee is not None:
            return
        load(DESCRIPTORS)
        from pulse_widgets.collectors.capture.descriptors import DescriptorTee, reads_its_descriptor

        number = STREAMS.index(self.name) + 1
        # The one that is hooked: another may stand in its place for a moment.
        if reads_its_descriptor(self.stream, number):
            return
        self._flush()
        with contextlib.suppress(OSError):  # a process may have closed it
            self._tee = DescriptorTee(number, self._noted)
            if kernel_here() is None:
                # What Python prints goes that way, too.
                self.unhook()

    def untee(self) -> None:
        """Give the process its descriptor back."""
        tee, self._tee = self._tee, None
        if tee is not None:
            self._flush()
            with contextlib.suppress(OSError):
                tee.restore()
            self._torn = (*self._torn, tee)

    def drain(self) -> None:
        """Wait for what was printed before the descriptor was given back."""
        torn, self._torn = self._torn, ()
        for tee in torn:
            tee.drain()

    def _flush(self) -> None:
        with contextlib.suppress(Exception):  # whatever a stream of the user's does
            getattr(sys, self.name).flush()
        from pulse_widgets.collectors.capture.descriptors import flush_c

        flush_c()

    def look(self, taken: list[Any]) -> None:
        """Follow the stream of the process where the one that is hooked has gone."""
        if self._tee is not None and kernel_here() is None:
            return  # what Python prints goes that way, too
        hook, now = self._hook, getattr(sys, self.name, None)
        if hook is None:
            self.hook(taken)
        elif now is not hook.stream and now is not None and is_gone(hook.stream):
            self.unhook()
            self.hook(taken)
        elif not hook.is_reached():
            self.unhook()
            self._put(hook.stream)

    def unhook(self) -> None:
        hook, self._hook = self._hook, None
        if hook is not None:
            hook.remove()

    @property
    def stream(self) -> Any:
        return None if self._hook is None else self._hook.stream

    def _noted(self, piece: str) -> None:
        self._note(self, piece)

    def flood(self, comes: bool) -> None:  # noqa: FBT001  one of two states
        """Say whether so much comes that not every piece can have a time."""
        if self._hook is not None:
            self._hook.flood(comes)

    def take(self, *, end: bool) -> Lines:
        """Return the lines that what waits makes; at the end the last one as far as it goes."""
        now = time.monotonic()
        # Both are steps made in C: no piece comes between, or gets lost.
        count = len(self.pieces)
        pieces = self.pieces[:count]
        del self.pieces[:count]
        self.flood(False)
        self.limit.allow(now)
        made = self.lines.take(pieces, self.taken_s, now, self.limit)
        self.taken_s = now
        due = self.lines.due_s
        if due is not None and (end or now >= due):
            made = Lines.joined([made, self.lines.unfinished()])
        shed, self.shed = self.shed, 0
        return Lines(made.texts, made.times_s, made.left_out + shed)

    def shed_oldest(self) -> None:
        """Let go of what there is no room for, and count its lines."""
        count = len(self.pieces) - WAITING_PIECES // 2
        gone = self.pieces[:count]
        del self.pieces[:count]
        self.shed += sum(piece.count("\n") for piece in gone if isinstance(piece, str))


class Subscription:
    """A listener of a watch.

    Parameters
    ----------
    hear : callable
        Called on a thread of the watch with ``"stdout"`` or ``"stderr"`` and `Lines`.
    """

    def __init__(self, watch: Watch, hear: Callable[[str, Lines], None]) -> None:
        self._watch = watch
        self.hear = hear
        self.failures = 0
        self.descriptors = False
        """Whether it wants what C code and subprocesses print."""

    def want_descriptors(self) -> None:
        """Hear of what C code and subprocesses print, too, from now on."""
        self.descriptors = True
        self._watch.look()

    def close(self) -> None:
        """Hear nothing any more of what is printed from now on; twice is harmless."""
        self._watch.leave(self)

    def flush(self) -> None:
        """Hear now of all that was printed until now."""
        self._watch.flush(self)


class Watch:
    """Hooks the streams of the process as long as anybody listens."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        # Never changed, but replaced: other threads go through it.
        self._listeners: tuple[Subscription, ...] = ()
        self._leaving: tuple[Subscription, ...] = ()
        """Those that hear of what was printed until they left, and no more."""
        self._channels = tuple(_Channel(name, self._note) for name in STREAMS)
        self._door = threading.RLock()
        self._working = threading.RLock()
        self._alarm = Alarm()
        self._pace = Alarm()
        self._speaker: int | None = None
        """The thread that tells listeners; what it prints itself is not heard."""
        self._thread_runs = False
        self._counts = False
        """Whether the thread looks now and then how much waits."""

    # Listeners --------------------------------------------------------------------------

    def subscribe(self, hear: Callable[[str, Lines], None]) -> Subscription:
        """Tell `hear` from now on of the lines that are printed."""
        made = Subscription(self, hear)
        with self._working:
            if not self._listeners:
                self._start_anew()
            with self._door:
                self._listeners = (*self._listeners, made)
                self._look()
                if not self._thread_runs:
                    self._thread_runs = True
                    start_shielded("pulse-output", self._run)
        return made

    def _start_anew(self) -> None:
        if self._leaving:
            self._tell(end=True)  # it belongs to those who leave
        now = time.monotonic()
        for channel in self._channels:
            channel.pieces.clear()
            channel.lines, channel.taken_s = LinesOf(), now

    def leave(self, one: Subscription) -> None:
        """End a subscription; what waits for it is told by `flush`, or soon."""
        if os.getpid() != self._pid:
            return
        with self._door:
            if all(one is not each for each in self._listeners):
                return
            others = tuple(each for each in self._listeners if each is not one)
            self._leaving = (*self._leaving, one)
            self._listeners = others
            if not others:
                for channel in self._channels:
                    channel.unhook()
            if not any(each.descriptors for each in others):
                for channel in self._channels:
                    channel.untee()
                self._look()
        self._alarm.ring()
        self._pace.ring()

    def flush(self, one: Subscription) -> None:
        """Tell of all that was printed until now; an unfinished line only to who leaves last."""
        if os.getpid() == self._pid:
            for channel in self._channels:
                channel.drain()
            self._tell(end=any(one is each for each in self._leaving))

    def look(self) -> None:
        """Look where the streams are."""
        with self._door:
            self._look()

    def begin_anew(self) -> None:
        """End the lines that have no end, and look where the streams are: another cell begins."""
        self.look()
        for channel in self._channels:
            channel.pieces.append(_mark(Break))
        self._alarm.ring()

    def look_soon(self) -> None:
        """Have the thread look where the streams are, when others have put theirs in order."""
        self._alarm.ring()

    def is_watching(self, name: str) -> bool:
        """Return whether a stream is hooked."""
        return any(one.name == name and one.is_hooked for one in self._channels)

    # The hooks ----------------------------------------------------------------------------

    def _look(self) -> None:
        """Put hooks on the streams that are there; both names may stand for one."""
        if not self._listeners:
            return
        descriptors = any(one.descriptors for one in self._listeners)
        for channel in self._channels:
            channel.look([one.stream for one in self._channels if one is not channel])
            if descriptors:
                channel.tee()

    def _note(self, channel: _Channel, piece: str) -> None:
        """Keep a piece, and when it came; called inside of the user's ``print``."""
        if self._speaker is not None and threading.get_ident() == self._speaker:
            return
        pieces = channel.pieces
        count = len(pieces)
        pieces.append(_mark())
        pieces.append(piece)
        if not count:
            self._alarm.ring()
        elif count > WAITING_PIECES:
            channel.shed_oldest()
        elif count > EXACT_PIECES and self._counts:
            # Now the thread is the one that counts, and notes the time.
            channel.flood(True)
            self._pace.ring()

    # The thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        failed = False
        while True:
            try:
                if self._pass():
                    return
            except Exception:
                # The top of the thread. It goes on.
                if not failed:
                    failed = True
                    _logger.exception("what was printed could not be taken in")

    def _pass(self) -> bool:
        """Wait for something to be printed, and tell it; return whether nobody listens."""
        came = self._alarm.wait(self._rest_s())
        if came and self._listeners:
            self._counts = True
            self._wait_for_more()
            self._counts = False
            for channel in self._channels:
                channel.flood(False)
        self._tell(end=not self._listeners)
        with self._door:
            if self._listeners:
                self._look()
                return False
            if self._leaving:
                return False
            self._thread_runs = False
            return True

    def _rest_s(self) -> float:
        dues = [due for one in self._channels if (due := one.lines.due_s) is not None]
        return min([LOOK_S, *(due - time.monotonic() for due in dues)])

    def _wait_for_more(self) -> None:
        """Wait for what comes together; while a flood comes, for its end."""
        ends = time.monotonic() + FLOOD_S
        self._pace.wait(TOGETHER_S)
        while self._waiting() >= EXACT_PIECES and self._listeners and not self._leaving:
            before = self._waiting()
            for _ in range(FLOOD_MARKS):
                self._pace.wait(TOGETHER_S / FLOOD_MARKS)
                self._mark()
            waiting = self._waiting()
            if waiting - before < FLOOD_PIECES or waiting > WAITING_PIECES:
                return
            if time.monotonic() >= ends:
                return

    def _waiting(self) -> int:
        return max(len(one.pieces) for one in self._channels)

    def _mark(self) -> None:
        for channel in self._channels:
            if channel.pieces:
                channel.pieces.append(_mark())

    def _tell(self, *, end: bool) -> None:
        """Tell listeners of the lines that came."""
        with self._working:
            self._speaker = threading.get_ident()
            try:
                leaving = self._leaving
                made = [(one.name, one.take(end=end)) for one in self._channels]
                listeners = (*self._listeners, *leaving)
                for name, lines in made:
                    if len(lines) or lines.left_out:
                        for one in listeners:
                            _hear(one, name, lines)
                with self._door:
                    self._leaving = tuple(one for one in self._leaving if one not in leaving)
            finally:
                self._speaker = None

    # The children of the process ---------------------------------------------------------------

    def after_fork_in_child(self) -> None:
        """Leave all streams alone: what a child prints is its own.

        Through a descriptor of the parent's it still comes there.
        """
        for channel in self._channels:
            channel.unhook()
        self._begin()


def _hear(one: Subscription, name: str, lines: Lines) -> None:
    try:
        one.hear(name, lines)
    except Exception:
        one.failures += 1
        if one.failures == 1:
            _logger.exception("a listener of what is printed failed")


def _mark(sort: type[Mark] = Mark) -> Mark:
    made = sort()
    made.time_s = time.monotonic()
    return made


watch: Final = Watch()
"""That of this process."""

os.register_at_fork(after_in_child=watch.after_fork_in_child)
