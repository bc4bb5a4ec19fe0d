"""The one session that a process has, and the rules for starting, joining and ending it."""

from __future__ import annotations

import os
import threading
import warnings
from typing import TYPE_CHECKING, Final, TypeVar

from pulse_widgets.collectors.buffered.door import stand_in
from pulse_widgets.collectors.prefetch import PrefetchedBackend
from pulse_widgets.collectors.whose import Whose, rank_of
from pulse_widgets.errors import ArgumentError, StorageError
from pulse_widgets.joining import Asked, capture_what_is_heard, join
from pulse_widgets.loading import load, load_later
from pulse_widgets.notices import warn_from_thread
from pulse_widgets.run import Run
from pulse_widgets.running import RunningSession, begin_reading, load_readers
from pulse_widgets.series.clock import Clock
from pulse_widgets.together import VARIABLE, shared_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pulse_widgets.arguments import Captured
    from pulse_widgets.collectors.calls import Flat
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuChoice
    from pulse_widgets.session.session import Session
    from pulse_widgets.widgets.hub import Hub

__all__ = ["DefaultSession", "default", "disabled"]

T = TypeVar("T")

_DISABLED = "PULSE_DISABLED"

NEEDED: Final = (
    "pulse_widgets.series.registry",
    "pulse_widgets.session.session",
    "pulse_widgets.series.registry",
    # It cannot be loaded any more while the interpreter ends, and the recording needs it: a
    # process may log one value and be gone.
    "concurrent.futures.thread",
    # Arrays load it when they are first sorted out. A fork in the middle of that would leave the
    # child with the lock of a module that nobody loads.
    "numpy.ma",
)
"""What a session is made of."""

SHOWN_WITH: Final = (
    "pulse_widgets.widgets.monitor",
    "pulse_widgets.widgets.hub",
    # It redacts the keyframe that a page opens with.
    "pulse_widgets.exchange.bundle",
)
"""What a view of a session needs; loaded while the sources take their first reading."""

FOLLOWED_WITH: Final = ("pulse_widgets.session.sender", "pulse_widgets.exchange.bundle")
"""What a page without a view needs of it."""

LATER: Final = (
    "pulse_widgets.exchange.fitting",
    "pulse_widgets.exchange.picture.document",
    "pulse_widgets.library.recording",
    "pulse_widgets.library.finishing",
    "pulse_widgets.storage.unwritten",
)
"""What draws a session and what ends it; neither a first frame nor a first row needs it."""


def disabled() -> bool:
    """Return whether everything is switched off in this process."""
    return os.environ.get(_DISABLED, "") not in {"", "0"}


