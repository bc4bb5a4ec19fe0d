"""`%pulse` and `%%pulse`, and what a live monitor says of a cell, where IPython runs."""

import json
import os
import subprocess
import sys

import pytest

from tests.kernels import kernels

WATTS = 300.0
SCRIPT = f"gpu 0 power const {WATTS * 1000:g}\ngpu 0 util const 80"


@pytest.fixture
def start(tmp_path):
    with kernels(tmp_path) as starts:
        yield starts


def shown(kernel, request):
    """Return what a request displayed, in order: its kind and its plain text."""
    return [
        (message["msg_type"], message["content"]["data"]["text/plain"])
        for message in kernel.published
        if message["parent_header"].get("msg_id") == request
        and message["msg_type"] in {"display_data", "execute_result"}
    ]


def ran(kernel, source, *, check=True):
    """Run a cell; return its reply, what it printed and what it displayed."""
    request = kernel.client.execute(source)
    printed = kernel.wait_for(request, check=check)
    reply = kernel.client.get_shell_msg(timeout=20)
    while reply["parent_header"].get("msg_id") != request:
        reply = kernel.client.get_shell_msg(timeout=20)
    return reply["content"], printed, shown(kernel, request)


def report(kernel, which):
    """Return the report of a cell as plain values."""
    printed = kernel.run(f"import json; print(json.dumps(mon.cell({which!r}).to_dict()))")
    return json.loads(printed)


@pytest.mark.slow
def test_the_magics_tell_what_a_cell_cost(start):
    kernel = start(gpus=1, script=SCRIPT, latency_us=0)

    # Without a session one starts, which is said.
    _, printed, displayed = ran(kernel, "%load_ext pulse_widgets\n%pulse")
    assert printed.count("a session has started") == 1
    assert displayed == []

    # Its result, and its await, are as without the magic.
    _, printed, displayed = ran(
        kernel, "%%pulse\nimport asyncio\nprint('on')\nawait asyncio.sleep(0.6)\n41 + 1"
    )
    assert printed == "on\n"
    assert displayed[0] == ("execute_result", "42")
    kind, text = displayed[1]
    assert (kind, text.splitlines()[0]) == ("display_data", "cell [2] import asyncio")
    assert "ok, " in text
    assert "before" not in text

    # The error is the cell's own, in its own line, and the report comes all the same.
    reply, _, displayed = ran(kernel, "%%pulse\nx = 1\n1 / 0", check=False)
    assert (reply["status"], reply["ename"]) == ("error", "ZeroDivisionError")
    assert any("line 3" in line for line in reply["traceback"])
    assert "error (ZeroDivisionError)" in displayed[0][1]

    # Another magic below it is still one; the same cell again is compared.
    _, printed, _ = ran(kernel, "%%pulse\n%%time\nimport time; time.sleep(0.3)")
    assert "Wall time" in printed
    _, _, displayed = ran(kernel, "%%pulse\nimport asyncio\nawait asyncio.sleep(1.1)")
    assert "before" in displayed[0][1]

    # What was told is what the script of the GPU says, within the error bar.
    kernel.run("import pulse_widgets as pw; mon = pw.monitor()")
    for count, seconds in ((2, 0.6), (5, 1.1)):
        told = report(kernel, count)
        assert told["seconds"] >= seconds
        assert told["energy_method"] == "counter"
        assert told["energy_j"] == pytest.approx(
            WATTS * told["seconds"], abs=told["energy_error_j"] + 0.02 * WATTS
        )
        assert told["energy_error_j"] < 0.5 * WATTS * told["seconds"]
        assert told["gpu_busy_s"] == pytest.approx(0.8 * told["seconds"], rel=0.05)

    # Which cells there are, and what is asked wrongly.
    _, _, displayed = ran(kernel, "%pulse 2")
    assert displayed[0][1].startswith("cell [2] ")
    reply, _, _ = ran(kernel, "%pulse 77", check=False)
    assert reply["status"] == "error"
    reply, _, _ = ran(kernel, "%%pulse 12\n1", check=False)
    assert reply["status"] == "error"
    # Below another magic it tells of the cell, too.
    _, printed, displayed = ran(kernel, "%%capture\n%%pulse\nprint(1)")
    assert (printed, displayed[0][1].splitlines()[0]) == ("", "cell [12] %%capture")

    # Stopped in a cell, that cell has no end; the magic goes on with what was left.
    ended = kernel.run("rec = mon.stop(); print(rec.cell().status, rec.cell(-1).status)")
    assert ended == "ok unfinished\n"
    printed = kernel.run("print(rec.cell(-1).status, rec.cells()['status'].iloc[2])")
    assert printed == "unfinished error\n"
    _, _, displayed = ran(kernel, "%pulse 5")
    assert displayed[0][1].startswith("cell [5] ")
    printed = kernel.run("print(rec.events[['kind', 'message']].iloc[0].tolist())")
    assert printed == "['error', 'ZeroDivisionError: division by zero in cell [3]']\n"

    ran(kernel, "%unload_ext pulse_widgets")
    reply, _, _ = ran(kernel, "%%pulse\n1", check=False)
    assert reply["status"] == "error"


