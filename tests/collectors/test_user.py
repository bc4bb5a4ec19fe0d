import contextlib
import json
import math
import threading
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.collectors import room, user, waiting
from pulse_widgets.collectors.calls import ITEM_BYTES
from pulse_widgets.collectors.user import UserCollector
from pulse_widgets.collectors.waiting import Waiting
from pulse_widgets.errors import ArgumentError
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.columns import missing
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP

MADE = []


@pytest.fixture(autouse=True)
def ended():
    """Leave no thread behind."""
    yield
    while MADE:
        MADE.pop().user.finish()


class Logged:
    """A collector with everything it handed on."""

    def __init__(self, arrived=lambda: None, relieve=None):
        MADE.append(self)
        self.registry = Registry()
        self.log = Log()
        self.cursor = self.log.cursor()
        self.user = UserCollector(self.registry, Clock(), "h0", arrived, relieve)

    def several(self, calls):
        for call in calls:
            self.user.log(call, None)

    def drain(self):
        while self.user.drain(self.log):
            pass

    def rows(self):
        self.drain()
        self.user._devices.settle(20)
        assert not len(self.user._devices)
        self.drain()
        return self.taken(), self.last

    def taken(self):
        """Return the rows that were drained since the last call."""
        self.last = rows = self.cursor.take()
        names = [self.registry[int(i)].metric for i in rows.series]
        return list(zip(names, rows.step.tolist(), rows.value.tolist(), strict=True))


def test_values_come_out_as_they_went_in_with_their_steps():
    logged = Logged()

    logged.user.log({"loss": 0.5, "lr": 1}, 3)
    logged.user.log({"loss": 0.25}, None)

    assert logged.rows()[0] == [("loss", 3, 0.5), ("lr", 3, 1.0), ("loss", NO_STEP, 0.25)]


def test_nested_names_are_joined_with_a_slash():
    logged = Logged()

    logged.user.log({"train": {"loss": 1.0, "deep": {"er": 2.0}}}, None)

    assert [name for name, _, _ in logged.rows()[0]] == ["train/loss", "train/deep/er"]


def test_a_mapping_changed_after_the_call_changes_nothing():
    logged = Logged()
    values = {"loss": 1.0}
    logged.user.log(values, None)

    logged.user.log(values, None)
    values["loss"] = 99.0

    assert [value for _, _, value in logged.rows()[0]] == [1.0, 1.0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_is_kept_and_is_not_missing(value):
    logged = Logged()

    logged.user.log({"loss": value}, None)
    _, rows = logged.rows()

    assert rows.text is None
    np.testing.assert_array_equal(rows.value, [value])
    assert missing(rows.value).tolist() == [False]


def test_numpy_numbers_and_an_enormous_integer_are_numbers():
    logged = Logged()

    logged.user.log({"a": np.float32(0.1), "b": np.int64(3), "c": np.array(2.5), "d": 10**400}, 1)

    values = [value for _, _, value in logged.rows()[0]]
    assert values == [float(np.float32(0.1)), 3.0, 2.5, math.inf]


class OfOneElement:
    """What a scalar of a library without `item` is, such as an eager TensorFlow tensor."""

    shape = ()

    def __float__(self):
        return 0.25


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (OfOneElement(), 0.25),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 4), 0.25),
        (np.longdouble(1.5), 1.5),
        (np.float16(0.5), 0.5),
        (np.bool_(True), 1.0),
        (np.array(2.5), 2.5),
        (np.array(3, dtype=object), 3.0),
        (np.ma.masked_array(4.0), 4.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_one_number_is_recorded(value, number):
    logged = Logged()

    logged.user.log({"x": value, "loss": 1.0}, None)

    assert {name: v for name, _, v in logged.rows()[0]} == {"x": number, "loss": 1.0}
    assert logged.user.left_out == 0


@pytest.mark.parametrize(
    "absent",
    [
        None,
        np.ma.masked,
        np.ma.masked_array([1.0], mask=[True]).mean(),
        np.ma.array(1.0, mask=True),
    ],
    ids=["None", "masked", "masked mean", "masked array"],
)
def test_what_is_absent_is_a_missing_value_and_the_rest_is_recorded(absent):
    logged = Logged()

    logged.user.log({"loss": 1.0, "val": absent}, 3)
    found, rows = logged.rows()

    assert [name for name, _, _ in found] == ["loss", "val"]
    assert missing(rows.value).tolist() == [False, True]
    assert logged.user.left_out == 0


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("high", "'bad' is of type str"),
        (np.zeros(3), r"'bad' is ndarray of shape (3,)"),
        (1 + 2j, "of type complex"),
        (np.complex64(1), "'bad' is complex64 of shape ()"),
        (np.datetime64("2026-01-01"), "datetime64"),
        (np.array("x"), "'bad' is ndarray"),
        ([1.0], "of type list"),
        pytest.param(object(), "of type object", id="object"),
        (Decimal("sNaN"), "of type Decimal"),
    ],
    ids=str,
)
def test_a_value_that_is_no_number_is_left_out_said_once_and_counted(bad, words):
    logged = Logged()

    with pytest.warns(RuntimeWarning) as warned:
        logged.several([{"a": 1.0, "bad": bad, "b": 2.0}] * 3)
    found, rows = logged.rows()

    assert [v for name, _, v in found if name in {"a", "b"}] == [1.0, 2.0] * 3
    assert "bad" not in {name for name, _, _ in found}
    assert logged.user.left_out == 3
    assert len(warned) == 1
    told = [text for text in rows.text or [] if text]
    assert len(told) == 1
    assert words in json.loads(told[0])["message"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({3: 1.0}, "3 cannot be the name"),
        ({"": 1.0}, "cannot be the name"),
        ({"k" * 5000: 1.0}, "cannot be the name"),
        ({"a": {"b": 3.0}, "a/b": 4.0}, "'a/b' stands for two values"),
        ({"a/b": 4.0, "a": {"b": "no number"}}, "'a/b' stands for two values"),
        ([1.0], "not list"),
    ],
)
def test_what_is_wrong_with_a_call_raises_and_nothing_of_it_is_recorded(call, words):
    logged = Logged()

    with pytest.raises(ArgumentError, match=words) as caught:
        logged.user.log(call, None)

    assert caught.value.remedy
    assert len(str(caught.value)) < 500
    assert logged.rows()[0] == []


