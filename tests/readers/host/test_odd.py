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


def test_a_long_line_is_shown_short():
    assert shown(b"\xff" + b"9" * 5000) == repr("\N{REPLACEMENT CHARACTER}" + "9" * 39 + "...")
