"""Runs a piece of Python against the fake library, in a process of its own.

nvidia-ml-py keeps the library it has loaded for the life of the process, so every scenario
gets one. The piece has at hand:

* ``backend(...)``: an `NvmlBackend` that is told the time by `clock`, sees no environment, and
  the procfs of the directory, if it has one;
* ``line("gpu 0 lost")``: a line of script from now on (``"\\udcff"`` is a byte that is no UTF-8); ``clock.now += 60``: time passes;
* ``read(backend, "GAUGES", ...)``: the classes named (all without any), as
  ``{entity: {metric: value}}``, in the catalog's units; None is a reading that is missing;
* ``refusal(function)``: ``[class, problem, remedy]`` of the error that it raises;
* ``out``: a dict; what it holds at the end is what `run` returns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.fakes import nvml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PRELUDE = """
import json, math, sys
from pathlib import Path
import pulse_widgets.readers.nvml.backend as module
assert "pynvml" not in sys.modules, "importing the reader loads the driver's library"
from pulse_widgets.errors import PulseError
from pulse_widgets.readers.base import ALL_CLASSES, RateClass
from pulse_widgets.readers.contract import ReaderInfo
from pulse_widgets.readers.translate import Translator
HERE = Path(sys.argv[1])
PROC = HERE / "proc" if (HERE / "proc").exists() else Path("/proc")

class Clock:
    now = 1000.0
    def __call__(self):
        return self.now

clock, out = Clock(), {}

def backend(gpus="all", environ={}, **settings):
    return module.NvmlBackend(gpus, environ=environ, proc=PROC, clock=clock, **settings)

def line(*texts):
    import pynvml
    if pynvml.nvmlLib is None:
        pynvml.nvmlInit()
        pynvml.nvmlShutdown()
    for text in texts:
        pynvml.nvmlLib.fake_nvml_line(text.encode(errors="surrogateescape"))

def classes(*names):
    return frozenset(RateClass[name] for name in names) if names else ALL_CLASSES

class Told:
    def __init__(self, result):
        self.readings = result.readings
        self.labels = {entity: told for (_, entity), told in result.labels.items()}
        self.errors = {entity: why for (_, entity), why in result.errors.items()}
        self.rejected = {f"{key[1]} {key[2]}": told for key, told in result.rejected.items()}

def translate(records):
    return Told(Translator(ReaderInfo(rules=module.NvmlBackend.rules)).translate(records))

def tidy(records):
    found = {}
    for one in translate(records).readings:
        value = one.text or (None if math.isnan(one.value) else one.value)
        found.setdefault(one.entity, {})[one.metric] = value
    return found

def read(source, *names):
    return tidy(source.read(classes(*names)))

def refusal(function):
    try:
        function()
    except PulseError as error:
        return [type(error).__name__, error.problem, error.remedy]

"""


def run(
    directory: Path, body: str, *, environ: Mapping[str, str] | None = None, **settings: Any
) -> dict[str, Any]:
    """Run `body` on fake GPUs made with `settings`; return what it has put into ``out``."""
    variables = {**os.environ, **nvml.environment(directory, **settings), **(environ or {})}
    for name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        variables.pop(name, None)
    variables["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + body + "\nprint(json.dumps(out))", str(directory)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
