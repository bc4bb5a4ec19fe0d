"""Whatever a file of /proc or /sys says: it takes nothing away but its own."""

from __future__ import annotations

import contextlib
import math
import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pulse_widgets.errors import ReaderError
from pulse_widgets.readers.base import ALL_CLASSES, RateClass
from pulse_widgets.readers.host.backend import SystemBackend

from .tree import CHILD, MOMENTS, PID, file_damages, line_damages, make, put, with_line

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")

FILES = sorted(MOMENTS[1])
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def of(file):
    """Return a pattern of what a whole file can take away: "entity field"."""
    name = file.rpartition("/")[2]
    kernel = r"kernel process\."
    return {
        "stat": r"cpu:\d+ |host cpu\.(?!freq|press)" if file == "stat" else kernel + "(?!files)",
        "meminfo": r"host (memory|swap)\.",
        "diskstats": r"host disk\.(read|write)|disk:",
        "dev": "host net|net:",
        "mounts": "fs:",
        "cpuinfo": r"host cpu$|host cpu\.frequency",
        "children": kernel,
        "cpu": r"host cpu\.pressure",
        "memory": r"host memory\.pressure",
        "io": r"host disk\.pressure" if "pressure" in file else kernel + "(read|write)",
        "scaling_cur_freq": r"host cpu\.frequency",
    }[name]


def of_line(file, line):
    """Return a pattern of what one line of a file can take away."""
    first = line.split()[0].decode() if line.split() else ""
    host_cpu = r"host cpu\.(utilization|count|\w+\.total)"
    lines = {
        "stat": rf"cpu:{first[3:]} |{host_cpu}" if re.fullmatch(r"cpu\d+", first) else "$^",
        "meminfo": {
            "MemTotal:": r"host memory\.",
            "MemAvailable:": r"host memory\.(used|available|utilization)",
            "SwapTotal:": r"host swap\.",
            "SwapFree:": r"host swap\.used",
        }.get(first, "$^"),
        "cpuinfo": "host cpu$" if first == "model" else "$^",
    }
    if file.startswith("pressure") and first != "some":
        return "$^"
    if file.endswith("/io") and "pressure" not in file:
        name = first.removesuffix("_bytes:")
        return rf"kernel process\.{name}\." if name in {"read", "write"} else "$^"
    if file == "self/mounts":
        path = line.split()[1].decode().replace("\\040", " ").rpartition("}")[2]
        return rf"fs:.*{re.escape(path)} "
    if file in {"diskstats", "net/dev"} and len(line.split()) > 10:
        # Of the host's sums all fields go where the device was the only one of its kind.
        kind, at = ("disk", 2) if file == "diskstats" else ("net", 0)
        return rf"({kind}:{re.escape(line.split()[at].decode().rstrip(':'))}|host) {kind}\."
    return lines.get(file) or of(file)


@contextlib.contextmanager
def opened(root):
    backend = SystemBackend(PID, root=str(root), sys_root=str(root / "sys"))
    try:
        backend.open()
        yield backend
    finally:
        backend.close()


def read(backend, due=ALL_CLASSES):
    """Return "entity field" to what is read; of a file system only that it is there."""
    found = {
        f"{record.entity_id} {name}": "there" if record.entity_id.startswith("fs:") else value
        for record in backend.read(due)
        for name, value in record.fields.items()
    }
    for name, value in found.items():
        if not isinstance(value, str) and value is not None:
            assert math.isfinite(value), name
            assert value >= 0, name
            assert not value or float(value), name
    return {name: value for name, value in found.items() if value is not None}


