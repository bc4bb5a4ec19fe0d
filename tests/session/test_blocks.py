"""The recording, the history and the pages share the blocks of the log, and none changes them."""

import numpy as np
import pytest

from pulse_widgets.collectors.cell_watch import Execution, Outcome
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.session.sender import LiveSender
from pulse_widgets.session.session import HOST, Session, Settings
from pulse_widgets.storage.writer import Writer
from tests.transports import Listed
from tests.waiting import until


def columns(rows):
    return rows.series, rows.time, rows.step, rows.value


def copied(rows):
    return [*(column.copy() for column in columns(rows)), list(rows.text or []), rows.data]


@pytest.fixture
def session(tmp_path):
    made = Session(Settings(interval_s=0.1), registry=Registry(), clock=Clock())
    place = tmp_path / "r.pulse"
    made.record(
        place,
        lambda: Writer(place, made.registry, host_name=HOST, start_us=made.clock.start_us),
    )
    yield made
    made.stop()
    made.leave()


def test_no_block_of_a_session_is_changed_by_those_who_share_it(session, monkeypatch):
    kept, append = [], Log.append

    def appended(log, rows):
        if log is session.log and len(rows):
            kept.append((rows, copied(rows)))
        append(log, rows)

    monkeypatch.setattr(Log, "append", appended)
    following = session.subscribe()
    sender = LiveSender(session)
    sender.stream.attach(Listed())
    session.start()
    sender.start()
    session.add_sources(["system"])
    for step in range(50):
        session.user.log({"loss": 1.0 / (step + 1)}, step)
        session.mark(f"step {step}")
    cell = Execution(0, 1, "train()", "", 0.0, 0, None, None)
    session.cells.began(cell)
    session.cells.ended(cell, Outcome("ok"))
    seen = []
    until(lambda: seen.extend(following.take()[0].series.tolist()) or len(set(seen)) > 20)
    until(lambda: sender.stream.sent_bytes)
    session.stage.screen()
    session.stop()
    assert sender.ended.wait(5)

    assert session.state()["recording"]["problem"] is None
    assert {session.registry[int(rows.series[0])].entity.split("/")[0] for rows, _ in kept} >= {
        "pulse", "kernel", "user", "host",
    }  # fmt: skip
    for rows, before in kept:
        assert not any(column.flags.writeable for column in columns(rows))
        for now, then in zip(columns(rows), before, strict=False):
            np.testing.assert_array_equal(now, then)
        assert [list(rows.text or []), rows.data] == before[4:]


def test_what_is_in_a_log_can_only_be_read():
    log = Log()
    cursor = log.cursor()
    rows = Rows.of(np.arange(4), np.arange(4), np.arange(4.0))
    log.append(rows)

    for block in (rows, cursor.peek()[0], cursor.take()):
        for column in columns(block):
            with pytest.raises(ValueError, match="read-only"):
                column[:] = 0
