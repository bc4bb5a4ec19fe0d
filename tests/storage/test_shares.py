"""What several processes of a machine could record is recorded by one of them."""

import os
import platform

import pytest

from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage import shares as shares_module
from pulse_widgets.storage.shares import Shares
from tests.storage.bench import START_US

ROWS = [
    ("host", "cpu.user.total", "counter"),
    ("host", "memory.used", "gauge"),
    ("cpu:0", "cpu.utilization", "gauge"),
    ("gpu:0", "gpu.power", "gauge"),
    ("gpu:0", "event", "text"),
    ("gpu:1/mig:0", "gpu.memory.used", "gauge"),
    ("pid:7/gpu:1", "process.gpu.memory", "gauge"),
    ("kernel", "process.cpu.total", "counter"),
    ("pulse/log", "pulse.dropped.total", "counter"),
    ("kernel", "cell", "span"),
    ("kernel", "log.stdout", "text"),
    ("pulse/log", "event", "text"),
    ("user", "loss", "gauge"),
]
EACH = {"cell", "log.stdout", "loss"}
"""What each process records, whoever else is there."""


class Process:
    """The share of one process; several of them are here at once."""

    def __init__(self, directory, within="", labels=None, hosts=("h0",)):
        self.now = 0.0
        self.registry = Registry(within)
        self.labels = labels or {}
        for host in hosts:
            for entity, metric, kind in ROWS:
                self.registry.add(host, entity, metric, kind=kind)
        self.shares = Shares(
            directory, self.registry, lambda: {"h0": self.labels}, lambda: self.now
        )

    def written(self):
        count = len(self.registry)
        rows = self.shares.of(Rows.of(range(count), [START_US] * count, [1.0] * count))
        infos = [self.registry[number] for number in rows.series.tolist()]
        return {(info.entity, info.metric) for info in infos}


@pytest.fixture
def process(tmp_path):
    made = []

    def start(*arguments, **options):
        made.append(Process(tmp_path, *arguments, **options))
        return made[-1]

    yield start
    for one in made:
        one.shares.close()


def all_of(process):
    return {(info.entity, info.metric) for info in process.registry.since(0)}


def test_one_process_records_everything(process):
    alone = process()

    assert alone.written() == all_of(alone)
    alone.registry.add("h0", "disk:sda", "disk.read")
    assert alone.written() == all_of(alone)


def test_a_second_process_records_what_is_its_own(process):
    first, second = process(), process()

    assert first.written() == all_of(first)
    assert {metric for _, metric in second.written()} == EACH | {"event"}
    assert ("gpu:0", "event") not in second.written()
    assert ("pulse/log", "event") in second.written()


def test_ranks_record_their_own_processes_and_one_of_them_the_machine(process):
    first, second = process("rank:0"), process("rank:1")
    first.written()

    mine = second.written()

    assert ("rank:1/kernel", "process.cpu.total") in mine
    assert ("rank:1/pulse/log", "pulse.dropped.total") in mine
    assert not [entity for entity, _ in mine if entity.startswith(("host", "gpu", "cpu", "pid"))]


def test_a_device_that_only_another_process_sees_is_recorded_by_that_one(process):
    first = process(labels={"gpu:0": {"uuid": "GPU-a"}})
    second = process(labels={"gpu:0": {"uuid": "GPU-b"}})
    first.written()

    assert ("gpu:0", "gpu.power") in second.written()
    assert ("host", "memory.used") not in second.written()


@pytest.mark.parametrize("end", ["close", "abandon"])
def test_the_machine_goes_to_another_when_its_process_ends_but_not_what_the_process_was(
    process, end
):
    first, second = process(), process()
    first.written()
    assert ("host", "memory.used") not in second.written()
    getattr(first.shares, end)()

    second.now += shares_module.AGAIN_S
    mine = second.written()

    own = {("kernel", "process.cpu.total"), ("pulse/log", "pulse.dropped.total")}
    assert mine == all_of(second) - own
    third = process()
    assert ("host", "memory.used") not in third.written()


def test_a_series_that_comes_later_belongs_with_the_others_of_its_device(process):
    first, second = process(), process()
    first.written()
    second.written()
    first.shares.close()
    for one in (second, process()):
        one.registry.add("h0", "gpu:0", "gpu.clock.sm")
        assert ("gpu:0", "gpu.clock.sm") not in second.written()


def test_a_process_of_another_machine_records_that_machine(process, monkeypatch):
    process().written()
    monkeypatch.setattr(platform, "node", lambda: "another")
    other = process()

    assert other.written() == all_of(other)


def test_a_forked_child_gives_nothing_of_its_parents_away(process):
    parent, other = process(), process()
    parent.written()
    child = os.fork()
    if child == 0:
        parent.shares.abandon()
        os._exit(0)
    os.waitpid(child, 0)

    assert ("host", "memory.used") not in other.written()


def test_where_files_cannot_be_locked_everybody_records_everything(process, monkeypatch):
    def refuse(*_):
        raise OSError(38, "no locks here")

    monkeypatch.setattr(shares_module.Shares, "_lock", refuse)
    first, second = process(), process()
    first.written()

    assert second.written() == all_of(second)
