"""The one session that a process has, and the rules for starting, joining and ending it."""

from __future__ import annotations

import atexit
import os
import threading
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulse_widgets.collectors.early import EarlyBackend
from pulse_widgets.errors import RecordingError, SessionRunningError, StorageError
from pulse_widgets.readers.discover import make_backends
from pulse_widgets.series.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pulse_widgets.library.recording import Recording
    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuWish
    from pulse_widgets.session import Session
    from pulse_widgets.widgets.hub import Hub

__all__ = ["DefaultSession", "default", "disabled"]

_DISABLED = "PULSE_DISABLED"


def disabled() -> bool:
    """Return whether everything is switched off in this process."""
    return os.environ.get(_DISABLED, "") not in {"", "0"}


class _Run:
    """One session, from its start until its last picture is in the notebook."""

    def __init__(self, session: Session, record: bool | Path) -> None:  # noqa: FBT001  as the user said
        self.session = session
        self.record = record
        self.place: Path | None = None
        self.hub: Hub | None = None
        self.over = False
        self._result: Recording | None = None
        self._lock = threading.RLock()

    def stop(self) -> Recording | None:
        """End it for all its views, and return its recording; twice is harmless."""
        if self.session.pid != os.getpid():
            return None  # it is the parent's
        with self._lock:
            if not self.over:
                self.session.stop()
                self._result = None if self.place is None else _finished(self.place)
                try:
                    if self.hub is not None:
                        self.hub.finish()
                except Exception:
                    # A picture that cannot be drawn is not tried for ever.
                    self.over = True
                    raise
                self.over = True
            return self._result

    def recording(self) -> Recording | None:
        """Return the recording as it is now."""
        if not self.session.running or self.place is None:
            return self._result
        from pulse_widgets.library.recording import Recording

        try:
            return Recording.open(self.place)
        except RecordingError:
            # In its first moments a session has written nothing yet.
            return None

    def shared(self) -> Hub:
        """Return what its views share."""
        if self.hub is None:
            from pulse_widgets.widgets.hub import live_hub

            self.hub = live_hub(self.session, stop=self.stop, open_recording=self.recording)
        return self.hub


class DefaultSession:
    """The session of this process, if there is one, and what the last one left.

    Attributes
    ----------
    session : Session or None
        The running one, or the last.
    lost : int
        Calls of `log` in a forked child, which record nothing.
    """

    def __init__(self) -> None:
        self.session: Session | None = None
        self.lost = 0
        self._lock = threading.RLock()
        self._run: _Run | None = None
        self._forked = False

    @property
    def place(self) -> Path | None:
        """Where it records."""
        return self._run.place if self._run is not None else None

    def watch(
        self,
        sources: Sequence[str | Backend],
        *,
        interval_s: float | None,
        record: bool | Path | None,
        gpus: GpuWish | None,
        title: str,
    ) -> Hub:
        """Start a session, or join the running one; return what its views share."""
        with self._lock:
            before = run = self._run
            try:
                if run is None or not run.session.running:
                    run = self._start(
                        sources,
                        interval_s=interval_s or 1.0,
                        record=True if record is None else record,
                        gpus="mine" if gpus is None else gpus,
                        title=title,
                    )
                else:
                    _join(run, interval_s=interval_s, record=record, gpus=gpus)
                    run.session.add_sources(sources)
                return run.shared()
            except BaseException:
                self._undo(before)
                raise

    def stop(self) -> Recording | None:
        """End the session for all its views, and return its recording; twice is harmless."""
        with self._lock:
            return self._run.stop() if self._run is not None else None

    def for_log(self) -> Session | None:
        """Return a session for the user's metrics; None where there is to be none."""
        if disabled():
            return None
        if self._forked:
            self.lost += 1
            if self.lost == 1:
                warnings.warn(
                    "pw.log() in a forked child records nothing: threads do not survive a fork. "
                    "Log from the parent, or start the child with the 'spawn' method.",
                    RuntimeWarning,
                    stacklevel=3,
                )
            return None
        with self._lock:
            before = self._run
            if before is not None and before.session.running:
                return before.session
            if before is not None:
                warnings.warn(
                    "pw.log() after a stop starts a new session, for your own metrics only. "
                    "Call pw.monitor() to watch the machine as well.",
                    RuntimeWarning,
                    stacklevel=3,
                )
            try:
                return self._start(interval_s=1.0, record=True, gpus="mine", title="").session
            except BaseException:
                self._undo(before)
                raise

    # Starting and joining ---------------------------------------------------------------

    def _start(
        self,
        sources: Sequence[str | Backend] = (),
        *,
        interval_s: float,
        record: bool | Path,
        gpus: GpuWish,
        title: str,
    ) -> _Run:
        self.stop()  # what an interrupt left of the session before
        if self._run is not None:
            # Views of it may live as long as the kernel.
            self._run.session.stage.release()
        clock = Clock()
        backends: list[str | Backend] = []
        try:
            # First of all: what a session needs takes longer to load than to take a reading.
            _begin(sources, gpus, backends)

            from pulse_widgets.series.log import Registry
            from pulse_widgets.session import Session, Settings

            settings = Settings(interval_s, gpus, title=title)
            session = Session(settings, registry=Registry(), clock=clock)
            run = self._run = _Run(session, record)
            session.add_sources(backends)
        except BaseException:
            for backend in backends:
                if isinstance(backend, EarlyBackend):
                    backend.give_up()
            raise
        if record is not False:
            run.place = _place(None if record is True else record, title)
            session.record(run.place, _writer_maker(session, run.place))
        session.start()
        # Now that nothing can fail any more, others may log into it.
        self.session = session
        return run

    # Not a context manager: one that an interrupt cuts off at its end is finished whenever the
    # interpreter lets go of the traceback, and would then end a session that is well.
    def _undo(self, before: _Run | None) -> None:
        """End a session that a failing call has begun: nobody holds it, and nobody sees it."""
        if self._run is not None and self._run is not before:
            self._run.session.stop()
            self._run = before
            self.session = before.session if before is not None else None

    # The end of the process, and its children ---------------------------------------------

    def after_fork_in_child(self) -> None:
        """Start with nothing, locks included; say so when something is logged."""
        session, forked = self.session, self._forked
        self.__init__()  # type: ignore[misc]  # the object is held by name elsewhere
        self._forked = forked
        if session is not None and not session.ended:
            session.forget_in_child()
            self._forked = True

    def at_exit(self) -> None:
        """Seal the recording of a process that ends."""
        session = self.session
        if session is not None and not session.ended and session.pid == os.getpid():
            session.stop()


