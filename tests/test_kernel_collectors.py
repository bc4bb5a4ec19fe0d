"""In a real kernel the collectors leave interrupts, the end of a program and its streams alone."""

import json

import pytest

from tests.kernels import kernels
from tests.waiting import until

# It starts a kernel, which takes long.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]

START = """
import json, signal, sys, time
held = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)], sys.exit
from pulse_widgets.collectors import (
    CellCollector, Collector, IOCollector, Sender, SystemMetricCollector, UserMetricCollector,
)
class Own(Collector):
    DROP_THRESHOLD = None
own, user, system = Own(), UserMetricCollector(), SystemMetricCollector(0, interval=0.05)
output, cells = IOCollector(), CellCollector()
got = []
sender = Sender([own, user, system, output, cells], got.extend, interval=0.05)
sender.start()
"""

INTERRUPTED = """
print("it goes on")
while True:
    user.handle_step(None)
    user.log_metrics([user.build_metric_payload({"loss": 1.0}, time.time())])
    own.add(["own"])
    time.sleep(0.001)
"""

TOLD = """
arrived = sender.stop()
same = held == ([signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)], sys.exit)
writes = [vars(s).get("write") for s in (sys.stdout, sys.stderr)]  # IPython may have its own
ours = [w for w in writes if getattr(w, "__module__", "").startswith("pulse_widgets")]
entries = [entry.to_dict() for entry in got if not isinstance(entry, str)]
numbers = {}
for entry in entries:
    numbers.setdefault(entry["measurement"], []).append(entry["seq"])
own_left = len(own), got.count("own") > 0
print(json.dumps([arrived, same, len(ours), own_left, numbers, [
    e for e in entries if e["measurement"] in {"cell", "log"}
]]))
"""

FOLLOWING = [
    """
import pulse_widgets as pw
mon = pw.monitor("system")
output = IOCollector()
output.start()
print("first")
""",
    *(f"print({number})" for number in range(20)),
    """
sys.stdout.write = output.create_write_hook(sys.stdout.write, "stdout")
print("through a hook")
""",
    "output.stop(); print('last')",
    """
lines = pw.stop().output
entries = [line for e in output.collect() for line in e.fields.values()]
print(json.dumps({"recorded": lines["text"].tolist(), "entries": entries}))
""",
]


def test_interrupts_exits_and_the_end_are_the_programs_own(tmp_path):
    with kernels(tmp_path) as start:
        kernel = start()
        kernel.run(START)
        request = kernel.client.execute(INTERRUPTED)
        kernel.wait_until(lambda: kernel.of("stream"))
        kernel.manager.interrupt_kernel()
        kernel.wait_for(request, check=False)
        assert [e["content"]["ename"] for e in kernel.of("error")] == ["KeyboardInterrupt"]
        kernel.run("import warnings; warnings.simplefilter('ignore'); sys.exit(3)", check=False)
        assert kernel.of("error")[-1]["content"]["ename"] == "SystemExit"
        printed = kernel.run(TOLD)
        arrived, same, ours, own_left, numbers, told = json.loads(printed)

        assert (arrived, same, ours, own_left) == (True, True, 0, [0, True])
        assert set(numbers) == {"cell", "log", "experiment_plot_metric", "system_metric"}
        assert all(seqs == list(range(len(seqs))) for seqs in numbers.values())
        cells = [e["fields"] for e in told if e["measurement"] == "cell"]
        assert [(one["count"], one.get("status"), one.get("error")) for one in cells] == [
            (1, "ok", None),
            (2, "interrupted", None),
            (3, "error", "SystemExit"),
            (4, None, None),
        ]
        lines = [e["fields"].get("stdout") for e in told if e["measurement"] == "log"]
        assert lines.count("it goes on") == 1

        # Cells one right after the other, as a notebook runs them all.
        requests = [kernel.client.execute(code) for code in FOLLOWING]
        printed = [kernel.wait_for(request) for request in requests][-1]
        assert json.loads(printed) == {
            "recorded": ["first", *map(str, range(20)), "through a hook", "last"],
            "entries": ["first", *map(str, range(20)), "through a hook"],
        }

        kernel.run(START)
        kernel.client.execute(INTERRUPTED)
        seen = len(kernel.of("stream"))
        kernel.wait_until(lambda: len(kernel.of("stream")) > seen)
        kernel.manager.signal_kernel(15)
        until(lambda: not kernel.manager.is_alive(), 20)
