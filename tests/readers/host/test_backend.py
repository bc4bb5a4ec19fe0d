from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from pulse_widgets.collectors.governor import Governor
from pulse_widgets.errors import ReaderError
from pulse_widgets.metrics.catalog import lookup
from pulse_widgets.metrics.kinds import COUNTER, GAUGE
from pulse_widgets.readers.base import ALL_CLASSES, Backend, BackendKind, RateClass
from pulse_widgets.readers.host.backend import RETRY_MOST_S, SystemBackend
from pulse_widgets.readers.host.portable import PsutilHost
from pulse_widgets.readers.host.procfs import LinuxHost
from pulse_widgets.readers.translate import translate

TICK = frozenset({RateClass.GAUGES, RateClass.COUNTERS, RateClass.STEADY})

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")


@pytest.fixture
def opened():
    made = []

    def start(**arguments):
        backend = SystemBackend(**arguments)
        made.append(backend)
        backend.open()
        return backend

    yield start
    for backend in made:
        backend.close()


@pytest.fixture
def captured(tmp_path):
    """A proc tree with the real files of now, which a test may change."""
    for name in ("stat", "meminfo", "diskstats", "net/dev", "cpuinfo", "self/mounts"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(Path("/proc", name).read_bytes())
    own = tmp_path / str(os.getpid())
    own.mkdir()
    for name in ("stat", "io"):
        (own / name).write_bytes(Path("/proc/self", name).read_bytes())
    return tmp_path


def _values(records):
    return {(r.entity, r.metric): r.value for r in translate(records).readings}


@pytest.mark.parametrize("host", [None, PsutilHost])
def test_the_first_set_of_the_machine_is_there(opened, host):
    backend = opened(host=host() if host else None)
    backend.read(TICK)

    _spend(0.05)
    values = _values(backend.read(ALL_CLASSES))

    expected = {
        "host": "cpu.utilization cpu.user.total cpu.system.total memory.used memory.available "
        "memory.total swap.used swap.total disk.read.total disk.write.total net.received.total "
        "net.sent.total cpu.count",
        "cpu:0": "cpu.utilization",
        "kernel": "process.cpu.total process.memory.rss process.threads process.children "
        "process.files process.read.total process.write.total",
    }
    for entity, metrics in expected.items():
        assert {(entity, m) for m in metrics.split()} <= values.keys()
    assert any(entity.startswith("fs:") for entity, _ in values)
    assert isinstance(backend, Backend)


@on_linux
def test_every_reading_is_a_metric_of_the_catalog_in_its_range(opened):
    backend = opened()
    backend.read(TICK)

    _spend(0.05)
    result = translate(backend.read(ALL_CLASSES))

    assert result.rejected == {}
    assert result.errors == {}
    for reading in result.readings:
        metric = lookup(reading.metric)
        assert metric is not None
        if metric.unit == "1" and metric.kind is GAUGE:
            assert 0 <= reading.value <= 1 or math.isnan(reading.value)


def test_the_first_reading_has_no_utilization(opened):
    backend = opened()

    first = _values(backend.read(TICK))
    _spend(0.05)
    second = _values(backend.read(TICK))

    assert not [key for key in first if key[1] == "cpu.utilization"]
    assert 0 < second["host", "cpu.utilization"] <= 1


def test_a_busy_thread_shows_in_the_kernels_cpu_time(opened):
    backend = opened()
    before = _values(backend.read(TICK))["kernel", "process.cpu.total"]

    _spend(0.2)
    after = _values(backend.read(TICK))["kernel", "process.cpu.total"]

    assert after - before >= 0.2


def test_counters_never_fall(opened):
    backend = opened()

    passes = [_values(backend.read(ALL_CLASSES)) for _ in range(20)]

    for earlier, later in pairwise(passes):
        for (entity, metric), value in earlier.items():
            if lookup(metric).kind is COUNTER:
                assert later[entity, metric] >= value


@pytest.mark.parametrize(
    "rate", [RateClass.GAUGES, RateClass.COUNTERS, RateClass.STEADY, RateClass.SLOW]
)
def test_only_the_classes_that_are_due_are_read(opened, rate):
    backend = opened()
    backend.read(ALL_CLASSES)

    _spend(0.05)
    metrics = {metric for _, metric in _values(backend.read(frozenset({rate})))}

    example = {
        RateClass.GAUGES: "memory.used",
        RateClass.COUNTERS: "cpu.user.total",
        RateClass.STEADY: "process.memory.rss",
        RateClass.SLOW: "process.children",
    }
    assert metrics & set(example.values()) == {example[rate]}


class Counted:
    """A host that counts what it is asked."""

    def __init__(self):
        self.host = LinuxHost(pid=os.getpid())
        self.asked = Counter()

    def __getattr__(self, name):
        found = getattr(self.host, name)
        if not callable(found) or name == "omissions":
            return found

        def asked(*arguments, **named):
            self.asked[name] += 1
            # Not every kernel has it, and what fails is asked more rarely.
            return 0.0 if name == "pressure" else found(*arguments, **named)

        return asked


def asked_in(opened, seconds, interval_s):
    """Return how often each part of the machine is read at an interval."""
    host, governor = Counted(), Governor(lambda: 1.0)
    backend = opened(host=host)
    periods = {rate: governor.period_s("system", rate, interval_s) for rate in RateClass}
    host.asked.clear()
    for tick in range(1, round(seconds / interval_s) + 1):
        now = tick * interval_s
        backend.read(
            frozenset(r for r, p in periods.items() if now // p > (now - interval_s / 2) // p)
        )
    return host.asked


@on_linux
@pytest.mark.parametrize("interval_s", [0.125, 0.25, 0.5])
def test_below_a_second_only_what_changes_that_fast_is_read_that_often(opened, interval_s):
    asked = asked_in(opened, 8, interval_s)

    fast = 8 / interval_s
    assert {asked[name] for name in ("cpu_times", "memory", "networks")} == {fast}
    assert {asked[name] for name in ("disks", "tree", "tree_io")} == {8}
    assert asked["pressure"] == 3 * 8


@on_linux
@pytest.mark.parametrize("interval_s", [1.0, 2.0])
def test_from_a_second_on_everything_is_read_at_every_interval(opened, interval_s):
    asked = asked_in(opened, 8, interval_s)

    often = ("cpu_times", "memory", "networks", "disks", "tree", "tree_io")
    assert {asked[name] for name in often} == {8 / interval_s}
    assert asked["pressure"] == 3 * 8 / interval_s


@on_linux
def test_counters_that_are_read_rarely_are_those_of_the_kernel_then(opened, captured):
    backend = opened(root=str(captured), pid=os.getpid())
    fast = TICK - {RateClass.STEADY}
    lines = "   8       0 sda {reads} 0 {sectors} 5 {reads} 0 {sectors} 5 0 5 10\n"
    told = []
    for reads in range(10, 50):
        text = lines.format(reads=reads, sectors=8 * reads)
        (captured / "diskstats").write_text(text)
        values = _values(backend.read(TICK if reads % 10 == 0 else fast))
        told += [
            (reads, v) for (e, m), v in values.items() if (e, m) == ("disk:sda", "disk.reads.total")
        ]

    assert told == [(reads, reads) for reads in range(10, 50, 10)]


def test_nothing_is_read_when_nothing_is_due(opened):
    assert opened().read(frozenset()) == []


def test_host_and_kernel_are_labelled_without_names_or_paths(opened):
    labels = translate(opened().read(frozenset({RateClass.STATIC}))).labels

    assert set(labels["", "host"]) == {"os", "cpu", "cores", "python"}
    assert set(labels["", "kernel"]) == {"pid", "executable"}
    texts = [text for each in labels.values() for text in each.values()]
    assert not [t for t in texts if str(Path.home()) in t or t.startswith("/")]


def test_devices_can_be_left_out(opened):
    backend = opened(per_device=False)
    backend.read(TICK)

    _spend(0.05)
    entities = {entity for entity, _ in _values(backend.read(TICK))}

    assert entities == {"host", "kernel"}


def test_what_it_can_deliver_is_known_once_it_is_open(opened):
    backend = opened()

    assert backend.caps.kind is BackendKind.SYSTEM
    assert {"cpu.utilization", "memory.used", "process.cpu.total"} <= backend.caps.fields
    assert "os" not in backend.caps.fields


@on_linux
def test_a_file_that_is_not_there_takes_only_its_own_fields_away(opened, captured):
    (captured / "diskstats").unlink()

    backend = opened(root=str(captured))
    values = _values(backend.read(ALL_CLASSES))

    assert not [m for _, m in values if m.startswith("disk.read")]
    assert ("host", "memory.used") in values
    assert ("host", "net.received.total") in values
    assert ("kernel", "process.memory.rss") in values
    assert "diskstats" in backend.missing["host disk.read.total"]
    assert "host memory.used" not in backend.missing


@on_linux
def test_a_file_that_disappears_leaves_one_missing_reading_and_comes_back(opened, captured):
    backend = opened(root=str(captured))
    file, away = captured / "meminfo", captured / "away"

    before = _values(backend.read(TICK))["host", "memory.total"]
    file.rename(away)
    gone = _values(backend.read(TICK))["host", "memory.total"]
    silent = _values(backend.read(TICK))
    reason = backend.missing["host memory.total"]
    away.rename(file)
    again = _later(backend, RETRY_MOST_S)["host", "memory.total"]

    assert math.isnan(gone)
    assert ("host", "memory.total") not in silent
    assert "meminfo" in reason
    assert again == before
    assert "host memory.total" not in backend.missing


@on_linux
def test_a_file_that_stays_away_is_tried_ever_more_rarely(opened, captured):
    (captured / "meminfo").unlink()
    backend = opened(root=str(captured))
    (part,) = (p for p in backend._parts if "memory.used" in p.fields)

    pauses = []
    for _ in range(1100):
        part.retry_at = 0.0
        backend.read(TICK)
        pauses.append(round(part.retry_at - time.monotonic()))

    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == RETRY_MOST_S


@on_linux
@pytest.mark.parametrize("kind", [RuntimeError, NotImplementedError, AttributeError, MemoryError])
@pytest.mark.parametrize(
    "question",
    [
        "cpu_times",
        "memory",
        "disks",
        "networks",
        "pressure",
        "frequency",
        "spaces",
        "labels",
        "tree",
    ],
)
def test_a_part_that_fails_with_anything_takes_only_itself_away(opened, captured, question, kind):
    host = LinuxHost(str(captured), pid=os.getpid())

    def fail(*_, **__):
        raise kind("odd")

    setattr(host, question, fail)
    backend = opened(host=host)
    missing = {what for what, why in backend.missing.items() if why == f"{kind.__name__}: odd"}

    assert missing
    parts = [p for p in backend._parts if any(f"{p.entity} {f}" in missing for f in p.fields)]
    assert missing == {f"{p.entity} {f}" for p in parts for f in p.fields}
    assert backend.read(ALL_CLASSES)


@on_linux
def test_a_disk_that_is_pulled_out_is_missing_and_the_sum_goes_on(opened, captured):
    disk = "8 0 {} 1 0 {} 0 1 0 0 0 0 0 0\n"
    stats = captured / "diskstats"
    stats.write_text(disk.format("sda", 100) + disk.format("sdb", 50))
    backend = opened(root=str(captured))
    backend.read(TICK)

    stats.write_text(disk.format("sda", 110))
    values = _values(backend.read(TICK))

    assert math.isnan(values["disk:sdb", "disk.read.total"])
    assert values["host", "disk.read.total"] == 160 * 512


@on_linux
def test_a_broken_file_is_a_reason_and_no_number(opened, captured):
    (captured / "meminfo").write_text("MemTotal: many kB\n")

    backend = opened(root=str(captured))

    assert "'many kB'" in backend.missing["host memory.total"]
    assert "host memory.used" in backend.missing
    assert "memory.used" not in backend.caps.fields


@on_linux
def test_an_empty_file_takes_only_its_own_fields_away(opened, captured):
    (captured / "stat").write_text("")
    (captured / "meminfo").write_text("MemTotal: 0 kB\nMemAvailable: 0 kB\n")

    backend = opened(root=str(captured))

    assert {"host cpu.user.total", "host memory.used"} <= backend.missing.keys()
    assert ("host", "net.sent.total") in _values(backend.read(TICK))


@on_linux
def test_loopback_has_its_own_series_and_is_not_in_the_hosts_sum(opened, captured):
    line = "{:>6}: {} 0 0 0 0 0 0 0 {} 0 0 0 0 0 0 0\n"
    lines = [line.format("lo", 7, 7), line.format("eth0", 100, 10), line.format("ifb0", 0, 0)]
    (captured / "net" / "dev").write_text("a\nb\n" + "".join(lines))

    values = _values(opened(root=str(captured)).read(TICK))

    assert values["host", "net.received.total"] == 100
    assert values["net:lo", "net.received.total"] == 7
    assert ("net:ifb0", "net.received.total") not in values


@on_linux
def test_a_machine_that_tells_nothing_cannot_be_opened(tmp_path):
    backend = SystemBackend(root=str(tmp_path))

    with pytest.raises(ReaderError) as caught:
        backend.open()

    assert caught.value.remedy
    backend.close()


def test_a_closed_reader_says_that_it_is_closed(opened):
    backend = opened()
    backend.close()
    backend.close()

    with pytest.raises(ReaderError, match="not open"):
        backend.read(TICK)


@on_linux
def test_another_process_can_be_followed(opened):
    parent = psutil.Process().ppid()
    if parent == 0:
        parent = 1

    labels = translate(opened(pid=parent).read(ALL_CLASSES)).labels

    assert labels["", "kernel"] == {"pid": str(parent)}


def _spend(seconds: float) -> None:
    """Use CPU time until the counters of the system have moved."""
    before, begin = psutil.cpu_times(), time.process_time()
    while time.process_time() - begin < seconds or psutil.cpu_times() == before:
        sum(range(10_000))


def _later(backend, seconds):
    for part in backend._parts:
        part.retry_at -= seconds
    return _values(backend.read(TICK))
