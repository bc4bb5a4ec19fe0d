"""What a call asks of the session that runs already, and whether it can have that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pulse_widgets.errors import SessionRunningError

if TYPE_CHECKING:
    from pathlib import Path

    from pulse_widgets.arguments import Captured
    from pulse_widgets.readers.select import GpuChoice
    from pulse_widgets.run import Run
    from pulse_widgets.session.session import Session

__all__ = ["Asked", "capture_what_is_heard", "join"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call said of the session it wants; None where it said nothing."""

    interval_s: float | None
    record: bool | Path | None
    gpus: GpuChoice | None
    title: str
    capture: Captured | None = None


def join(run: Run, asked: Asked) -> None:
    """Have the running session do what a call asks, where it differs.

    Raises
    ------
    SessionRunningError
        If one session cannot do what both calls want.
    """
    interval_s, record, gpus = asked.interval_s, asked.record, asked.gpus
    if record is not None and record != run.record:
        begun = "pw.log()" if not run.session.samplers else "pw.monitor()"
        raise SessionRunningError(
            f"A session that {begun} has started {_records(run.record, run)}; "
            f"this call wants one that {_records(record)}",
            remedy="Call pw.stop() first, or leave record= out to join the one that runs.",
        )
    session = run.session
    _join_capture(session, asked.capture)
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


def capture_what_is_heard(session: Session) -> None:
    """Take what is printed where a collector that the user made listens to that already."""
    from pulse_widgets.collectors.capture.watch import watch

    session.capture(watch.is_heard)


def _records(record: bool | Path, run: Run | None = None) -> str:  # noqa: FBT001  as said
    """Return where a session records, in words."""
    if record is False:
        return "records nothing"
    if record is not True:
        return f"records to {record}"
    return (
        f"records to {run.place}"
        if run is not None and run.place
        else "records to your data directory"
    )


def _join_capture(session: Session, asked: Captured | None) -> None:
    """Take more of what is printed where a call asks for it; none can take less."""
    if asked is None:
        # The first call that watches the machine says what is captured.
        asked = session.captured or not session.samplers
    if asked is False and session.captured:
        raise SessionRunningError(
            f"A session is running with capture_output={session.captured!r}, not False",
            remedy="Call pw.stop() first, or leave capture_output= out to join it.",
        )
    session.capture(asked)