def second_reading(root, first=(), second=()):
    """Return what is read a second after the first reading, and why what is missing is.

    `first` and `second` are what files say other than they should.
    """
    make(root, first)
    with opened(root) as backend:
        backend.read(ALL_CLASSES)
        make(root, second, second=1)
        return read(backend), dict(backend.missing)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory for all examples: each writes every file."""
    return tmp_path_factory.mktemp("tree")


@pytest.fixture(scope="module")
def plain(place):
    """What is read of the machine as it is."""
    return second_reading(place)[0]


def missed(seen, plain, pattern):
    """Return what a reading says otherwise, though no odd thing allows it to."""
    return {
        name: seen.get(name)
        for name, value in plain.items()
        if seen.get(name) != value and not re.match(pattern, name)
    }


@pytest.mark.parametrize("file", FILES)
@quick
@given(data=st.data(), from_the_start=st.booleans())
def test_an_odd_line_takes_nothing_but_its_own(place, plain, file, data, from_the_start):
    texts = [moment[file].encode() for moment in MOMENTS]
    number, odd = data.draw(line_damages(texts[1]))
    line = texts[1].split(b"\n")[number]
    # A line that says it is another one is not odd by itself.
    names = [each.split()[0] for each in texts[1].split(b"\n") if each.split() and each != line]
    assume(odd == [line, line] or not any(each.split()[:1] == [n] for each in odd for n in names))
    first, second = ({file: with_line(text, number, odd)} for text in texts)

    seen, _ = second_reading(place, first if from_the_start else {}, second)

    assert missed(seen, plain, of_line(file, line)) == {}
    assert [name for name in seen.keys() - plain.keys() if not re.match(of(file), name)] == []


@pytest.mark.parametrize("file", FILES)
@quick
@given(data=st.data(), from_the_start=st.booleans())
def test_an_odd_file_takes_nothing_but_its_own(place, plain, file, data, from_the_start):
    odd = {file: data.draw(file_damages(MOMENTS[1][file].encode()))}

    seen, missing = second_reading(place, odd if from_the_start else {}, odd)

    assert missed(seen, plain, of(file)) == {}
    assert all(isinstance(why, str) and why for why in missing.values())


ODD_HOST = {
    file: set(fields.split())
    for file, fields in {
        "stat": "cpu.count cpu.user.total",
        "meminfo": "memory.total memory.used memory.available swap.total swap.used",
        "pressure/io": "disk.pressure.total",
        "pressure/cpu": "cpu.pressure.total",
    }.items()
}


@pytest.mark.parametrize("content", [None, {}, b"", b"\0" * 50, b"\xff\n" * 9], ids=str)
@pytest.mark.parametrize("file", ODD_HOST)
def test_what_an_odd_file_takes_is_told_and_told_no_more_when_it_is_fine(tmp_path, file, content):
    make(tmp_path)
    put(tmp_path, file, content)
    with opened(tmp_path) as backend:
        odd = set(backend.missing)
        make(tmp_path, second=1)
        for part in backend._parts:
            part.retry_at = 0.0
        backend.read(ALL_CLASSES)
        fine = set(backend.missing)

    assert {f"host {field}" for field in ODD_HOST[file]} <= odd
    assert not fine & odd


@quick
@given(data=st.data())
def test_any_files_at_once_are_no_reason_to_fail(place, data):
    root = make(place)
    for file in data.draw(st.lists(st.sampled_from(FILES), min_size=3, unique=True)):
        put(root, file, data.draw(file_damages(MOMENTS[0][file].encode())))

    with contextlib.suppress(ReaderError), opened(root) as backend:
        for file in data.draw(st.lists(st.sampled_from(FILES), unique=True)):
            put(root, file, data.draw(file_damages(MOMENTS[1][file].encode())))
        read(backend)
        read(backend)


@pytest.mark.parametrize("left", ["meminfo", "stat", "pressure/memory", f"{PID}/io"])
def test_one_file_is_enough_to_open(tmp_path, left):
    make(tmp_path, dict.fromkeys(set(FILES) - {left}))

    with opened(tmp_path) as backend:
        seen = read(backend)

    assert any(re.match(of(left), name) for name in seen)


@pytest.mark.parametrize("line", ["", f"{CHILD} (x", f"{CHILD} (x) S 1 1", f"{CHILD} (a) b"])
def test_an_odd_child_is_told_and_what_it_had_counted_stays(tmp_path, line):
    plain, _ = second_reading(tmp_path)
    seen, missing = second_reading(tmp_path, second={f"{CHILD}/stat": line})

    ten_ticks = 0.1
    assert seen["kernel process.cpu.total"] == pytest.approx(
        plain["kernel process.cpu.total"] - ten_ticks
    )
    assert seen["kernel process.threads"] == 3
    assert seen["kernel process.children"] == 1
    assert f"pid:{CHILD} process.cpu.total" in missing


def test_a_child_that_is_readable_again_brings_no_jump(tmp_path):
    make(tmp_path)
    with opened(tmp_path) as backend:
        first = read(backend)["kernel process.cpu.total"]
        put(tmp_path, f"{CHILD}/stat", "odd")
        between = [read(backend)["kernel process.cpu.total"] for _ in range(5)]
        make(tmp_path)
        last = read(backend)["kernel process.cpu.total"]

    assert [first] * 5 == between
    assert last == first


# What heals, and what is gone for one look ------------------------------------------------


def test_cores_that_are_plugged_in_later_are_counted(tmp_path):
    make(tmp_path, {"stat": ""})
    slow = ALL_CLASSES - {RateClass.STATIC}
    counts = []
    with opened(tmp_path) as backend:
        for cores in (2, 6, 4):
            lines = [f"cpu{n} 5 0 5 5 0 0 0 0 0 0\n" for n in range(cores)]
            put(tmp_path, "stat", "cpu  9 0 9 9 0 0 0 0 0 0\n" + "".join(lines))
            for part in backend._parts:
                part.retry_at = 0.0
            counts.append(read(backend, slow)["host cpu.count"])
        assert "host cpu.count" not in backend.missing

    assert counts == [2, 6, 4]


def test_a_label_that_cannot_be_read_at_first_is_asked_for_until_it_can(tmp_path):
    make(tmp_path, {"cpuinfo": None})
    slow, tick = frozenset({RateClass.SLOW}), frozenset({RateClass.GAUGES})
    with opened(tmp_path) as backend:
        assert "cpuinfo" in backend.missing["host cpu"]
        make(tmp_path)
        assert "host cpu" not in read(backend, tick)
        healed = read(backend, slow)
        again = read(backend, slow)
        assert "host cpu" not in backend.missing

    assert healed["host cpu"] == "Test CPU 3000"
    assert "host cpu" not in again


def test_where_no_time_of_a_core_is_counted_there_is_none(tmp_path):
    zeros = "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 0\n"
    seen, missing = second_reading(tmp_path, {"stat": zeros}, {"stat": zeros})

    assert [name for name in seen if re.match(r"(host cpu\.(?!count|freq|press)|cpu:)", name)] == []
    assert seen["host cpu.count"] == 2
    fields = ("utilization", "user.total", "system.total", "iowait.total", "steal.total")
    assert all("all are 0" in missing[f"host cpu.{field}"] for field in fields)


ONCE = [
    ("net/dev", "eth0:  {}", 2**64 - 1000, "net.received.total"),
    ("net/dev", "eth0:  {}", 5, "net.received.total"),
    ("diskstats", "sda {}", 2**60, "disk.reads.total"),
    ("diskstats", "sda {}", 1, "disk.reads.total"),
]


@pytest.mark.parametrize(("file", "start", "odd", "field"), ONCE)
def test_a_counter_that_is_odd_for_a_look_leaves_the_hosts_sum_as_it_was(
    tmp_path, file, start, odd, field
):
    plain = 1000 if "net" in file else 10
    line, sums, told = start.format(plain) + " ", [], []
    make(tmp_path)
    with opened(tmp_path) as backend:
        for count in (plain, odd, plain + 7, plain + 8):
            text = MOMENTS[0][file].replace(line, start.format(count) + " ")
            put(tmp_path, file, text)
            sums.append(read(backend).get(f"host {field}"))
            told.append(f"host {field}" in backend.missing)

    # While a counter falls and rises again, what is above the lower reading is counted.
    lost = [False, True, odd > plain, False]
    assert [value is None for value in sums] == told == lost
    assert sums[3] - sums[0] == (1 if odd > plain else plain + 8 - odd)


def test_opening_again_closes_what_was_open():
    backend = SystemBackend()
    backend.open()
    before = len(list(Path("/proc/self/fd").iterdir()))

    backend.open()

    assert len(list(Path("/proc/self/fd").iterdir())) == before
    backend.close()
