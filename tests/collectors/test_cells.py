"""The rows of cells, through the signals of a real IPython."""

import asyncio
import json
import os
import sys
import threading
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from pulse_widgets.collectors.cell_errors import TRACEBACK_LETTERS, event_of_error
from pulse_widgets.collectors.cell_watch import telling_line, watch
from pulse_widgets.collectors.cells import CellRows
from pulse_widgets.series.clock import Clock
from pulse_widgets.series.display_form import DisplayForm
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("", ""),
        ("train()\nmore()", "train()"),
        ("# a remark\n\n  train(1)  # now", "train(1)  # now"),
        ("\n# nothing but\n# remarks", "# nothing but"),
        ("%%time\ntrain()", "%%time"),
        ("%%pulse\ntrain()", "train()"),
        ("%%pulse", "%%pulse"),
    ],
)
def test_a_cell_is_told_by_its_first_line_that_does_something(source, line):
    assert telling_line(source) == line


@pytest.fixture
def shell(monkeypatch, capsys):
    """A shell of IPython that keeps no history and ends with the test."""
    config = Config()
    config.HistoryManager.enabled = False
    display, excepthook = sys.displayhook, sys.excepthook
    made = InteractiveShell.instance(config=config)
    yield made
    made.events.callbacks = {name: [] for name in made.events.callbacks}
    InteractiveShell.clear_instance()
    sys.displayhook, sys.excepthook = display, excepthook


class Told:
    """Cell rows, and what pages hear of them."""

    def __init__(self, arrived=lambda: None):
        self.registry = Registry()
        self.rows = CellRows(self.registry, Clock(), "h0", arrived)
        self._form = DisplayForm(self.registry)
        self.events = []
        self.spans = {}

    def take(self):
        blocks = self.rows.collect()
        self.rows.truncate(len(blocks))
        events = self._form.take(Rows.concat(blocks))[1]
        self.events += [moment.facts for moment in events.moments]
        for span in events.spans:
            self.spans[span.id] = span
        return list(self.spans.values())

    def facts(self, *names):
        return [tuple(span.facts.get(name) for name in names) for span in self.take()]


@pytest.fixture
def told(shell):
    made = Told()
    made.rows.start()
    yield made
    made.rows.stop()


def run(shell, source, **about):
    return shell.run_cell(source, store_history=True, **about)


def test_a_thousand_cells_are_one_series_and_each_is_there(shell, told):
    for number in range(1000):
        run(shell, f"x = {number}" if number != 7 else "raise ValueError", cell_id=f"c{number}")

    series = [(one.entity, one.metric, one.kind) for one in told.registry.since(0)]
    assert series == [("kernel", "cell", "span"), ("kernel", "event", "text")]
    spans = told.take()
    assert [span.facts["count"] for span in spans] == list(range(1, 1001))
    assert [span.facts["cell_id"] for span in spans] == [f"c{n}" for n in range(1000)]
    assert [s.facts["line"] for s in spans][:7] == [f"x = {n}" for n in range(7)]
    failed = [span.facts.get("error") for span in spans]
    assert failed == ["ValueError" if n == 7 else None for n in range(1000)]
    assert all(span.end is not None for span in spans)
    assert told.rows.cell is None


def test_the_line_of_a_cell_is_told_without_what_looks_like_a_secret(shell):
    told = Told()
    told.rows.start()
    run(shell, "api_key = 'abcd1234efgh5678'; done = 1")

    assert [s.facts["line"] for s in told.take()] == ["api_key = '[masked]'; done = 1"]
    told.rows.stop()


def test_a_cell_in_which_it_starts_is_told_with_its_line_and_ends(shell):
    told = Told()
    shell.user_ns["rows"] = told.rows
    run(shell, "rows.start()\nassert rows.cell == 1", cell_id="abc").raise_error()

    assert told.facts("count", "line", "cell_id", "status") == [(1, "rows.start()", "abc", "ok")]
    assert told.take()[0].end is not None
    run(shell, "rows.stop()")
    assert told.facts("count", "status") == [(1, "ok"), (2, None)]
    assert told.take()[1].end is None


def test_an_interrupt_at_the_end_of_a_cell_leaves_the_kernel_idle(shell):
    interrupts = []

    def arrived():
        if interrupts:
            raise interrupts.pop()

    told = Told(arrived)
    told.rows.start()
    shell.user_ns["interrupts"] = interrupts
    run(shell, "interrupts.append(KeyboardInterrupt)")

    assert not interrupts
    assert told.rows.cell is None
    busy = told.rows.busy_s()
    assert told.rows.busy_s() == busy
    told.rows.stop()