class DefaultSession:
    """The session of this process, if there is one, and what the last one left.

    Attributes
    ----------
    session : Session or None
        The running one, or the last.
    run : Run or None
        That of `session`.
    singles : dict of str to Flat
        Where `session` takes in calls of `log` with one name.
    lost : int
        Calls of `log` that are recorded nowhere, in a forked child say.
    """

    def __init__(self) -> None:
        self.session: Session | None = None
        self.run: Run | None = None
        self.singles: dict[str, Flat] = {}
        self._observers: tuple[Callable[[], None], ...] = ()
        self.lost = 0
        self._lock = threading.RLock()
        self._run: Run | None = None
        self._forked = False
        self._parents: Path | None = None
        """Where the parent of a forked child records."""

    @property
    def place(self) -> Path | None:
        """Where it records; None as long as that is not known."""
        return self._run.session.path if self._run is not None else None

    def watch(  # noqa: PLR0913  what `monitor` is given
        self,
        sources: Sequence[str | Backend],
        *,
        interval_s: float | None,
        record: bool | Path | None,
        gpus: GpuChoice | None,
        title: str,
        capture: Captured | None = None,
    ) -> Hub:
        """Start a session, or join the running one; return what its views share."""
        asked = Asked(interval_s, record, gpus, title, capture)
        return self._enter(sources, asked, SHOWN_WITH, Run.shared)

    def begin(
        self,
        sources: Sequence[str | Backend],
        *,
        interval_s: float | None,
        gpus: GpuChoice | None,
        title: str,
    ) -> None:
        """Start a session that no cell shows, or join the running one."""
        self._enter(sources, Asked(interval_s, None, gpus, title), FOLLOWED_WITH, Run.stream)

    def _enter(
        self,
        sources: Sequence[str | Backend],
        asked: Asked,
        modules: Sequence[str],
        result: Callable[[Run], T],
    ) -> T:
        """Start a session, or join the running one; return what `result` makes of it."""
        with self._lock:
            before = run = self._run
            try:
                if run is None or not run.session.running:
                    run = self._start(
                        sources,
                        interval_s=asked.interval_s or 1.0,
                        record=asked.record,
                        gpus="mine" if asked.gpus is None else asked.gpus,
                        title=asked.title,
                    )
                    run.session.capture(True if asked.capture is None else asked.capture)
                else:
                    join(run, asked)
                    load_readers(sources)
                    run.session.add_sources(sources)
                load(*modules)
                run.stand()
                made = result(run)
                # Now that nothing can fail any more, others may log into it.
                self._give(run)
                if run is not before:
                    load_later(*LATER)
            except BaseException:
                self._undo(before)
                raise
        self._tell()
        return made

    def stop(self) -> Recording | None:
        """End the session for all its views, and return its recording; twice is harmless."""
        with self._lock:
            return self._run.stop() if self._run is not None else None

    def for_log(self, call: str = "pw.log()", level: int = 3) -> Session | None:
        """Return a session for what the user's code says; None where there is to be none.

        Parameters
        ----------
        call : str
            What the user called, for a warning.
        level : int
            How many calls up the user's line is.
        """
        if disabled():
            return None
        if why := self._refusal(call):
            self.lost += 1
            if self.lost == 1:
                warnings.warn(why, RuntimeWarning, stacklevel=level)
            return None
        with self._lock:
            before = self._run
            if before is not None and before.session.running:
                return before.session
            if before is not None:
                warnings.warn(
                    f"{call} after a stop starts a new session, for your own metrics only. "
                    "Call pw.monitor() to watch the machine as well.",
                    RuntimeWarning,
                    stacklevel=level,
                )
            try:
                run = self._start(interval_s=1.0, record=None, gpus="mine", title="")
                if run.joins:
                    # Such a process may be a worker that is killed when it has done its work.
                    _stand(run)
                run.session.recorder.warn = warn_from_thread
                capture_what_is_heard(run.session)
                self._give(run)
            except BaseException:
                self._undo(before)
                raise
            self._tell()
            return run.session

    def _refusal(self, call: str) -> str:
        """Return why a call such as `log` without a session begins none; empty where it does."""
        running = self._run is not None and self._run.session.running
        try:
            if running or shared_path() is not None or not self._forked:
                return ""
        except ArgumentError as error:
            return f"{call} records nothing: {error}"
        place = repr(str(self._parents)) if self._parents is not None else "'/tmp/run.pulse'"
        return (
            f"{call} in a forked child records nothing: threads do not survive a fork. To have "
            "every child record for itself, beside its parent, put this line before the fork: "
            f"os.environ[{VARIABLE!r}] = {place}. Or log from the parent."
        )

    # Those who follow it ----------------------------------------------------------------

    def observe(self, changed: Callable[[], None]) -> None:
        """Call `changed`, on any thread, whenever a session starts, is shown or ends.

        It is called inside the user's cells: it takes no time, and raises nothing. Asked for twice,
        it is called once. The child of a fork has to ask again.
        """
        if changed not in self._observers:
            self._observers = (*self._observers, changed)

    def _tell(self) -> None:
        for changed in self._observers:
            changed()

    # Starting and joining ---------------------------------------------------------------

    def _start(
        self,
        sources: Sequence[str | Backend] = (),
        *,
        interval_s: float,
        record: bool | Path | None,
        gpus: GpuChoice,
        title: str,
    ) -> Run:
        shared = shared_path() if record is None else None
        self.stop()  # what an interrupt left of the session before
        if self._run is not None:
            # Views of it may live as long as the kernel.
            self._run.session.stage.release()
        clock = Clock()
        backends: list[str | Backend] = []
        try:
            # Started first: importing what a session needs takes longer than a first reading.
            begin_reading(sources, gpus, backends)

            load(*NEEDED)
            from pulse_widgets.series.registry import Registry
            from pulse_widgets.session.session import Session, Settings

            settings = Settings(interval_s, gpus, title=title)
            rank = rank_of()
            whose = Whose.of(rank)
            session = Session(settings, registry=Registry(whose.within), clock=clock, whose=whose)
            if rank is not None and rank.size is not None:
                session.intake.label(whose.user, {"world_size": str(rank.size)})
            place = shared or (True if record is None else record)
            run = self._run = Run(session, place, self._tell, joins=shared is not None)
            session.add_sources(backends)
        except BaseException:
            for backend in backends:
                if isinstance(backend, PrefetchedBackend):
                    backend.give_up()
            raise
        session.start()
        return run

    # Not a context manager: one that an interrupt cuts off at its end is finished whenever the
    # interpreter lets go of the traceback, and would then end a session that is well.
    def _undo(self, before: Run | None) -> None:
        """End a session that a failing call has begun: nobody holds it, and nobody sees it."""
        if self._run is not None and self._run is not before:
            self._run.undo()
            self._run = before
            if before is not None:
                self._give(before)
            else:
                self.run = self.session = None
                self.singles = {}

    def _give(self, run: Run) -> None:
        """Let others have the session: it stands."""
        self.session, self.run, self.singles = run.session, run, run.session.user.singles

    # The children of the process ---------------------------------------------

    def after_fork_in_child(self) -> None:
        """Start with nothing, locks included; say so when something is logged."""
        session, forked, place = self.session, self._forked, self._parents
        self.__init__()  # type: ignore[misc]  # the object is held by name elsewhere
        self._forked, self._parents = forked, place
        if session is not None and not session.ended:
            self._forked, self._parents = True, session.path
            session.forget_in_child()


def _stand(run: Run) -> None:
    """Wait until a session records; what keeps it from doing so is said, and tried again."""
    try:
        run.stand()
    except StorageError as error:
        run.session.recorder.warned.add("waiting")
        warnings.warn(f"Nothing is recorded yet. {error}", RuntimeWarning, stacklevel=4)


default = DefaultSession()


def _running() -> RunningSession | None:
    session = default.session
    return RunningSession(session) if session is not None and session.running else None


stand_in(_running)

os.register_at_fork(after_in_child=default.after_fork_in_child)
