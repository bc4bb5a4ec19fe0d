"""Checks of the installation: Python, packages, built scripts, Jupyter."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.diagnosis.check import Check, State
from pulse_widgets.notices import in_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["extension_check", "install_checks"]

NEEDED: Final = (
    "anywidget",
    "ipywidgets",
    "numpy",
    "nvidia-ml-py",
    "pandas",
    "platformdirs",
    "psutil",
    "pyarrow",
)
BUNDLES: Final = ("dashboard.js", "loader.js")
EXTENSIONS: Final = ("anywidget", "@jupyter-widgets/jupyterlab-manager")
"""What shows any widget in JupyterLab."""

OURS: Final = "pulse-widgets"
_REINSTALL: Final = "Run `pip install --force-reinstall pulse_widgets`."
_WITHOUT_LAB: Final = 'Install it with `pip install "pulse_widgets[lab]"`.'


def install_checks() -> Iterator[Check]:
    """Yield what can be said of this installation."""
    yield _python()
    yield _platform()
    yield _packages()
    yield from _shadowed()
    yield _bundles()
    yield _jupyter()
    yield from _ipykernel()
    paths = [Path(place) for place in _paths("labextensions")]
    yield extension_check(paths, _version("pulse_widgets") or "")
    yield from _widget_support(paths)
    yield _kernel()


def _python() -> Check:
    return Check(
        "Python", State.OK, f"{platform.python_version()} ({platform.python_implementation()})"
    )


def _platform() -> Check:
    system, machine = platform.system(), platform.machine()
    detail = f"{system} {platform.release()}, {machine}"
    if system == "Linux" and machine in {"x86_64", "AMD64"}:
        return Check("platform", State.OK, f"{detail}: supported and tested")
    if system == "Linux":
        return Check("platform", State.INFO, f"{detail}: supported, not tested")
    return Check(
        "platform",
        State.WARN,
        f"{detail}: import, the system source and replay work; recording needs Linux",
        "Run the kernel on Linux, or in WSL 2.",
    )


def _packages() -> Check:
    found = {name: _version(name) for name in ("pulse_widgets", *NEEDED)}
    absent = [name for name, number in found.items() if number is None]
    detail = ", ".join(f"{name} {number or 'missing'}" for name, number in found.items())
    if absent:
        return Check("packages", State.FAIL, detail, f"Run `pip install {' '.join(absent)}`.")
    return Check("packages", State.OK, detail)


def _shadowed() -> Iterator[Check]:
    number = _version("pynvml")
    if number is not None:
        yield Check(
            "pynvml",
            State.WARN,
            f"the retired package pynvml {number} is installed beside nvidia-ml-py; both bring "
            "a module of that name",
            "Run `pip uninstall pynvml`, then `pip install --force-reinstall nvidia-ml-py`.",
        )


def _bundles() -> Check:
    place = files("pulse_widgets") / "static"
    absent = [name for name in BUNDLES if not (place / name).is_file()]
    if absent:
        return Check(
            "dashboard scripts",
            State.FAIL,
            f"not part of this installation: {', '.join(absent)}",
            "Install again with Node at hand and without PULSE_SKIP_JS, or from a wheel.",
        )
    return Check("dashboard scripts", State.OK, f"{len(BUNDLES)} built scripts are here")


def _jupyter() -> Check:
    found = {name: _version(name) for name in ("jupyterlab", "notebook", "ipykernel")}
    detail = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    if found["jupyterlab"] or found["notebook"]:
        return Check("Jupyter", State.OK, detail)
    return Check(
        "Jupyter",
        State.INFO,
        f"no JupyterLab in this environment{f' ({detail})' if detail else ''}; one in another "
        "environment may be using this kernel",
        _WITHOUT_LAB,
    )


def _ipykernel() -> Iterator[Check]:
    if _version("ipykernel") == "7.0.0":
        yield Check(
            "ipykernel",
            State.WARN,
            "ipykernel 7.0.0 loses messages that are sent from threads; pulse_widgets works "
            "around it, other widgets may not",
            "Run `pip install -U ipykernel`.",
        )


def extension_check(paths: list[Path], installed: str) -> Check:
    """Return whether JupyterLab finds our extension in one of its `paths`, of this version."""
    name = "lab extension"
    found = next((p / OURS for p in paths if (p / OURS / "package.json").is_file()), None)
    if found is None:
        return Check(
            name,
            State.WARN,
            "JupyterLab does not find it from here; a reload while a cell runs then shows "
            "nothing until the cell ends, and stored outputs are pictures",
            "Install pulse_widgets in the environment that JupyterLab runs in, too.",
        )
    if _disabled():
        return Check(
            name,
            State.WARN,
            f"{found} is there, but disabled",
            f"Run `jupyter labextension enable {OURS}`.",
        )
    try:
        number = str(json.loads((found / "package.json").read_bytes())["version"])
    except (OSError, ValueError, LookupError, TypeError):
        return Check(name, State.WARN, f"{found}/package.json cannot be read", _REINSTALL)
    if installed and number != installed:
        return Check(
            name,
            State.WARN,
            f"{found} is version {number}, the package {installed}",
            _REINSTALL,
        )
    return Check(name, State.OK, f"{number} in {found}")


def _disabled() -> bool:
    for place in _paths("labconfig"):
        try:
            config = json.loads((Path(place) / "page_config.json").read_bytes())
            named = config["disabledExtensions"]
        except (OSError, ValueError, LookupError, TypeError):
            continue
        if OURS in named and (isinstance(named, list) or named[OURS]):
            return True
    return False


def _widget_support(paths: list[Path]) -> Iterator[Check]:
    if not _version("jupyterlab"):
        return
    absent = [
        name
        for name in EXTENSIONS
        if not any((place / name / "package.json").is_file() for place in paths)
    ]
    if absent:
        yield Check(
            "widget support",
            State.WARN,
            f"JupyterLab does not find {', '.join(absent)} from here; no widget can be shown",
            "Run `pip install --force-reinstall anywidget jupyterlab_widgets`.",
        )


def _kernel() -> Check:
    if in_kernel():
        return Check("kernel", State.OK, f"running inside a Jupyter kernel, process {os.getpid()}")
    return Check(
        "kernel",
        State.INFO,
        "not running inside a Jupyter kernel: nothing is drawn here; recording works",
    )


def _paths(kind: str) -> list[str]:
    """Return where Jupyter, as seen from this environment, looks for `kind`."""
    try:
        from jupyter_core.paths import jupyter_config_path, jupyter_path
    except ImportError:
        return [str(Path(sys.prefix, "share", "jupyter", kind))]
    if kind == "labconfig":
        return [str(Path(place, kind)) for place in jupyter_config_path()]
    return list(jupyter_path(kind))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