@pytest.mark.slow
@pytest.mark.parametrize("record", ["True", "False"])
def test_a_live_monitor_knows_the_cell_that_has_just_ended(start, record):
    kernel = start(gpus=1, script=SCRIPT, latency_us=0)
    kernel.run(f"import pulse_widgets as pw, time; mon = pw.monitor(record={record}, interval=0.2)")
    kernel.run("time.sleep(1.5)")
    told = report(kernel, 2)

    assert (told["cell"], told["status"], told["line"]) == (2, "ok", "time.sleep(1.5)")
    assert told["energy_j"] == pytest.approx(WATTS * told["seconds"], rel=0.1)
    assert told["gpu_busy_s"] == pytest.approx(0.8 * told["seconds"], rel=0.1)
    assert told["gpu_memory_peak"] > 0
    assert told["rss_peak"] > 0
    running = kernel.run("print(mon.cell(-1).cell, mon.cell(-1).status, mon.cell().cell)")
    assert running == "4 running 3\n"
    with_words = kernel.run("try: mon.cell(99)\nexcept pw.PulseError as e: print(e)")
    assert with_words == "There is no cell 99 here\nThere are 1 to 5.\n"
    kernel.run("mon.stop()")
    assert report(kernel, 2)["seconds"] == told["seconds"]


@pytest.mark.slow
def test_nbclient_keeps_the_report_in_the_notebook(tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "home"))
    cells = ["%load_ext pulse_widgets", "%%pulse\nx = 6 * 7\nx"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()

    printed, result, told = notebook.cells[1].outputs
    assert "a session has started" in printed["text"]
    assert result["data"]["text/plain"] == "42"
    assert told["data"]["text/plain"].startswith("cell [2] x = 6 * 7\nok, ")
    assert "<table" in told["data"]["text/html"]


@pytest.mark.slow
def test_it_works_in_a_terminal_too(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        input="%load_ext pulse_widgets\n%pulse\ny = 1\n%pulse 3\n"
        "import pulse_widgets as pw; rec = pw.stop(); print(rec.cells()['cell'].tolist())\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PULSE_HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path)},
    )

    assert "a session has started" in done.stdout
    assert "cell [3] y = 1" in done.stdout
    assert "[2, 3, 4, 5]" in done.stdout


def test_switched_off_it_says_so(tmp_path):
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('%load_ext pulse_widgets')\n"
        "shell.run_cell('%%pulse\\nx = 1\\nprint(x)')\n"
        "shell.run_cell('import pulse_widgets as pw; print(pw.monitor().cell(1))')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PULSE_DISABLED": "1", "IPYTHONDIR": str(tmp_path)},
    )

    assert done.stdout.splitlines()[:2] == ["pulse_widgets is off: PULSE_DISABLED is set.", "1"]
    assert "not watched" in done.stdout
