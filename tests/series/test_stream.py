"""The packets of a stream, and its answers, whatever transport carries them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.series.detail import Detail, detail_of
from pulse_widgets.series.header import NO_EVENTS
from pulse_widgets.series.history import History
from pulse_widgets.series.packet_rows import PACKET_ROWS
from pulse_widgets.series.rows import Rows
from pulse_widgets.series.stream import REPLY_SERIES_MOST, Stream, read_range
from pulse_widgets.series.wire import decode
from pulse_widgets.widgets import feed
from pulse_widgets.widgets.feed import Feed
from tests.programs import run
from tests.transports import Filed, Listed

START_US = 1_700_000_000_000_000
PATH = "/home/somebody/run.pulse"


class Past:
    """A provider of one series with three rows."""

    def __init__(self):
        self.stored = Rows.of([0, 0, 0], [START_US + i * 1_000_000 for i in range(3)], [1, 5, 3])
        self.asked = []

    def screen(self):
        return History().screen()

    def detail(self, ids, t0_s, t1_s, points):
        self.asked.append(ids)
        return Detail(*detail_of(self.stored if 0 in ids else Rows.of([], [], []), points))

    def series(self):
        return [{"id": 0, "host": "h0", "entity": "user", "metric": "loss"}]

    def entities(self):
        return []

    def events(self, count):
        return NO_EVENTS

    def state(self):
        return {"phase": "running", "recording": {"path": PATH}}


def without_state(header):
    return {**header, "state": {}}


def made(**how):
    return Stream(Past(), **{"redact": without_state, **how})


class Page:
    """A feed of Jupyter, and what it sent and set."""

    def __init__(self, stream, monkeypatch):
        monkeypatch.setattr(feed, "bundled", lambda name: "export default {};")
        self.feed = Feed(stream)
        self.delivered, self.said = [], []
        monkeypatch.setattr(self.feed, "send", self._send)

    def _send(self, content, buffers=()):
        self.said.append(content)
        self.delivered.extend(buffers)

    @property
    def kept(self):
        return [self.feed.snapshot] if self.feed.snapshot else []


@pytest.fixture(params=["list", "file", "feed"])
def told(request, tmp_path, monkeypatch):
    """A stream, and a transport that knows what it was handed."""
    stream = made()
    if request.param == "feed":
        page = Page(stream, monkeypatch)
        yield stream, page
        page.feed.close()
        return
    transport = Listed() if request.param == "list" else Filed(tmp_path / "packets")
    stream.attach(transport)
    yield stream, transport


def flood(count):
    """Rows of one series, with a spike of one sample in every hundred."""
    value = np.zeros(count)
    value[50::100] = 1.0
    return Rows.of(np.zeros(count), START_US + np.arange(count) * 10, value)


def values(packet):
    count = packet.header["n"]
    return np.frombuffer(packet.body, "<f8", count, 8 * count)


# What is told -----------------------------------------------------------------------------


def test_a_long_frame_is_split_into_frames_that_follow_each_other(told):
    stream, transport = told
    rows = flood(100_000)

    stream.publish_frame(rows, moments=[{"time": 1.0}])
    stream.publish_frame(rows.cut(0, 10))

    frames = [decode(packet) for packet in transport.delivered]
    assert [one.header["seq"] for one in frames] == [1, 2, 3]
    assert [one.header["n"] for one in frames] == [PACKET_ROWS, 100_000 - PACKET_ROWS, 10]
    np.testing.assert_array_equal(np.concatenate([*map(values, frames[:2])]), rows.value)
    assert ["moments" in one.header for one in frames] == [True, False, False]
    assert all("reduced" not in one.header for one in frames)
    assert stream.sent_bytes == sum(map(len, transport.delivered))


def test_a_frame_beyond_what_may_be_sent_says_of_which_series_only_extremes_came(told):
    stream, transport = told
    few = Rows.of([1, 2], [START_US] * 2, [5.0, 6.0])

    stream.publish_frame(Rows.concat([flood(1_000_000), few]))

    frames = [decode(packet) for packet in transport.delivered]
    assert [one.header.get("reduced") for one in frames] == [None, [0]]
    assert values(frames[0]).tolist() == [5.0, 6.0]
    assert sum(len(packet) for packet in transport.delivered) < 3 << 20
    assert values(frames[1]).sum() >= 10_000


def test_a_frame_with_news_and_no_rows_is_one_frame(told):
    stream, transport = told

    stream.publish_frame(Rows.of([], [], []), state={"phase": "running"})

    assert [decode(packet).header["n"] for packet in transport.delivered] == [0]


def test_who_listens_hears_everything_and_what_is_kept_is_redacted(told):
    stream, transport = told

    stream.publish_keyframe()
    stream.keep()

    assert [decode(p).header["state"] for p in transport.delivered] == [Past().state()]
    assert transport.kept
    for packet in [*transport.kept, stream.snapshot()]:
        assert decode(packet).header["state"] == {}
        assert decode(packet).header["series"] == Past().series()
        assert PATH.encode() not in packet


class Broken:
    """A transport that carries nothing."""

    def deliver(self, packet):
        raise OSError(32, "Broken pipe")

    keep = deliver


def test_a_transport_that_fails_is_counted_and_costs_no_other_a_packet(caplog):
    stream, whole = made(), Listed()
    for transport in (Broken(), whole):
        stream.attach(transport)

    stream.publish_frame(Past().stored)
    stream.publish_keyframe()
    stream.keep()

    assert [decode(p).header["kind"] for p in whole.delivered] == ["frame", "keyframe"]
    assert len(whole.kept) == 1
    assert stream.failures == 3
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "a frame could not be sent"
    ]


# What is asked ----------------------------------------------------------------------------

RANGE = {"kind": "range", "request": 7, "ids": [0], "t0": 0, "t1": 4e9, "points": 100}


def test_a_range_is_answered_with_its_rows():
    answer = decode(made().answer(RANGE))

    assert answer.header["kind"] == "rows"
    assert answer.header["request"] == 7
    assert (answer.header["ids"], answer.header["reduced"]) == ([0], [])
    assert values(answer).tolist() == [1, 5, 3]


def test_of_very_many_series_as_many_are_answered_as_a_page_asks_for_at_once():
    provider = Past()
    stream = Stream(provider, redact=without_state)

    answer = decode(stream.answer({**RANGE, "ids": list(range(2500))}))

    assert [len(ids) for ids in provider.asked] == [REPLY_SERIES_MOST]
    assert len(answer.header["ids"]) == REPLY_SERIES_MOST


@pytest.mark.parametrize("comes", [False, True])
def test_a_view_that_begins_gets_a_keyframe_unless_one_will_come_anyway(comes):
    heard = []
    stream = made(on_hello=lambda: comes, on_view=lambda: heard.append(True))

    answer = stream.answer({"kind": "hello"})

    assert bool(answer) is not comes
    assert comes or decode(answer).header["state"] == Past().state()
    assert stream.answer({"kind": "seen"}) == b""
    assert len(heard) == 2


REFUSED = [
    {**RANGE, **wrong}
    for wrong in (
        {"ids": "0"},
        {"ids": None},
        {"ids": {}},
        {"ids": ["x"]},
        {"ids": [[0]]},
        {"ids": [1 << 31]},
        {"ids": [float("inf")]},
        {"t0": float("nan")},
        {"t1": float("nan")},
        {"t0": float("-inf")},
        {"t0": -1e300},
        {"t1": 1e12},
        {"t1": None},
        {"points": "many"},
        {"points": float("inf")},
        {"request": None},
        {"kind": "rang"},
        {"kind": ["range"]},
        {"kind": None},
    )
] + [{key: value for key, value in RANGE.items() if key != gone} for gone in RANGE]


@pytest.mark.parametrize("request_", [*REFUSED, {}, None, [], "range", 3])
def test_what_is_no_request_gets_no_answer_and_asks_the_provider_nothing(request_):
    provider = Past()

    assert Stream(provider, redact=without_state).answer(request_) == b""
    assert provider.asked == []


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
anything = st.recursive(
    scalars, lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(max_size=4), one)
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(RANGE, anything)))
def test_no_message_raises_and_what_is_read_is_within_bounds(message):
    for request_ in (message, {**RANGE, **message, "kind": "range"}):
        asked = read_range(request_)
        assert isinstance(made().answer(request_), bytes)
        if asked is not None:
            assert all(abs(i) < 1 << 31 for i in asked.ids)
            assert abs(asked.t0) < 1e11 > abs(asked.t1)
            assert 1 <= asked.points <= 20_000


# A session, without Jupyter ---------------------------------------------------------------

STREAMED = """
import json, pathlib
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.registry import Registry
from pulse_widgets.session.sender import LiveSender
from pulse_widgets.session.session import Session, Settings
from tests.transports import Filed
from tests.waiting import until

