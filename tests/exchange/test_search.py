"""js/core/still/search.test.ts asks the browser the same."""

from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.exchange.search import TRIAL, what_fits

DETAILS = [600.0, 400.0, 250.0, 160.0, 130.0, 110.0, 70.0, 40.0]
"""About what a series takes with each of them."""
WITH_ALL = 5


class Packer:
    """Tells what packets would take, and counts those that are no mere trials."""

    def __init__(self, uneven=0.0):
        self.uneven, self.large = uneven, 0

    def size(self, ids, detail):
        self.large += len(ids) > TRIAL
        each = DETAILS[detail]
        return 500 + round(sum(each * (1 + self.uneven * (i * 7919 % 101 / 101)) for i in ids))


def groups_of(sizes):
    edges = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    return [list(range(*pair)) for pair in pairwise(edges)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=60),
    st.integers(0, 20),
    st.integers(1_000, 200_000),
    st.sampled_from([0.0, 0.5, 3.0]),
)
def test_what_fits_is_the_most_that_does_in_order_without_what_never_can(sizes, first, room, rough):
    groups, packer = groups_of(sizes), Packer(rough)
    first = min(first, len(groups))

    ids, detail = what_fits(groups, room, (first, WITH_ALL, len(DETAILS)), packer.size)

    assert packer.size(ids, detail) <= room
    last = len(DETAILS) - 1
    able = [group for group in groups if packer.size(group, last) <= room]
    some = [each[:n] for each in (groups, able) for n in range(len(groups) + 1)]
    assert ids in [list(chain(*each)) for each in some]
    assert bool(ids) == bool(able)


@pytest.mark.parametrize("uneven", [0.0, 1.0])
@pytest.mark.parametrize("room", [15_000, 45_000, 140_000, 600_000])
@pytest.mark.parametrize(
    "sizes", [[1] * 2000, [64] * 31, [8] * 250, [2000], [1000, *[1] * 1000], [5, 3, *[400] * 5]]
)
def test_two_thousand_series_are_packed_a_few_times_only(sizes, room, uneven):
    packer = Packer(uneven)

    what_fits(groups_of(sizes), room, (5, WITH_ALL, len(DETAILS)), packer.size)

    assert packer.large <= 12
