"""Times of other clocks as those of a session."""

import time

import pytest

from pulse_widgets.series import clock as module
from pulse_widgets.series.clock import Clock


@pytest.mark.parametrize("held_up", [{1}, {2}, {1, 2, 3}, {1, 2, 3, 4}])
@pytest.mark.parametrize("when", ["before", "after"])
def test_being_held_up_between_two_clocks_moves_no_time(monkeypatch, held_up, when):
    clock, real = Clock(), module.elapsed_ns
    reads = 0

    def elapsed_ns():
        nonlocal reads
        reads += 1
        if when == "before" and reads in held_up:
            time.sleep(0.01)
        now = real()
        if when == "after" and reads in held_up:
            time.sleep(0.01)
        return now

    monkeypatch.setattr(module, "elapsed_ns", elapsed_ns)
    since_us = clock.since_monotonic_us()
    monkeypatch.setattr(module, "elapsed_ns", real)

    for _ in range(100):  # of which this process is held up in few
        before = clock.now_us()
        told = since_us + time.monotonic_ns() // 1000
        after = clock.now_us()
        if after - before < 1000:
            break
    assert before - 1000 <= told <= after + 1000
