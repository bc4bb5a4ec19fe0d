"""The cells that a notebook executes, as entries to be delivered."""

import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from pulse_widgets.collectors import CellCollector
from pulse_widgets.collectors.cell_watch import watch


@pytest.fixture
def shell(capsys):
    """A shell of IPython that keeps no history and ends with the test."""
    config = Config()
    config.HistoryManager.enabled = False
    display, excepthook = sys.displayhook, sys.excepthook
    made = InteractiveShell.instance(config=config)
    yield made
    made.events.callbacks = {name: [] for name in made.events.callbacks}
    InteractiveShell.clear_instance()
    sys.displayhook, sys.excepthook = display, excepthook


@pytest.fixture
def collector(shell):
    made = CellCollector()
    made.start()
    yield made
    made.stop()


def run(shell, source, **about):
    return shell.run_cell(source, store_history=True, **about)


CELLS = {
    "one that works": ("x = 1", {"line": "x = 1", "status": "ok"}),
    "one that fails": ("1 / 0", {"line": "1 / 0", "status": "error", "error": "ZeroDivisionError"}),
    "one that is no Python": (
        "x = (",
        {"line": "x = (", "status": "error", "error": "_IncompleteInputError"},
    ),
    "one that is interrupted": (
        "raise KeyboardInterrupt",
        {"line": "raise KeyboardInterrupt", "status": "interrupted"},
    ),
    "one that ends the program": (
        "import sys\nsys.exit(3)",
        {"line": "import sys", "status": "error", "error": "SystemExit"},
    ),
    "a secret in its line": (
        "token = 'ghp_" + "x" * 36 + "'",
        {"line": "token = '[masked]'", "status": "ok"},
    ),
}


@pytest.mark.filterwarnings("ignore:To exit")
@pytest.mark.parametrize("case", CELLS)
def test_each_cell_is_one_entry_when_it_has_ended(shell, collector, case):
    source, expected = CELLS[case]
    run(shell, source, cell_id="abc")

    (entry,) = collector.collect()
    fields = dict(entry.fields)
    seconds = fields.pop("seconds")
    if fields.get("error") == "SyntaxError":  # older versions of Python say less
        expected = {**expected, "error": "SyntaxError"}
    assert fields == {"count": 1, **expected}
    assert (entry.measurement, entry.tags) == ("cell", {"cell": "1", "cell_id": "abc"})
    assert 0 <= seconds < 60
    assert entry.seq == 0


def test_cells_come_in_order_and_begin_after_one_another(shell, collector):
    for number in range(20):
        run(shell, f"x = {number}")
    found = collector.collect()
    assert [entry.fields["line"] for entry in found] == [f"x = {n}" for n in range(20)]
    assert [entry.tags for entry in found] == [{"cell": str(n)} for n in range(1, 21)]
    ends = [entry.ts + entry.fields["seconds"] for entry in found]
    assert all(end <= later.ts + 0.01 for end, later in zip(ends, found[1:], strict=False))


def test_the_cells_that_start_and_stop_it_are_told_the_last_without_an_end(shell):
    collector = CellCollector()
    shell.user_ns["collector"] = collector
    run(shell, "collector.start()")
    run(shell, "collector.start()")
    run(shell, "collector.stop()\ncollector.stop()")
    run(shell, "unheard = 1")
    found = [entry.fields for entry in collector.collect()]
    assert [(one["count"], one.get("status")) for one in found] == [(1, "ok"), (2, "ok"), (3, None)]
    assert "seconds" not in found[2]
    assert watch.running == () or not watch._listeners


def test_where_the_events_of_the_notebook_were_reset_it_listens_again(shell, collector):
    shell.events.callbacks = {name: [] for name in shell.events.callbacks}
    run(shell, "unheard = 1")
    collector.collect()
    run(shell, "heard = 1")
    assert [entry.fields["line"] for entry in collector.collect()] == ["heard = 1"]


def test_outside_of_ipython_it_says_so_and_takes_in_nothing(monkeypatch):
    monkeypatch.setattr("pulse_widgets.collectors.cell_watch.shell_here", lambda: None)
    collector = CellCollector()
    assert collector.problem == ""
    collector.start()
    assert collector.problem == "This process is no IPython, so it executes no cells."
    collector.stop()
    assert collector.collect() == []
