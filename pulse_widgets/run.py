"""One session from its start until its last picture is shown, and the recording it leaves."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import PulseError, RecordingError
from pulse_widgets.loading import load
from pulse_widgets.notices import warn, warn_from_thread
from pulse_widgets.signals import aside
from pulse_widgets.storage.disk import is_passing
from pulse_widgets.together import is_worker, leave_with_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.library.recording import Recording
    from pulse_widgets.series.rows import Rows
    from pulse_widgets.series.stream import Stream
    from pulse_widgets.session.sender import LiveSender
    from pulse_widgets.session.session import Session
    from pulse_widgets.storage.reader import Stored
    from pulse_widgets.storage.writer import Writer
    from pulse_widgets.widgets.hub import Hub

__all__ = ["Run"]

LOADING_S: Final = 30.0
"""How long a start waits for what writes to be loaded, from a slow disk say."""
STAND_S: Final = 5.0
"""How long it then waits for the disk."""
HANGS_S: Final = 0.5
"""How long an end waits for a write that is under way, after `Session.stop` has waited for it."""
ANSWER_S: Final = 30.0
"""How long it waits for the disk to give back what was recorded."""
LEAVE_S: Final = 0.7
"""How long the end of the process may make one file of a recording."""
OTHERS_S: Final = 5.0
"""How long others may take to make a file of the recording that this one was to join."""

_logger = logging.getLogger("pulse_widgets")
_runs: list[Run] = []
"""Those of this process whose last rows may not be on the disk."""


class Run:
    """One session, from its start until its last picture is in the notebook.

    Parameters
    ----------
    session : Session
    record : bool or Path
        As the user said.
    changed : callable, optional
        Called, on any thread, when it is shown, or known where it records.
    joins : bool
        Whether other processes may have begun the recording at `record`, or may begin it.
    """

    def __init__(
        self,
        session: Session,
        record: bool | Path,  # noqa: FBT001  as the user said
        changed: Callable[[], None] = lambda: None,
        *,
        joins: bool = False,
    ) -> None:
        self.session = session
        self.record = record
        self.changed = changed
        self.joins = joins
        self.hub: Hub | None = None
        self._sender: LiveSender | None = None
        self._sharing = threading.RLock()
        self.over = False
        self._stood = False
        """Whether a call has waited until it was recorded, or said why it is not."""
        self._made = False
        """Whether the directory of the recording was made by this run."""
        self._result: Recording | None = None
        self._unfinished = False
        """Whether the recording was handed out before its last row was on the disk."""
        self._told: set[str] = set()
        self._lock = threading.RLock()
        if record is not False:
            session.record(None, self._make_writer, self._sealed)
            _runs[:] = [run for run in _runs if not (run.over and run.session.recorder.sealed)]
            _runs.append(self)
            leave_with_worker(_leave)

    # The start --------------------------------------------------------------------------

    def stand(self) -> None:
        """Wait until all accepted rows are on the disk; return why if they are not.

        Raises
        ------
        StorageError
            If the user named a place, and it cannot be written.
        """
        if self.record is False or self._stood:
            return
        recorder = self.session.recorder
        answered = self._wait_for_the_disk()
        if not answered:
            recorder.slow(at_end=False)
        problem = recorder.problem
        if problem is not None:
            if answered and isinstance(self.record, Path) and not is_passing(problem):
                raise problem
            if "waiting" not in recorder.warned:
                recorder.warned.add("waiting")
                warn(f"Nothing is recorded yet. {problem}")
        recorder.warn = warn_from_thread
        self._stood = True

    def _wait_for_the_disk(self) -> bool:
        """Return whether the first rows were written or refused; a disk that hangs does neither."""
        recorder = self.session.recorder
        ends = time.monotonic() + LOADING_S
        while not recorder.tried.wait(0.1):
            now = time.monotonic()
            if recorder.loaded:
                ends = min(ends, now + STAND_S)
            if now >= ends:
                return False
        return True

    def shared(self) -> Hub:
        """Return what its views share."""
        with self._sharing:
            if self.hub is None:
                from pulse_widgets.widgets.hub import live_hub

                self.hub = live_hub(
                    self.session,
                    stop=self.stop,
                    open_recording=self.recording,
                    sender=self._sender,
                )
                self._sender = self.hub.sender
                self.changed()
        return self.hub

    def stream(self) -> Stream:
        """Return what carries it to pages, also where no cell shows it."""
        with self._sharing:
            if self._sender is None:
                load("pulse_widgets.session.sender", "pulse_widgets.exchange.bundle")
                from pulse_widgets.session.sender import LiveSender

                self._sender = LiveSender(self.session)
                self._sender.start()
            return self._sender.stream

    @property
    def place(self) -> Path | None:
        """Where it records, or where what it left lies; None where that is nowhere."""
        return self._result.path if self._result is not None else self.session.path

    def undo(self) -> None:
        """Undo the start: the call that began it failed, so nobody has a reference to it."""
        self.over = True
        if self in _runs:
            _runs.remove(self)
        self.session.recorder.unwanted = True
        self.session.stop()
        if self._made and self.session.path is not None:
            # Unless rows of other processes are there.
            with contextlib.suppress(OSError):
                self.session.path.rmdir()

    # Its recording ----------------------------------------------------------------------

    def stop(self) -> Recording | None:
        """End it for all its views, and return its recording; twice is harmless."""
        if self.session.pid != os.getpid():
            return None  # it is the parent's
        with self._lock:
            if not self.over:
                self.session.stop()
                self.changed()
                if self._result is None and self.record is not False:
                    self._result = self._ended()
                try:
                    if self.hub is not None:
                        self.hub.finish(self._result)
                except Exception:
                    # Drawing the last picture is not tried again once it has failed.
                    self.over = True
                    raise
                self.over = True
                self.changed()
                if lost := self._lost():
                    warn(lost)
            return self._result

    def recording(self) -> Recording | None:
        """Return the recording as it is now."""
        if not self.session.running or self.session.path is None:
            return self._result
        load("pulse_widgets.library.recording")
        from pulse_widgets.library.recording import Recording

        try:
            return Recording.open(self.session.path)
        except RecordingError:
            # In its first moments a session has written nothing yet.
            return None

    def _ended(self) -> Recording:
        """Return the recording of everything accepted, wherever the rows are now."""
        _load(
            "pulse_widgets.library.shelf",
            "pulse_widgets.library.recording",
            "pulse_widgets.storage.unwritten",
        )
        self._unfinished = True
        try:
            return aside("pulse-end", self._whole, ANSWER_S)
        except TimeoutError:
            why = f"{self._where()} does not answer, so that what is there cannot be read now"
        except PulseError as error:
            why = error.problem
        return aside("pulse-end", lambda: self._of_memory(why))

    def _whole(self) -> Recording:
        """Return what is on the disk together with what is not."""
        made: list[Recording] = []
        recorder = self.session.recorder
        if not recorder.unwritten(lambda rows: made.append(self._joined(rows)), HANGS_S):
            raise TimeoutError
        return made[0]

    def _joined(self, rows: list[Rows]) -> Recording:
        from pulse_widgets.library.recording import Recording
        from pulse_widgets.library.shelf import finish
        from pulse_widgets.storage.reader import open_stored
        from pulse_widgets.storage.unwritten import with_unwritten

        recorder, place = self.session.recorder, self.session.path
        if not recorder.sealed:
            # A write may have ended just now: the flusher has not taken what came meanwhile.
            self.session.drain()
            rows = recorder.held()
        if place is None or not recorder.settled:
            return self._of_memory(recorder.problem.problem if recorder.problem else "")
        if recorder.sealed:
            self._unfinished = False
            if is_worker():
                return Recording.open(place)
            return finish(place, rows=self.session.log.rows)
        problems = recorder.missing()
        return Recording(with_unwritten(open_stored(place), rows, self.session.registry, problems))

    def _of_memory(self, why: str) -> Recording:
        """Return the rows that wait for the disk, with the reason why there are no others."""
        from pulse_widgets.library.recording import Recording
        from pulse_widgets.storage.unwritten import nothing_stored, with_unwritten

        session = self.session
        session.drain()
        problems = session.recorder.missing()
        if why and not any(why in problem for problem in problems):
            problems.append(f"{why}.")
        stored: Stored = nothing_stored(self._where(), session.clock.start_us, self._about())
        stored.catalog.label(session.labels())
        rows = session.recorder.held()
        return Recording(with_unwritten(stored, rows, session.registry, problems))

    def _where(self) -> Path:
        from pulse_widgets.library.destination import home

        if self.session.path is not None:
            return self.session.path
        return self.record if isinstance(self.record, Path) else home()

    def _about(self) -> dict[str, object]:
        return {"title": self.session.settings.title, "interval": self.session.settings.interval_s}

    # Called by the flusher ---------------------------------------------------------------

    def _make_writer(self) -> Writer:
        """Return what writes the recording; loading it takes longer than the first reading."""
        _load("pulse_widgets.storage.writer", "pulse_widgets.library.destination")
        from pulse_widgets.library.destination import make_directory
        from pulse_widgets.storage.claim import FinishedError

        session, title = self.session, self.session.settings.title
        session.recorder.loaded = True
        ends = time.monotonic() + OTHERS_S
        while True:
            if session.path is None or self.joins:
                session.path, self._made = make_directory(self.record, title, joins=self.joins)
                self.changed()
            try:
                return self._writer_at(session.path)
            except FinishedError:
                # Others make a file of it just now: what comes later is another recording.
                if not self.joins or time.monotonic() > ends:
                    raise
            time.sleep(0.02)

    def _writer_at(self, path: Path) -> Writer:
        from pulse_widgets.session.session import HOST
        from pulse_widgets.storage.shares import Shares
        from pulse_widgets.storage.writer import Writer

        session, registry = self.session, self.session.registry
        return Writer(
            path,
            registry,
            host_name=HOST,
            start_us=session.clock.start_us,
            about=self._about(),
            last_bytes=session.recorder.last_bytes,
            shares=Shares(path, registry, session.labels),
        )

    def _sealed(self) -> None:
        """Make one file of a recording whose last rows had to wait."""
        if self._unfinished and self.session.path is not None:
            _load("pulse_widgets.library.shelf")
            from pulse_widgets.library.shelf import begin_finishing

            begin_finishing(self.session.path)

    # The end of the process -------------------------------------------------------------

    def leave(self) -> str:
        """End it with the process, and return what is to be said of it.

        What waits for the disk is offered a last time.
        """
        session, recorder = self.session, self.session.recorder
        if session.pid != os.getpid() or (self.over and recorder.sealed):
            return ""
        if not session.ended:
            session.stop()
        lost = session.leave()
        if lost and self._made and session.path is not None:
            # Where nothing at all could be written, nothing stays.
            with contextlib.suppress(OSError):
                session.path.rmdir()
        whole = recorder.sealed and not recorder.waiting()
        if whole and session.path is not None and not is_worker():
            from pulse_widgets.library.finishing import compact_ended

            ends = time.monotonic() + LEAVE_S
            # It stays a directory where it must, and reads the same.
            with contextlib.suppress(PulseError, OSError):
                compact_ended(session.path, stopped=lambda: time.monotonic() > ends)
        return self._lost()

    def _lost(self) -> str:
        """Return what is missing from the recording and was not told yet."""
        fresh = [said for said in self.session.recorder.missing() if said not in self._told]
        self._told.update(fresh)
        if not fresh:
            return ""
        remedy = self.session.recorder.state(self.session.path)["remedy"] or ""
        return "\n".join([*fresh, remedy])


def _load(*names: str) -> None:
    """Load modules whose own exit handlers must run after that of the session."""
    load(*names)
    atexit.unregister(_leave)
    atexit.register(_leave)


@atexit.register
def _leave() -> None:
    """Seal the recordings of a process that ends, and say what is lost."""
    said = []
    for run in _runs:
        try:
            said.append(run.leave())
        except Exception:
            # A failure with one recording must not keep the others from being closed.
            _logger.exception("a recording was not ended")
    if any(said):
        warn("\n".join(filter(None, said)))


def _forget() -> None:
    """In a forked child: hold nothing of the parent's, whatever its sessions are about."""
    for run in _runs:
        run.session.recorder.abandon()
    _runs.clear()


os.register_at_fork(after_in_child=_forget)
