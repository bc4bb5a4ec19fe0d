"""The machine through psutil: a call that fails takes only its own answer away."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import psutil
import pytest

from pulse_widgets.readers.base import ALL_CLASSES, RateClass
from pulse_widgets.readers.host import parts
from pulse_widgets.readers.host.backend import SystemBackend
from pulse_widgets.readers.host.portable import PsutilHost

ERRORS = [
    RuntimeError("no such entry"),
    NotImplementedError("can't find it on this system"),
    AttributeError("module 'psutil' has no attribute 'it'"),
    TypeError("'NoneType' object is not iterable"),
    OSError("I/O error"),
    psutil.AccessDenied(1),
    AssertionError(),
]
CALLS = {
    "cpu_times": {"cpu.utilization", "cpu.user.total", "cpu.system.total", "cpu.iowait.total",
                  "cpu.steal.total", "cpu.count"},
    "virtual_memory": {"memory.used", "memory.available", "memory.total", "memory.utilization"},
    "swap_memory": {"swap.used", "swap.total"},
    "cpu_freq": {"cpu.frequency"},
    "disk_partitions": {"disk.used", "disk.free", "disk.total"},
    "disk_usage": {"disk.used", "disk.free", "disk.total"},
    "Process.cpu_times": {"process.cpu.total"},
    "Process.memory_info": {"process.memory.rss", "process.memory.virtual"},
    "Process.num_threads": {"process.threads"},
    "Process.io_counters": {"process.read.total", "process.write.total"},
    "Process.num_fds": {"process.files"},
    "Process.children": {"process.children"},
    "Process.__init__": {"process.cpu.total", "process.memory.rss", "process.memory.virtual",
                         "process.threads", "process.children", "process.files",
                         "process.read.total", "process.write.total"},
}  # fmt: skip


OF_A_PROCESS = psutil._psplatform.Process
"""What psutil asks of the operating system itself."""


def broken(error):
    def call(*_, **__):
        raise error

    return call


@contextlib.contextmanager
def opened():
    backend = SystemBackend(host=PsutilHost())
    try:
        backend.open()
        yield backend
    finally:
        backend.close()


def metrics(backend):
    return {
        name
        for record in backend.read(ALL_CLASSES)
        for name, value in record.fields.items()
        if value is not None and "." in name and name != "cpu.utilization"
    }


@pytest.fixture
def whole():
    with opened() as backend:
        return metrics(backend)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_fails_takes_only_its_own_fields(monkeypatch, whole, name, error):
    place = OF_A_PROCESS if "." in name else psutil
    name_there = name.rpartition(".")[2]
    monkeypatch.setattr(
        psutil.Process if name_there == "children" else place, name_there, broken(error)
    )

    with opened() as backend:
        seen, missing = metrics(backend), dict(backend.missing)

    assert whole - seen == CALLS[name] & whole
    told = {what.split()[-1] for what in missing}
    assert (CALLS[name] & whole - {"disk.used", "disk.free"}) <= told
    assert any(type(error).__name__ in why for why in missing.values())


@pytest.mark.parametrize("name", ["cpu_freq", "swap_memory", "cpu_times"])
def test_a_call_that_psutil_lacks_takes_only_its_own_fields(monkeypatch, whole, name):
    monkeypatch.delattr(psutil, name)

    with opened() as backend:
        assert whole - metrics(backend) == CALLS[name] & whole


def test_a_call_that_works_again_is_told_no_more(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(psutil, "swap_memory", broken(RuntimeError("counters are disabled")))
        backend = SystemBackend(host=PsutilHost())
        backend.open()
    told = dict(backend.missing)
    backend.read(frozenset({RateClass.GAUGES}))

    assert "disabled" in told["host swap.total"]
    assert "host swap.total" not in backend.missing
    backend.close()


def test_one_drive_that_fails_is_told_and_the_others_are_read(monkeypatch, tmp_path):
    plain, (one, *_) = psutil.disk_usage, psutil.disk_partitions(all=True)
    drives = [one._replace(mountpoint=mount) for mount in (str(tmp_path), "/an empty drive")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: drives)
    monkeypatch.setattr(
        psutil,
        "disk_usage",
        lambda mount: plain(mount) if mount == str(tmp_path) else {}["omissions"],
    )
    host = PsutilHost()

    spaces = host.omissions.asked("spaces", host.spaces)

    assert set(spaces) == {str(tmp_path)}
    assert host.omissions.reasons == {
        "fs:/an\\040empty\\040drive disk.total": "KeyError: 'omissions'"
    }


@pytest.fixture
def child(monkeypatch):
    """A child that had counted a million seconds, and is omissions while the list has an element."""
    omissions = []
    first = psutil.Process(1)
    monkeypatch.setattr(psutil.Process, "children", lambda *_, **__: [first])
    for name in ("cpu_times", "memory_info"):
        plain = getattr(OF_A_PROCESS, name)

        def ask(self, plain=plain, name=name):
            if self.pid != 1:
                return plain(self)
            if omissions:
                raise RuntimeError("omissions")
            return plain(self)._replace(**{"user": 1e6} if name == "cpu_times" else {})

        monkeypatch.setattr(OF_A_PROCESS, name, ask)
    return omissions


def test_a_child_that_fails_is_told_and_the_first_process_is_read(child):
    child.append("omissions")
    host = PsutilHost()

    usage = host.omissions.asked("tree", lambda: host.tree(thorough=True))

    assert usage.children == 1
    assert usage.rss_bytes == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert host.omissions.reasons.keys() == {
        "pid:1 process.cpu.total",
        "pid:1 process.memory.rss",
        "pid:1 process.memory.virtual",
    }


def test_what_a_child_had_counted_stays_while_it_does_not_say(child):
    host = PsutilHost()

    counts = [host.tree(thorough=True).cpu_s]
    child.append("omissions")
    counts += [host.tree(thorough=False).cpu_s for _ in range(5)]
    child.clear()
    counts.append(host.tree(thorough=False).cpu_s)

    assert counts[0] >= 1e6
    assert counts == sorted(counts)
    assert counts[-1] < counts[0] + 1000


def test_no_room_at_all_is_no_number(monkeypatch):
    room = SimpleNamespace(used=0, free=0, total=0)
    monkeypatch.setattr(psutil, "disk_usage", lambda _: room)
    disk = SimpleNamespace(mountpoint="/a")
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [disk])
    host = PsutilHost()

    assert host.omissions.asked("spaces", host.spaces) == {}
    assert "0 bytes" in host.omissions.reasons["fs:/a disk.total"]


def test_what_a_system_does_not_count_of_memory_is_missing_with_the_reason(monkeypatch):
    monkeypatch.setattr(parts, "MEMORY", (*parts.MEMORY, "memory.dirty"))
    backend = SystemBackend(host=PsutilHost())

    with contextlib.closing(backend):
        backend.open()
        (host,) = [r for r in backend.read(ALL_CLASSES) if r.entity_id == "host"]

        assert "memory.dirty" not in host.fields
        assert backend.missing["host memory.dirty"] == "this system does not count it"
