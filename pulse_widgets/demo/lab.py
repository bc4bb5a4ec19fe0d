"""The demo in JupyterLab: fresh copies of the notebooks, on a server of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import MissingExtraError, PulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["notebooks", "run_lab", "server_command"]

NOTEBOOK: Final = "01_quickstart.ipynb"
"""The one that is opened."""
START_S: Final = 60.0
END_S: Final = 10.0
LOG_LINES: Final = 15


def run_lab(*, say: Callable[[str], None], browser: bool = True) -> int:
    """Open the quickstart in JupyterLab and wait until it is ended; return an exit status.

    The other notebooks lie beside it.

    The server listens on 127.0.0.1 alone, behind a fresh token, and ends with Ctrl-C.

    Parameters
    ----------
    say : callable
        Takes lines for the user.
    browser : bool
        Open a browser, where there is one.

    Raises
    ------
    MissingExtraError
        JupyterLab is not installed.
    PulseError
        JupyterLab does not start.
    """
    if not _installed("jupyterlab"):
        raise MissingExtraError(
            "The demo opens JupyterLab, which is not installed",
            remedy='Run `pip install "pulse_widgets[lab]"`, or use the demo with --headless.',
        )
    directory = Path(tempfile.mkdtemp(prefix="pulse-demo-"))
    originals = notebooks()
    for original in originals:
        shutil.copyfile(original, directory / original.name)
    try:
        with _until_ended(), _server(directory) as (server, url):
            say(f"JupyterLab is running: {url}")
            say("Press Ctrl-C here to end it.")
            if browser and _has_browser():
                webbrowser.open(url)
            return 1 if server.wait() else 0
    except KeyboardInterrupt:
        return 0
    finally:
        if _untouched(directory, originals):
            shutil.rmtree(directory, ignore_errors=True)
        else:
            say(f"What you changed stays in {directory}.")


def notebooks() -> list[Path]:
    """Return the notebooks: of an installed package, or of the checkout the package runs from.

    Raises
    ------
    PulseError
        If it is in neither.
    """
    package = Path(__file__).parents[1]
    for place in (package / "notebooks", package.parent / "notebooks"):
        if (place / NOTEBOOK).is_file():
            return sorted(place.glob("*.ipynb"))
    raise PulseError(
        f"{NOTEBOOK} is not part of this installation",
        remedy="Run `pip install --force-reinstall pulse_widgets`.",
    )


def server_command(port: int, *, root: bool) -> list[str]:
    """Return the command that starts the server; the token comes through the environment."""
    command = [
        *(sys.executable, "-m", "jupyterlab", NOTEBOOK),
        *("--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
        # Another port than the one that was said would never be found.
        *("--ServerApp.port_retries=0", "--ServerApp.password=", "--ServerApp.open_browser=False"),
    ]
    return [*command, "--allow-root"] if root else command


@contextlib.contextmanager
def _server(directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Give a server that answers, and the address of the notebook on it."""
    port, token = _free_port(), secrets.token_hex(24)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    log = directory / ".server.log"
    with log.open("wb") as output:
        # In a session of its own, so that Ctrl-C comes to us, who end it without a question.
        server = subprocess.Popen(  # noqa: S603  our own interpreter, fixed words
            server_command(port, root=root),
            cwd=directory,
            env={**os.environ, "JUPYTER_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        base = f"http://127.0.0.1:{port}"
        _wait_for_answer(server, f"{base}/api/status?token={token}", log)
        yield server, f"{base}/lab/tree/{NOTEBOOK}?token={token}"
    finally:
        _end(server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_answer(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    # Do not use a proxy of the environment to reach our own server on this machine.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with direct.open(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    said = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    raise PulseError(
        "JupyterLab did not start:\n" + "\n".join(f"  {line}" for line in said),
        remedy="Look at `pulse-widgets doctor`, or use the demo with --headless.",
    )


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server, which ends its kernels."""
    if server.poll() is not None:
        return
    server.terminate()
    try:
        server.wait(END_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@contextlib.contextmanager
def _until_ended() -> Iterator[None]:
    """Let a closed terminal and `kill` end the demo as cleanly as Ctrl-C."""

    def end(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # a module that is there and broken
        return False


def _has_browser() -> bool:
    """Return whether a browser would open; one that takes over the terminal is none."""
    shown = (
        sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not shown:
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _untouched(directory: Path, originals: Sequence[Path]) -> bool:
    """Return whether the user left nothing of their own."""
    own = {".server.log", ".ipynb_checkpoints", ".virtual_documents"}
    left = {path.name for path in directory.iterdir()} - own
    return left == {one.name for one in originals} and all(
        (directory / one.name).read_bytes() == one.read_bytes() for one in originals
    )
