"""A session whose disk is told what to do, and fresh interpreters."""

import os
import subprocess
import sys

import pytest

from pulse_widgets.series.clock import Clock
from pulse_widgets.series.registry import Registry
from pulse_widgets.session.session import HOST, Session, Settings


class FakeWriter:
    """Keeps what it is given; fails as it is told."""

    problem = ""
    bytes_written = 0

    def __init__(self):
        self.rows = []
        self.batches = 0
        self.beat_error = None
        self.append_error = None
        self.closed = False

    def append(self, rows):
        self.batches += 1
        if self.append_error is not None:
            raise self.append_error
        self.rows += rows.value[rows.series == 0].tolist()

    def beat(self):
        error, self.beat_error = self.beat_error, None
        if error is not None:
            raise error

    def describe(self, entities):
        pass

    def write_problems(self, problems):
        self.told = problems

    def close(self):
        self.closed = True


@pytest.fixture
def writer():
    return FakeWriter()


@pytest.fixture
def session(writer, tmp_path):
    made = Session(Settings(), registry=Registry(), clock=Clock())
    made.record(tmp_path, lambda: writer)
    made.registry.add(HOST, "user", "loss")
    made.start()
    yield made
    made.stop()
    made.leave()


@pytest.fixture
def python(tmp_path):
    """Run code in a fresh interpreter."""

    def run(code):
        head = "import pulse_widgets as pw, pulse_widgets.default_session as home, time, threading, warnings\n"
        done = subprocess.run(
            [sys.executable, "-c", head + code],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PULSE_HOME": str(tmp_path / "home")},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
