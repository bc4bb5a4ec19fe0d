"""The compact protocol: what is written is read back, and nothing else is followed."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.storage.parquet.thrift import BINARY, I32, I64, LIST, STRUCT, decode, encode, key
from tests.storage import sealed

WHOLE = {I32: st.integers(-(2**31), 2**31 - 1), I64: st.integers(-(2**63), 2**63 - 1)}


def structures(depth: int = 3) -> st.SearchStrategy:
    """Structures of everything that is written."""
    leaves = {**WHOLE, BINARY: st.binary(max_size=200)}
    lists = [st.lists(WHOLE[I32], max_size=20), st.lists(leaves[BINARY], max_size=20)]
    if depth:
        leaves[STRUCT] = structures(depth - 1)
        lists.append(st.lists(structures(depth - 1), max_size=3))
    leaves[LIST] = st.one_of(lists)
    field = st.sampled_from(sorted(leaves)).flatmap(lambda k: st.tuples(st.just(k), leaves[k]))
    steps = st.lists(st.tuples(st.integers(1, 15), field), max_size=5)

    def build(fields: list) -> dict:
        numbers = np.cumsum([step for step, _ in fields], dtype=int).tolist()
        return {key(n, k): v for n, (_, (k, v)) in zip(numbers, fields, strict=True)}

    return steps.map(build)


@given(structures(), st.binary(max_size=20))
def test_what_is_written_is_read_back_whatever_follows(fields, rest):
    content = encode(fields)

    assert decode(content + rest) == (fields, len(content))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_structure_or_a_value_error(content):
    try:
        fields, length = decode(content)
    except ValueError:
        return
    assert isinstance(fields, dict)
    assert 0 < length <= len(content)


@given(structures())
def test_a_structure_that_breaks_off_is_refused_wherever_it_does(fields):
    content = encode(fields)
    for length in range(len(content)):
        with pytest.raises(ValueError, match=r"breaks off|longer"):
            decode(content[:length])


@pytest.fixture(scope="module")
def footer(tmp_path_factory):
    path = tmp_path_factory.mktemp("thrift") / "a.parquet"
    sealed.write(path, [sealed.table(300, 0)], final=True, split=False)
    content = path.read_bytes()
    return content[-8 - int.from_bytes(content[-8:-4], "little") : -8]


def test_a_footer_of_arrow_is_read_to_its_end(footer):
    tree, length = decode(footer)

    assert length == len(footer)
    assert tree[key(3, I64)] == 300
    assert [e[key(4, BINARY)].decode() for e in tree[key(2, LIST)][1:]] == sealed.SCHEMA.names


def test_a_damaged_footer_is_a_structure_or_a_value_error(footer):
    rnd = np.random.default_rng(1)
    refused = 0
    for _ in range(2000):
        content, _ = sealed.damage(footer, range(len(footer)), rnd)
        try:
            decode(content)
        except ValueError:
            refused += 1
    assert 0 < refused < 2000


NUMBER = bytes([0x16])  # field 1, I64
LONG = bytes([0x19])  # field 1, a list


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "breaks off"),
        (b"\x1c" * 1_000_000, "deeper"),
        (LONG + b"\x19" * 1_000_000, "lists"),
        (LONG + b"\xfc\xff\xff\xff\xff\x7f", "longer than what is left"),
        (LONG + b"\xfc\x80\x80\x80\x08" + bytes(1 << 24), "more values"),
        (LONG + b"\xfb\x01\x00\x00", "type 11"),
        (b"\x18\xff\xff\xff\xff\x0f" + bytes(100), "breaks off"),
        (NUMBER + b"\xff" * 9 + b"\x01\x00", None),
        (NUMBER + b"\xff" * 9 + b"\x02\x00", "64 bits"),
        (NUMBER + b"\x80" * 100_000, "ten bytes"),
        (b"\x15\x80\x80\x80\x80\x10\x00", "32 bits"),
        (b"\x14\x80\x80\x04\x00", "16 bits"),
        (b"\x1b\x00\x00", "type 11"),
        (b"\x05\x02\x00\x05\x02\x00\x00", "not in order"),
        (b"\x25\x00\x05\x02\x00\x00", "not in order"),
        (b"\x05\xfe\xff\x03\x00\x15\x00\x00", "not in order"),
    ],
)
def test_what_is_deep_long_or_endless_is_refused(content, why):
    if why is None:
        assert decode(content)[0] == {key(1, I64): -(2**63)}
        return
    with pytest.raises(ValueError, match=why):
        decode(content)


def test_a_field_of_another_type_is_not_there():
    fields, _ = decode(b"\x14\x06\x00")  # field 1 as I16

    assert key(1, I32) not in fields


def test_truths_and_fractions_are_read():
    # Field 1 true, field 2 false, field 3 a list of both, field 4 0.5, field 5 the byte -1.
    content = b"\x11\x12\x19\x21\x01\x02\x17" + np.float64(0.5).tobytes() + b"\x13\xff\x00"

    assert list(decode(content)[0].values()) == [True, False, [True, False], 0.5, -1]


def test_fields_out_of_order_are_not_written():
    with pytest.raises(ValueError, match="order"):
        encode({key(2, I32): 1, key(1, I32): 1})


def test_arrow_reads_what_is_written(footer):
    """The footer of a file of no rows, written here alone."""
    import pyarrow as pa

    made = encode(
        {
            key(1, I32): 2,
            key(2, LIST): [
                {key(4, BINARY): b"schema", key(5, I32): 1},
                {key(1, I32): 2, key(3, I32): 0, key(4, BINARY): b"x" * 300},
            ],
            key(3, I64): 0,
            key(4, LIST): [],
        }
    )
    file = b"PAR1" + made + len(made).to_bytes(4, "little") + b"PAR1"

    schema = pq.read_schema(pa.BufferReader(file))

    assert schema.field("x" * 300).type == pa.int64()