def _begin(sources: Sequence[str | Backend], gpus: GpuWish, backends: list[str | Backend]) -> None:
    """Begin to read the built-in sources, and put what is read into `backends`.

    A backend of the user's own may belong to the one thread that opens it.
    """
    for name in sources:
        if isinstance(name, str):
            (backend,) = make_backends([name], gpus)
            early = EarlyBackend(backend)
            backends.append(early)
            early.start()
        else:
            backends.append(name)


def _join(
    run: _Run,
    *,
    interval_s: float | None,
    record: bool | Path | None,
    gpus: GpuWish | None,
) -> None:
    if record is not None and record != run.record:
        raise SessionRunningError(
            f"A session is running with record={run.record!r}, not {record!r}",
            remedy="Call pw.stop() first, or leave record= out to join it.",
        )
    session = run.session
    if not session.samplers:
        # A session of the user's own metrics: this call is the first to say how to read.
        session.settings = replace(session.settings, gpus="mine" if gpus is None else gpus)
        session.set_interval(interval_s or session.interval_s)
        return
    if gpus is not None and gpus != session.settings.gpus:
        raise SessionRunningError(
            f"A session is running with gpus={session.settings.gpus!r}, not {gpus!r}",
            remedy="Call pw.stop() first, or leave gpus= out to join it.",
        )
    if interval_s is not None and interval_s < session.interval_s:
        session.set_interval(interval_s)


def _place(wanted: Path | None, title: str) -> Path:
    from pulse_widgets.library.shelf import new_place

    place = new_place(wanted, title)
    try:
        # Now, so that a place that cannot be written to is the caller's error.
        place.mkdir(mode=0o700, parents=True, exist_ok=wanted is not None)
    except OSError as error:
        if wanted is None and isinstance(error, FileExistsError):
            return _place(wanted, title)  # another process was faster
        raise StorageError(
            f"{place} cannot be made: {error.strerror}",
            remedy="Pass record= another path, or set PULSE_HOME to a directory you may write to.",
        ) from error
    return place


def _writer_maker(session: Session, place: Path) -> Callable[[], Any]:
    from pulse_widgets.session import HOST

    about = {"title": session.settings.title, "interval": session.settings.interval_s}

    def make() -> Any:
        # Loading Arrow takes longer than the first reading; the keeper's thread does it.
        from pulse_widgets.storage.writer import Writer

        return Writer(
            place,
            session.registry,
            host_name=HOST,
            start_us=session.clock.start_us,
            about=about,
        )

    return make


def _finished(place: Path) -> Recording | None:
    from pulse_widgets.library.shelf import finish

    try:
        return finish(place)
    except RecordingError:
        # No row ever reached the disk: it was full or gone. The status has said so.
        return None


default = DefaultSession()

os.register_at_fork(after_in_child=default.after_fork_in_child)
atexit.register(default.at_exit)
