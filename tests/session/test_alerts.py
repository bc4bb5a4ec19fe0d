"""Alerts of a session: what is said, recorded and called."""

import json
import math
import os
import subprocess
import sys
import threading

import pytest

import pulse_widgets as pw
from pulse_widgets.errors import ArgumentError, SessionEndedError
from pulse_widgets.session.session import HOST
from tests.fakes import nvml
from tests.waiting import until


def told(session):
    """Return what alerts have said until now."""
    moments = session.stage.events(1000).moments
    return [one for one in moments if one.metric == "alert"]


def phases(session):
    return [one.facts["phase"] for one in told(session)]


def states(session):
    return session.state()["alerts"]


def log(session, *values, **more):
    for value in values:
        session.user.log({"loss": value, **more}, None)


def test_every_logged_value_counts_also_between_two_looks(session):
    events = []
    session.alert('"loss" > 5', events.append)
    until(lambda: states(session))

    log(session, 1.0, 9.0, 1.0, 7.0, 2.0)

    until(lambda: len(events) == 2)
    assert [event.value for event in events] == [9.0, 7.0]
    until(lambda: phases(session) == ["firing", "quiet", "firing", "quiet"])
    first = told(session)[0]
    assert (first.host, first.entity) == (HOST, "user")
    assert first.facts == {
        "label": "loss is 9, above 5",
        "message": "loss is 9, above 5",
        "phase": "firing",
        "text": '"loss" > 5',
        "entity": "user",
        "metric": "loss",
        "value": 9.0,
        "limit": 5.0,
    }
    assert first.time == pytest.approx(events[0].time, abs=1e-6)
    assert states(session)[0]["phase"] == "quiet"


def test_values_that_were_logged_before_an_alert_are_known_and_do_not_fire_it(session):
    events = []
    session.user.log({"limit": 5.0, "loss": 9.0}, None)
    until(lambda: len(session.stage.rows([0], 0, 1e10)) == 1)
    session.alert('"loss" > "limit"', events.append)
    until(lambda: states(session)[0]["entity"] == "user")
    assert not told(session)

    log(session, 8.0)

    until(lambda: [event.value for event in events] == [8.0])


def test_a_missing_value_never_fires_and_a_nan_that_was_logged_compares_false(session):
    for text in ('"loss" > 5', 'not "loss" < 5', '"loss" != 5'):
        session.alert(text)
    until(lambda: len(states(session)) == 3)

    log(session, None)
    until(lambda: [one["entity"] for one in states(session)] == ["user"] * 3)
    assert [one["phase"] for one in states(session)] == ["no data"] * 3
    log(session, math.nan)

    until(lambda: [one["phase"] for one in states(session)] == ["quiet", "firing", "quiet"])
    log(session, math.inf)
    until(lambda: [one["phase"] for one in states(session)] == ["firing"] * 3)
    json.dumps(states(session), allow_nan=False)


def test_an_alert_on_what_nothing_has_waits_and_says_what_it_may_mean(session):
    alert = session.alert("gpu.pwoer > 300 W")
    until(lambda: "gpu.power" in states(session)[0]["problem"])

    assert states(session) == [
        {
            "text": "gpu.pwoer > 300 W",
            "phase": "no data",
            "host": "",
            "entity": "",
            "value": None,
            "since": None,
            "problem": "there is no reading of 'gpu.pwoer' yet (is it gpu.power?)",
        }
    ]
    assert alert.phase == "no data"


def raises(error):
    def then():
        raise error

    return then


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no such mailbox"), "ValueError: no such mailbox"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (ValueError("password=hunter22"), "ValueError: password=[masked]"),
    ],
)
def test_a_callback_that_fails_is_a_state_and_an_event_and_the_next_call_may_be_well(
    session, capfd, error, words
):
    failing, others = [True], []
    alert = session.alert('"loss" > 5', lambda: raises(error)() if failing else None)
    session.alert('"loss" > 6', others.append)
    until(lambda: len(states(session)) == 2)

    log(session, 9.0)

    until(lambda: alert.phase == "failed")
    until(lambda: "failed" in phases(session))
    assert states(session)[0]["phase"] == "failed"
    assert states(session)[0]["problem"] == f"the callback failed: {words}"
    assert f"The callback of an alert failed: {words}" in [
        one.facts["message"] for one in told(session)
    ]
    failing.clear()
    log(session, 1.0, 9.0)
    until(lambda: len(others) == 2 and alert.phase == "firing")
    assert capfd.readouterr() == ("", "")


