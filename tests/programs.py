"""Programs that record, each run in an interpreter of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = "import pulse_widgets as pw, os, sys, threading, time\n"


def program(code, home, *arguments, **environ):
    """Start a program; what it prints and what it warns of is kept apart."""
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PULSE_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            **environ,
        },
    )


def run(code, home, *arguments, **environ):
    """Run a program to its end; return what it printed and what it warned of."""
    process = program(code, home, *arguments, **environ)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out, err