@pytest.mark.parametrize("step", [1.5, "3", 2**70, True, np.True_])
def test_a_step_that_is_no_whole_number_is_refused(step):
    with pytest.raises(ArgumentError, match="not a whole number"):
        Logged().user.log({"loss": 1.0}, step)


def test_a_whole_float_and_a_numpy_integer_are_steps():
    logged = Logged()

    logged.user.log({"loss": 1.0}, np.int32(4))
    logged.user.log({"loss": 1.0}, 5.0)

    assert [step for _, step, _ in logged.rows()[0]] == [4, 5]


def test_too_many_new_names_in_a_minute_are_left_out_said_once_and_counted():
    logged = Logged()
    for number in range(10_000):
        logged.user.log({f"k{number}": 1.0}, None)

    with pytest.warns(RuntimeWarning, match="'one too many'") as warned:
        logged.several([{"one too many": 1.0, "k0": 2.0}, {"another": 1.0, "k0": 3.0}])

    found = logged.rows()[0]
    assert len(warned) == 1
    assert logged.user.left_out == 2
    assert [value for name, _, value in found if name == "k0"] == [1.0, 2.0, 3.0]


def test_a_full_queue_is_drained_by_its_caller_and_loses_nothing(monkeypatch):
    monkeypatch.setattr(user, "QUEUE_ITEMS", 50)
    logged = Logged()

    for number in range(1_000):
        logged.user.log({"loss": float(number)}, number)

    assert logged.user.pressed > 0
    assert [value for _, _, value in logged.rows()[0]] == [float(n) for n in range(1_000)]


def test_four_threads_lose_nothing():
    logged = Logged()
    logged.user.log({"t0": 0.0, "t1": 0.0, "t2": 0.0, "t3": 0.0}, None)

    def produce(name):
        for number in range(5_000):
            logged.user.log({name: float(number)}, number)

    threads = [threading.Thread(target=produce, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        logged.drain()
    rows = logged.rows()[0]

    for name in ("t0", "t1", "t2", "t3"):
        assert [v for n, s, v in rows if n == name and s != NO_STEP] == list(range(5_000))


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.floats(), max_size=5), st.integers(0, 9))
def test_any_mapping_of_numbers_is_accepted_whole(values, step):
    logged = Logged()

    logged.user.log(values, step)

    got = {name: value for name, _, value in logged.rows()[0]}
    assert got.keys() == values.keys()
    np.testing.assert_array_equal([got[k] for k in values], list(values.values()))