def test_a_callback_that_hangs_holds_up_nothing_and_firings_meanwhile_are_counted(session):
    release, calls, others = threading.Event(), [], []

    def hang():
        calls.append(1)
        release.wait(10)

    session.alert('"loss" > 5', hang)
    session.alert('"loss" > 6', others.append)
    until(lambda: len(states(session)) == 2)
    try:
        log(session, *[9.0, 1.0] * 25)

        until(lambda: len(others) >= 20)
        until(lambda: "24 more came meanwhile" in states(session)[0]["problem"])
        assert len(calls) == 1
        session.stop()
    finally:
        release.set()
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("pulse-alert")])


def test_the_same_condition_again_replaces_the_callback_and_does_not_fire_twice(session):
    first, second = [], []
    old = session.alert('"loss" > 5', first.append)
    log(session, 9.0)
    until(lambda: len(first) == 1)

    new = session.alert(' "loss">5.0', second.append)
    log(session, 10.0)

    until(lambda: new.phase == "firing" and states(session)[0]["value"] == 10.0)
    assert len(states(session)) == 1
    assert old.phase == "cancelled"
    old.cancel()
    log(session, 1.0, 9.0)
    until(lambda: len(second) == 1)
    assert len(first) == 1


def test_the_thread_ends_with_the_last_alert_and_begins_with_the_next(session):
    names = lambda: {t.name for t in threading.enumerate()}  # noqa: E731
    until(lambda: "pulse-alerts" not in names())
    one = session.alert('"loss" > 5')
    other = session.alert('"loss" > 6')
    one.cancel()
    assert "pulse-alerts" in names()
    other.cancel()
    until(lambda: "pulse-alerts" not in names())
    assert (other.phase, states(session)) == ("cancelled", [])
    assert len(session.stage._subscriptions) == 0

    events = []
    session.alert('"loss" > 5', events.append)
    log(session, 9.0)
    until(lambda: len(events) == 1)


@pytest.mark.slow
def test_what_is_logged_right_before_the_end_still_fires_and_is_recorded(python):
    out = python(
        "mon = pw.monitor('system')\n"
        "told = []\n"
        "alert = mon.alert('\"loss\" > 5', told.append)\n"
        "for i in range(100): pw.log({'loss': i % 2 * 9.0})\n"
        "rec = mon.stop()\n"
        "kinds = rec.events[rec.events.kind == 'alert']\n"
        "print(len(kinds), kinds.message.iloc[0], kinds.entity.iloc[0])\n"
        "import json\n"
        "facts = [json.loads(t) for t in rec.select('alert').to_pandas().text]\n"
        "print([f['phase'] for f in facts] == ['firing', 'quiet'] * 49 + ['firing'])\n"
        "print(alert, [t.name for t in threading.enumerate() if 'alert' in t.name])\n"
        "try: mon.alert('\"loss\" > 5')\n"
        "except pw.PulseError as error: print(type(error).__name__)\n"
        "try: pw.replay(rec).alert('\"loss\" > 5')\n"
        "except pw.PulseError as error: print(type(error).__name__)\n"
    )
    kept, phases_, alert, ended, replayed = out.splitlines()
    assert kept == "99 loss is 9, above 5 user"
    assert phases_ == "True"
    assert alert == "<Alert '\"loss\" > 5': firing> []"
    assert (ended, replayed) == ("SessionEndedError", "ReplayError")


