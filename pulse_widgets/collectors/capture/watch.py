"""The one watch of what this process prints; several listeners may follow it at once."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Final

from pulse_widgets.collectors.capture import channel as streams
from pulse_widgets.collectors.capture.channel import STREAMS, Channel
from pulse_widgets.collectors.capture.hook import Break, Mark
from pulse_widgets.collectors.capture.lines import Lines, LinesOf
from pulse_widgets.signals import Alarm, start_shielded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


__all__ = ["STREAMS", "Subscription", "Watch", "watch"]


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
UNHEARD_S: Final = 5.0
"""Words of ours are not heard for so long at most: an interrupt may keep `unheard` from ending."""

_logger = logging.getLogger("pulse_widgets")


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

    def finish(self) -> None:
        """Hear of all that was printed until now, unfinished lines too, and then of nothing."""
        self._watch.finish(self)


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
        self._channels = tuple(Channel(name, self._note) for name in STREAMS)
        self._door = threading.RLock()
        self._working = threading.RLock()
        self._alarm = Alarm()
        self._pace = Alarm()
        self._speaker: int | None = None
        """The thread that tells listeners; what it prints itself is not heard."""
        self._unheard: dict[int, float] = {}
        """Threads that say something of ours, and until when at most; monotonic seconds."""
        self._thread_runs = False
        self._counts = False
        """Whether the thread looks now and then how much waits."""

    # Listeners --------------------------------------------------------------------------

    def subscribe(self, hear: Callable[[str, Lines], None]) -> Subscription:
        """Tell `hear` from now on of the lines that are printed; twice is once."""
        with self._working:
            found = self.find(hear)
            if found is not None:
                return found
            made = Subscription(self, hear)
            if self._listeners:
                self._tell(end=False)  # it belongs to those who listened before
            else:
                self._start_anew()
            with self._door:
                self._listeners = (*self._listeners, made)
                self._look()
                if not self._thread_runs:
                    self._thread_runs = True
                    start_shielded("pulse-output", self._run)
        return made

    def find(self, hear: Callable[[str, Lines], None]) -> Subscription | None:
        """Return the subscription of a function; None where it hears nothing."""
        if os.getpid() != self._pid:
            return None
        return next((one for one in self._listeners if one.hear == hear), None)

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
            # First: whoever tells those that leave waits for what is still in a pipe.
            for channel in self._channels:
                if not others:
                    channel.unhook()
                if not any(each.descriptors for each in others):
                    channel.untee()
            self._leaving = (*self._leaving, one)
            self._listeners = others
            self._look()
        self._alarm.ring()
        self._pace.ring()

    def flush(self, one: Subscription) -> None:
        """Tell of all that was printed until now; an unfinished line only to who leaves last."""
        if os.getpid() == self._pid:
            self._tell(end=any(one is each for each in self._leaving))

    def finish(self, one: Subscription) -> None:
        """End a subscription once it was told of all that was printed until now."""
        if os.getpid() == self._pid:
            # Together: the thread must not tell it in between, without the unfinished lines.
            with self._working:
                for channel in self._channels:
                    channel.settle()
                self.leave(one)
                self._tell(end=True)

    @contextlib.contextmanager
    def unheard(self) -> Iterator[None]:
        """Hear nothing of what this thread prints meanwhile, such as a warning of ours."""
        me = threading.get_ident()
        outer = me in self._unheard
        try:
            self._unheard[me] = time.monotonic() + UNHEARD_S
            for channel in self._channels:
                channel.flood(False)  # each piece is asked about
            yield
        finally:
            if not outer:
                self._unheard.pop(me, None)

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

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The streams of the process."""
        return self._channels

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

    def _note(self, channel: Channel, piece: str) -> None:
        """Keep a piece, and when it came; called inside of the user's ``print``."""
        if self._speaker is not None and threading.get_ident() == self._speaker:
            return
        if self._unheard and time.monotonic() < self._unheard.get(threading.get_ident(), 0.0):
            return
        pieces = channel.pieces
        count = len(pieces)
        pieces.append(_mark())
        pieces.append(piece)
        if not count:
            self._alarm.ring()
        elif count > streams.WAITING_PIECES:
            channel.shed_oldest()
        elif count > EXACT_PIECES and self._counts and not self._unheard:
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
            if waiting - before < FLOOD_PIECES or waiting > streams.WAITING_PIECES:
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
                with self._door:  # who is about to leave has given the descriptors back then
                    leaving = self._leaving
                if leaving:
                    # What was printed before comes first: afterwards nobody hears it.
                    for channel in self._channels:
                        channel.drain()
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
