"""The streams of the process are hooked, followed and restored, whatever others do to them."""

import contextlib
import io
import logging
import os
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.collectors.capture import channel
from pulse_widgets.collectors.capture import watch as module
from pulse_widgets.collectors.capture.watch import Watch
from tests.programs import run
from tests.waiting import until


class Sink:
    """A stream as a notebook has it: a Python class, whose ``write`` returns its letters."""

    def __init__(self):
        self.got = []

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(text)
        self.got.append(text)
        return len(text)

    def flush(self):
        pass


class Slotted:
    """A stream that takes no hook."""

    __slots__ = ("got",)

    def __init__(self):
        self.got = []

    def write(self, text):
        self.got.append(text)
        return len(text)


class StandIn:
    """A stream that passes on whatever is asked of it, and set."""

    def __init__(self, inner):
        self.__dict__["inner"] = inner

    def __getattr__(self, name):
        return getattr(self.__dict__["inner"], name)

    def __setattr__(self, name, value):
        setattr(self.__dict__["inner"], name, value)

    def __delattr__(self, name):
        delattr(self.__dict__["inner"], name)


class Heard:
    """What a listener of a watch hears."""

    def __init__(self, watch):
        self.lines = []
        self.left_out = 0
        self.subscription = watch.subscribe(self.hear)

    def hear(self, stream, lines):
        self.lines += [(stream, text) for text in lines.texts]
        self.left_out += lines.left_out

    def stop(self):
        self.subscription.close()
        self.subscription.flush()
        return self.lines


@pytest.fixture
def put_streams(monkeypatch):
    """Put two sinks in place of the streams; pytest itself does so again when the test begins."""

    def put():
        out, err = Sink(), Sink()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        return out, err

    return put


@pytest.fixture
def watch():
    made = Watch()
    yield made
    until(lambda: not made._thread_runs)


def of_ours(stream):
    write = vars(stream).get("write")
    return getattr(write, "__module__", "") == "pulse_widgets.collectors.capture.hook"


def test_both_streams_are_heard_and_get_the_same_text(watch, put_streams):
    streams = put_streams()
    heard = Heard(watch)
    print("a", "b")
    print("c", file=sys.stderr)
    wrote = [sys.stdout.write("d\ne"), sys.stderr.write("")]
    lines = heard.stop()

    assert sorted(lines) == [
        ("stderr", "c"),
        ("stdout", "a b"),
        ("stdout", "d"),
        ("stdout", "e"),
    ]
    assert wrote == [3, 0]
    assert "".join(streams[0].got) == "a b\nd\ne"
    assert "".join(streams[1].got) == "c\n"
    assert not any("write" in vars(stream) for stream in streams)


@pytest.mark.parametrize(
    "make",
    [
        Sink,
        io.StringIO,
        lambda: io.TextIOWrapper(io.BytesIO(), encoding="utf-8"),
        lambda: open(os.devnull, "w", encoding="utf-8"),  # noqa: PTH123, SIM115
    ],
)
def test_any_sort_of_stream_is_hooked_and_left_as_it_was(watch, monkeypatch, make):
    stream = make()
    monkeypatch.setattr(sys, "stdout", stream)
    before = dict(vars(stream))
    heard = Heard(watch)

    assert stream.write("words\n") == 6
    assert heard.stop() == [("stdout", "words")]
    assert vars(stream) == before
    if hasattr(stream, "close"):
        stream.close()


@pytest.mark.parametrize("make", [Slotted, lambda: StandIn(Sink()), lambda: None])
def test_a_stream_that_takes_no_hook_is_left_alone(watch, monkeypatch, make):
    stream = make()
    monkeypatch.setattr(sys, "stdout", stream)
    heard = Heard(watch)

    print("words")
    assert not watch.is_watching("stdout")
    assert [line for line in heard.stop() if line[0] == "stdout"] == []
    if stream is not None:
        assert "".join(stream.got) == "words\n"


