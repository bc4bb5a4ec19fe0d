"""What every collector does: it keeps rows until they are drained, and bounds what it keeps."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.collectors import base
from pulse_widgets.collectors.base import RowCollector
from pulse_widgets.series.log import Log
from pulse_widgets.series.rows import Rows


def row(number):
    return Rows.of([0], [number], [float(number)])


def values(blocks):
    return Rows.concat(blocks).value.tolist()


def test_what_was_added_waits_until_it_is_truncated():
    collector = RowCollector("mine")
    collector.add(row(1))
    collector.add(row(2))

    delivered = collector.collect()
    collector.add(row(3))
    collector.truncate(len(delivered))

    assert values(delivered) == [1.0, 2.0]
    assert values(collector.collect()) == [3.0]


def test_what_is_added_is_told_of_and_drained_once_and_in_order():
    rung, log = [], Log()
    cursor = log.cursor()
    collector = RowCollector("mine", lambda: rung.append(collector.waiting()))
    for number in range(3):
        collector.add(row(number))

    # Told of when it is there already.
    assert rung == [1, 2, 3]
    assert collector.drain(log) is False
    assert collector.drain(log) is False
    assert values([cursor.take()]) == [0.0, 1.0, 2.0]
    assert collector.waiting() == 0


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(0, 200))
def test_what_nobody_drains_is_bounded_in_bytes_and_what_goes_is_the_oldest_and_counted(
    letters, most
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "KEPT_BYTES", most)
        collector, log = RowCollector("mine"), Log()
        cursor = log.cursor()
        for number, count in enumerate(letters):
            collector.add(Rows.of([0], [number], [float(number)], text=["x" * 50 * count]))
            kept = collector.collect()
            # The newest is kept, however large it is.
            assert len(kept) == 1 or sum(rows.nbytes for rows in kept) <= most
        collector.drain(log)

    left = cursor.take().value.tolist()
    assert left == [float(n) for n in range(collector.dropped, len(letters))]
    assert not letters or left
    words = {0: [], 1: ["1 row of mine was"]}
    gone = words.get(collector.dropped, [f"{collector.dropped} rows of mine were"])
    assert collector.missing(at_end=False) == [
        f"{one} lost: too much waited for the disk." for one in gone
    ]


class Short(Log):
    """Has no memory for some of the blocks it is given."""

    def __init__(self, fails):
        super().__init__()
        self.fails = list(fails)

    def append(self, rows):
        if self.fails and self.fails.pop(0):
            raise MemoryError
        super().append(rows)


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 12))
def test_of_rows_that_cannot_be_taken_each_is_taken_later_once_and_in_order(fails, count):
    collector, log = RowCollector("mine"), Short(fails)
    cursor = log.cursor()
    for number in range(count):
        collector.add(Rows.of([0], [number], [float(number)]))
    for _ in range(len(fails) + 1):
        with contextlib.suppress(MemoryError):
            collector.drain(log)

    assert cursor.take().value.tolist() == [float(number) for number in range(count)]
    assert collector.late() == 0
