"""Spans of the user's code, through the public functions and the recording on the disk."""

import asyncio
import inspect
import json
import math
import threading
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pulse_widgets as pw
from pulse_widgets.collectors.base import CROWDED
from pulse_widgets.collectors.queued import MOST_ROWS
from pulse_widgets.errors import ArgumentError
from tests.sessions import fresh


@pytest.fixture(autouse=True)
def _alone():
    fresh()
    yield
    fresh()


def recorded(end=fresh):
    """End the session; return id to its start, and id to its end with the seconds."""
    rec = end()
    assert rec.problems == ()
    starts, ends = {}, {}
    for row in rec.to_pandas().query("metric == 'span'").itertuples():
        facts = json.loads(row.text)
        assert row.entity == "kernel"
        there = starts if "name" in facts else ends
        assert facts["id"] not in there
        there[facts["id"]] = facts | {"value": float(row.value)}
    return starts, ends


def by_name(starts, ends):
    """Return name to its start, its parent's name and its status, of names that occur once."""
    return {
        one["name"]: (
            starts[one["parent"]]["name"] if "parent" in one else None,
            ends.get(key, {}).get("status"),
        )
        for key, one in starts.items()
    }


def test_a_span_is_a_row_at_its_start_and_one_at_its_end_with_the_seconds():
    with pw.span("outer", epoch=3, where="gpu"), pw.span("inner"):
        pass
    starts, ends = recorded()
    outer, inner = starts.values()
    assert (outer["name"], outer["epoch"], outer["where"]) == ("outer", 3, "gpu")
    assert "parent" not in outer and "thread" not in outer
    assert inner["parent"] == outer["id"]
    assert math.isnan(outer["value"])
    assert 0 <= ends[inner["id"]]["value"] <= ends[outer["id"]]["value"] < 60
    assert {one["status"] for one in ends.values()} == {"ok"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("no"), {"status": "error", "error": "ValueError"}),
        (KeyboardInterrupt(), {"status": "interrupted", "error": "KeyboardInterrupt"}),
        (asyncio.CancelledError(), {"status": "interrupted", "error": "CancelledError"}),
        (SystemExit(3), {"status": "error", "error": "SystemExit"}),
        (GeneratorExit(), {"status": "ok"}),
    ],
)
def test_an_exception_passes_through_unchanged_and_is_told(error, status):
    @pw.traced
    def fail():
        raise error

    with pytest.raises(type(error)) as caught, pw.span("around"):
        fail()
    assert caught.value is error
    _, ends = recorded()
    assert len(ends) == 2
    for one in ends.values():
        assert {key: one[key] for key in one if key not in {"id", "value"}} == status


def test_all_kinds_of_functions_are_traced_and_stay_what_they_are():
    class Model:
        @pw.traced
        def fit(self, x):
            return x + 1

        @pw.traced("made")
        @classmethod
        def make(cls):
            return cls()

        @staticmethod
        @pw.traced()
        def still(*, y):
            return y

    @pw.traced("load")
    async def load(x):
        """Load it."""
        async with pw.span("inside"):
            await asyncio.sleep(0)
        return x

    assert (Model.make().fit(1), Model.still(y=2), asyncio.run(load(3))) == (2, 2, 3)
    assert inspect.iscoroutinefunction(load)
    assert (load.__name__, load.__doc__) == ("load", "Load it.")
    names = by_name(*recorded())
    assert names == {
        "made": (None, "ok"),
        "Model.fit": (None, "ok"),
        "Model.still": (None, "ok"),
        "load": (None, "ok"),
        "inside": ("load", "ok"),
    }


def test_a_generators_span_is_its_life_and_not_the_parent_of_what_its_user_does():
    @pw.traced
    def numbers():
        got = []
        with pw.span("inside"):
            for one in range(3):
                try:
                    got.append((yield one))
                except KeyError as error:
                    got.append(type(error).__name__)
        return got

    def use():
        steps = numbers()
        assert next(steps) == 0
        with pw.span("user"):
            assert steps.send("a") == 1
            with pw.span("user inside"):
                assert steps.throw(KeyError()) == 2
        return (yield from steps)

    made = use()
    with pytest.raises(StopIteration) as done:
        next(made)
    assert done.value.value == ["a", "KeyError", None]
    assert by_name(*recorded()) == {
        "numbers": (None, "ok"),
        "inside": ("numbers", "ok"),
        "user": (None, "ok"),
        "user inside": ("user", "ok"),
    }


def test_a_generator_that_is_closed_or_fails_ends_its_span():
    @pw.traced("closed")
    def closed():
        try:
            yield 1
        finally:
            with pw.span("last"):
                pass

    @pw.traced("failed")
    def failed():
        yield 1
        raise ValueError("no more")

    steps = closed()
    next(steps)
    steps.close()
    with pytest.raises(ValueError, match="no more"):
        list(failed())
    assert by_name(*recorded()) == {
        "closed": (None, "ok"),
        "last": ("closed", "ok"),
        "failed": (None, "error"),
    }


def test_an_asynchronous_generator_is_traced_likewise():
    @pw.traced("batches")
    async def batches():
        with pw.span("inside"):
            for one in range(2):
                await asyncio.sleep(0)
                try:
                    yield one
                except KeyError:
                    yield "caught"

    async def use():
        got = []
        async for one in batches():
            with pw.span(f"user {one}"):
                got.append(one)
        steps = batches()
        got.append(await steps.asend(None))
        got.append(await steps.athrow(KeyError()))
        await steps.aclose()
        return got

    assert asyncio.run(use()) == [0, 1, 0, "caught"]
    starts, ends = recorded()
    assert Counter(one["name"] for one in starts.values()) == {
        "batches": 2, "inside": 2, "user 0": 1, "user 1": 1,
    }  # fmt: skip
    names = by_name(starts, ends)
    assert names["user 0"] == names["user 1"] == (None, "ok")
    assert names["inside"] == ("batches", "ok")
    assert len(ends) == len(starts)


