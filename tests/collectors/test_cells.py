import threading
from types import SimpleNamespace

import pytest

from pulse_widgets.collectors.cells import CellRows, _telling_line
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
    ],
)
def test_a_cell_is_told_by_its_first_line_that_does_something(source, line):
    assert _telling_line(source) == line


class Notebook:
    """A shell of a kernel, as far as cells are concerned."""

    kernel = object()

    def __init__(self):
        self.execution_count = 1
        self.hooks = {}
        self.events = self
        self.history_manager = SimpleNamespace(input_hist_parsed=["", ""])

    def register(self, event, hook):
        self.hooks[event] = hook

    def run(self, source, error=None):
        self.execution_count += 1
        self.hooks["pre_run_cell"](SimpleNamespace(raw_cell=source))
        self.hooks["post_run_cell"](SimpleNamespace(error_in_exec=error, error_before_exec=None))


def test_a_thousand_cells_are_one_series_and_each_is_there(monkeypatch):
    notebook, registry = Notebook(), Registry()
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: notebook)
    cells = CellRows(registry, Clock(), "h0", lambda: None)
    cells.start()
    for number in range(1000):
        notebook.run(f"step({number})", ValueError() if number == 7 else None)

    assert [(one.entity, one.metric, one.kind) for one in registry.since(0)] == [
        ("kernel", "cell", "span")
    ]
    spans = DisplayForm(registry).take(Rows.concat(cells.collect()))[1].spans
    told = list({span.id: span for span in spans}.values())[1:]
    assert [span.facts["count"] for span in told] == list(range(2, 1002))
    assert [span.facts["line"] for span in told] == [f"step({n})" for n in range(1000)]
    failed = [span.facts.get("error") for span in told]
    assert failed == ["ValueError" if n == 7 else None for n in range(1000)]
    assert all(span.end is not None for span in told)


def test_an_interrupt_at_the_end_of_a_cell_leaves_the_kernel_idle(monkeypatch):
    notebook, interrupts = Notebook(), []

    def arrived():
        if interrupts:
            raise interrupts.pop()

    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: notebook)
    cells = CellRows(Registry(), Clock(), "h0", arrived)
    cells.start()
    assert cells.cell is not None
    interrupts.append(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        notebook.hooks["post_run_cell"]()

    assert cells.cell is None
    busy = cells.busy_s()
    assert cells.busy_s() == busy


class OtherNotebook(Notebook):
    """A shell that has run one cell, and counts the next as a version of IPython does."""

    def __init__(self, *, counts_first):
        super().__init__()
        self.execution_count = 2
        self.counts_first = counts_first

    def run(self, source, **about):
        stored = about.get("store_history", True)
        self.execution_count += stored and self.counts_first
        self.hooks["pre_run_cell"](SimpleNamespace(raw_cell=source, **about))
        if stored:
            self.history_manager.input_hist_parsed.append(source)
        self.hooks["post_run_cell"](SimpleNamespace(error_in_exec=None, error_before_exec=None))
        self.execution_count += stored and not self.counts_first


@pytest.mark.parametrize("counts_first", [True, False])
def test_begun_beside_a_kernel_at_rest_it_waits_for_the_next_cell(monkeypatch, counts_first):
    notebook, registry = OtherNotebook(counts_first=counts_first), Registry()
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: notebook)
    cells = CellRows(registry, Clock(), "h0", lambda: None)
    thread = threading.Thread(target=cells.start)
    # The main thread waits here, as it does in a kernel at rest: no cell runs in it.
    thread.start()
    thread.join()

    assert cells.active
    assert cells.cell is None
    assert cells.busy_s() == 0.0
    notebook.run("unseen", store_history=False)
    for number in range(3):
        notebook.run(f"step({number})")
    spans = DisplayForm(registry).take(Rows.concat(cells.collect()))[1].spans
    told = list({span.id: span for span in spans}.values())[1:]
    assert [(span.facts["count"], span.facts["line"]) for span in told] == [
        (2, "step(0)"),
        (3, "step(1)"),
        (4, "step(2)"),
    ]
