"""What is left out: told while it is so, and by whom."""

from __future__ import annotations

import pytest

from pulse_widgets.readers.host.omissions import Omissions, shown


def test_what_a_source_tells_stays_until_it_tells_it_no_more():
    omissions = Omissions()
    omissions.asked("disks", lambda: omissions("disk:a", "short"))
    omissions.asked("nets", lambda: omissions("net:b", "long"))
    first = omissions.reasons

    omissions.asked("disks", lambda: None)

    assert first == {"disk:a": "short", "net:b": "long"}
    assert omissions.reasons == {"net:b": "long"}


def test_a_source_asked_by_another_keeps_its_own():
    omissions = Omissions()

    def outer():
        omissions("host a", "before")
        omissions.asked("inner", lambda: omissions("host c", "inside"))
        omissions("host b", "after")

    omissions.asked("outer", outer)
    omissions.asked("outer", lambda: None)

    assert omissions.reasons == {"host c": "inside"}


def test_the_same_told_again_changes_nothing():
    omissions = Omissions()
    omissions.asked("disks", lambda: omissions("disk:a", "short"))
    before = omissions.reasons

    omissions.asked("disks", lambda: omissions("disk:a", "short"))

    assert omissions.reasons is before


def test_a_source_that_fails_keeps_what_it_told():
    omissions = Omissions()

    def fail():
        omissions("disk:a", "short")
        raise OSError("all")

    with pytest.raises(OSError, match="all"):
        omissions.asked("disks", fail)

    assert omissions.reasons == {"disk:a": "short"}


def test_of_many_devices_the_first_are_told_and_the_others_counted():
    omissions = Omissions()

    def garbage():
        for n in range(1000):
            omissions(f"net:{n} counters", "odd")
        for n in range(40):
            omissions(f"host field{n}", "odd")

    omissions.asked("nets", garbage)
    before = omissions.reasons
    omissions.asked("nets", garbage)

    assert omissions.reasons is before
    devices = {what: why for what, why in before.items() if what.startswith("net:")}
    assert [*devices] == [f"net:{n} counters" for n in range(33)]
    assert [*devices.values()] == ["odd"] * 32 + ["odd (and 967 more are left out)"]
    assert len(before) - len(devices) == 40


@pytest.mark.parametrize("count", [32, 33])
def test_so_many_devices_are_all_told_that_none_has_to_be_counted(count):
    omissions = Omissions()

    omissions.asked("nets", lambda: [omissions(f"net:{n} counters", "odd") for n in range(count)])

    assert [*omissions.reasons.values()] == ["odd"] * count


def test_settling_says_whether_anything_is_left_out():
    omissions = Omissions()
    omissions("disk:a", "short")

    assert omissions.settle("disks") is True
    assert omissions.settle("disks") is False
    assert omissions.settle("disks") is False


def test_a_long_line_is_shown_short():
    assert shown(b"\xff" + b"9" * 5000) == repr("\N{REPLACEMENT CHARACTER}" + "9" * 39 + "...")
