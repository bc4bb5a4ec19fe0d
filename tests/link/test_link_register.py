"""What the extension's end of a kernel hangs on, without a kernel."""

import re
import subprocess
import sys
from pathlib import Path

from pulse_widgets import link
from pulse_widgets.default_session import DefaultSession
from tests.link.page import REGISTER

PROTOCOL = Path(__file__).parents[2] / "js" / "lab" / "shared" / "protocol.ts"


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_both_ends_call_things_by_the_same_names():
    text = PROTOCOL.read_text(encoding="utf-8")
    names = dict(re.findall(r"export const (\w+) =\s+\"?(.+?)\"?;", text))

    assert names["TARGET"] == link.TARGET
    assert names["HERE"] == link.HERE
    assert names["REGISTER"] == REGISTER
    assert int(names["LINK_VERSION"]) == link.LINK_VERSION


def test_without_a_kernel_registering_says_so_and_loads_next_to_nothing():
    code = (
        f"import sys\nprint({REGISTER})\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules} & "
        "{'numpy', 'pandas', 'pyarrow', 'IPython', 'ipywidgets', 'anywidget', 'comm'}))"
    )
    out = run(code)

    assert '"state": "no kernel"' in out
    assert out.splitlines()[1:] == [""]


def test_who_observes_the_session_hears_when_it_begins_is_known_and_ends():
    sessions, heard = DefaultSession(), []
    sessions.observe(lambda: heard.append(said(sessions)))

    session = sessions.for_log()
    session.recorder.tried.wait(60)
    began = len(heard)
    sessions.stop()

    # Its place is known by the thread that writes, which may be before or after.
    assert (True, True) in heard[:began]
    assert heard[-1] == (False, True)


def said(sessions):
    run = sessions.run
    return (run is not None and run.session.running, run is not None and run.place is not None)


def test_a_session_that_nobody_shows_makes_no_widget_and_stops_as_any(tmp_path):
    out = run(
        "import sys, pulse_widgets\n"
        "from pulse_widgets.default_session import default\n"
        "default.begin(['system'], interval_s=0.2, gpus='none', title='x')\n"
        "print(default.session.running, default.run.hub, 'anywidget' in sys.modules)\n"
        "print(len(default.stop().series) > 10)"
    )

    assert out.split() == ["True", "None", "False", "True"]
