"""The flusher sleeps while nothing arrives, and what arrives wakes it."""

import threading
import time

from tests.waiting import until


def test_a_flusher_with_nothing_to_do_rests_and_the_first_value_wakes_it(
    session, writer, monkeypatch
):
    monkeypatch.setattr("pulse_widgets.session.flusher.IDLE_S", 3600.0)
    session._flusher.interval_s = 3600.0
    session.mark("from now on")
    passes = []
    take = session._recorder.take
    monkeypatch.setattr(session._recorder, "take", lambda: (passes.append(1), take()))

    for number in range(3):
        until(lambda: not session._flusher._rung)
        session.user.log({"loss": float(number)}, None)
        until(lambda n=number: float(n) in writer.rows)
    session.mark("a moment")
    until(lambda: session.stage.events(1))

    # Each arrival is taken by one pass, and found to be the last by one more.
    assert len(passes) <= 2 * 4 + 2


def test_every_value_wakes_a_flusher_that_rests(session, writer, monkeypatch):
    monkeypatch.setattr("pulse_widgets.session.flusher.IDLE_S", 3600.0)
    session._flusher.interval_s = 3600.0
    session.mark("from now on")

    def log_some(first):
        for number in range(first, first + 200):
            session.user.log({"loss": float(number)}, None)
            time.sleep(0.001 * (number % 3))

    threads = [threading.Thread(target=log_some, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(writer.rows) == 600)