@pytest.mark.slow
def test_an_alert_is_about_each_gpu_apart(tmp_path):
    environ = nvml.environment(
        tmp_path / "nvml",
        gpus=3,
        latency_us=0,
        script="gpu * power const 200000\ngpu 1 power const 650000\ngpu * memory_used const 1e9",
    )
    code = (
        "import pulse_widgets as pw, sys, json, time\n"
        "mon = pw.monitor('nvml', gpus='all', interval=0.2, record=sys.argv[1])\n"
        "events = []\n"
        "hot = mon.alert('gpu.power > 500 W for 1s', events.append)\n"
        "full = mon.alert('gpu.memory.used > 95% * gpu.memory.total')\n"
        "one = mon.alert('gpu.power > 100 W on gpu:2')\n"
        "ends = time.monotonic() + 20\n"
        "state = lambda: mon._hub._provider.state()['alerts']\n"
        "ready = lambda: events and len(state()) == 7 and full.phase == 'quiet'\n"
        "while not (ready() and one.phase == 'firing') and time.monotonic() < ends:\n"
        "    time.sleep(0.05)\n"
        "print(json.dumps([[a['text'], a['entity'], a['phase']] for a in state()]))\n"
        "print(json.dumps([[e.entity, e.metric, e.value, e.limit, e.message] for e in events]))\n"
        "rec = mon.stop()\n"
        "said = rec.events[rec.events.kind == 'alert']\n"
        "print(json.dumps(sorted(zip(said.entity, said.message))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    alerts, events, said = map(json.loads, done.stdout.splitlines())
    assert alerts == [
        *[
            ["gpu.power > 500 W for 1s", f"gpu:{i}", "firing" if i == 1 else "quiet"]
            for i in range(3)
        ],
        *[["gpu.memory.used > 95% * gpu.memory.total", f"gpu:{i}", "quiet"] for i in range(3)],
        ["gpu.power > 100 W on gpu:2", "gpu:2", "firing"],
    ]
    sentence = "gpu:1 gpu.power is 650 W, above 500 W for 1 s"
    assert events == [["gpu:1", "gpu.power", 650.0, 500.0, sentence]]
    assert said == [["gpu:1", sentence], ["gpu:2", "gpu:2 gpu.power is 200 W, above 100 W"]]


@pytest.mark.parametrize("then", [3, "print", lambda a, b: None, pytest.param(0, id="zero")])
def test_what_cannot_be_called_with_an_event_is_no_callback(session, then):
    with pytest.raises(ArgumentError, match="then="):
        session.alert('"loss" > 5', then)
    assert not states(session)


def test_a_coroutine_is_no_callback(session):
    async def later(event):
        """Do nothing."""

    with pytest.raises(ArgumentError, match="async"):
        session.alert('"loss" > 5', later)


def test_callbacks_may_take_the_event_or_nothing_and_be_made_in_c(session):
    given = []
    session.alert('"loss" > 5', lambda: given.append("nothing"))
    session.alert('"loss" > 6', lambda event, more=2: given.append(event.text))
    session.alert('"loss" > 7', given.append)
    until(lambda: len(states(session)) == 3)

    log(session, 9.0)

    until(lambda: len(given) == 3)
    assert {one if isinstance(one, str) else one.text for one in given} == {
        "nothing",
        '"loss" > 6',
        '"loss" > 7',
    }


def test_no_alert_can_be_set_once_the_session_is_over(session):
    session.alert('"loss" > 5')
    session.stop()
    with pytest.raises(SessionEndedError):
        session.alert('"loss" > 6')


def test_a_page_hears_of_a_new_phase_at_once(session):
    session.alert('"loss" > 5')
    until(lambda: states(session))
    log(session, 1.0)
    until(lambda: states(session)[0]["phase"] == "quiet")
    before = session.change_key()

    log(session, 9.0)

    until(lambda: states(session)[0]["phase"] == "firing")
    assert session.change_key() != before


def test_a_forked_child_has_no_alerts(python):
    out = python(
        "import os\n"
        "mon = pw.monitor('system')\n"
        "alert = mon.alert('\"loss\" > 5', lambda: print('called'))\n"
        "if not os.fork():\n"
        "    try: mon.alert('\"loss\" > 6')\n"
        "    except pw.PulseError as error: print(type(error).__name__, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "pw.stop()\n"
    )
    assert out == "SessionEndedError\n"


def test_the_names_are_public():
    assert pw.Alert.__name__ == "Alert"
    assert pw.AlertEvent.__name__ == "AlertEvent"