@pytest.mark.parametrize("wrong", [b"bytes", 3, None])
def test_what_the_stream_refuses_is_refused_as_before(watch, put_streams, wrong):
    put_streams()
    heard = Heard(watch)

    with pytest.raises(TypeError):
        sys.stdout.write(wrong)
    with pytest.raises(TypeError):
        sys.stdout.write()
    print("after")
    assert heard.stop() == [("stdout", "after")]


def test_a_stream_that_names_what_it_writes_is_called_as_before(watch, put_streams):
    streams = put_streams()
    heard = Heard(watch)

    assert sys.stdout.write(text="named\n") == 6
    heard.stop()
    assert streams[0].got == ["named\n"]


def test_what_fails_in_ours_never_reaches_print(watch, put_streams, monkeypatch):
    streams = put_streams()
    heard = Heard(watch)
    with monkeypatch.context() as broken:
        broken.setattr(watch, "_alarm", None)
        print("words")
    assert "".join(streams[0].got) == "words\n"
    heard.stop()


def test_several_listeners_hear_the_same_and_each_ends_by_itself(watch, put_streams):
    streams = put_streams()
    first = Heard(watch)
    print("one")
    second = Heard(watch)
    print("two")
    first.stop()
    print("three")
    second.stop()
    print("four")

    assert first.lines == [("stdout", "one"), ("stdout", "two")]
    assert second.lines[-2:] == [("stdout", "two"), ("stdout", "three")]
    assert not of_ours(streams[0])


def test_started_twice_hears_once(watch, put_streams):
    streams = put_streams()
    first, second = Heard(watch), Heard(watch)
    print("once")
    first.subscription.close()
    first.subscription.close()
    assert second.stop() == [("stdout", "once")]
    assert first.stop() == [("stdout", "once")]
    assert "write" not in vars(streams[0])


def test_two_names_of_one_stream_are_heard_once(watch, monkeypatch):
    one = Sink()
    monkeypatch.setattr(sys, "stdout", one)
    monkeypatch.setattr(sys, "stderr", one)
    heard = Heard(watch)
    print("a")
    print("b", file=sys.stderr)

    assert heard.stop() == [("stdout", "a"), ("stdout", "b")]
    assert "write" not in vars(one)


def test_what_is_redirected_is_not_what_the_process_prints(watch, put_streams):
    streams = put_streams()
    heard = Heard(watch)
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        print("inside")
    print("outside")

    assert heard.stop() == [("stdout", "outside")]
    assert caught.getvalue() == "inside\n"
    assert "write" not in vars(streams[0])


def test_begun_inside_of_a_redirection_it_goes_on_with_what_comes_back(watch, put_streams):
    streams = put_streams()
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        heard = Heard(watch)
        print("inside")
    watch._look()
    print("outside")

    assert heard.stop() == [("stdout", "inside"), ("stdout", "outside")]
    assert not of_ours(caught)
    assert "write" not in vars(streams[0])


def test_a_stream_that_is_closed_or_taken_apart_is_followed_by_the_next(watch, monkeypatch):
    first = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", first)
    heard = Heard(watch)
    print("one")
    sys.stdout = second = io.TextIOWrapper(first.detach(), encoding="utf-8")
    watch._look()
    print("two")
    second.close()
    sys.stdout = third = Sink()
    watch._look()
    print("three")

    assert heard.stop() == [("stdout", "one"), ("stdout", "two"), ("stdout", "three")]
    assert not any(map(of_ours, (first, second, third)))


def test_a_tee_that_others_put_around_the_stream_is_heard_once(watch, put_streams):
    streams = put_streams()
    heard = Heard(watch)
    tee = Sink()
    tee.write = streams[0].write
    sys.stdout = tee
    watch._look()
    print("once")

    assert heard.stop() == [("stdout", "once")]


