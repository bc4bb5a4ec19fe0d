"""Memory, each line of meminfo on its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.readers.host.memory import memory_of, memory_of_meminfo
from pulse_widgets.readers.host.omissions import Omissions

LINES = {
    "MemTotal": 800, "MemFree": 200, "MemAvailable": 500, "Buffers": 1, "Cached": 100,
    "SwapCached": 1, "SwapTotal": 100, "SwapFree": 90,
}  # fmt: skip
ALL = {"total": 800, "available": 500, "used": 300, "swap_total": 100, "swap_used": 10}


def read(**changes):
    """Return the memory, KiB, and the names of what is told; None is no line."""
    lines = [f"{n}:  {v} kB\n" for n, v in {**LINES, **changes}.items() if v is not None]
    omissions = Omissions()
    memory = omissions.asked(
        "memory", lambda: memory_of_meminfo("".join(lines).encode(), omissions)
    )
    told = {name.removeprefix("host "): why for name, why in omissions.reasons.items()}
    return in_short(memory), told


def in_short(memory):
    short = {n.replace("memory.", "").replace("swap.", "swap_"): v for n, v in memory.items()}
    return {n: v and v / 1024 for n, v in short.items()}


def test_plain_memory_is_told_whole():
    assert read() == (ALL, {})


@pytest.mark.parametrize("omissions", [None, "<unknown>", "-5", "", "9" * 40])
@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ("MemTotal", {"total", "used"}),
        ("SwapTotal", {"swap_total", "swap_used"}),
        ("SwapFree", {"swap_used"}),
        ("Buffers", set()),
        ("MemFree", set()),
    ],
)
def test_a_line_takes_only_what_follows_from_it(line, omissions, gone):
    memory, told = read(**{line: omissions})

    assert memory == {name: None if name in gone else value for name, value in ALL.items()}
    named = {name.replace("memory.", "").replace("swap.", "swap_") for name in told}
    assert named == gone | ({"utilization"} if "used" in gone else set())


def test_available_memory_of_another_machine_is_left_out():
    memory, told = read(MemAvailable=3000, SwapFree=200)

    assert memory == {**ALL, "used": 600, "available": None, "swap_used": 0}
    assert told.keys() == {"memory.available", "memory.used", "swap.used"}
    assert "more is free" in told["swap.used"]
    assert "caches included" in told["memory.used"]


def test_more_free_than_there_is_is_no_number():
    memory, told = read(MemAvailable=3000, MemFree=2000)

    assert memory["used"] is None
    assert memory["available"] is None
    assert {"memory.used", "memory.available", "memory.utilization"} == told.keys()


def test_no_memory_at_all_is_no_number():
    memory, told = read(MemTotal=0)

    assert memory["total"] is memory["used"] is None
    assert "0 bytes" in told["memory.total"]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("end", [b"", b" kB", b" kB\n", b"\n"])
def test_the_last_line_needs_no_end(line, end):
    names = [*(name for name in LINES if name != line), line]
    content = b"\n".join(b"%s: %d kB" % (name.encode(), LINES[name]) for name in names)
    omissions = Omissions()

    memory = omissions.asked(
        0, lambda: memory_of_meminfo(content.removesuffix(b" kB") + end, omissions)
    )

    assert in_short(memory) == ALL
    assert omissions.reasons == {}


NUMBER = st.none() | st.integers(0, 1 << 64)


@given(NUMBER, NUMBER, NUMBER, st.tuples(NUMBER, NUMBER))
def test_every_number_that_is_not_known_has_a_reason(total, free, available, swap):
    omissions = Omissions()

    memory = omissions.asked("memory", lambda: memory_of(total, free, available, swap, omissions))

    assert all(value is None or value >= 0 for value in memory.values())
    assert memory["memory.used"] is None or memory["memory.used"] <= memory["memory.total"]
    told = {name: value for name, value in memory.items() if name != "swap.total"}
    assert [
        n for n, value in told.items() if value is None and f"host {n}" not in omissions.reasons
    ] == []