class Writer:
    bytes_written = 0
    def write(self, rows): pass
    def write_labels(self, *_): pass
    def close(self): pass

session = Session(Settings(title='a run'), registry=Registry(), clock=Clock())
session.path = pathlib.Path('/home/somebody/run.pulse')
sender = LiveSender(session)
out = Filed(pathlib.Path(sys.argv[1]))
sender.stream.attach(out)
session.start(); sender.start()
for i in range(100): session.user.log({'loss': float(i)}, i)
loss = lambda: session.registry.find('h0', 'user', 'loss')
until(lambda: loss() is not None and len(session.stage.rows([loss()], 0, 4e9)) == 100)
sender.stream.answer({'kind': 'hello'})
until(lambda: any(b'"keyframe"' in packet for packet in out.delivered))
asked = {'kind': 'range', 'request': 3, 'ids': [loss()], 't0': 0, 't1': 4e9, 'points': 1000}
sender.stream.deliver(sender.stream.answer(asked), out)
session.stop()
assert sender.ended.wait(20)
print(json.dumps([loss(), sorted(sys.modules)]))
"""


def test_a_session_is_streamed_to_a_file_and_answers_without_any_widget(tmp_path):
    out, _ = run(STREAMED, tmp_path / "home", tmp_path / "packets")

    loss, modules = json.loads(out)
    foreign = {"anywidget", "ipywidgets", "traitlets", "IPython", "pulse_widgets.widgets"}
    assert foreign.isdisjoint(modules)
    heard = Filed(tmp_path / "packets")
    packets = [decode(packet) for packet in heard.delivered]
    frames = [p for p in packets if p.header["kind"] == "frame"]
    keyframes = [p.header for p in packets if p.header["kind"] == "keyframe"]
    (answer,) = [p for p in packets if p.header.get("request") == 3]

    assert [f.header["seq"] for f in frames] == list(range(1, len(frames) + 1))
    assert of_series(frames, loss) == of_series([answer], loss) == [float(i) for i in range(100)]
    assert keyframes[-1]["state"]["phase"] == "stopped"
    place = keyframes[-1]["ids"].index(loss)
    assert (keyframes[-1]["lo"][place], keyframes[-1]["hi"][place]) == (0.0, 99.0)
    assert keyframes[-1]["state"]["recording"]["path"] == "/home/somebody/run.pulse"
    last = decode(heard.kept[-1]).header
    assert last["state"] == {
        **keyframes[-1]["state"],
        "recording": {**keyframes[-1]["state"]["recording"], "path": "run.pulse"},
    }
    assert not any(b"/home/somebody" in packet for packet in heard.kept)


def of_series(packets, series):
    found = []
    for packet in packets:
        n, stepped = packet.header["n"], packet.header["steps"]
        ids = np.frombuffer(packet.body, "<i4", n, 8 * n * (3 if stepped else 2))
        found += values(packet)[ids == series].tolist()
    return found


# In Jupyter -------------------------------------------------------------------------------


def test_a_feed_that_is_over_keeps_no_code_and_no_path_and_gives_the_code_to_who_asks(monkeypatch):
    stream = made()
    page = Page(stream, monkeypatch)
    assert page.feed.code == "export default {};"
    before = page.feed.code_hash

    page.feed.retire(stream.snapshot())
    page.feed._receive(None, {"kind": "code"}, None)
    page.feed._receive(None, {"kind": "hello"}, None)

    state = page.feed.get_state()
    assert (state["code"], state["code_hash"]) == ("", before)
    assert decode(page.feed.snapshot).header["state"] == {}
    assert page.said == [{"kind": "code", "code": "export default {};"}, {"kind": "packet"}]
    assert [decode(p).header["state"] for p in page.delivered] == [Past().state()]
    page.feed.close()


def test_a_keyframe_that_comes_after_the_end_does_not_fill_the_model_again(monkeypatch):
    stream = made()
    page = Page(stream, monkeypatch)
    stream.keep()
    assert decode(page.feed.snapshot).header["series"]

    page.feed.retire(b"the last")
    stream.keep()

    assert (page.feed.code, page.feed.snapshot, stream.failures) == ("", b"the last", 0)
    page.feed.close()


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
def test_a_page_says_whether_it_wants_lines_of_text(message, heard):
    said = []
    stream = made(on_lines=said.append)

    stream.answer(message)

    assert said == heard