class Other:
    """Somebody else who hooks the stream, and restores what there was."""

    def __init__(self, stream, name):
        self.stream, self.had = stream, "write" in vars(stream)
        self.before = stream.write
        stream.write = self.write
        self.name = name

    def write(self, text):
        return self.before(text)

    def remove(self, exactly):
        if exactly and not self.had:
            vars(self.stream).pop("write", None)
        else:
            self.stream.write = self.before


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["start", "stop", "print", "look", "restore"]),
        st.tuples(st.just("replace"), st.integers(0, 2)),
        st.tuples(st.just("hook"), st.integers(0, 2)),
        st.tuples(st.just("unhook"), st.integers(0, 9), st.booleans()),
    ),
    max_size=25,
)


class Story:
    """A process in which several hook and replace the stream; unique lines are printed."""

    def __init__(self):
        self.sinks = [Sink(), Sink(), Sink()]
        self.watch = Watch()
        self.heard, self.lines, self.others = [], [], []
        self.running = None
        self.printed = {id(sink): [] for sink in self.sinks}
        self.while_running = []
        sys.stdout = self.sinks[0]

    def step(self, name, *given):
        getattr(self, name)(*given)

    def start(self):
        if self.running is None:
            self.running = Heard(self.watch)

    def stop(self):
        if self.running is not None:
            self.lines += self.running.stop()
            self.running = None

    def print(self):
        line = f"line {sum(map(len, self.printed.values()))}"
        self.printed[id(sys.stdout)].append(line)
        if self.running is not None:
            self.while_running.append(line)
        print(line)

    def look(self):
        with self.watch._door:
            self.watch._look()

    def restore(self):
        sys.stdout = self.sinks[0]

    def replace(self, which):
        sys.stdout = self.sinks[which]

    def hook(self, which):
        self.others.append(Other(self.sinks[which], len(self.others)))

    def unhook(self, which, exactly):
        if self.others:
            self.others.pop(which % len(self.others)).remove(exactly)


def played(steps, monkeypatch):
    # What is replaced and hooked by us alone is the standard output.
    monkeypatch.setattr(module, "STREAMS", ("stdout",))
    before = sys.stdout
    story = Story()
    try:
        for step in steps:
            story.step(*([step] if isinstance(step, str) else step))
        story.stop()
        while story.others:
            story.others.pop().remove(exactly=True)
        for sink in story.sinks:
            sink.write("")
    finally:
        sys.stdout = before
    return story


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_others_do_the_text_arrives_once_and_no_hook_of_ours_stays(steps):
    with pytest.MonkeyPatch.context() as patch:
        story = played(steps, patch)

    for sink in story.sinks:
        assert "".join(sink.got).splitlines() == story.printed[id(sink)]
        assert not of_ours(sink)
    heard = [text for _, text in story.lines]
    assert len(set(heard)) == len(heard)
    assert set(heard) <= set(story.while_running)
    kinds = {step if isinstance(step, str) else step[0] for step in steps}
    if kinds <= {"start", "stop", "print", "look", "restore", "hook"}:
        assert heard == story.while_running


@pytest.mark.parametrize("ours_first", [True, False])
def test_nested_with_another_hook_each_can_go_first(watch, put_streams, ours_first):
    out, _ = put_streams()
    if ours_first:
        heard = Heard(watch)
        other = Other(out, "other")
    else:
        other = Other(out, "other")
        heard = Heard(watch)
    print("both")
    assert heard.stop() == [("stdout", "both")]
    print("other alone")
    other.remove(exactly=True)
    print("none")

    assert "".join(out.got).splitlines() == ["both", "other alone", "none"]
    assert "write" not in vars(out)


def test_a_hook_that_another_took_away_is_put_again(watch, put_streams):
    out, _ = put_streams()
    other = Other(out, "other")
    heard = Heard(watch)
    print("one")
    other.remove(exactly=True)
    print("not heard: nobody knows yet")
    watch._look()
    print("two")

    assert heard.stop() == [("stdout", "one"), ("stdout", "two")]
    assert "write" not in vars(out)


