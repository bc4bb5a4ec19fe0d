"""A `libnvidia-ml.so.1` that follows a script, loaded by the unmodified nvidia-ml-py.

One line starts any process on fake GPUs::

    env = {**os.environ, **nvml.environment(tmp_path, gpus=8, latency_us=0)}

`script` takes the directives listed at the top of ``script.c``, so a load is
``"gpu * util sine 60 30 10"`` and a fault is ``"gpu 3 lost at 2"``. `rewrite` changes the
script of a running process; `counts` says how often each function was called, by all the
processes of that directory together. ``FAKE_NVML_NO_SYMBOLS`` builds come from `missing`.
Functions without a device handle (GPM metrics, events) count for no GPU or for the
sample's one.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

LIBRARY = "libnvidia-ml.so.1"
SOURCES = Path(__file__).parent
GPUS = 64
NAME_BYTES = 56
FIELDS = 320
BLOCK = struct.Struct(f"{NAME_BYTES}sQ{GPUS}Q")


@functools.cache
def _compiled(missing: tuple[str, ...]) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="fake-nvml-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    symbols = directory / "symbols"
    local = "".join(f" {name};" for name in missing)
    symbols.write_text("{ global: *;" + (f" local:{local}" if local else "") + " };\n")
    library = directory / LIBRARY
    flags = [
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-shared",
        "-fPIC",
        "-pthread",
        "-finstrument-functions",
    ]
    link = [f"-Wl,-soname,{LIBRARY}", f"-Wl,--version-script={symbols}"]
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    subprocess.run(["gcc", *flags, *link, "-o", str(library), *sources, "-lm"], check=True)
    return library


def build(directory: Path, missing: tuple[str, ...] = ()) -> Path:
    """Put the library, without the symbols in `missing`, into `directory`; compiled once."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / LIBRARY
    shutil.copyfile(_compiled(tuple(sorted(missing))), target)
    return target


def rewrite(directory: Path, script: str = "", *, gpus: int = 2, latency_us: float = 50) -> Path:
    """Replace the script; a running process follows within 50 ms."""
    path = directory / "nvml-script"
    fresh = directory / "nvml-script.new"
    text = f"gpus {gpus}\nlatency {latency_us:g}\n{script}\n"
    fresh.write_bytes(text.encode(errors="surrogateescape"))
    fresh.replace(path)
    return path


def environment(
    directory: Path,
    *,
    gpus: int = 2,
    latency_us: float = 50,
    script: str = "",
    missing: tuple[str, ...] = (),
) -> dict[str, str]:
    """Return the variables under which a process finds the fake library, scripted and counted."""
    build(directory, missing)
    counted = directory / "nvml-counts"
    counted.unlink(missing_ok=True)
    search = [str(directory), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return {
        "LD_LIBRARY_PATH": os.pathsep.join(search),
        "FAKE_NVML_SCRIPT": str(rewrite(directory, script, gpus=gpus, latency_us=latency_us)),
        "FAKE_NVML_COUNTS": str(counted),
    }


class Counts:
    """How often each function was called, in all processes of one directory."""

    def __init__(self, data: bytes) -> None:
        tail = struct.Struct(f"{FIELDS}QQ")
        *fields, spent_ns = tail.unpack(data[-tail.size :])
        self.fields: tuple[int, ...] = tuple(fields)
        self.spent_s: float = spent_ns / 1e9
        """Seconds inside the library, latency included."""
        self._calls = {
            name.rstrip(b"\0").decode(): (total, gpus)
            for name, total, *gpus in BLOCK.iter_unpack(data[: -tail.size])
        }

    def of(self, function: str, gpu: int | None = None) -> int:
        """Calls of one function, of one GPU or of all."""
        total, gpus = self._calls[function]
        return total if gpu is None else gpus[gpu]

    def of_gpu(self, gpu: int) -> int:
        """Calls with a handle of this GPU or of its MIG instances."""
        return sum(gpus[gpu] for _, gpus in self._calls.values())

    @property
    def total(self) -> int:
        """All calls."""
        return sum(total for total, _ in self._calls.values())


def counts(directory: Path) -> Counts:
    """Read the counters now; the processes may still be running."""
    return Counts((directory / "nvml-counts").read_bytes())