def test_begun_beside_a_shell_at_rest_it_waits_for_the_next_cell(shell):
    run(shell, "unseen = 1")
    told = Told()
    told.rows.start()

    assert told.rows.active
    assert told.rows.cell is None
    assert told.rows.busy_s() == 0.0
    shell.run_cell("unseen", store_history=False)
    for number in range(3):
        run(shell, f"x = {number}")
    assert told.facts("count", "line")[1:] == [(2, "x = 0"), (3, "x = 1"), (4, "x = 2")]
    told.rows.stop()


class OlderShell:
    """A shell that counts a cell after it has run, and tells no result its count before."""

    kernel = object()

    def __init__(self):
        self.execution_count = 2
        self.events = self
        self.callbacks = {"pre_run_cell": [], "post_run_cell": []}
        self.history_manager = SimpleNamespace(input_hist_parsed=["", ""])

    def register(self, event, hook):
        self.callbacks[event].append(hook)

    def unregister(self, event, hook):
        self.callbacks[event].remove(hook)

    def run(self, source, **about):
        info = SimpleNamespace(raw_cell=source, silent=False, store_history=True, cell_id=None)
        for hook in self.callbacks["pre_run_cell"]:
            hook(info)
        self.history_manager.input_hist_parsed.append(source)
        for hook in self.callbacks["post_run_cell"]:
            hook(SimpleNamespace(info=info, error_in_exec=None, error_before_exec=None))
        self.execution_count += 1


def test_a_version_of_ipython_that_counts_later_gives_the_same_counts(monkeypatch):
    shell, told = OlderShell(), Told()
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    told.rows.start()
    for number in range(3):
        shell.run(f"x = {number}")

    assert told.facts("count", "line") == [(2, "x = 0"), (3, "x = 1"), (4, "x = 2")]
    told.rows.stop()


def overlapping(shell, *sources):
    """Run cells beside each other in one loop, as a kernel does with asynchronous ones."""

    async def one(source):
        result = None
        made = asyncio.ensure_future(
            shell.run_cell_async(
                source, store_history=True, transformed_cell=shell.transform_cell(source)
            )
        )
        try:
            result = await made
        finally:
            shell.events.trigger("post_run_cell", result)

    async def all_():
        shell.user_ns["go"] = asyncio.Event()
        return await asyncio.gather(*map(one, sources), return_exceptions=True)

    return asyncio.run(all_())


def test_cells_that_overlap_do_not_mix(shell, told):
    began = []
    shell.user_ns["note"] = lambda: began.append((told.rows.cell, told.rows.busy_s() > 0))
    overlapping(shell, "await go.wait()  # first", "note()\ngo.set()  # second", "1/0  # third")

    lines = told.facts("count", "line", "status", "error")
    assert lines == [
        (1, "await go.wait()  # first", "ok", None),
        (2, "note()", "ok", None),
        (3, "1/0  # third", "error", "ZeroDivisionError"),
    ]
    first, second, third = told.take()
    assert first.start <= second.start <= third.start <= third.end <= first.end
    # The union of all, which is the first alone.
    assert told.rows.busy_s() == pytest.approx(first.end - first.start, abs=0.02)
    assert began == [(2, True)]
    assert told.rows.cell is None


def test_an_asynchronous_cell_that_has_no_result_ends_and_no_other_does(shell, told):
    shell.user_ns["leave"] = lambda: (_ for _ in ()).throw(asyncio.CancelledError)

    async def main():
        shell.user_ns["go"] = asyncio.Event()

        async def cell(source):
            return await shell.run_cell_async(
                source, store_history=True, transformed_cell=shell.transform_cell(source)
            )

        waiting = asyncio.ensure_future(cell("await go.wait()"))
        other = asyncio.ensure_future(cell("await go.wait()  # other"))
        await asyncio.sleep(0)
        other.cancel()
        result = (await asyncio.gather(other, return_exceptions=True))[0]
        shell.events.trigger("post_run_cell", None if isinstance(result, BaseException) else result)
        assert told.rows.cell == 1
        shell.user_ns["go"].set()
        shell.events.trigger("post_run_cell", await waiting)

    asyncio.run(main())
    assert told.facts("count", "status") == [(1, "ok"), (2, "interrupted")]
    assert told.events == []