def test_a_listener_that_prints_what_it_hears_does_not_hear_itself(watch, put_streams):
    streams = put_streams()
    heard = []

    def hear(_, lines):
        heard.extend(lines.texts)
        for text in lines.texts:
            print("heard:", text)

    subscription = watch.subscribe(hear)
    for number in range(20):
        print(number)
        subscription.flush()
    subscription.close()
    subscription.flush()

    assert heard == [str(number) for number in range(20)]
    assert len("".join(streams[0].got).splitlines()) == 40


def test_a_listener_that_fails_harms_nobody_and_is_told_of_once(watch, put_streams):
    put_streams()

    def fails(*_):
        raise ValueError("no")

    logger, told = logging.getLogger("pulse_widgets"), []
    handler = logging.Handler()
    handler.emit = lambda record: (told.append(record), print("logged", file=sys.stderr))
    logger.addHandler(handler)
    logger.propagate = False
    try:
        bad, good = watch.subscribe(fails), Heard(watch)
        for number in range(3):
            print(number)
            bad.flush()
        bad.close()
    finally:
        logger.removeHandler(handler)
        logger.propagate = True

    assert [text for _, text in good.stop()] == ["0", "1", "2"]
    assert len(told) == 1
    assert bad.failures == 3


def test_lines_arrive_without_a_flush(watch, put_streams):
    put_streams()
    heard = Heard(watch)
    print("words")
    until(lambda: heard.lines == [("stdout", "words")])
    print("Name?", end="")
    until(lambda: heard.lines[1:] == [("stdout", "Name?")])
    heard.stop()


def test_several_threads_lose_nothing(watch, put_streams):
    streams = put_streams()
    heard = Heard(watch)

    def work(name):
        for number in range(2000):
            sys.stdout.write(f"{name} {number}\n")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [text for _, text in heard.stop()]

    assert len(lines) == len(set(lines)) == 8000
    assert [line for line in lines if line[0] == "b"] == [f"b {n}" for n in range(2000)]
    assert "".join(streams[0].got).splitlines() == lines


def test_a_flood_is_limited_and_counted(watch, put_streams, monkeypatch):
    put_streams()
    monkeypatch.setattr(channel, "LINES_A_SECOND", 100)
    monkeypatch.setattr(channel, "BURST_S", 1.0)
    slow = Watch()
    heard = Heard(slow)
    for number in range(5000):
        sys.stdout.write(f"{number}\n")
    heard.stop()

    assert len(heard.lines) + heard.left_out == 5000
    assert 100 <= len(heard.lines) < 1000
    assert heard.lines[-1] == ("stdout", "4999")
    until(lambda: not slow._thread_runs)


def test_what_there_is_no_room_for_is_counted(watch, put_streams, monkeypatch):
    put_streams()
    monkeypatch.setattr(channel, "WAITING_PIECES", 1000)
    with watch._working:  # the thread gets no time
        heard = Heard(watch)
        for number in range(5000):
            sys.stdout.write(f"{number}\n")
        assert sum(len(channel.pieces) for channel in watch._channels) < 1100
    heard.stop()

    assert len(heard.lines) + heard.left_out == 5000
    assert heard.lines[-1] == ("stdout", "4999")


FORK = """
from pulse_widgets.collectors.capture.watch import watch
heard = []
subscription = watch.subscribe(lambda stream, lines: heard.extend(lines.texts))
print("parent", flush=True)
child = os.fork()
if not child:
    print("child", flush=True)
    assert "write" not in vars(sys.stdout), vars(sys.stdout)
    subscription.flush(); subscription.close()
    assert heard == [] or heard == ["parent"]
    again = watch.subscribe(lambda stream, lines: heard.extend(lines.texts))
    print("again", flush=True)
    again.close(); again.flush()
    assert heard[-1] == "again", heard
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("end", flush=True)
subscription.close(); subscription.flush()
assert heard == ["parent", "end"], heard
assert "write" not in vars(sys.stdout)
"""


def test_a_forked_child_prints_as_if_nobody_watched(tmp_path):
    out, err = run(FORK, tmp_path)

    assert (out, err) == ("parent\nchild\nagain\nend\n", "")
