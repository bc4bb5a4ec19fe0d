import subprocess
import sys
import threading

import pytest

from pulse_widgets.collectors.prefetch import PrefetchedBackend
from pulse_widgets.errors import NoDeviceError
from pulse_widgets.readers.base import ALL_CLASSES, Backend, BackendCaps, BackendKind, RateClass
from pulse_widgets.signals import start_shielded
from tests.waiting import until


class Told:
    """A backend that writes down what is done with it, and on which thread."""

    name = "told"
    caps = BackendCaps(BackendKind.SYSTEM)

    def __init__(self, *, error=None, fails=False, waits=None):
        self.missing = {}
        self.did = []
        self.error = error
        self.fails = fails
        self.waits = waits

    def open(self):
        self.did.append("open")
        if self.error:
            raise self.error

    def read(self, due):
        if self.waits is not None:
            self.waits.wait(20)
        self.did.append(("read", due))
        if self.fails:
            self.fails = False
            raise ValueError("once")
        return [len(self.did)]

    def close(self):
        self.did.append("close")


GAUGES = frozenset({RateClass.GAUGES})


def test_it_is_opened_and_read_before_anybody_asks_and_once_only():
    told = Told()
    early = PrefetchedBackend(told)
    early.start()
    early.open()
    assert told.did == ["open", ("read", ALL_CLASSES)]

    assert early.read(ALL_CLASSES) == [2]
    assert early.read(GAUGES) == [3]
    assert told.did[2:] == [("read", GAUGES)]
    assert isinstance(early, Backend)


def test_what_cannot_be_opened_says_so_where_it_is_opened_and_is_tried_again():
    told = Told(error=NoDeviceError("none", remedy="buy one"))
    early = PrefetchedBackend(told)
    early.start()
    with pytest.raises(NoDeviceError, match="none"):
        early.open()
    told.error = None
    early.open()
    assert early.read(GAUGES) == [3]
    assert told.did == ["open", "open", ("read", GAUGES)]


def test_a_first_reading_that_fails_is_read_again_by_who_can_tell_of_it():
    told = Told(fails=True)
    early = PrefetchedBackend(told)
    early.start()
    early.open()
    assert early.read(ALL_CLASSES) == [3]


def test_one_that_nobody_took_is_closed_when_its_reading_has_returned():
    answers = threading.Event()
    told = Told(waits=answers)
    early = PrefetchedBackend(told)
    early.start()
    early.give_up()
    assert "close" not in told.did
    answers.set()
    until(lambda: told.did[-1:] == ["close"])


def test_one_that_somebody_took_is_left_to_him():
    told = Told()
    early = PrefetchedBackend(told)
    early.start()
    early.open()
    early.give_up()
    assert "close" not in told.did
    early.close()
    assert told.did[-1] == "close"


def test_reading_begins_before_numpy_is_loaded():
    code = (
        "import sys, pulse_widgets as pw, pulse_widgets.collectors.prefetch as early\n"
        "class Seen(early.PrefetchedBackend):\n"
        "    def __init__(self, backend):\n"
        "        print('numpy' in sys.modules); super().__init__(backend)\n"
        "import pulse_widgets.running as running\n"
        "running.PrefetchedBackend = Seen\n"
        "mon = pw.monitor('system', record=False)\n"
        "print('numpy' in sys.modules, mon.stop())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\nTrue None\n"


def test_a_start_that_was_interrupted_is_whole_and_closes_what_it_opened(monkeypatch):
    told = Told()
    early = PrefetchedBackend(told)

    def interrupted(name, work):
        start_shielded(name, work)
        raise KeyboardInterrupt

    monkeypatch.setattr("pulse_widgets.collectors.prefetch.start_shielded", interrupted)
    with pytest.raises(KeyboardInterrupt):
        early.start()
    early.give_up()
    until(lambda: "close" in told.did)

    assert told.did.count("close") == 1


def test_it_is_closed_once_whoever_comes_first():
    for _ in range(200):
        told = Told()
        early = PrefetchedBackend(told)
        early.start()
        early.close()
        until(lambda told=told: "close" in told.did)
        until(lambda: "pulse-first-told" not in [thread.name for thread in threading.enumerate()])
        assert told.did.count("close") == 1