def test_wide_calls_fill_the_queue_as_much_as_many_narrow_ones(monkeypatch):
    monkeypatch.setattr(user, "QUEUE_ITEMS", 1_020)
    logged, wide = Logged(), {f"k{number}": 1.0 for number in range(100)}

    for _ in range(100):
        logged.user.log(wide, None)
        assert len(logged.user) <= 10

    assert len(logged.rows()[0]) == 10_000


def test_what_waits_is_handed_on_in_parts_so_that_the_first_is_not_held_up(monkeypatch):
    monkeypatch.setattr(waiting, "PART_ITEMS", 20)
    logged, seen = Logged(), []
    for number in range(24):
        logged.user.log({"loss": 1.0, "lr": 2.0}, number)

    while logged.user.drain(logged.log):
        seen.append(len(logged.cursor.take()))
        # What comes meanwhile is of the next time.
        logged.user.log({"loss": 1.0}, 0)

    assert sum(seen) + len(logged.cursor.take()) == 48
    assert len(seen) >= 3
    assert max(seen) <= 12
    assert len(logged.user) == len(seen)
    assert not logged.user.drain(logged.log)
    assert len(logged.user) == 0


def test_a_value_whose_reading_panics_costs_itself_alone():
    class Panic(BaseException):
        def __str__(self):
            raise RuntimeError("not even that")

    class Value:
        shape = ()

        def detach(self):
            return self

        clone = detach

        def __float__(self):
            raise Panic

    logged = Logged()
    for value in (1.0, Value(), 3.0):
        logged.user.log({"loss": value}, None)
    found, rows = logged.rows()

    assert sorted(v for name, _, v in found if name == "loss" and not math.isnan(v)) == [1.0, 3.0]
    assert "Panic" in "".join(rows.text or [])


def test_an_interrupted_ring_is_made_up_for_by_the_next_value():
    rung = []

    def rings():
        rung.append(1)
        if len(rung) == 1:
            raise KeyboardInterrupt

    logged = Logged(arrived=rings)
    with pytest.raises(KeyboardInterrupt):
        logged.user.log({"loss": 1.0}, None)
    logged.user.log({"loss": 2.0}, None)

    assert len(rung) == 2


NAMES = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=6, unique=True)


def bytes_waiting(logged):
    items = sum(map(len, logged.user._waiting.all())) + logged.user._others.size()
    return items * ITEM_BYTES


@given(st.lists(NAMES, max_size=40), st.integers(1_000, 20_000), st.sampled_from([2, 1_000]))
@pytest.mark.filterwarnings("ignore:pw.log:RuntimeWarning")
def test_behind_a_disk_that_hangs_what_waits_is_bounded_in_bytes_and_the_rest_is_counted(
    calls, most, key_sets
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "KEY_SETS", key_sets)
        patch.setattr(user, "QUEUE_ITEMS", 2)
        patch.setattr(user, "QUEUE_BYTES", most)
        patch.setattr(user, "PATIENCE_S", 0.0)
        logged = Logged(relieve=lambda: None)
        for names in calls:
            assert logged.user.log(dict.fromkeys(names, 1.0), None)
            assert bytes_waiting(logged) <= most
        found, rows = logged.rows()

    told = [text for text in rows.text or [] if "too much waited for the disk" in text]
    taken = sum(name != "event" for name, _, _ in found)
    assert taken + logged.user.left_out == sum(map(len, calls))
    assert len(told) == bool(logged.user.left_out)


@pytest.mark.filterwarnings("ignore:pw.log:RuntimeWarning")
def test_a_queue_that_was_too_full_takes_values_again_when_it_was_drained(monkeypatch):
    monkeypatch.setattr(user, "QUEUE_ITEMS", 2)
    monkeypatch.setattr(user, "QUEUE_BYTES", 2_000)
    monkeypatch.setattr(user, "PATIENCE_S", 0.0)
    logged = Logged(relieve=lambda: None)
    for number in range(1_000):
        logged.user.log({"loss": float(number)}, None)

    assert 0 < len(logged.user) < 20
    assert len(logged.user) + logged.user.left_out == 1_000
    # Who finds no room does not wait for it each time.
    assert logged.user.pressed <= 500
    logged.drain()
    logged.user.log({"loss": 1_000.0}, None)

    assert [value for name, _, value in logged.rows()[0] if name == "loss"][-1] == 1_000.0


