"""Packets that are damaged, and sizes no packet has; `js/core/wire/damage.test.ts` does the same."""

import json
import struct
import zlib
from pathlib import Path

import pytest

from pulse_widgets.errors import WireError
from pulse_widgets.series.packing import MOST_INFLATED, deflated, inflated
from pulse_widgets.series.wire import decode, encode

GOLDEN = Path(__file__).parent.parent / "data" / "wire" / "keyframe.bin"
PREFIX = 16
UNREAD = 7
"""Bits behind the last of the deflated ones, up to a whole byte: nothing reads them."""


def test_a_deflated_packet_with_any_bit_wrong_is_refused_but_for_bits_that_say_nothing():
    packet = GOLDEN.read_bytes()
    whole = decode(packet)
    start = PREFIX + struct.unpack_from("<I", packet, 8)[0]
    read = 0
    for bit in range(8 * start, 8 * len(packet)):
        damaged = bytearray(packet)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        try:
            found = decode(bytes(damaged))
        except WireError:
            continue
        assert found == whole
        read += 1
    assert read <= UNREAD


def test_bytes_behind_the_deflated_ones_are_refused():
    with pytest.raises(WireError):
        inflated(deflated(bytes(100)) + b"\0", 100)


def packet_of(sizes):
    return encode({"kind": "frame", "deflated": sizes}, zlib.compress(b"{}      body"))


def test_two_sizes_that_are_true_are_read():
    assert decode(packet_of([8, 4])).body == b"body"


@pytest.mark.parametrize(
    "sizes",
    [
        *("x", None, True, 12, {}, [], [1], [8], [8, 4, 0]),
        *([None, 1], ["8", 4], [True, 11], [[8], 4], [8.5, 3.5], [8.0, 4], [1000.0, 2]),
        *([-8, 16], [16, -4], [-8, -4], [4, 8], [8, 3], [8, 5], [0, 8]),
        *([1 << 62, -(1 << 62)], [8, 1 << 62]),
    ],
)
def test_sizes_that_are_no_two_whole_numbers_or_not_true_are_refused(sizes):
    with pytest.raises(WireError):
        decode(packet_of(sizes))


@pytest.mark.parametrize(
    "sizes", [[MOST_INFLATED - 8, MOST_INFLATED - 8], [8, MOST_INFLATED - 7]], ids=["each", "sum"]
)
def test_sizes_that_are_too_large_together_are_refused_before_anything_is_made(sizes):
    with pytest.raises(WireError, match="too large"):
        decode(packet_of(sizes))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b"7", b"null", b"[" * 100_000])
def test_a_header_that_is_no_object_is_refused(text):
    text += b" " * (-len(text) % 8)
    packet = struct.pack("<4sHHII", b"PULS", 1, 2, len(text), 0) + text
    with pytest.raises(WireError):
        decode(packet)
    sizes = json.dumps({"deflated": [len(text), 0]}).encode()
    sizes += b" " * (-len(sizes) % 8)
    content = zlib.compress(text)
    outer = struct.pack("<4sHHII", b"PULS", 1, 2, len(sizes), len(content)) + sizes + content
    with pytest.raises(WireError):
        decode(outer)
