"""The command line, as a user meets it: what it prints, where, and how it exits."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

import pulse_widgets as pw
from pulse_widgets.cli import main
from pulse_widgets.demo.lab import notebooks, server_command
from tests.fakes import nvml


def command(*words, **environ):
    return subprocess.run(
        [sys.executable, "-m", "pulse_widgets", *map(str, words)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_without_a_command_the_usage_is_shown_and_the_status_is_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2
    assert "usage: pulse-widgets" in capsys.readouterr().err


def test_an_unknown_command_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["dance"])

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert all(word in said for word in ("demo", "doctor", "recordings"))


def test_the_installed_command_is_this_one():
    installed = Path(sys.executable).with_name("pulse-widgets")

    done = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["pulse_widgets", pw.__version__]


def test_doctor_prints_text_or_the_same_as_json(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert main(["doctor", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)

    assert [set(line) for line in lines] == [{"name", "state", "detail", "remedy"}] * len(lines)
    assert all(line["name"] in text for line in lines)
    assert "\nok " in text


def test_doctor_fails_where_recordings_cannot_be_written(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "file"))

    assert main(["doctor"]) == 1
    assert "fail  recordings" in capsys.readouterr().out


def test_recordings_are_listed_newest_first(capsys):
    for title in ("older", "newer"):
        pw.monitor("system", title=title)
        pw.log({"loss": 0.5})
        pw.stop()

    assert main(["recordings"]) == 0
    text = capsys.readouterr().out
    assert main(["recordings", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)

    assert [line["title"] for line in listed] == ["newer", "older"]
    assert text.index("newer") < text.index("older")
    assert "B" in text


def test_an_empty_shelf_says_where_it_is(capsys, tmp_path):
    assert main(["recordings"]) == 0

    assert f"no recordings in {tmp_path}" in capsys.readouterr().out

    assert main(["recordings", "--json"]) == 0

    assert capsys.readouterr().out == "[]\n"


def test_what_cannot_be_read_is_listed_as_that_and_harms_no_terminal(capsys, tmp_path):
    pw.monitor("system", title="good")
    pw.stop()
    shelf = tmp_path / "pulse-home/recordings"
    (shelf / "bad\x1b[31m.pulse.parquet").write_text("nothing")

    assert main(["recordings"]) == 0

    lines = capsys.readouterr().out.splitlines()
    (bad,) = [line for line in lines if "unreadable" in line]
    assert "bad?[31m" in bad
    (good,) = [line for line in lines if "good" in line and "repair" not in line]
    assert ".0 " not in good.split("good")[0].replace(" s ", "")


@pytest.mark.parametrize("words", [[], ["--headless", "-o", "demo"]])
def test_a_demo_without_jupyter_names_the_extra(words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    # What the import system does with a name that is None: it is not there.
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    monkeypatch.setitem(sys.modules, "ipykernel", None)

    assert main(["demo", *words]) == 1

    assert 'pip install "pulse_widgets[lab]"' in capsys.readouterr().err


def test_an_error_is_a_problem_and_a_remedy_without_a_traceback(tmp_path):
    (tmp_path / "there.pulse.parquet").write_text("mine")

    done = command("demo", "--headless", "-o", tmp_path / "there.pulse.parquet")

    assert done.returncode == 1
    assert not done.stdout
    problem, remedy = done.stderr.splitlines()
    assert problem.endswith("is there already")
    assert "-o" in remedy
    assert (tmp_path / "there.pulse.parquet").read_text() == "mine"


@pytest.mark.parametrize(
    "words",
    [["--headless", "--seconds", "-1"], ["--headless", "--seconds", "nan"], ["--seconds", "3"],
     ["--headless", "-o", "/no/such/place/demo"]],
)  # fmt: skip
def test_a_demo_that_cannot_be_is_refused_before_anything_starts(words, capsys):
    assert main(["demo", *words]) == 1

    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.slow
def test_the_demo_without_a_browser_records_this_machine_and_tells_of_it(tmp_path):
    output = tmp_path / "out" / "demo.pulse.parquet"
    output.parent.mkdir()
    environ = nvml.environment(tmp_path / "nvml", gpus=8, latency_us=0)

    done = command("demo", "--headless", "--seconds", 2, "-o", output, **environ)

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["Recording this machine for 2 s, in a Jupyter kernel."]
    said = done.stdout.splitlines()
    assert said[-2:] == [
        f"Written: {output}",
        "To see it, in a notebook of that folder: pw.replay('demo.pulse.parquet')",
    ]
    rec = pw.Recording.open(output)
    rows, series = int(rec.series["rows"].sum()), len(rec.series)
    assert re.match(rf"Recorded [\d.]+ s: {series} series, {rows} rows, ", said[0])
    # One line a metric, however many GPUs there are.
    told = [line.split()[0] for line in said[1:-2]]
    assert len(told) == len(set(told))
    assert {"gpu.power", "cpu.utilization", "train/loss"} <= set(told)
    assert sum(" of 8)" in line for line in said) == 3
    seconds = (rec.end - rec.start).total_seconds()
    assert 1.5 < seconds < 4
    loss = rec.select("train/loss").to_pandas()
    assert loss["step"].tolist() == list(range(len(loss)))
    assert len(loss) > 20
    assert {f"gpu:{k}" for k in range(8)} == set(rec.select("gpu.power").series["entity"])
    assert rec.events["message"].tolist().count("warm") == 1
    assert list(rec.cells()["status"])
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_a_demo_where_all_is_switched_off_says_so(tmp_path):
    done = command("demo", "--headless", "--seconds", 1, "-o", tmp_path / "x", PULSE_DISABLED="1")

    assert done.returncode == 1
    assert "PULSE_DISABLED" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_server_listens_to_this_machine_alone_and_root_is_allowed_only_to_root():
    as_root, as_user = server_command(5, root=True), server_command(5, root=False)

    assert "--ServerApp.ip=127.0.0.1" in as_user
    assert "--ServerApp.port=5" in as_user
    assert "--allow-root" in as_root
    assert "--allow-root" not in as_user


def test_the_notebooks_ship_with_the_package():
    shipped = notebooks()

    assert [path.name[:3] for path in shipped] == ["01_", "02_", "03_", "04_", "05_"]
    assert {json.loads(path.read_bytes())["nbformat"] for path in shipped} == {4}


@pytest.mark.slow
def test_the_demo_serves_the_notebook_behind_its_token_until_it_is_ended(tmp_path):
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >{opened}\n')
    browser.chmod(0o755)
    os.mkfifo(opened)
    environ = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "HOME": str(tmp_path),
        "DISPLAY": ":99",
        "BROWSER": str(browser),
    }
    demo = subprocess.Popen(
        [sys.executable, "-m", "pulse_widgets", "demo"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = demo.stdout.readline()
        url = line.split()[-1]
        base, token = url.split("/lab/")[0], url.split("token=")[1]
        server = psutil.Process(demo.pid).children()
        words = [word for process in server for word in process.cmdline()]
        with urllib.request.urlopen(f"{base}/api/contents?token={token}") as got:
            served = sorted(one["name"] for one in json.load(got)["content"])
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{base}/api/contents/01_quickstart.ipynb")
        shown = opened.read_text().strip()
    finally:
        demo.send_signal(signal.SIGINT)
        _, said = demo.communicate(timeout=60)

    assert line.startswith("JupyterLab is running: http://127.0.0.1:")
    assert shown == url
    assert served == [path.name for path in notebooks()]
    assert refused.value.code == 403
    assert "jupyterlab" in words
    assert not any(token in word for word in words)
    assert demo.returncode == 0
    assert not said
    assert not any(process.is_running() for process in server)
    assert not list(tmp_path.glob("pulse-demo-*"))


# Switched off -------------------------------------------------------------------------


def test_a_switched_off_monitor_has_all_that_a_monitor_has_and_does_none_of_it(monkeypatch):
    from pulse_widgets.widgets.monitor import Monitor

    monkeypatch.setenv("PULSE_DISABLED", "1")
    mon = pw.monitor()

    own = {name for name, value in vars(Monitor).items() if not name.startswith("_")
           and (callable(value) or isinstance(value, property))}  # fmt: skip
    assert own >= {"stop", "close", "mark", "burst", "view", "status", "recording"}
    assert all(hasattr(mon, name) for name in own)
    assert mon.view("strip") is mon
    assert (mon.alert("gpu.power > 300").cancel(), mon.alert("").phase) == (None, "off")
    assert mon.mark("x") is mon.burst() is mon.close() is mon.stop() is mon.recording is None
    assert "PULSE_DISABLED is set" in repr(mon)
    assert mon.status.loc["pulse", "state"] == "off"
    assert list(mon.status.columns) == ["state", "problem", "remedy", "missing", "cost"]
