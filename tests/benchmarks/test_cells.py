"""What watching costs a cell, and how fast very many cells are answered."""

import json

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

CELLS = 200
TIMED = """
import pulse_widgets as pw, time, json
mon = pw.monitor()
events, taken = get_ipython().events, []
def timed(hook, name):
    def timing(*arguments):
        begun = time.perf_counter()
        hook(*arguments)
        taken.append((name, time.perf_counter() - begun))
    ours = type(getattr(hook, "__self__", None)).__name__ == "CellWatch"
    return timing if ours else hook
for name in ("pre_run_cell", "post_run_cell"):
    events.callbacks[name] = [timed(hook, name) for hook in events.callbacks[name]]
# From here on nobody puts the hooks back in their place.
from pulse_widgets.collectors.cell_watch import watch
watch.look = lambda: None
"""


def test_a_cell_costs_less_than_a_millisecond_of_our_time(kernel, capsys):
    running = kernel()
    running.run(TIMED)
    for number in range(CELLS):
        running.run(f"x = {number}")
    taken, rows = json.loads(
        running.run(
            "rec = mon.stop()\n"
            "rows = int(rec.series.query(\"metric == 'cell'\")['rows'].iloc[0])\n"
            "print(json.dumps([taken, rows]))"
        )
    )
    # A hook before and one behind each cell; that in which they were put in place has one.
    names = [name for name, _ in taken]
    assert names == ["post_run_cell", *["pre_run_cell", "post_run_cell"] * CELLS, "pre_run_cell"]
    # Two rows a cell, and no more; the last has not ended.
    assert rows == 2 * (CELLS + 2) - 1
    spent = [seconds for _, seconds in taken]
    pairs = sorted(a + b for a, b in zip(spent[1::2], spent[2::2], strict=False))
    with capsys.disabled():
        print(
            f"\na cell: {1000 * sum(pairs) / len(pairs):.3f} ms of our time around it in the mean, "
            f"median {1000 * pairs[len(pairs) // 2]:.3f}, 99th percentile "
            f"{1000 * pairs[len(pairs) * 99 // 100]:.3f} (budget 1 ms)"
        )
