"""The public functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.arguments import checked_capture, checked_interval, checked_record, checked_title
from pulse_widgets.default_session import default, disabled
from pulse_widgets.loading import load
from pulse_widgets.readers.discover import source_names
from pulse_widgets.readers.select import words_of
from pulse_widgets.signals import aside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from pulse_widgets.arguments import Captured
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuChoice
    from pulse_widgets.widgets.monitor import Monitor

__all__ = ["doctor", "monitor", "recordings", "replay", "snapshot", "stop"]


def monitor(  # noqa: PLR0913  one keyword for each thing a session has
    sources: str | Backend | Sequence[str | Backend] = "auto",
    *,
    interval: float | None = None,
    record: bool | str | Path | None = None,
    gpus: GpuChoice | None = None,
    capture_output: Captured | None = None,
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
        records nothing. Without a path, a directory that cannot be written is no error: the
        monitor is live and says that it is not recorded.
    gpus : str, int or sequence, optional
        ``"mine"`` (the default: those this process may use), ``"all"``, ``"none"``, an
        index, a UUID or its beginning, or several of these.
    capture_output : bool or "fd", optional
        True (the default) records what Python prints, line by line; ``"fd"`` what C code and
        subprocesses print, too; False nothing. Secrets are masked by their form. It stays on
        this machine: copies and saved outputs have none of it unless asked for. A joining call
        may take more, not less.
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
        A running session has another `record` or `gpus`, or captures output where this call
        says False.
    StorageError
        The recording cannot be written to the path in `record`. A disk without room is no
        error: what is recorded waits in memory until there is some.

    Notes
    -----
    When a first call returns, the recording stands: a process that is killed then loses at most
    the last fifth of a second. A disk that does not answer within 5 s is named and not waited for.
    """
    if disabled():
        load("pulse_widgets.widgets.disabled")
        from pulse_widgets.widgets.disabled import disabled_monitor

        return disabled_monitor()
    heading, place = checked_title(title), checked_record(record)
    capture = checked_capture(capture_output)
    names = source_names(sources)
    words_of("mine" if gpus is None else gpus)
    seconds = None if interval is None else checked_interval(interval)
    hub = default.watch(
        names, interval_s=seconds, record=place, gpus=gpus, title=heading, capture=capture
    )
    from pulse_widgets.widgets.monitor import Monitor

    return Monitor(hub, title=heading or hub.title)


def stop() -> Recording | None:
    """End the session of this process for all its views, and return its recording.

    Returns
    -------
    Recording or None
        Everything accepted, also what the disk would not take; `problems` says so then, and
        outside of Jupyter a `RuntimeWarning`. None with ``record=False``, or without a session.
        Stopping twice returns the same recording.

    Notes
    -----
    A recording of up to about a million rows is one file when this returns, unless other processes
    still write it. What the disk has not taken is offered to it again until the process ends.
    """
    return default.stop()


def replay(recording: str | Path | Recording) -> Monitor:
    """Return the dashboard of a recording.

    Parameters
    ----------
    recording : path or Recording
        A finished file, the directory of a running session, what a crash left, or a name from
        `recordings`.

    Raises
    ------
    ArgumentError
        What was passed is not a path.
    RecordingError
        The path is no recording, or a damaged one of which nothing can be read. For a name, it
        tells of names that are like it.
    """
    load("pulse_widgets.widgets.monitor", "pulse_widgets.widgets.hub")
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.widgets.hub import replay_hub
    from pulse_widgets.widgets.monitor import Monitor

    opened = recording if isinstance(recording, Recording) else Recording.open(recording)
    return Monitor(replay_hub(opened), title=opened.title or opened.path.name)


def snapshot(
    sources: str | Backend | Sequence[str | Backend] = "auto", *, gpus: GpuChoice = "mine"
) -> pd.DataFrame:
    """Return the values of this moment, without starting a session.

    Counters and rates need two readings; a tenth of a second lies between them.

    Returns
    -------
    DataFrame
        Columns ``entity``, ``metric``, ``value`` (NaN where missing), ``unit``.
    """
    names = source_names(sources)

    def take() -> pd.DataFrame:
        from pulse_widgets.diagnosis.report import take_snapshot

        return take_snapshot(names, gpus)

    return aside("pulse-snapshot", take)


def doctor() -> Any:
    """Return what works here, what does not, why, and what to try.

    Returns
    -------
    Report
        Prints as text, displays as a table; ``.checks`` is a DataFrame.
    """

    def look() -> Any:
        from pulse_widgets.diagnosis.report import examine

        return examine()

    return aside("pulse-doctor", look)


def recordings() -> pd.DataFrame:
    """Return the recordings of this user, newest first.

    One that a crash left is ``unfinished``: it can be read as it is, and the end of the next
    session makes it a file, or ``pulse-widgets repair NAME`` now.

    Returns
    -------
    DataFrame
        One row a recording: ``name``, ``start`` (UTC), ``seconds``, ``bytes``, ``series``,
        ``rows``, ``state`` (running, unfinished, finished, unreadable), ``title``, ``problem``
        (why it cannot be read, or the first of what is missing from it) and ``path``.
    """

    def look() -> pd.DataFrame:
        from pulse_widgets.library.shelf import recordings as listed

        return listed()

    return aside("pulse-recordings", look)