def test_one_span_object_may_be_used_inside_itself_and_by_several_tasks():
    again = pw.span("again")

    async def task(first, then):
        with again:
            first.set()
            await then.wait()

    async def both():
        one, two = asyncio.Event(), asyncio.Event()
        # The one that begins first ends last: each ends its own.
        await asyncio.gather(task(one, two), task(two, one))

    with again, again:
        asyncio.run(both())
    starts, ends = recorded()
    assert len(starts) == len(ends) == 4
    ids = list(starts)
    assert [starts[key].get("parent") for key in ids] == [None, ids[0], ids[1], ids[1]]


def test_a_span_that_outlives_its_session_has_no_end_and_is_nobodys_parent():
    with pw.span("outlives"):
        starts, ends = recorded(pw.stop)
        assert [one["name"] for one in starts.values()] == ["outlives"]
        assert ends == {}
        with pytest.warns(RuntimeWarning, match=r"pw\.span\(\) after a stop"):
            inner = pw.span("of the next session").__enter__()
        inner.__exit__(None, None, None)
    assert by_name(*recorded()) == {"of the next session": (None, "ok")}


def test_what_began_inside_and_goes_on_longer_finds_the_parent_that_is_still_open():
    with pw.span("outer"):
        first = pw.span("first")
        first.__enter__()
        second = pw.span("second")
        second.__enter__()
        first.__exit__(None, None, None)
        with pw.span("in second"):
            pass
        second.__exit__(None, None, None)
        with pw.span("after"):
            pass
    names = by_name(*recorded())
    assert names["in second"] == ("second", "ok")
    assert names["after"] == ("outer", "ok")


@pytest.mark.parametrize("name", ["", "  ", None, 3, b"x"])
def test_what_is_no_name_is_the_callers_error(name):
    with pytest.raises(ArgumentError, match="cannot be the name of a span"):
        pw.span(name)


@pytest.mark.parametrize("fact", ["id", "parent", "thread", "status", "error"])
def test_a_fact_that_every_span_has_is_the_callers_error(fact):
    with pytest.raises(ArgumentError, match=fact):
        pw.span("x", **{fact: 1})


@pytest.mark.parametrize("given_", [3, object(), int, type("A", (), {})])
def test_what_is_no_function_is_the_callers_error(given_):
    with pytest.raises(ArgumentError, match="is no function"):
        pw.traced(given_)


def test_disabled_nothing_is_recorded_and_all_works(monkeypatch):
    monkeypatch.setenv("PULSE_DISABLED", "1")

    @pw.traced
    def work():
        with pw.span("x"):
            return 3

    assert work() == 3
    pw.progress(1, 2)
    pw.config({"lr": 1})
    pw.define("loss", unit="s")


def test_of_many_spans_in_a_loop_none_is_lost():
    for _ in range(20_000):
        with pw.span("x"):
            pass
    starts, ends = recorded()
    assert len(starts) == len(ends) == 20_000


def test_behind_a_disk_that_hangs_what_there_is_no_room_for_is_counted():
    from pulse_widgets.collectors.spans import SpanRows
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry

    rows = SpanRows(Registry(), Clock(), "h0", lambda: None)
    for _ in range(20_000):
        rows.put((0, 0, 0.0, None))
    assert not rows.lost
    rows._queue.extend([(0, 0, 0.0, None)] * (MOST_ROWS - 1))
    rows.put((0, 0, 0.0, None))
    assert rows.lost[CROWDED] == 20_000
    assert rows.waiting() == MOST_ROWS


def _trees():
    """Return trees of (how it runs, its children)."""
    ways = st.sampled_from(["here", "thread", "task", "generator"])
    return st.recursive(
        st.tuples(ways, st.just(())),
        lambda inner: st.tuples(ways, st.lists(inner, max_size=3).map(tuple)),
        max_leaves=8,
    )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(_trees(), min_size=1, max_size=3))
def test_over_threads_and_tasks_every_span_ends_and_has_the_right_parent(trees):
    wanted, number = {}, iter(range(10_000))

    @pw.traced("steps")
    def between():
        yield
        yield

    async def run(tree, parent):
        way, children = tree
        if way == "thread":
            # A thread begins outside of all spans.
            thread = threading.Thread(target=lambda: asyncio.run(opened(children, None)))
            thread.start()
            await asyncio.to_thread(thread.join)
        elif way == "task":
            await asyncio.create_task(opened(children, parent))
        elif way == "generator":
            for _ in between():
                await opened(children, parent)
        else:
            await opened(children, parent)

    async def opened(children, parent):
        name = str(next(number))
        wanted[name] = parent
        async with pw.span(name):
            await asyncio.sleep(0)
            await asyncio.gather(*(run(child, name) for child in children))

    for tree in trees:
        asyncio.run(run(tree, None))
    starts, ends = recorded()
    assert starts.keys() == ends.keys()
    assert {one["status"] for one in ends.values()} == {"ok"}
    found = {name: parent for name, (parent, _) in by_name(starts, ends).items()}
    found.pop("steps", None)
    assert found == wanted
