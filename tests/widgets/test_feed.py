import numpy as np
import pytest

from pulse_widgets.series.header import NO_EVENTS
from pulse_widgets.series.history import History
from pulse_widgets.series.pieces import PACKET_ROWS
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.wire import decode
from pulse_widgets.widgets import feed
from pulse_widgets.widgets.feed import Feed


class Past:
    """A source of which nothing is known yet."""

    def screen(self):
        return History().screen()

    def rows(self, ids, t0_s, t1_s):
        return Rows.of([], [], [])

    def series(self):
        return []

    def entities(self):
        return []

    def events(self, count):
        return NO_EVENTS

    def state(self):
        return {}


@pytest.fixture
def sent(monkeypatch):
    """A feed, and the packets that it sent."""
    monkeypatch.setattr(feed, "bundled", lambda name: "export default {};")
    made, packets = Feed(Past()), []
    monkeypatch.setattr(made, "send", lambda content, buffers: packets.extend(buffers))
    yield made, packets
    made.close()


def flood(count):
    """Rows of one series, with a spike of one sample in every hundred."""
    value = np.zeros(count)
    value[50::100] = 1.0
    return Rows.of(np.zeros(count), 1_700_000_000_000_000 + np.arange(count) * 10, value)


def values(packet):
    count = packet.header["n"]
    return np.frombuffer(packet.body, "<f8", count, 8 * count)


def test_a_long_frame_is_split_into_frames_that_follow_each_other(sent):
    made, packets = sent
    rows = flood(100_000)

    made.publish_frame(rows, moments=[{"time": 1.0}])
    made.publish_frame(rows.cut(0, 10))

    frames = [decode(packet) for packet in packets]
    assert [one.header["seq"] for one in frames] == [1, 2, 3]
    assert [one.header["n"] for one in frames] == [PACKET_ROWS, 100_000 - PACKET_ROWS, 10]
    np.testing.assert_array_equal(np.concatenate([*map(values, frames[:2])]), rows.value)
    assert ["moments" in one.header for one in frames] == [True, False, False]
    assert all("reduced" not in one.header for one in frames)


def test_a_frame_beyond_what_may_be_sent_says_of_which_series_only_extremes_came(sent):
    made, packets = sent
    few = Rows.of([1, 2], [1_700_000_000_000_000] * 2, [5.0, 6.0])

    made.publish_frame(Rows.concat([flood(1_000_000), few]))

    frames = [decode(packet) for packet in packets]
    assert [one.header.get("reduced") for one in frames] == [None, [0]]
    assert values(frames[0]).tolist() == [5.0, 6.0]
    assert sum(len(packet) for packet in packets) < 3 << 20
    assert values(frames[1]).sum() >= 10_000


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        ({"kind": "lines", "on": True}, [True]),
        ({"kind": "lines", "on": False}, [False]),
        ({"kind": "lines", "on": "yes"}, [False]),
        ({"kind": "lines"}, [False]),
        ({"kind": "hello"}, []),
    ],
)
def test_a_page_says_whether_it_wants_lines_of_text(monkeypatch, message, heard):
    monkeypatch.setattr(feed, "bundled", lambda name: "export default {};")
    told = []
    made = Feed(Past(), on_hello=lambda: True, on_lines=told.append)
    made._handle_custom_msg(message, [])
    made.close()

    assert told == heard


def test_a_frame_with_news_and_no_rows_is_one_frame(sent):
    made, packets = sent

    made.publish_frame(Rows.of([], [], []), state={"phase": "running"})

    assert [decode(packet).header["n"] for packet in packets] == [0]
