from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.metrics.entities import parse, sort_key, sorted_entities

NUMBERS = st.integers(0, 10**6)
IDS = st.one_of(
    st.sampled_from(["host", "kernel", "user", "pulse", "pulse/log", "fs:/", "disk:nvme0n1"]),
    NUMBERS.map("gpu:{}".format),
    st.tuples(NUMBERS, NUMBERS).map(lambda n: f"gpu:{n[0]}/mig:{n[1]}"),
    NUMBERS.map("cpu:{}".format),
    st.text(max_size=12),
)


@pytest.mark.parametrize(
    ("entity", "parts"),
    [
        ("host", [("host", "")]),
        ("gpu:0/mig:1/ci:0", [("gpu", "0"), ("mig", "1"), ("ci", "0")]),
        ("fs:/data/big", [("fs", "/data/big")]),
        ("pod:ml/train-0", [("pod", "ml/train-0")]),
        ("pid:4711/gpu:0", [("pid", "4711"), ("gpu", "0")]),
        ("pulse/log", [("pulse", ""), ("log", "")]),
        ('{code="5/1",method="get"}', [("labels", '{code="5/1",method="get"}')]),
        ("", []),
    ],
)
def test_an_id_is_taken_apart_into_its_parts(entity, parts):
    assert [tuple(part) for part in parse(entity)] == parts


def test_entities_sort_as_people_count():
    shuffled = ["cpu:10", "gpu:10", "gpu:0/mig:1", "cpu:2", "gpu:2", "host", "gpu:0", "user"]

    assert sorted_entities(shuffled) == [
        "host", "gpu:0", "gpu:0/mig:1", "gpu:2", "gpu:10", "cpu:2", "cpu:10", "user",
    ]  # fmt: skip


@given(st.lists(IDS, max_size=12))
def test_any_ids_can_be_sorted_together(entities):
    result = sorted_entities(entities)

    assert sorted(result) == sorted(entities)
    assert sorted_entities(list(reversed(result))) == sorted_entities(result) or len(
        {sort_key(e) for e in entities}
    ) < len(set(entities))


@given(NUMBERS, NUMBERS)
def test_numbers_sort_by_value(first, second):
    assert (sort_key(f"gpu:{first}") < sort_key(f"gpu:{second}")) == (first < second)
