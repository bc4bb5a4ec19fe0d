import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.series import packet_rows
from pulse_widgets.series.packet_rows import split_for_packets
from pulse_widgets.series.rows import Rows


@pytest.fixture(autouse=True, scope="module")
def small_packets():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packet_rows, "PACKET_ROWS", 64)
        yield


def rows_of(series):
    ids = np.array(series, np.int32)
    return Rows.of(ids, np.arange(len(ids)), np.random.default_rng(0).normal(size=len(ids)))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=128))
def test_rows_that_fit_go_whole_and_in_order(series):
    rows = rows_of(series)

    sent = list(split_for_packets(rows))

    assert max(len(piece) for piece, _ in sent) <= 64
    assert len(sent) <= 2
    assert all(reduced == [] for _, reduced in sent)
    together = Rows.concat([piece for piece, _ in sent])
    for field in ("series", "time", "step", "value"):
        np.testing.assert_array_equal(getattr(together, field), getattr(rows, field))


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=6).filter(lambda counts: sum(counts) > 128),
    st.randoms(),
)
def test_of_a_flood_the_extremes_go_and_it_is_said_and_the_others_go_whole(counts, random):
    series = [number for number, count in enumerate(counts) for _ in range(count)]
    random.shuffle(series)
    rows = rows_of(series)

    sent = list(split_for_packets(rows))

    assert len(sent) <= 2
    assert max(len(piece) for piece, _ in sent) <= 64
    said = {number for _, reduced in sent for number in reduced}
    together = Rows.concat([piece for piece, _ in sent])
    for number, count in enumerate(counts):
        came, was = together.value[together.series == number], rows.value[rows.series == number]
        assert (came.min(), came.max()) == (was.min(), was.max())
        assert len(came) == count or number in said
    # Those with fewer rows than a flood beside them are not touched.
    assert all(counts[few] <= counts[many] for many in said for few in {*range(len(counts))} - said)
