"""A disk that refuses, hangs or is slow to be ready: each row is written once, and in order."""

import threading
import time

import pytest

import pulse_widgets as pw
from pulse_widgets.errors import StorageError
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.session.session import HOST, Session, Settings
from pulse_widgets.storage.recorder import BATCH_ROWS
from tests.waiting import until


def test_rows_are_written_once_when_something_fails_after_them(session, writer, monkeypatch):
    monkeypatch.setattr("pulse_widgets.storage.recorder.AGAIN_S", 0.01)
    writer.beat_error = RuntimeError("can't start new thread")
    session.user.log({"loss": 1.0}, None)
    until(lambda: writer.rows and session.state()["recording"]["problem"])
    session.user.log({"loss": 2.0}, None)
    until(lambda: len(writer.rows) > 1)
    session.stop()

    assert writer.rows == [1.0, 2.0]
    assert session.state()["recording"]["problem"] is None


def test_a_recording_that_cannot_be_joined_does_not_end_what_is_shown(tmp_path):
    def refuses():
        raise pw.PulseError("a newer program wrote it", remedy="Upgrade.")

    session = Session(Settings(), registry=Registry(), clock=Clock())
    session.record(tmp_path, refuses)
    following = session.subscribe()
    session.start()
    until(lambda: session.state()["recording"]["problem"] == "a newer program wrote it")
    session.user.log({"loss": 1.0}, None)
    until(lambda: 1.0 in following.take()[0].value)
    session.stop()
    session.leave()


@pytest.mark.slow
def test_what_waited_for_the_disk_is_offered_in_batches_and_seldom(session, writer):
    until(lambda: writer.batches)
    writer.append_error = StorageError("full", remedy="Free some space.")
    writer.batches = 0
    for number in range(20):
        session.log.append(Rows.of([0] * 10_000, [number] * 10_000, [float(number)] * 10_000))
    until(lambda: writer.batches)
    time.sleep(0.5)
    tried = writer.batches
    writer.append_error = None
    until(lambda: len(writer.rows) >= 200_000)

    assert tried == 1
    assert writer.batches >= 1 + 200_000 // BATCH_ROWS
    assert writer.rows == [float(number) for number in range(20) for _ in range(10_000)]


def test_a_disk_that_hangs_at_the_end_is_named_and_takes_all_when_it_answers(
    session, writer, monkeypatch
):
    monkeypatch.setattr("pulse_widgets.session.flusher.STOP_S", 0.1)
    answers = threading.Event()
    append = writer.append

    def hangs(rows):
        answers.wait(20)
        append(rows)

    writer.append = hangs
    session.user.log({"loss": 0.0}, None)
    until(lambda: not session._flusher._rung)
    for number in range(1, 100):
        session.user.log({"loss": float(number)}, None)

    session.stop()
    said = session.state()["recording"]["problem"]
    answers.set()
    until(lambda: writer.closed)

    assert "has not taken the end" in said
    assert writer.rows == [float(n) for n in range(100)]
    assert session.state()["recording"]["problem"] is None


def test_a_short_script_waits_until_what_writes_is_loaded(tmp_path, writer, monkeypatch):
    monkeypatch.setattr("pulse_widgets.session.flusher.STOP_S", 0.1)
    loaded = threading.Event()

    def loads():
        loaded.wait(20)
        return writer

    session = Session(Settings(), registry=Registry(), clock=Clock())
    session.record(tmp_path, loads)
    session.registry.add(HOST, "user", "loss")
    session.start()
    session.user.log({"loss": 1.0}, None)

    stopping = threading.Thread(target=session.stop)
    stopping.start()
    stopping.join(0.5)
    still = stopping.is_alive()
    loaded.set()
    stopping.join(5)

    assert still
    assert writer.rows == [1.0]
    assert writer.closed


def test_rows_that_nobody_can_write_do_not_keep_the_others_from_the_disk(session, writer):
    append = writer.append

    def picky(rows):
        if 13.0 in rows.value:
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")
        append(rows)

    writer.append = picky
    until(lambda: session._recorder.settled)
    with session.log._lock:
        for value in (1.0, 13.0, 2.0):
            session.log.append(Rows.of([0], [session.clock.now_us()], [value]))
    session._flusher.ring()
    until(lambda: writer.rows == [1.0, 2.0])
    session.user.log({"loss": 3.0}, None)
    until(lambda: writer.rows == [1.0, 2.0, 3.0])

    assert session.dropped() == 1
