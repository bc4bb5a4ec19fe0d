"""What `pw.log` is given by mistake, or by a device that fails, costs nothing else."""

import threading
import time

import pytest

import pulse_widgets as pw
from pulse_widgets.errors import ArgumentError
from pulse_widgets.session.session import HOST
from tests.waiting import until


class Broken:
    """A value on a device whose error shows when it is read."""

    shape = ()

    def detach(self):
        return self

    def clone(self):
        return self

    def __float__(self):
        raise RuntimeError("the device is gone")


def test_a_value_that_cannot_be_read_is_missing_and_the_rest_of_its_call_is_not(session, writer):
    session.user.log({"loss": 1.0, "gpu/loss": Broken()}, None)
    session.user.log({"loss": 2.0, "gpu/loss": Broken()}, None)
    session.stop()

    assert writer.rows == [1.0, 2.0]
    (event,) = session.stage.events(10).moments
    assert (
        "'gpu/loss' could not be read: RuntimeError: the device is gone" in event.facts["message"]
    )


def test_many_new_keys_of_the_user_do_not_end_the_session(session):
    with pytest.warns(RuntimeWarning, match="'key10000'"):
        session.user.log({f"key{number}": 1 for number in range(10_001)}, None)

    assert session.user.left_out == 1
    assert session.dropped() >= 1

    session.registry.add(HOST, "pulse/system", "pulse.tick.duration")


@pytest.mark.parametrize("key", ["a\udcff", "", 3, "x" * 513])
def test_a_key_that_cannot_be_written_is_the_callers_error(session, key):
    with pytest.raises(ArgumentError):
        session.user.log({key: 1.0}, None)
    with pytest.raises(ArgumentError):
        session.user.log({"a": {key: 1.0}}, None)


@pytest.mark.parametrize("data", [3.0, None, ["loss"], "loss"])
def test_what_is_no_mapping_is_the_callers_error(session, data):
    with pytest.raises(ArgumentError, match=r"pw\.log takes a mapping"):
        session.user.log(data, None)


NOW_MS = pytest.param(time.time() * 1e3, id="milliseconds")


@pytest.mark.parametrize("when", [float("nan"), float("inf"), 1e15, -1, "now", NOW_MS])
def test_a_time_that_is_none_is_the_callers_error(when):
    with pytest.raises(ArgumentError, match="is not a Unix time"):
        pw.log({"loss": 1.0}, time=when)


class Tensor:
    """A scalar of a device that answers when it is told to."""

    shape = ()

    def __init__(self, answers, value):
        self.answers, self.value = answers, value

    def detach(self):
        return self

    clone = detach

    def __float__(self):
        self.answers.wait(20)
        return self.value


def test_a_device_that_does_not_answer_holds_up_its_own_values_alone(session, writer):
    answers = threading.Event()
    session.user.log({"loss": Tensor(answers, 1.0)}, None)
    session.user.log({"loss": 2.0}, None)
    until(lambda: writer.rows == [2.0])
    until(lambda: len(session.stage.rows([0], 0, 4e9)) == 1)

    answers.set()
    until(lambda: writer.rows == [2.0, 1.0])
    session.stop()
    session.user._devices._thread.join(5)
    assert not session.user._devices._thread.is_alive()


def test_values_of_a_device_that_is_slow_are_waited_for_at_the_end(session, writer, monkeypatch):
    monkeypatch.setattr("pulse_widgets.collectors.device_values.PATIENCE_S", 0.2)

    class Slow(Tensor):
        def __float__(self):
            time.sleep(0.03)
            return self.value

    for number in range(20):
        session.user.log({"loss": Slow(None, float(number))}, None)
    session.stop()

    assert writer.rows == [float(number) for number in range(20)]
    assert session.state()["recording"]["problem"] is None


def test_values_that_a_device_never_gave_are_told_of_at_the_end(session, writer):
    answers = threading.Event()
    session.user.log({"loss": 1.0}, None)
    session.user.log({"loss": Tensor(answers, 2.0)}, None)
    session.stop()
    told = [one.facts for one in session.stage.events(10).moments]
    said = [facts["message"] for facts in told if "message" in facts]
    answers.set()

    assert writer.rows == [1.0]
    assert said == ["1 of your last calls were not recorded: their device did not answer"]


def test_batches_are_recorded_by_whichever_session_there_is(python):
    out = python(
        "import numpy as np\n"
        "from pulse_widgets.errors import ArgumentError\n"
        "warnings.simplefilter('ignore')\n"
        "losses = np.float32([0.5, np.nan, 0.25])\n"
        "pw.log_batch({'loss': losses, 'lr': [1, None, 2]}, steps=[3, 3, 2],\n"
        "             times=[1.75e9 + 0.25, 1.75e9, 1.75e9 + 2])\n"
        "rec = pw.stop()\n"
        "rows = rec.to_pandas().query(\"entity == 'user'\")\n"
        "for name, own in rows.groupby('metric'):\n"
        "    print(name, [int(step) for step in own['step']], own['value'].tolist(), end=' ')\n"
        "    print(own['time'].astype('datetime64[us, UTC]').astype('int64').tolist())\n"
        "pw.log_batch({'again': np.arange(3)})\n"
        "later = pw.stop()\n"
        "print(later.select('again').values()[1].tolist(), later.path != rec.path)\n"
        "for wrong in ([1.0], [5e9] * 3, [True], 'now', np.array(['NaT'] * 3, 'datetime64[s]')):\n"
        "    try: pw.log_batch({'a': [1, 2, 3]}, times=wrong)\n"
        "    except ArgumentError as error: print(error.problem[:30])\n"
    )
    assert out.splitlines() == [
        "loss [3, 3, 2] [nan, 0.5, 0.25] [1750000000000000, 1750000000250000, 1750000002000000]",
        "lr [3, 3, 2] [nan, 1.0, 2.0] [1750000000000000, 1750000000250000, 1750000002000000]",
        "[0.0, 1.0, 2.0] True",
        "times= are not all between 200",
        "times= are not all between 200",
        "times= are not one row of time",
        "times= are not one row of time",
        "times= are not all between 200",
    ]
