"""The public functions, and the one session a process has."""

from __future__ import annotations

import atexit
import os
import threading
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulse_widgets.arguments import checked_interval, checked_record, checked_time, checked_title
from pulse_widgets.errors import (
    ArgumentError,
    RecordingError,
    SessionRunningError,
    StorageError,
)
from pulse_widgets.readers.discover import source_names
from pulse_widgets.readers.select import words_of
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.log import Registry
from pulse_widgets.session import HOST, Session, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from pulse_widgets.library.recording import Recording
    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuWish
    from pulse_widgets.widgets.hub import Hub
    from pulse_widgets.widgets.monitor import Monitor

__all__ = ["doctor", "log", "monitor", "recordings", "replay", "snapshot", "stop"]

_DISABLED = "PULSE_DISABLED"


class _Process:
    """The session of this process, if there is one, and what the last one left."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.session: Session | None = None
        self.hub: Hub | None = None
        self.place: Path | None = None
        self.record: bool | Path = True
        self.last: Recording | None = None
        self.over = True
        """Whether the session was stopped wholly, and its last picture left in the notebook."""
        self.stopped_before = False
        self.forked = False
        self.lost = 0


_process = _Process()


def monitor(
    sources: str | Backend | Sequence[str | Backend] = "auto",
    *,
    interval: float | None = None,
    record: bool | str | Path | None = None,
    gpus: GpuWish | None = None,
    title: str | None = None,
) -> Monitor:
    """Start watching, and return the dashboard.

    Displays when it is the last value of a cell, or with ``display(mon)``. The first call
    starts the session of this process; later calls join it, with its history.

    Parameters
    ----------
    sources : str, Backend, or a sequence of them
        ``"auto"`` (everything this machine has), names such as ``"nvml"`` or ``"system"``,
        ``"-name"`` to leave one out, or your own backends. A joining call adds its sources.
    interval : float, optional
        Seconds between readings of gauges and counters, 0.1 to 3600; 1 unless given. A
        joining call may shorten it.
    record : bool or path, optional
        True (the default) records in your data directory, a path records there, False
        records nothing.
    gpus : str, int or sequence, optional
        ``"mine"`` (the default: those this process may use), ``"all"``, ``"none"``, an
        index, a UUID or its beginning, or several of these.
    title : str, optional
        Heading of the dashboard.

    Returns
    -------
    Monitor

    Raises
    ------
    ArgumentError
        A value is not usable.
    UnknownSourceError
        A source does not exist.
    SessionRunningError
        A running session has another `record` or `gpus`.
    StorageError
        The recording cannot be written there.
    """
    if _disabled():
        from pulse_widgets.widgets.disabled import disabled_monitor

        return disabled_monitor()
    heading, place = checked_title(title), checked_record(record)
    names = source_names(sources)
    words_of("mine" if gpus is None else gpus)
    seconds = None if interval is None else checked_interval(interval)
    with _process.lock:
        session = _process.session
        if session is None or not session.running:
            session = _start(
                interval_s=seconds or 1.0,
                record=True if place is None else place,
                gpus="mine" if gpus is None else gpus,
                title=heading,
            )
        else:
            _join(session, interval_s=seconds, record=place, gpus=gpus)
        session.add_sources(names)
        if _process.hub is None:
            _process.hub = _live_hub(session)
        from pulse_widgets.widgets.monitor import Monitor

        return Monitor(_process.hub, title=heading or session.settings.title)


def stop() -> Recording | None:
    """End the session of this process for all its views, and return its recording.

    Returns
    -------
    Recording or None
        None when nothing was recorded. Stopping twice returns the same recording.
    """
    with _process.lock:
        session = _process.session
        if session is not None and not _process.over:
            session.stop()
            if _process.hub is not None:
                _process.hub.finish()
            _process.stopped_before = True
            _process.last = None
            if _process.place is not None:
                _process.last = _finished(_process.place)
            _process.over = True
        return _process.last


def log(data: Mapping[str, Any], step: int | None = None, *, time: float | None = None) -> None:
    """Record the values of your own metrics at one moment.

    Costs about a microsecond and waits for nothing. Values accepted by a process that records
    are in its recording within a fifth of a second, even when the process is killed then.

    Parameters
    ----------
    data : mapping of str to number
        Names and values, possibly nested: ``{"train": {"loss": 0.3}}`` is ``train/loss``.
    step : int, optional
        Your own x axis: a batch, an epoch.
    time : float, optional
        Unix seconds; now unless given.

    Raises
    ------
    ArgumentError
        Naming the key and the type of a value that is not a number.
    """
    wall_s = None if time is None else checked_time(time)
    session = _process.session
    if session is None or not session.running:
        session = _session_for_log()
    # A session that ends at this moment takes nothing more; the next one does.
    while session is not None and not session.user.log(
        data, step, None if wall_s is None else session.clock.from_wall(wall_s)
    ):
        session = _session_for_log()


def replay(recording: str | Path | Recording) -> Monitor:
    """Return the dashboard of a recording.

    Parameters
    ----------
    recording : path or Recording
        A finished file, the directory of a running session, or what a crash left.

    Raises
    ------
    ArgumentError
        What was passed is not a path.
    RecordingError
        The path is no recording, or a damaged one of which nothing can be read.
    """
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.widgets.hub import replay_hub
    from pulse_widgets.widgets.monitor import Monitor

    if not isinstance(recording, Recording | str | os.PathLike):
        raise ArgumentError(
            f"{recording!r} is not a recording", remedy="Pass a path, or what mon.stop() returned."
        )
    opened = recording if isinstance(recording, Recording) else Recording.open(recording)
    return Monitor(replay_hub(opened), title=opened.title or opened.path.name)


def snapshot(
    sources: str | Backend | Sequence[str | Backend] = "auto", *, gpus: GpuWish = "mine"
) -> pd.DataFrame:
    """Return the values of this moment, without starting a session.

    Counters and rates need two readings; a tenth of a second lies between them.

    Returns
    -------
    DataFrame
        Columns ``entity``, ``metric``, ``value`` (NaN where missing), ``unit``.
    """
    from pulse_widgets.diagnosis import take_snapshot

    return take_snapshot(source_names(sources), gpus)


def doctor() -> Any:
    """Return what works here, what does not, why, and what to try.

    Returns
    -------
    Report
        Prints as text, displays as a table; ``.checks`` is a DataFrame.
    """
    from pulse_widgets.diagnosis import examine

    return examine()


def recordings() -> pd.DataFrame:
    """Return the recordings of this user, newest first.

    Returns
    -------
    DataFrame
        One row a recording.
    """
    from pulse_widgets.library.shelf import recordings as listed

    return listed()


# The default session ------------------------------------------------------------------


def _disabled() -> bool:
    return os.environ.get(_DISABLED, "") not in {"", "0"}


def _start(*, interval_s: float, record: bool | Path, gpus: GpuWish, title: str) -> Session:
    stop()  # what an interrupt left of the session before
    if _process.session is not None:
        # Views of it may live as long as the kernel.
        _process.session.stage.release()
    clock, registry = Clock(), Registry()
    place = None if record is False else _place(None if record is True else record, title)
    settings = Settings(interval_s, gpus, place, title)
    make_writer = None if place is None else _writer_maker(settings, registry, clock)
    session = Session(settings, registry=registry, clock=clock, make_writer=make_writer)
    session.start()
    _process.session, _process.place, _process.hub = session, place, None
    _process.record = record
    _process.last = None
    _process.over = False
    return session


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


def _writer_maker(settings: Settings, registry: Registry, clock: Clock) -> Callable[[], Any]:
    place = settings.path
    assert place is not None  # noqa: S101  the caller records
    about = {"title": settings.title, "interval": settings.interval_s}

    def make() -> Any:
        # Loading Arrow takes longer than the first reading; the keeper's thread does it.
        from pulse_widgets.storage.writer import Writer

        return Writer(place, registry, host_name=HOST, start_us=clock.start_us, about=about)

    return make


def _join(
    session: Session,
    *,
    interval_s: float | None,
    record: bool | Path | None,
    gpus: GpuWish | None,
) -> None:
    if record is not None and record != _process.record:
        raise SessionRunningError(
            f"A session is running with record={_process.record!r}, not {record!r}",
            remedy="Call pw.stop() first, or leave record= out to join it.",
        )
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


def _live_hub(session: Session) -> Hub:
    from pulse_widgets.widgets.hub import live_hub

    return live_hub(session, stop=stop, open_recording=_recording_now)


def _finished(place: Path) -> Recording | None:
    from pulse_widgets.library.shelf import finish

    try:
        return finish(place)
    except RecordingError:
        # No row ever reached the disk: it was full or gone. The status has said so.
        return None


def _recording_now() -> Recording | None:
    session = _process.session
    if session is None or not session.running or _process.place is None:
        return _process.last
    from pulse_widgets.library.recording import Recording

    try:
        return Recording.open(_process.place)
    except RecordingError:
        # In its first moments a session has written nothing yet.
        return None


def _session_for_log() -> Session | None:
    """Return a session for the user's metrics alone; None where there is to be none."""
    if _disabled():
        return None
    if _process.forked:
        _process.lost += 1
        if _process.lost == 1:
            warnings.warn(
                "pw.log() in a forked child records nothing: threads do not survive a fork. "
                "Log from the parent, or start the child with the 'spawn' method.",
                RuntimeWarning,
                stacklevel=3,
            )
        return None
    with _process.lock:
        if _process.session is not None and _process.session.running:
            return _process.session
        if _process.stopped_before:
            warnings.warn(
                "pw.log() after a stop starts a new session, for your own metrics only. "
                "Call pw.monitor() to watch the machine as well.",
                RuntimeWarning,
                stacklevel=3,
            )
        return _start(interval_s=1.0, record=True, gpus="mine", title="")


def _after_fork_in_child() -> None:
    session, forked = _process.session, _process.forked
    _process.__init__()  # type: ignore[misc]  # the child starts with nothing, locks included
    _process.forked = forked
    if session is not None and not session.ended:
        session.forget_in_child()
        _process.forked = True


def _at_exit() -> None:
    session = _process.session
    if session is not None and not session.ended and session.pid == os.getpid():
        session.stop()


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_at_exit)
