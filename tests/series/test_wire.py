import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pulse_widgets.errors import WireError
from pulse_widgets.series.history import Screen
from pulse_widgets.series.packing import packed, unpacked
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.series.wire import (
    CODE_MISSING,
    CODE_NONE,
    decode,
    encode,
    frame,
    keyframe,
    live,
    rows_reply,
)

GOLDEN = Path(__file__).parent.parent / "data" / "wire"

SERIES = [
    {
        "id": 0,
        "host": "h0",
        "entity": "gpu:0",
        "metric": "gpu.power",
        "unit": "W",
        "kind": "gauge",
        "labels": {"uuid": "GPU-é"},
    },
    {
        "id": 1,
        "host": "h0",
        "entity": "user",
        "metric": "train/loss",
        "unit": "",
        "kind": "gauge",
        "labels": {},
    },
]
ENTITIES = [
    {"host": "h0", "entity": "gpu:0", "labels": {"name": "x"}},
    {"host": "h1", "entity": "gpu:0", "labels": {"name": "y"}},
]
STATE = {"phase": "running", "title": "golden", "t0": 1_760_000_000.0, "t1": None}
T0_US = 1_760_000_000_000_000


def golden_frame():
    rows = Rows.of(
        [0, 1, 0, 1],
        [T0_US, T0_US + 1, T0_US + 1_000_000, T0_US + 2_500_000],
        [351.25, 0.5, np.nan, -1e300],
        [NO_STEP, 7, NO_STEP, 8],
    )
    about = {"host": "h0", "entity": "kernel"}
    return frame(
        3,
        rows,
        series=SERIES,
        entities=ENTITIES,
        state=STATE,
        moments=[{**about, "time": 1.5, "metric": "mark", "facts": {"label": "here"}}],
        spans=[
            {
                **about,
                "id": "3@1",
                "start": 1.0,
                "end": None,
                "metric": "cell",
                "facts": {"count": 3},
            }
        ],
        lines=[{"series": 1, "time": 1.5, "text": "printed"}],
    )


def golden_keyframe():
    screen = Screen(
        ids=np.array([0, 1], np.int32),
        edges=1_760_000_000 + np.array([0.0, 4.0, 8.0, 9.0]),
        low=np.array([[1.0, np.inf, 3.0], [np.inf, np.inf, -5.0]]),
        high=np.array([[2.0, -np.inf, 9.0], [-np.inf, -np.inf, -5.0]]),
        mean=np.array([[1.25, np.nan, np.nan], [np.nan, np.nan, -5.0]]),
        missing=np.array([[False, True, False], [False, False, False]]),
        stepped=np.array([1], np.int32),
        step=np.array([[np.nan, np.nan, 12.0]]),
    )
    return keyframe(9, screen, series=SERIES, entities=ENTITIES, state=STATE)


def golden_rows():
    rows = Rows.of([1, 1], [T0_US, T0_US + 500_000], [1.5, 2.5])
    screen = Screen(
        ids=np.array([2, 0], np.int32),
        edges=1_760_000_000 + np.array([0.0, 0.5, 1.0]),
        low=np.array([[1.0, np.inf], [-3.0, 7.0]]),
        high=np.array([[2.0, -np.inf], [-3.0, 1e300]]),
        mean=np.array([[1.125, np.nan], [-3.0, 8.0]]),
        missing=np.array([[False, True], [False, False]]),
        stepped=np.array([0], np.int32),
        step=np.array([[np.nan, 12.0]]),
    )
    return rows_reply(4, [0, 1, 2], 1_760_000_000.0, 1_760_000_001.0, rows, screen)


@pytest.mark.parametrize(
    ("name", "packet"),
    [("frame", golden_frame), ("keyframe", golden_keyframe), ("rows", golden_rows)],
)
def test_the_bytes_on_the_wire_are_those_both_ends_agreed_on(name, packet):
    made = packet()

    assert made == (GOLDEN / f"{name}.bin").read_bytes()
    assert json.loads((GOLDEN / f"{name}.json").read_text()) == decode(made).header


