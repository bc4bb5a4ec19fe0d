import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.errors import PulseError
from pulse_widgets.series import registry as module
from pulse_widgets.series.log import BLOCK_BYTES, Log
from pulse_widgets.series.registry import Registry, SeriesInfo
from pulse_widgets.series.rows import Rows


def test_a_series_announced_while_another_is_announced_gets_an_id_of_its_own(monkeypatch):
    """A signal handler or a finalizer may log something new at any moment, on this thread."""
    registry, nested = Registry(), []

    def interrupted(*fields):
        if not nested:
            nested.append(1)
            nested.append(registry.add("h0", "user", "from a handler"))
        return SeriesInfo(*fields)

    monkeypatch.setattr(module, "SeriesInfo", interrupted)
    outer = registry.add("h0", "user", "loss")

    assert [registry[number].metric for number in (outer, nested[1])] == ["loss", "from a handler"]
    assert [info.id for info in registry.since(0)] == [0, 1]


@pytest.mark.parametrize("name", [7, None, b"gpu", "half a \ud800 pair"])
def test_a_name_that_cannot_be_written_is_refused(name):
    registry = Registry()
    for key in [("h0", name, "x"), ("h0", "host", name)]:
        with pytest.raises(PulseError, match="cannot be a name"):
            registry.add(*key)
    with pytest.raises(PulseError, match="cannot be a name"):
        registry.add("h0", "host", "x", labels={"of": name})
    assert len(registry) == 0


@given(st.lists(st.integers(0, 200), min_size=1, max_size=50), st.integers(1, 400))
def test_rows_split_into_pieces_are_the_same_rows(lengths, most):
    count = len(lengths)
    texts = ["x" * n for n in lengths]
    rows = Rows.of(np.zeros(count), np.arange(count), np.arange(count), text=texts)

    pieces = rows.split(most)
    whole = Rows.concat(pieces)

    assert all(piece.nbytes <= most or len(piece) == 1 for piece in pieces)
    assert whole.time.tolist() == rows.time.tolist()
    assert list(whole.text) == texts


def test_what_arrives_in_one_large_piece_is_kept_in_blocks():
    log = Log()
    cursor = log.cursor()
    text = ["y" * (BLOCK_BYTES // 4)] * 9

    log.append(Rows.of([0] * 9, range(9), [1.0] * 9, text=text))

    blocks = cursor.peek()
    assert len(blocks) == 3
    assert max(block.nbytes for block in blocks) <= BLOCK_BYTES
    assert log.nbytes == sum(block.nbytes for block in blocks)
    cursor.move(len(blocks))
    assert log.nbytes == 0


@pytest.mark.parametrize(
    ("chosen", "places"),
    [
        ([2, 0], [2, 0]),
        ([], []),
        (np.array([False, True, True]), [1, 2]),
        (np.array([1, 1]), [1, 1]),
    ],
)
def test_rows_are_taken_with_all_that_they_carry(chosen, places):
    rows = Rows.of(
        [7, 8, 9], [1, 2, 3], [0.1, 0.2, 0.3], [4, 5, 6], list("abc"), [b"x", b"y", b"z"]
    )

    taken = rows.take(chosen)

    for name in ("series", "time", "step", "value"):
        expected = getattr(rows, name)[places] if places else []
        np.testing.assert_array_equal(getattr(taken, name), expected)
    assert taken.text == ["abc"[place] for place in places]
    assert taken.data == [b"xyz"[place : place + 1] for place in places]
    assert rows.cut(0, 0).take([]).text == []
