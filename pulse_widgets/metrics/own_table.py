"""The catalog's metrics of the monitor itself, of texts, events and spans."""

from __future__ import annotations

from typing import Final

from pulse_widgets.metrics.kinds import MOMENT, OUTPUT, SPAN
from pulse_widgets.metrics.metric import (
    Group,
    Metric,
    gauge,
    grouped,
    main,
    of_kind,
    rated,
    silent,
)

__all__ = ["OWN_METRICS"]

_PULSE = grouped(
    Group.PULSE,
    rated("pulse.cpu", "cores", "CPU of the monitor",
          "CPU seconds per second that the monitor's own threads use."),
    gauge("pulse.memory", "B", "Memory of the monitor",
          "Bytes in the monitor's buffers."),
    gauge("pulse.tick.duration", "s", "Length of a tick",
          "How long one pass over a source took."),
    gauge("pulse.tick.late", "s", "Lateness of a tick",
          "How late a pass started; grows when a C call holds the interpreter."),
    gauge("pulse.journal.age", "s", "Age of the journal",
          "Age of the oldest accepted entry that is not yet on disk."),
    rated("pulse.sent", "B/s", "Sent to browsers",
          "Bytes of the live feed."),
    rated("pulse.dropped", "count/s", "Entries dropped",
          "Entries that did not fit a buffer; the entity says which."),
    rated("pulse.missed", "count/s", "Ticks missed",
          "Ticks that were skipped because one before them took too long."),
    silent(gauge("clock.offset", "s", "Clock offset",
                 "Wall clock minus the time of the recording; jumps when the clock is set.")),
)  # fmt: skip

_EVENTS = grouped(
    Group.EVENTS,
    of_kind(OUTPUT, "log.stdout", "", "Output",
            "What the kernel printed, one row a line."),
    of_kind(OUTPUT, "log.stderr", "", "Error output",
            "What the kernel printed to standard error, one row a line."),
    of_kind(MOMENT, "event", "", "Event",
            "Something that happened to a source, a device or the recording."),
    of_kind(MOMENT, "mark", "", "Mark",
            "A moment the user marked."),
    of_kind(MOMENT, "alert", "", "Alert",
            "A condition the user set, and that came true."),
    of_kind(MOMENT, "finding", "", "Finding",
            "A plain sentence with numbers about a stretch of the recording."),
    of_kind(SPAN, "cell", "s", "Cell",
            "One execution of a notebook cell."),
    of_kind(SPAN, "span", "s", "Span",
            "A stretch of the user's code that was given a name."),
    main(gauge("progress", "1", "Progress",
               "Share of a loop that is done.")),
)  # fmt: skip

OWN_METRICS: Final[tuple[Metric, ...]] = (*_PULSE, *_EVENTS)
"""Every metric that the monitor makes itself."""
