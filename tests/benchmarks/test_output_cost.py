"""What a print costs more in a notebook whose output is recorded. Times are printed, not judged."""

import json

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

LINES = 20_000
TIMED = f"""
import json, time
begun = time.thread_time()
for number in range({LINES}): print(f"epoch {{number}} loss {{number * 0.5:.4f}} lr 0.001")
spent.setdefault(captures, []).append(time.thread_time() - begun)
"""
PAIRS = 10


def test_what_a_printed_line_costs(kernel, capsys):
    kernel = kernel()
    kernel.run("import pulse_widgets as pw\nspent = {}")
    for _ in range(PAIRS):
        for captures in (False, True):
            kernel.run(f"captures = {captures}")
            kernel.run("mon = pw.monitor(sources='system', capture_output=captures)")
            kernel.run(TIMED)
            kernel.run("recorded = len(mon.stop().output)")
            kept = int(kernel.run("print(recorded)"))
            assert kept == (LINES if captures else 0)

    least = json.loads(kernel.run("print(json.dumps([min(spent[False]), min(spent[True])]))"))
    without, with_us = (seconds / LINES * 1e6 for seconds in least)
    print(
        f"\na printed line: {without:.2f} us, recorded {with_us:.2f} us, x {with_us / without:.3f}"
    )
