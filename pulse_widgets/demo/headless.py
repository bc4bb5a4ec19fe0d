"""The demo without a browser: the quickstart's job in a real Jupyter kernel, and its recording."""

from __future__ import annotations

import json
import os
import queue
import re
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import MissingExtraError, PulseError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulse_widgets.library.recording import Recording

__all__ = ["record_headless"]

START_S: Final = 60.0
SLACK_S: Final = 60.0
"""What a job may take beyond the seconds it records, before the kernel is given up."""

SHOWN: Final = (
    "gpu.utilization",
    "gpu.memory.used",
    "gpu.power",
    "cpu.utilization",
    "memory.used",
    "process.memory.rss",
    "train/loss",
)
"""Metrics whose largest values are told, where they were recorded."""

_JOB: Final = Template("""
import json, math, time
import pulse_widgets as pw

until = time.monotonic() + $seconds
mon = pw.monitor(interval=0.2, record=$place, title="demo")
step = 0
while time.monotonic() < until:
    pw.log({"train/loss": math.exp(-step / 60) + 0.05 * math.sin(step)}, step=step)
    if step == 10:
        mon.mark("warm")
    step += 1
    time.sleep(0.02)
status = mon.status
recording = mon.stop()
if recording is None:
    raise SystemExit("nothing was recorded: PULSE_DISABLED is set")
saved = recording.save($output)
print("$mark" + json.dumps({"saved": str(saved), "status": status.to_dict("index")}))
""")
_MARK: Final = "pulse-demo "
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def record_headless(seconds: float, output: Path, *, say: Callable[[str], None]) -> list[str]:
    """Watch this machine from a Jupyter kernel, write the recording, and print what is in it.

    Parameters
    ----------
    seconds : float
        How long to record.
    output : Path
        The file to write; it must not be there yet.
    say : callable
        Takes a line when the recording begins.

    Returns
    -------
    list of str
        Lines that say what was recorded.

    Raises
    ------
    MissingExtraError
        No Jupyter kernel can be started from this environment.
    StorageError
        The file is there already, or cannot be written.
    PulseError
        The job failed in the kernel.
    """
    target = _target(output)
    with tempfile.TemporaryDirectory(prefix="pulse-demo-") as place, _kernel(Path(place)) as client:
        code = _JOB.substitute(
            place=repr(str(Path(place, "demo"))),
            seconds=repr(seconds),
            output=repr(str(target)),
            mark=_MARK,
        )
        say(f"Recording this machine for {seconds:g} s, in a Jupyter kernel.")
        answer = _run(client, code, seconds)
    return _told(Path(answer["saved"]), answer["status"])


def _target(output: Path) -> Path:
    """Return the absolute path to write, once it is clear that it can be written."""
    target = output.expanduser().absolute()
    if target.is_dir():
        target /= "demo.pulse.parquet"
    elif target.suffix != ".parquet":
        target = target.with_name(f"{target.name}.pulse.parquet")
    if target.exists():
        raise StorageError(
            f"{target} is there already", remedy="Give another path with -o, or move the file."
        )
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK | os.X_OK):
        raise StorageError(
            f"{target.parent} is not a directory that may be written to",
            remedy="Give another path with -o.",
        )
    return target


@contextmanager
def _kernel(directory: Path) -> Iterator[Any]:
    """Give the client of a fresh kernel of this very environment; end the kernel afterwards."""
    try:
        import ipykernel  # noqa: F401  what the kernel is made of
        from jupyter_client.manager import KernelManager
    except ImportError as error:
        raise MissingExtraError(
            "No Jupyter kernel can be started: ipykernel is not installed",
            remedy='Run `pip install "pulse_widgets[lab]"`.',
        ) from error
    manager = KernelManager(connection_file=str(directory / "kernel.json"))
    # Ignore what the kernel prints besides the messages we expect.
    with (directory / "kernel.log").open("wb") as log:
        manager.start_kernel(stdout=log, stderr=log, cwd=str(directory))
    client = manager.client()
    try:
        client.start_channels()
        try:
            client.wait_for_ready(timeout=START_S)
        except RuntimeError as error:
            raise PulseError(
                f"The Jupyter kernel did not start: {error}",
                remedy="Look at `pulse-widgets doctor`; is ipykernel installed here?",
            ) from error
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run(client: Any, code: str, seconds: float) -> dict[str, Any]:
    """Run the job; return what it printed behind the mark."""
    request = client.execute(code, store_history=True)
    ends, printed = time.monotonic() + seconds + SLACK_S, ""
    while True:
        if time.monotonic() > ends:
            raise PulseError(
                f"The kernel has not finished {SLACK_S:.0f} s after the recording",
                remedy="Try again; if it stays, look at `pulse-widgets doctor`.",
            )
        try:
            message = client.get_iopub_msg(timeout=0.2)
        except queue.Empty:
            _require_alive(client)
            continue
        if message["parent_header"].get("msg_id") != request:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            printed += content["text"]
        elif kind == "error":
            raise _failed(content)
        elif kind == "status" and content["execution_state"] == "idle":
            return _answer(printed)


def _require_alive(client: Any) -> None:
    if not client.is_alive():
        raise PulseError(
            "The Jupyter kernel died", remedy="Look at `dmesg`: was there enough memory?"
        )


def _failed(content: dict[str, Any]) -> PulseError:
    shown = content["traceback"][-1] if content["traceback"] else ""
    text = _COLOUR.sub("", shown).strip() or f"{content['ename']}: {content['evalue']}"
    return PulseError(
        f"The job failed in the kernel: {text}", remedy="Look at `pulse-widgets doctor`."
    )


def _answer(printed: str) -> dict[str, Any]:
    for line in printed.splitlines():
        if line.startswith(_MARK):
            answer: dict[str, Any] = json.loads(line.removeprefix(_MARK))
            return answer
    raise PulseError(
        f"The job left no recording: {printed.strip()[-500:] or 'it printed nothing'}",
        remedy="Look at `pulse-widgets doctor`.",
    )


# What was recorded --------------------------------------------------------------------


def _told(path: Path, status: dict[str, dict[str, Any]]) -> list[str]:
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.metrics.amounts import amount, lasting
    from pulse_widgets.metrics.units import format_value

    recording = Recording.open(path)
    series = recording.series
    length = lasting((recording.end - recording.start).total_seconds())
    size = format_value(float(path.stat().st_size), "B")
    rows, kinds = amount(int(series["rows"].sum()), "row"), amount(len(series), "series", "series")
    return [
        f"Recorded {length}: {kinds}, {rows}, {size}.",
        *_maxima(recording),
        *(
            f"  {name}: {about['state']}. {about['problem']}"
            for name, about in status.items()
            if name != "pulse" and about["state"] != "ok"
        ),
        f"Written: {path}",
        f"To see it, in a notebook of that folder: pw.replay({path.name!r})",
    ]


def _maxima(recording: Recording) -> Iterator[str]:
    """Yield the largest value of each metric that is told, with whose it was of several."""
    from pulse_widgets.metrics.units import format_value

    summary = recording.summary()
    for metric in SHOWN:
        found = summary[(summary["metric"] == metric) & ~summary["entity"].str.startswith("cpu:")]
        found = found.dropna(subset="max").sort_values("max", ascending=False, kind="stable")
        for entity, most, unit in found[["entity", "max", "unit"]].head(1).itertuples(index=False):
            whose = f" ({entity} of {len(found)})" if len(found) > 1 else ""
            yield f"  {metric:<20} at most {format_value(most, unit)}{whose}"
