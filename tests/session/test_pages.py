"""What a page is told of a session, and what it learns that it missed."""

import time

import numpy as np

from pulse_widgets.series.rows import Rows
from pulse_widgets.series.wire import decode
from pulse_widgets.session.sender import LiveSender
from pulse_widgets.session.session import HOST
from pulse_widgets.widgets.feed import Feed
from pulse_widgets.widgets.hub import live_hub
from tests.transports import Listed
from tests.waiting import until


class Page(Listed):
    """What a page would hear of one logged number."""

    def __init__(self, session):
        super().__init__()
        self.session = session
        self.sender = LiveSender(session)
        self.packets = self.delivered
        self.sender.stream.attach(self)
        self.series = session.registry.add(HOST, "user", "counter")

    def show(self, value):
        self.session.stage.show(Rows.of([self.series], [time.time_ns() // 1000], [value]))

    def headers(self, kind):
        headers = [decode(packet).header for packet in list(self.packets)]
        return [header for header in headers if header["kind"] == kind]

    def values(self):
        return [value for packet in map(decode, list(self.packets)) for value in self._in(packet)]

    def _in(self, packet):
        if packet.header["kind"] != "frame":
            return []
        return self._values(packet)

    def _values(self, packet):
        n = packet.header["n"]
        values = np.frombuffer(packet.body, "<f8", n, 8 * n)
        ids = np.frombuffer(packet.body, "<i4", n, 8 * n * (3 if packet.header["steps"] else 2))
        return values[ids == self.series].tolist()

    def knows_of_a_hole(self):
        seqs = [header["seq"] for header in self.headers("frame")]
        return seqs != list(range(seqs[0], seqs[0] + len(seqs)))


def test_a_page_opens_with_what_was_shown_until_then_and_hears_the_rest_once(session, monkeypatch):
    page = Page(session)
    monkeypatch.setattr(Feed, "deliver", lambda _, packet: page.deliver(packet))
    for value in (1.0, 2.0):
        page.show(value)

    hub = live_hub(session, stop=lambda: None, open_recording=lambda: None)
    opened = decode(hub.feed.snapshot).header
    page.show(3.0)
    until(lambda: 3.0 in page.values())

    assert (opened["kind"], opened["seq"]) == ("keyframe", 0)
    assert opened["state"]["phase"] == "running"
    assert {"loss", "counter"} <= {one["metric"] for one in opened["series"]}
    assert opened["hi"][opened["ids"].index(page.series)] == 2.0
    assert page.values() == [3.0]


def test_a_pass_of_the_feed_that_fails_does_not_end_it(session, monkeypatch, caplog):
    monkeypatch.setattr("pulse_widgets.session.sender.AGAIN_S", 0.01)
    sender = LiveSender(session)
    sender.stream.attach(Listed())
    state, failing = sender.provider.state, [True]

    def fails():
        if failing:
            raise ValueError("not JSON")
        return state()

    monkeypatch.setattr(sender.provider, "state", fails)
    sender.start()
    until(lambda: sender.stream.failures > 1)
    failing.clear()
    until(lambda: sender.stream.sent_bytes)
    session.stop()

    assert sender.ended.wait(5)
    assert [record.message for record in caplog.records] == ["a pass of the feed failed"]


def test_rows_that_a_failed_pass_had_taken_are_known_to_be_missed(session, monkeypatch):
    monkeypatch.setattr("pulse_widgets.session.sender.AGAIN_S", 0.01)
    page = Page(session)
    labelled, failing = session.labelled, []

    def fails_once():
        if failing:
            failing.clear()
            raise RuntimeError("dictionary changed size during iteration")
        return labelled()

    monkeypatch.setattr(session, "labelled", fails_once)
    page.sender.start()
    page.show(1.0)
    until(lambda: 1.0 in page.values())
    failing.append(True)
    page.show(2.0)
    until(lambda: page.sender.stream.failures)
    page.show(3.0)
    until(lambda: 3.0 in page.values())
    session.stop()
    assert page.sender.ended.wait(5)

    assert 2.0 not in page.values()
    assert page.knows_of_a_hole()
    assert page.headers("keyframe")[-1]["hi"][-1] == 3.0


def test_a_page_that_asked_gets_its_keyframe_though_the_last_pass_fails(session, monkeypatch):
    monkeypatch.setattr("pulse_widgets.session.sender.AGAIN_S", 0.01)
    page = Page(session)

    def fails(_follower):
        raise MemoryError

    monkeypatch.setattr(session.stage, "screen_after", fails)
    session.stage.finished = True
    page.sender.stream.answer({"kind": "hello"})
    page.sender.start()
    assert page.sender.ended.wait(5)
    until(lambda: page.headers("keyframe"))
    session.stage.finished = False


def test_a_page_that_asks_early_is_told_every_row_of_what_it_missed(session):
    page = Page(session)
    page.sender.start()
    for value in range(100):
        page.show(value)
    page.sender.stream.answer({"kind": "hello"})
    until(lambda: page.headers("rows"))

    kinds = [decode(packet).header["kind"] for packet in page.packets]
    unasked = decode(page.packets[kinds.index("rows")])
    # The envelopes first, which it may not replace with anything.
    assert kinds[kinds.index("rows") - 1] == "keyframe"
    assert unasked.header["request"] == 0
    assert unasked.header["reduced"] == []
    assert page._values(unasked) == list(range(100))
    times = session.stage.rows([page.series], 0, 4e9).time
    assert unasked.header["t0"] <= times.min() / 1e6 <= times.max() / 1e6 <= unasked.header["t1"]


def test_a_page_that_cannot_ask_is_told_every_row_while_the_session_is_young_and_at_the_end(
    session, monkeypatch
):
    monkeypatch.setattr("pulse_widgets.session.sender.FIRST_S", 0.01)
    monkeypatch.setattr("pulse_widgets.session.sender.KEYFRAME_S", 0.2)
    monkeypatch.setattr("pulse_widgets.session.sender.KEYFRAME_SHARE", 1.0)
    page = Page(session)
    page.sender.start()
    until(lambda: page.show(0) or page.headers("rows"))
    until(lambda: page.show(0) or len(page.headers("keyframe")) >= len(page.headers("rows")) + 2)
    page.show(1)
    session.stop()
    assert page.sender.ended.wait(5)

    kinds = [decode(packet).header["kind"] for packet in page.packets]
    after = [
        kinds[i : i + 2] == ["keyframe", "rows"] for i, k in enumerate(kinds) if k == "keyframe"
    ]
    # Soon, and soon again; then, of a session that is no longer young, at the end alone.
    assert after[0]
    assert not any(after[-3:-1])
    assert after[-1]
    told = page._values(decode(page.packets[-1]))
    assert told == session.stage.rows([page.series], 0, 4e9).value.tolist()
    assert told[-1] == 1


def test_a_page_that_asks_late_is_told_of_the_past_in_envelopes_alone(session):
    page = Page(session)
    page.sender.start()
    many = np.arange(4001)
    session.stage.show(
        Rows.of([page.series] * len(many), time.time_ns() // 1000 + many, many.astype(float))
    )
    page.sender.stream.answer({"kind": "hello"})
    until(lambda: page.headers("keyframe"))
    session.stop()
    assert page.sender.ended.wait(5)

    assert page.headers("keyframe")[0]["hi"][-1] == 4000.0
    assert page.headers("rows") == []


def test_what_came_in_a_silence_before_the_end_is_known_to_be_missed(session):
    page = Page(session)
    page.sender.start()
    page.show(1.0)
    until(lambda: 1.0 in page.values())
    page.sender._heard = -1e9
    page.show(2.0)
    until(lambda: page.sender._skipped)
    session.stop()
    assert page.sender.ended.wait(5)

    assert 2.0 not in page.values()
    assert page.knows_of_a_hole()


def test_a_keyframe_holds_the_rows_of_the_frames_before_it_and_no_other(session):
    page = Page(session)
    page.sender.start()
    for count in range(40):
        for value in range(count * 10, count * 10 + 10):
            page.show(value)
        page.sender.stream.answer({"kind": "hello"})
        until(lambda count=count: len(page.headers("keyframe")) > count)
    session.stop()
    assert page.sender.ended.wait(5)

    newest, compared = -1.0, 0
    for packet in map(decode, page.packets):
        newest = max([newest, *page._in(packet)])
        ids = packet.header["ids"] if packet.header["kind"] == "keyframe" else []
        if page.series in ids:
            compared += 1
            assert packet.header["hi"][ids.index(page.series)] == newest
    assert compared >= 40
    assert newest == 399


def test_nothing_is_made_for_nobody_and_who_comes_back_is_told_that_something_is_missing(session):
    page, made = Page(session), []
    stream = page.sender.stream
    stream.publish_frame = lambda rows, **news: made.append(rows)
    page.sender.start()
    page.show(1.0)
    until(lambda: made)

    stream.detach(page)
    stream.detach(page)
    before = len(made)
    for value in (2.0, 3.0, 4.0):
        page.show(value)
        until(lambda: not page.sender._subscription._queue)
    assert len(made) == before
    assert not page.headers("keyframe")

    del stream.publish_frame
    stream.attach(page, keeps=False)
    stream.answer({"kind": "hello"})
    until(lambda: page.headers("keyframe"))
    keyframe = page.headers("keyframe")[-1]
    assert keyframe["hi"][keyframe["ids"].index(page.series)] == 4.0
    page.show(5.0)
    until(lambda: 5.0 in page.values())
    assert page.headers("frame")[0]["seq"] > 1
    assert not page.kept


def test_a_view_that_joins_what_is_sent_already_misses_nothing(session, monkeypatch):
    first = Page(session)
    first.sender.start()
    first.show(1.0)
    until(lambda: 1.0 in first.values())

    hub = live_hub(session, stop=lambda: None, open_recording=lambda: None, sender=first.sender)
    opened = decode(hub.feed.snapshot).header
    place = opened["ids"].index(first.series)
    assert (opened["lo"][place], opened["hi"][place]) == (1.0, 1.0)
    assert hub.sender is first.sender
    first.show(2.0)
    until(lambda: 2.0 in first.values())
    assert not first.knows_of_a_hole()
