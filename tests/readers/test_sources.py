"""A built-in reader is one module: no other names it."""

from __future__ import annotations

import sys

import pytest

import pulse_widgets as pw
from pulse_widgets.diagnosis.sources import source_checks
from pulse_widgets.readers import sources
from pulse_widgets.readers.base import Backend
from pulse_widgets.readers.discover import AUTO, built_in, make_backends, source_names

TIDE = """
import time
from pulse_widgets.readers import BackendCaps, RawRecord, gauge

class TideBackend:
    name = "tide"
    caps = BackendCaps("tide")
    missing = {}
    metrics = (gauge("tide.level", "count", "Level", "How high the water stands."),)

    def open(self):
        pass

    def read(self, due):
        return [RawRecord(time.monotonic(), time.time(), "host", {"tide.level": 3.0}, self.name)]

    def close(self):
        pass

def make(gpus):
    return TideBackend()
"""


@pytest.fixture
def tide(tmp_path, monkeypatch):
    (tmp_path / "tide.py").write_text(TIDE)
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    yield
    sys.modules.pop(f"{sources.__name__}.tide", None)


@pytest.mark.usefixtures("tide")
def test_a_module_in_the_folder_is_a_source():
    assert source_names("auto,tide") == [*AUTO, "tide"]
    assert pw.snapshot("tide")["value"].tolist() == [3.0]
    assert [check.detail for check in source_checks() if check.name == "source tide"]


def test_every_module_makes_the_backend_of_its_name():
    assert [*AUTO] == list(built_in())[: len(AUTO)]
    for name in built_in():
        (backend,) = make_backends([name], "none")

        assert isinstance(backend, Backend)
        assert backend.name == name