def test_as_long_as_a_full_queue_may_get_on_nothing_is_left_out(monkeypatch):
    monkeypatch.setattr(user, "QUEUE_ITEMS", 2)
    monkeypatch.setattr(user, "QUEUE_BYTES", 2_000)
    monkeypatch.setattr(user, "PATIENCE_S", 3600.0)
    waits = []

    def relieve():
        # A slow disk: it takes something now and then.
        waits.append(1)
        if len(waits) % 5 == 0:
            logged.drain()

    logged = Logged(relieve=relieve)
    for number in range(100):
        logged.user.log({"loss": float(number)}, None)

    assert [value for _, _, value in logged.rows()[0]] == [float(n) for n in range(100)]
    assert logged.user.left_out == 0


def test_calls_without_values_take_no_room():
    logged = Logged()
    for _ in range(10):
        assert logged.user.log({}, None)
    assert len(logged.user) == 0
    logged.user.close()
    assert not logged.user.log({}, None)


@pytest.mark.filterwarnings("ignore:pw.log:RuntimeWarning")
def test_values_of_a_device_that_hangs_are_bounded_however_many_a_call_has(monkeypatch):
    class Value:
        shape = ()

        def detach(self):
            return self

        clone = detach

        def __float__(self):
            answers.wait(20)
            return 1.0

    monkeypatch.setattr(user, "DEVICE_VALUES", 100)
    monkeypatch.setattr(user, "QUEUE_BYTES", 3 * 50 * 100)
    monkeypatch.setattr(user, "PATIENCE_S", 0.0)
    answers = threading.Event()
    logged = Logged(relieve=lambda: None)
    for number in range(10):
        logged.user.log({f"k{number}": Value() for number in range(50)}, None)
        logged.user.log({"plain": number}, None)
        logged.drain()
    held = logged.user._devices.values
    plain = [name for name, *_ in logged.taken() if name == "plain"]
    answers.set()

    assert held == 100
    assert len(plain) == 10
    assert logged.user.missing(at_end=False) == [
        "400 values of pw.log were lost: too much waited for their device."
    ]
    assert sum(name.startswith("k") for name, *_ in logged.rows()[0]) == held


@pytest.mark.filterwarnings("ignore:pw.log:RuntimeWarning")
def test_each_time_there_is_no_room_callers_have_the_whole_patience(monkeypatch):
    monkeypatch.setattr(user, "QUEUE_ITEMS", 2)
    monkeypatch.setattr(user, "QUEUE_BYTES", 2_000)
    monkeypatch.setattr(user, "PATIENCE_S", 10.0)
    clock = [100.0]
    monkeypatch.setattr(room.time, "monotonic", lambda: clock[0])

    def relieve():
        clock[0] += 1.0

    logged = Logged(relieve=relieve)

    def waits_until_one_is_left_out():
        began, before = clock[0], logged.user.left_out
        while logged.user.left_out == before:
            logged.user.log({"loss": 1.0}, None)
        return clock[0] - began

    first = waits_until_one_is_left_out()
    # The disk is back, and the loop logs on: the queue is hardly ever empty.
    while logged.user.drain(logged.log):
        logged.user.log({"loss": 1.0}, None)
    logged.user.log({"loss": 1.0}, None)
    logged.user.log({"loss": 1.0}, None)
    clock[0] += 1000.0

    assert waits_until_one_is_left_out() >= 10.0
    assert first >= 10.0
    assert logged.user.missing(at_end=False) == [
        "2 values of pw.log were lost: too much waited for the disk."
    ]


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 40))
def test_values_whose_rows_cannot_be_made_become_rows_later_once_and_in_order(fails, count):
    make, fails = Waiting.rows_of, list(fails)

    def rows_of(collector, *taken):
        if fails and fails.pop():
            raise MemoryError
        return make(collector, *taken)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Waiting, "rows_of", rows_of)
        patch.setattr(waiting, "PART_ITEMS", 7)
        logged = Logged()
        for number in range(count):
            logged.user.log({"loss": float(number)}, None)
        for _ in range(len(fails)):
            with contextlib.suppress(MemoryError):
                logged.drain()
        logged.drain()

    assert [value for *_, value in logged.taken()] == [float(number) for number in range(count)]
    assert logged.user.late() == 0
