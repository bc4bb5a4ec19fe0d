"""Promises of the package as a whole."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import pulse_widgets as pw

HEAVY = {"pyarrow", "pandas", "plotly", "IPython", "ipywidgets", "anywidget", "pynvml", "psutil"}


def run(code, **environ):
    """Run code in a fresh interpreter and return what it printed."""
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environ},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_nothing_heavy_and_starts_no_thread():
    loaded = run(
        "import sys, threading, pulse_widgets\n"
        "print(threading.active_count(), *sorted({m.partition('.')[0] for m in sys.modules}))"
    ).split()

    assert loaded[0] == "1"
    assert HEAVY.isdisjoint(loaded)


PANDAS = {
    "a session": "",
    "a recording of it": "pw.Recording.open(rec.path)",
    "its values": "rec.select('x').values()",
    "its picture": "pw.replay(rec)",
    "its text": "str(rec), rec._repr_html_(), rec.problems",
    "a table": "rec.series",
}


def test_pandas_is_loaded_when_a_table_is_asked_for_and_not_before(tmp_path):
    out = run(
        "import sys, pulse_widgets as pw\n"
        "mon = pw.monitor(); pw.log({'x': 1.0}, step=1); mon.mark('here'); rec = mon.stop()\n"
        f"for name, asks in {PANDAS!r}.items():\n"
        "    exec(asks)\n"
        "    print(name, 'pandas' in sys.modules, sep=': ')\n",
        PULSE_HOME=str(tmp_path),
    )

    assert out.splitlines() == [f"{name}: {name == 'a table'}" for name in PANDAS]


def test_the_public_names_are_exactly_those_that_can_be_had():
    for name in pw.__all__:
        assert getattr(pw, name) is not None
    assert set(pw.__all__) <= set(dir(pw))
    with pytest.raises(AttributeError):
        pw.no_such_name  # noqa: B018


def test_no_public_name_is_hidden_by_a_module_of_the_same_name():
    before = {name: getattr(pw, name) for name in pw.__all__}

    for module in pkgutil.walk_packages(pw.__path__, "pulse_widgets."):
        if module.name != "pulse_widgets.__main__":
            importlib.import_module(module.name)

    assert {name: getattr(pw, name) for name in pw.__all__} == before


def test_every_error_shows_its_problem_then_its_remedy_and_survives_pickling():
    import pickle

    from pulse_widgets import errors

    for name in errors.__all__:
        kind = getattr(errors, name)
        error = kind("the problem", remedy="the remedy")
        again = pickle.loads(pickle.dumps(error))

        assert str(again) == "the problem\nthe remedy"
        assert type(again) is kind
        assert isinstance(again, errors.PulseError)
    assert errors.ReaderError("p", "r").remediation == "r"


def test_the_tree_in_the_docstring_names_every_error():
    from pulse_widgets import errors

    assert all(name in errors.__doc__ for name in errors.__all__)


def test_a_disabled_process_does_nothing_at_all(tmp_path):
    out = run(
        "import threading, pulse_widgets as pw\n"
        "mon = pw.monitor(); pw.log({'a': 1}); mon.mark('x'); print(mon.stop(), pw.stop())\n"
        "print(threading.active_count())",
        PULSE_DISABLED="1",
        PULSE_HOME=str(tmp_path / "home"),
    )

    assert out.split() == ["None", "None", "1"]
    assert not (tmp_path / "home").exists()


MOST_LINES = 600
"""A longer file holds more than one topic; js/layers.test.ts counts those of the browser."""


def too_long(root):
    """Return the Python files below a directory that have too many lines, but for node_modules."""
    found = (path for path in root.rglob("*.py") if "node_modules" not in path.parts)
    counted = {path: path.read_text(encoding="utf-8").count("\n") for path in found}
    return {str(path.relative_to(root)): n for path, n in counted.items() if n > MOST_LINES}


def test_no_file_of_python_is_too_long_to_be_read():
    root = Path(__file__).parents[1]
    assert (root / "pulse_widgets" / "api.py").is_file()
    assert too_long(root) == {}


def test_a_file_that_is_too_long_is_named_with_its_length(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "long.py").write_text("x = 1\n" * 601)
    (tmp_path / "short.py").write_text("x = 1\n" * 600)
    assert too_long(tmp_path) == {"a/long.py": 601}