@pytest.mark.parametrize("name", ["frame-1.0", "frame-1.1", "keyframe-1.0", "keyframe-1.1"])
def test_packets_of_older_versions_are_still_read(name):
    packet = decode((GOLDEN / f"{name}.bin").read_bytes())

    assert packet.header["kind"] == name.partition("-")[0]


def test_a_frame_holds_the_columns_in_the_order_of_the_format():
    packet = decode(golden_frame())

    time = np.frombuffer(packet.body, "<f8", 4)
    value = np.frombuffer(packet.body, "<f8", 4, 32)
    step = np.frombuffer(packet.body, "<f8", 4, 64)
    ids = np.frombuffer(packet.body, "<i4", 4, 96)
    assert packet.header["n"] == 4
    np.testing.assert_allclose(time - 1_760_000_000, [0, 1e-6, 1, 2.5], atol=3e-7)
    np.testing.assert_array_equal(value, [351.25, 0.5, np.nan, -1e300])
    np.testing.assert_array_equal(step, [np.nan, 7, np.nan, 8])
    assert ids.tolist() == [0, 1, 0, 1]


def test_a_keyframe_says_missing_and_nothing_with_different_codes():
    packet = decode(golden_keyframe())

    body = np.reshape(unpacked(packet.body[(4 + 3) * 8 :], 6), (3, 2, 3))
    assert body[0, 0].tolist() == [0, CODE_MISSING, 65533 * 2 // 8]
    assert body[1, 0].tolist() == [8192, CODE_MISSING, 65533]
    assert body[0, 1].tolist() == [CODE_NONE, CODE_NONE, 0]
    assert body[2].tolist() == [[2048, CODE_MISSING, CODE_NONE], [CODE_NONE, CODE_NONE, 0]]


@given(
    hnp.arrays(np.float64, (3, 5), elements=st.floats(-1e100, 1e100, allow_nan=False, width=64)),
    hnp.arrays(np.float64, (3, 5), elements=st.floats(0, 1e99)),
    hnp.arrays(np.float64, (3, 5), elements=st.floats(0, 1)),
)
def test_a_decoded_envelope_contains_the_true_one_and_its_mean(low, width, share):
    high = low + width
    mean = np.clip(low + width * share, low, high)
    nothing = np.zeros((3, 5), np.bool_)
    ids = np.arange(3, dtype=np.int32)
    screen = Screen(ids, np.arange(6.0), low, high, mean, nothing, ids[:0], low[:0])

    packet = decode(keyframe(0, screen, series=[], entities=[], state={}))

    codes = np.reshape(unpacked(packet.body[6 * 8 :], 15), (3, 3, 5)).astype(float)
    least, most = np.array(packet.header["lo"]), np.array(packet.header["hi"])
    span = (most - least)[:, None]
    slack = 1e-9 * np.maximum(np.abs(least), np.abs(most))[:, None] + span * 1e-12
    assert (least[:, None] + span * codes[0] / 65533 <= low + slack).all()
    assert (least[:, None] + span * codes[1] / 65533 >= high - slack).all()
    told = codes[2] != CODE_NONE
    assert told.all(axis=1).tolist() == (np.isfinite(span[:, 0]) & _divides(span[:, 0])).tolist()
    assert ((codes[0] <= codes[2]) & (codes[2] <= codes[1]))[told].all()
    off = np.abs(least[:, None] + span * codes[2] / 65533 - mean)
    assert (off <= 1.0001 * span / 65533 + slack)[told].all()


def _divides(span):
    with np.errstate(over="ignore", divide="ignore"):
        return (span == 0) | np.isfinite(65533 / span)


@pytest.mark.parametrize(
    "damage",
    [lambda p: p[:10], lambda p: b"PULX" + p[4:], lambda p: p[:-1], lambda p: p + b"x"],
)
def test_bytes_that_are_no_whole_packet_are_refused(damage):
    with pytest.raises(WireError):
        decode(damage(golden_frame()))


@pytest.mark.parametrize("deflate", [False, True])
def test_a_newer_major_version_is_refused_with_the_upgrade_line(deflate):
    packet = bytearray(encode({"kind": "frame"}, deflate=deflate))
    packet[4] = 2

    with pytest.raises(WireError, match="pip install -U pulse_widgets"):
        decode(bytes(packet))


numbers = st.integers(0, 65533)
cells = st.one_of(
    st.tuples(numbers, numbers, numbers).map(sorted).map(lambda v: (v[0], v[2], v[1])),
    st.tuples(numbers, numbers).map(sorted).map(lambda v: (v[0], v[1], CODE_NONE)),
    st.sampled_from([(CODE_MISSING,) * 3, (CODE_NONE,) * 3, (5, 9, 7)]),
)


@given(st.lists(cells, max_size=40))
def test_codes_that_were_packed_come_back(cells):
    codes = np.array(cells, "<u2").reshape(-1, 3).T

    back = unpacked(packed(codes), len(cells))

    np.testing.assert_array_equal(back, codes)


@given(st.dictionaries(st.text(), st.text()), st.binary(max_size=200))
def test_a_deflated_packet_says_what_a_plain_one_does(header, body):
    header = {k: v for k, v in header.items() if k != "deflated"}
    assert decode(encode(header, body, deflate=True)) == decode(encode(header, body))


@pytest.mark.parametrize("sizes", [[8, 3], [8, 5], [0, 8], [8, 1 << 40], [-8, 20]])
def test_a_deflated_packet_that_has_not_the_size_it_tells_is_refused(sizes):
    whole = encode({"kind": "frame"}, b"body", deflate=True)
    wrong = encode({"kind": "frame", "deflated": sizes}, decode_prefix(whole))
    with pytest.raises(WireError):
        decode(wrong)


def decode_prefix(packet):
    """The body of a packet as it is, deflated or not."""
    return packet[16 + int.from_bytes(packet[8:12], "little") :]


def test_the_body_begins_on_a_multiple_of_eight():
    for length in range(20):
        packet = encode({"k": "x" * length}, b"body")
        assert packet.index(b"body") % 8 == 0


def noise(series, buckets):
    """A screen of which nothing can be told from anything else in it."""
    low, mean, high = np.sort(np.random.default_rng(0).normal(size=(3, series, buckets)), axis=0)
    ids = np.arange(series, dtype=np.int32)
    nothing = np.zeros(low.shape, np.bool_)
    return Screen(ids, np.arange(buckets + 1.0), low, high, mean, nothing, ids[:0], low[:0])


def test_96_series_of_mere_noise_fit_a_live_keyframe_of_150_kilobytes():
    series = [{**SERIES[0], "id": i} for i in range(96)]
    header = {"series": series, "entities": [], "state": STATE}

    assert len(keyframe(1, live(noise(96, 300)), **header)) <= 150_000
    assert len(keyframe(1, noise(96, 300), **header)) > 150_000


def test_a_live_keyframe_tells_every_extreme_and_mean_to_a_five_thousandth_of_the_range():
    screen = noise(4, 300)

    packet = decode(keyframe(1, live(screen), series=[], entities=[], state={}))

    low, high = (np.array(packet.header[key])[:, None] for key in ("lo", "hi"))
    codes = unpacked(packet.body[301 * 8 :], 4 * 300)
    least, greatest, mean = (
        low + (high - low) * (each.reshape(4, 300) * 13.0 / 65533) for each in codes
    )
    level = (high - low) / 5000
    assert ((least <= screen.low + 1e-9) & (least > screen.low - level)).all()
    assert ((greatest >= screen.high - 1e-9) & (greatest < screen.high + level)).all()
    assert (np.abs(mean - screen.mean) < level).all()


def test_a_keyframe_tells_the_newest_values_exactly_and_none_where_one_is_missing():
    ids, nothing = np.arange(2, dtype=np.int32), np.zeros((2, 1), np.bool_)
    low = np.zeros((2, 1))
    screen = Screen(
        ids, np.arange(2.0), low, low, low, nothing, ids[:0], low[:0], np.array([0.3, np.nan])
    )

    packet = decode(keyframe(0, screen, series=[], entities=[], state={}))

    assert packet.header["last"] == [0.3, None]