def test_a_cell_that_a_magic_runs_inside_another_is_a_part_of_that(shell, told):
    run(shell, "%%capture\nx = 1")
    run(shell, "get_ipython().run_cell('1/0'); y = 2")

    lines = told.facts("count", "line", "status")
    assert lines == [
        (1, "%%capture", "ok"),
        (2, "get_ipython().run_cell('1/0'); y = 2", "ok"),
    ]


@pytest.mark.parametrize("source", ["", "  \n"])
def test_an_empty_cell_is_none_and_ends_no_other(shell, told, source):
    shell.user_ns["empty"] = lambda: shell.run_cell(source)
    run(shell, "empty()")
    run(shell, source)

    assert told.facts("line", "status") == [("empty()", "ok")]


def test_it_goes_on_where_the_events_of_the_notebook_are_reset(shell, told):
    run(shell, "a = 1")
    shell.events.callbacks = {name: [] for name in shell.events.callbacks}
    run(shell, "unheard = 1")
    told.rows.busy_s()
    run(shell, "b = 1")
    reset = "events = get_ipython().events\nevents.callbacks = {n: [] for n in events.callbacks}"
    run(shell, reset)
    assert told.rows.cell == 4
    told.rows.busy_s()
    assert told.rows.cell is None
    run(shell, "c = 1")

    assert told.facts("line", "status") == [
        ("a = 1", "ok"),
        ("b = 1", "ok"),
        ("events = get_ipython().events", None),
        ("c = 1", "ok"),
    ]


def test_several_listen_and_one_that_fails_harms_no_other(shell, told, caplog):
    class Failing:
        def began(self, run):
            raise ValueError("began")

        def ended(self, run, outcome):
            raise ValueError("ended")

    failing, other = Failing(), Told()
    assert watch.subscribe(failing)
    other.rows.start()
    run(shell, "x = 1")
    watch.unsubscribe(failing)
    told.rows.stop()
    run(shell, "x = 2")
    other.rows.stop()
    run(shell, "x = 3")

    assert told.facts("line") == [("x = 1",)]
    assert other.facts("line") == [("x = 1",), ("x = 2",)]
    assert caplog.text.count("a listener to cells failed") == 2
    assert not any(shell.events.callbacks[name] for name in ("pre_run_cell", "post_run_cell"))


def test_a_thread_of_its_own_runs_cells_beside_the_main_one(shell, told):
    # As subshells do.
    shell.user_ns["beside"] = lambda: _in_thread(lambda: run(shell, "inner = 1"))
    run(shell, "beside()")

    assert sorted(told.facts("line", "status")) == [("beside()", "ok"), ("inner = 1", "ok")]


def _in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_nothing_is_done_in_a_forked_child(shell, told):
    child = os.fork()
    if not child:
        run(shell, "x = 1")
        os._exit(len(told.rows.collect()) + 10 * (told.rows.cell is not None))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_without_ipython_there_is_nothing_to_listen_to():
    told = Told()
    told.rows.start()

    assert not told.rows.active
    assert told.rows.status.state == "off"


# What a cell raised -------------------------------------------------------------------


def test_an_error_is_an_event_with_its_traceback_as_plain_text(shell, told):
    run(shell, "def outer():\n    raise ValueError('too\\nlarge')\nouter()")
    told.take()

    (event,) = told.events
    assert (event["kind"], event["cell"]) == ("error", 1)
    assert event["message"] == "ValueError: too\nlarge in cell [1]"
    text = event["traceback"]
    assert text.startswith("Traceback (most recent call last):")
    assert "raise ValueError('too\\nlarge')" in text
    assert "interactiveshell" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("key", ["hf_" + "a1B2" * 9, "ghp_" + "a1B2" * 9])
def test_a_secret_in_a_line_or_an_error_is_masked(shell, told, key):
    run(shell, f"token = '{key}'")
    run(shell, f"raise ValueError('no access with {key}')")
    told.take()

    lines = [line for (line,) in told.facts("line")]
    assert len(lines) == 2 and all("[masked]" in line for line in lines)
    assert "[masked]" in told.events[0]["message"]
    assert key not in f"{lines} {told.events}"


def test_what_cannot_be_compiled_is_an_event_too(shell, told):
    run(shell, "x = (")
    told.take()

    assert told.facts("status", "error") == [("error", "SyntaxError")]
    assert told.events[0]["traceback"].startswith("  File")
    assert "interactiveshell" not in told.events[0]["traceback"]


def test_an_interrupt_is_a_status_and_no_event(shell, told):
    run(shell, "raise KeyboardInterrupt")
    told.take()

    assert told.facts("status", "error") == [("interrupted", None)]
    assert told.events == []


