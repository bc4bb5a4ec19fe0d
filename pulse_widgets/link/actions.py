"""What the extension has done in a kernel, as a user would with the public functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.arguments import checked_interval, checked_path, checked_title
from pulse_widgets.default_session import default, disabled
from pulse_widgets.errors import ArgumentError, PulseError, SessionEndedError
from pulse_widgets.link.live import readable
from pulse_widgets.loading import load
from pulse_widgets.readers.discover import source_names
from pulse_widgets.readers.select import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulse_widgets.run import Run
    from pulse_widgets.series.clock import Clock

__all__ = ["QUICK", "perform"]

QUICK: Final = frozenset({"mark"})
"""What is done at once, where it is asked for; all else may take seconds."""
LABEL_LENGTH: Final = 1000


def perform(action: str, options: object) -> object:
    """Do what is asked for; return what is told of it.

    Raises
    ------
    PulseError
        It cannot be done; or there is no such action.
    """
    work = _ACTIONS.get(action)
    if work is None:
        raise ArgumentError(
            f"This version of pulse_widgets cannot do {action[:80]!r}",
            remedy="Upgrade it: pip install -U pulse_widgets",
        )
    return work(options if isinstance(options, dict) else {})


def _start(options: Mapping[str, Any]) -> None:
    if disabled():
        raise PulseError(
            "pulse_widgets is switched off in this kernel: PULSE_DISABLED is set",
            remedy="Unset the variable, and restart the kernel.",
        )
    interval, gpus = options.get("interval"), options.get("gpus")
    seconds = None if interval is None else checked_interval(interval)
    words_of("mine" if gpus is None else gpus)
    default.begin(
        source_names("auto"),
        interval_s=seconds,
        gpus=gpus,
        title=checked_title(options.get("title")),
    )


def _stop(_options: Mapping[str, Any]) -> dict[str, object]:
    run = _run("stopped")
    hub = run.hub
    # What is shown is replaced by its picture, as if the cell that shows it did so.
    recording = hub.feed.context.copy().run(default.stop) if hub is not None else default.stop()
    return {"path": readable(recording.path) if recording is not None else None}


def _mark(options: Mapping[str, Any]) -> None:
    label = _text(options, "label")[:LABEL_LENGTH]
    session = _run("marked").session
    if not session.running:
        raise SessionEndedError(
            "The session is over, and nothing was marked", remedy="Start another one."
        )
    session.mark(label, _moment(options.get("time"), session.clock))


def _moment(time: object, clock: Clock) -> int | None:
    """Return the session time of what a page says in Unix seconds; None where it says nothing.

    The clock of a page may be wrong: a time outside of the session is not believed.
    """
    if isinstance(time, bool) or not isinstance(time, int | float):
        return None
    offset_us = clock.offset_us()
    first, last = clock.start_us + offset_us, clock.now_us() + offset_us
    return clock.from_wall(time) if first <= time * 1_000_000 <= last else None


def _save(options: Mapping[str, Any]) -> dict[str, object]:
    path = _text(options, "path")
    recording = _run("saved").recording()
    if recording is None:
        raise SessionEndedError(
            "Nothing is recorded, so there is nothing to save",
            remedy="Start a session that records: pw.monitor().",
        )
    saved = recording.save(path)
    return {"path": readable(saved), "bytes": saved.stat().st_size}


def _recordings(_options: Mapping[str, Any]) -> dict[str, object]:
    load("pulse_widgets.library.shelf")
    from pulse_widgets.library.shelf import COLUMNS, lines

    listed: list[dict[str, Any]] = [
        {**dict(zip(COLUMNS, line, strict=True)), "path": readable(path)} for path, line in lines()
    ]
    for one in listed:
        one["start"] = None if one["start"] is None else one["start"] / 1e6
    return {"recordings": sorted(listed, key=lambda one: one["start"] or 0.0, reverse=True)}


def _rename(options: Mapping[str, Any]) -> dict[str, object]:
    load("pulse_widgets.library.tending")
    from pulse_widgets.library.tending import rename

    return {"path": readable(rename(checked_path(_text(options, "path")), _text(options, "name")))}


def _delete(options: Mapping[str, Any]) -> None:
    load("pulse_widgets.library.tending")
    from pulse_widgets.library.tending import delete

    delete(checked_path(_text(options, "path")))


_ACTIONS: Final[Mapping[str, Callable[[Mapping[str, Any]], object]]] = {
    "start": _start,
    "stop": _stop,
    "mark": _mark,
    "save": _save,
    "recordings": _recordings,
    "rename": _rename,
    "delete": _delete,
}


def _run(done: str) -> Run:
    run = default.run
    if run is None:
        raise SessionEndedError(
            f"No monitor has run in this kernel, so nothing was {done}",
            remedy="Start one: pw.monitor().",
        )
    return run


def _text(options: Mapping[str, Any], name: str) -> str:
    value = options.get(name)
    if isinstance(value, str) and value.strip():
        return value
    raise ArgumentError(f"{name}={str(value)[:80]!r} is no text", remedy=f"Give a {name}.")
