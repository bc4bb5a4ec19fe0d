"""What is left out: told while it is so, and by whom."""

from __future__ import annotations

import pytest

from pulse_widgets.readers.host.odd import Odd, shown


def test_what_a_source_tells_stays_until_it_tells_it_no_more():
    odd = Odd()
    odd.asked("disks", lambda: odd("disk:a", "short"))
    odd.asked("nets", lambda: odd("net:b", "long"))
    first = odd.told

    odd.asked("disks", lambda: None)

    assert first == {"disk:a": "short", "net:b": "long"}
    assert odd.told == {"net:b": "long"}


def test_a_source_asked_by_another_keeps_its_own():
    odd = Odd()

    def outer():
        odd("host a", "before")
        odd.asked("inner", lambda: odd("host c", "inside"))
        odd("host b", "after")

    odd.asked("outer", outer)
    odd.asked("outer", lambda: None)

    assert odd.told == {"host c": "inside"}


def test_the_same_told_again_changes_nothing():
    odd = Odd()
    odd.asked("disks", lambda: odd("disk:a", "short"))
    before = odd.told

    odd.asked("disks", lambda: odd("disk:a", "short"))

    assert odd.told is before


def test_a_source_that_fails_keeps_what_it_told():
    odd = Odd()

    def fail():
        odd("disk:a", "short")
        raise OSError("all")

    with pytest.raises(OSError, match="all"):
        odd.asked("disks", fail)

    assert odd.told == {"disk:a": "short"}


def test_of_many_devices_the_first_are_told_and_the_others_counted():
    odd = Odd()

    def garbage():
        for n in range(1000):
            odd(f"net:{n} counters", "odd")
        for n in range(40):
            odd(f"host field{n}", "odd")

    odd.asked("nets", garbage)
    before = odd.told
    odd.asked("nets", garbage)

    assert odd.told is before
    devices = {what: why for what, why in before.items() if what.startswith("net:")}
    assert [*devices] == [f"net:{n} counters" for n in range(33)]
    assert [*devices.values()] == ["odd"] * 32 + ["odd (and 967 more are left out)"]
    assert len(before) - len(devices) == 40


@pytest.mark.parametrize("count", [32, 33])
def test_so_many_devices_are_all_told_that_none_has_to_be_counted(count):
    odd = Odd()

    odd.asked("nets", lambda: [odd(f"net:{n} counters", "odd") for n in range(count)])

    assert [*odd.told.values()] == ["odd"] * count


def test_settling_says_whether_anything_is_left_out():
    odd = Odd()
    odd("disk:a", "short")

    assert odd.settle("disks") is True
    assert odd.settle("disks") is False
    assert odd.settle("disks") is False


def test_a_long_line_is_shown_short():
    assert shown(b"\xff" + b"9" * 5000) == repr("\N{REPLACEMENT CHARACTER}" + "9" * 39 + "...")
