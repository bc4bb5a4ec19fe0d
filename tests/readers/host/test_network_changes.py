"""Interfaces that come and go: what they are is asked once, and of all again after a while."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.readers.host.networks import LinuxNetworks, _Ranks, which_networks
from pulse_widgets.readers.host.proc_files import ProcFiles
from tests.readers.host.sys_tree import net_tree

HEAD = "Inter-|   Receive   |  Transmit\n face |bytes    packets |bytes\n"
LINE = "{:>6}: 100 1 2 3 0 0 0 0 200 1 20 30 0 0 0 0"


class Machine:
    """Interfaces that come and go, on a clock that a test sets."""

    def __init__(self, root, monkeypatch):
        self.now, self._root, self.looks = 100.0, root, []
        (root / "net").mkdir()
        (root / "sys").mkdir()
        self._networks = LinuxNetworks(
            ProcFiles(str(root)), str(root / "sys"), lambda *_: None, clock=lambda: self.now
        )
        for name in ("lexists", "listdir"):
            of = os.path if name == "lexists" else os
            monkeypatch.setattr(of, name, self._counted(getattr(of, name)))

    def _counted(self, call):
        def counted(path):
            self.looks.append(os.fspath(path))
            return call(path)

        return counted

    def be(self, tree):
        net_tree(self._root / "sys", tree)

    def counted(self, *names):
        """Return the interfaces in the sum, and what was looked at below /sys for that."""
        (self._root / "net" / "dev").write_text(HEAD + "\n".join(map(LINE.format, names)))
        self.looks.clear()
        in_sum = {name for name, net in self._networks.read().items() if net.in_sum}
        base = f"{self._root}/sys/class/net/"
        seen = {path.removeprefix(base).partition("/")[0] for path in self.looks if base in path}
        return in_sum, seen


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_what_an_interface_is_is_asked_only_when_some_come_or_go(machine, tmp_path):
    machine.be({"a": "device", "b": "", "veth1": ""})

    assert machine.counted("a", "b") == ({"a"}, {"a", "b"})
    (tmp_path / "sys/class/net/b/device").mkdir()
    machine.now += 11
    machine.counted("a", "b")  # the first look is such a change, too
    machine.now += 11
    assert machine.counted("a", "b") == ({"a", "b"}, set())
    assert machine.counted("a", "b", "veth1") == ({"a", "b"}, {"a", "b", "veth1"})


def test_one_that_comes_is_asked_alone_and_all_are_asked_later(machine):
    machine.be(dict.fromkeys(("a", "b", "veth1", "veth2"), ""))
    machine.counted("a", "b")
    machine.now += 1

    assert machine.counted("a", "b", "veth1")[1] == {"veth1"}
    assert machine.counted("a", "b", "veth2")[1] == {"veth2"}
    assert machine.counted("a", "b")[1] == set()
    machine.now += 10
    assert machine.counted("a", "b")[1] == {"a", "b"}


def test_one_that_is_taken_into_a_bond_later_is_seen(machine, tmp_path):
    machine.be({"p1": "device", "fast": "device", "p2": "device"})
    machine.counted("p1", "p2")
    machine.now += 1
    assert machine.counted("p1", "p2", "fast")[0] == {"p1", "p2", "fast"}
    (tmp_path / "sys/class/net/fast/master").symlink_to("../p1")
    machine.now += 10

    assert machine.counted("p1", "p2", "fast")[0] == {"p1", "p2"}


def test_one_that_comes_back_is_another(machine, tmp_path):
    machine.be({"a": "device", "b": ""})
    machine.counted("a", "b")
    machine.counted("a")
    (tmp_path / "sys/class/net/b/device").mkdir()

    assert machine.counted("a", "b")[0] == {"a", "b"}


class Name(str):
    """A name that counts how often it is compared with another."""

    compared = 0
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other):
        Name.compared += 1
        return str.__eq__(self, other)


def test_the_names_are_not_compared_with_one_another():
    names = [Name(f"veth{n}") for n in range(500)]
    Name.compared = 0

    which_networks(names)

    assert Name.compared < 10 * len(names)


@settings(max_examples=60)
@given(st.lists(st.sets(st.sampled_from(["lo", "eth0", "br0", "wg0", "veth1"])), min_size=1))
def test_what_is_remembered_is_what_would_be_found_anew(looks):
    ranks = _Ranks(None, None)

    assert [ranks.counted(names) for names in looks] == list(map(which_networks, looks))