def torch_error():
    class OutOfMemoryError(RuntimeError):
        """As torch calls it."""

    return OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def caused(error):
    outer = ValueError("training failed")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError("no room"), "oom"),
        (torch_error(), "oom"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "oom"),
        (RuntimeError("cudaErrorMemoryAllocation: out of memory"), "oom"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying"), "oom"),
        (caused(MemoryError()), "oom"),
        (RuntimeError("CUDA error: an illegal memory access"), "error"),
        (ValueError("RESOURCE_EXHAUSTED"), "error"),
        (caused(KeyError("x")), "error"),
    ],
)
def test_running_out_of_memory_is_told_apart(error, kind):
    event = event_of_error(error, 12)

    assert event["kind"] == kind
    assert event["message"].endswith(" in cell [12]")


@pytest.mark.parametrize(
    "secret", ["token=hf_" + "a1B2" * 9, "postgres://me:hunter22@host/db", "AKIA" + "ABCD2345" * 2]
)
def test_what_looks_like_a_secret_is_in_nothing_that_is_told_of_a_failed_cell(secret):
    error = ValueError(f"refused: {secret}\nthen")

    event = event_of_error(error, 1)

    hidden = secret.split("=")[-1].replace("postgres://me:", "").split("@")[0]
    assert hidden in str(error)
    assert hidden not in json.dumps(event)
    assert "[masked]" in event["message"] and "[masked]" in event["traceback"]
    assert event["message"].startswith("ValueError: refused: ")


def test_an_error_without_words_is_its_kind_alone():
    assert event_of_error(MemoryError(), 3)["message"] == "MemoryError in cell [3]"


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x" * 100_000),
        ValueError("\N{SNOWMAN}" * 50_000),
        MuteError(),
        ValueError("\ud800"),
    ],
)
def test_what_is_told_of_an_error_is_bounded_and_can_be_written(error):
    event = event_of_error(error, 1)

    json.dumps(event).encode()
    assert len(event["traceback"].encode("utf-8", "replace")) <= TRACEBACK_LETTERS
    assert len(event["message"]) < 1100


TOKEN = "hf_" + "Ab3" * 12


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (f"401 for https://user:{TOKEN}@example.org/x", "example.org"),
        (f"bad token {TOKEN}", "bad token"),
        (f"https://example.org/?api_key={TOKEN}", "api_key="),
        (f"two lines\nAuthorization: Bearer {TOKEN}", "two lines"),
        (f"{'x ' * 450}{TOKEN}", "x x"),
        (f"{'x ' * 490}{TOKEN}", "x x"),
        (f"{'x ' * 3_980}{TOKEN}", "x x"),
        (f"{'x ' * 60_000}{TOKEN}{' x' * 4_060}", "x x"),
        (f"https://hooks.slack.com/services/{TOKEN}", "hooks.slack.com"),
    ],
)
def test_what_is_told_of_an_error_has_no_secret(words, kept):
    event = event_of_error(ValueError(words), 1)

    for text in (event["message"], event["traceback"]):
        assert kept in text
        assert TOKEN[:20] not in text
        assert TOKEN[-20:] not in text


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (f"login(token='{TOKEN}')", "login(token='[masked]')"),
        (f"# who\nos.environ['HF_TOKEN'] = '{TOKEN}'", "os.environ['HF_TOKEN'] = '[masked]'"),
        (f"{'x' * 180} = '{TOKEN}'", f"{'x' * 180} = 'hf_[masked]'"),
        ("environ['SOME_API_KEY'] = 's3cr3t'", "environ['SOME_API_KEY'] = '[masked]'"),
        ("tokens = 17", "tokens = 17"),
    ],
)
def test_the_line_of_a_cell_has_no_secret(shell, told, source, line):
    run(shell, source)

    assert told.facts("line") == [(line,)]


def test_a_long_traceback_keeps_its_start_and_its_end():
    # Lines that differ: alike ones are written once.
    calls = "".join(f"def step_{n}():\n    step_{n + 1}()\n" for n in range(600))
    made = {}
    exec(f"{calls}def step_600():\n    raise ValueError('the end of it')\n", made)
    with pytest.raises(ValueError, match="the end") as caught:
        made["step_0"]()
    text = event_of_error(caught.value, 1)["traceback"]

    assert text.startswith("Traceback (most recent call last):")
    assert text.rstrip().endswith("ValueError: the end of it")
    assert "letters left out" in text
    assert len(text.encode()) <= TRACEBACK_LETTERS
