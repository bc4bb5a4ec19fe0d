"""What `repr` says of a monitor: live, stopped, closed, unrecorded, replayed, never made."""

import os
import re
import subprocess
import sys

import pytest

import pulse_widgets as pw


@pytest.fixture(autouse=True)
def _ended():
    yield
    pw.stop()


def counted(text):
    """The text with its lengths and sizes left open, as they differ from run to run."""
    length = r"\d+(\.\d+)? (ms|s)\b"
    return re.sub(r"\d+(\.\d+)? (B|KiB)", "SIZE", re.sub(length, "LENGTH", text))


def test_a_live_monitor_says_how_long_how_much_and_where_and_a_stopped_one_what_was(tmp_path):
    mon = pw.monitor("system", record=tmp_path / "run-17.pulse")
    live = repr(mon)
    pw.stop()

    assert re.fullmatch(
        r"<Monitor live, LENGTH, \d+ series, recording SIZE at run-17>", counted(live)
    )
    assert re.fullmatch(
        r"<Monitor stopped, LENGTH, \d+ series, recorded SIZE at run-17>", counted(repr(mon))
    )
    assert str(tmp_path) not in live


def test_its_series_and_gpus_are_counted_as_they_come():
    mon = pw.monitor("system", record=False)
    before = int(re.search(r"(\d+) series", repr(mon))[1])

    for gpu in range(8):
        mon._hub._session.registry.add("h0", f"gpu:{gpu}", "gpu.power", unit="W")

    said = repr(mon)
    assert ", 8 GPUs, " in said
    assert int(re.search(r"(\d+) series", said)[1]) >= before + 8


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({}, "<Monitor live, "),
        ({"layout": "strip"}, "<Monitor strip, live, "),
        ({"layout": "charts", "metrics": "cpu.*"}, "<Monitor charts, live, "),
    ],
)
def test_a_view_says_its_layout_and_that_it_was_closed(view, said):
    shown = pw.monitor("system", record=False).view(**view)

    assert repr(shown).startswith(said)
    shown.close()
    assert repr(shown).startswith(said.replace("live", "closed view, live"))
    pw.stop()
    assert repr(shown).startswith(said.replace("live", "closed view, stopped"))


def test_one_that_does_not_record_says_so():
    assert repr(pw.monitor("system", record=False)).endswith(", not recorded>")


def test_one_that_cannot_record_says_where_to_look(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "file"))
    with pytest.warns(RuntimeWarning, match="Nothing is recorded"):
        mon = pw.monitor("system")

    assert repr(mon).endswith(", not recorded (see .status)>")
    with pytest.warns(RuntimeWarning):
        pw.stop()


def test_a_replay_says_what_its_recording_says():
    pw.monitor("system")
    rec = pw.stop()

    mon = pw.replay(rec)

    held = repr(rec).removeprefix("<Recording ")
    assert repr(mon) == f"<Monitor replay of {held}"
    assert repr(mon.view("charts")) == f"<Monitor charts, replay of {held}"
    rec.path.unlink()
    assert repr(mon) == f"<Monitor replay of {held}"


def test_one_that_was_never_made_has_a_text_too():
    assert repr(pw.Monitor.__new__(pw.Monitor)) == "<Monitor>"


@pytest.mark.parametrize("name", ["plain", "a\x1b[31m"])
def test_the_name_of_its_recording_does_nothing_to_a_terminal(tmp_path, name):
    assert repr(pw.monitor("system", record=tmp_path / f"{name}.pulse")).isprintable()


def test_a_terminal_shows_the_line(tmp_path):
    code = "import pulse_widgets as pw; display(pw.monitor('system', record=False))"

    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code],
        env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    line = r"<Monitor live, LENGTH, \d+ series, not recorded>"
    assert re.fullmatch(line, counted(done.stdout.strip())), done.stderr
