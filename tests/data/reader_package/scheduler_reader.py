import time
from pathlib import Path

from pulse_widgets.readers import BackendCaps, RateClass, RawRecord, ReaderError, Rule, gauge, rated


class SchedulerBackend:
    """The load of a Linux machine, and how often it switches between tasks."""

    name = "scheduler"
    title = "Scheduler"
    caps = BackendCaps("scheduler")
    metrics = (
        gauge("scheduler.load", "", "Load", "Tasks that run or wait, a mean of one minute."),
        rated("scheduler.switches", "count/s", "Context switches", "From one task to another."),
    )
    rules = {"loadavg": Rule("scheduler.load"), "ctxt": Rule("scheduler.switches.total")}

    def __init__(self):
        self.missing = {}

    def open(self):
        if not Path("/proc/loadavg").exists():
            raise ReaderError("This machine has no /proc/loadavg.", "Only Linux has it.")

    def read(self, due):
        fields = {}
        if RateClass.GAUGES in due:
            fields["loadavg"] = float(Path("/proc/loadavg").read_text().split()[0])
        if RateClass.COUNTERS in due:
            lines = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
            fields["ctxt"] = next((int(words[1]) for words in lines if words[0] == "ctxt"), None)
            if fields["ctxt"] is None:
                self.missing = {"host ctxt": "the kernel does not count them"}
        return [RawRecord(time.monotonic(), time.time(), "host", fields, self.name)]

    def close(self):
        pass
