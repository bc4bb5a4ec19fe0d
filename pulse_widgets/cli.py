"""The command ``pulse-widgets``: exit status 0 ok, 1 failed, 2 wrong usage."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pulse_widgets.errors import ArgumentError, PulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["main"]

FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``pulse-widgets``; those of this process unless given.
    """
    options = _parser().parse_args(argv)
    try:
        status: int = options.run(options)
    except PulseError as error:
        print(f"{error.problem}\n{error.remedy}".rstrip(), file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has enough, as `head` does. Python would complain at exit.
        sys.stdout = None
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pulse-widgets",
        description="See what your GPUs, your machine, your kernel and your own metrics are doing.",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_demo(commands)
    doctor = commands.add_parser("doctor", help="say what works here, what does not, and why")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_doctor)
    listed = commands.add_parser("recordings", help="list the recordings of this user")
    listed.add_argument("--json", action="store_true", help="print JSON")
    listed.set_defaults(run=_recordings)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="open the quickstart notebook in JupyterLab, or record for a few seconds without",
    )
    demo.add_argument("--no-browser", action="store_true", help="print the address only")
    demo.add_argument(
        "--headless", action="store_true", help="run in a kernel, without JupyterLab and browser"
    )
    demo.add_argument(
        "--seconds",
        type=float,
        default=None,
        metavar="S",
        help="with --headless: how long to record (default 5)",
    )
    demo.add_argument(
        "-o",
        "--output",
        type=Path,
        default=None,
        metavar="PATH",
        help="with --headless: where to write the recording (default demo.pulse.parquet)",
    )
    demo.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> int:
    if not options.headless:
        if options.seconds is not None or options.output is not None:
            raise ArgumentError(
                "--seconds and -o belong to the demo without a browser",
                remedy="Add --headless, or leave them out.",
            )
        from pulse_widgets.demo_lab import run_lab

        return run_lab(say=_say, browser=not options.no_browser)
    from pulse_widgets.arguments import checked_seconds
    from pulse_widgets.demo_headless import record_headless

    seconds = checked_seconds(5.0 if options.seconds is None else options.seconds)
    output = options.output or Path("demo.pulse.parquet")
    for line in record_headless(seconds, output, say=_progress):
        print(line)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from pulse_widgets.api import doctor

    report = doctor()
    print(json.dumps(report.as_dicts(), indent=2) if options.json else report)
    return FAILED if report.failed else 0


def _recordings(options: argparse.Namespace) -> int:
    from pulse_widgets.api import recordings
    from pulse_widgets.library.shelf import home

    frame = recordings()
    if options.json:
        rows = json.loads(frame.to_json(orient="records", date_format="iso"))
        print(json.dumps(rows, indent=2))
    elif frame.empty:
        print(f"There are no recordings in {home()}.")
    else:
        print(_table(frame))
    return 0


def _table(frame: pd.DataFrame) -> str:
    from pulse_widgets.metrics.units import format_value

    shown = frame.drop(columns=["path"])
    shown["start"] = shown["start"].dt.strftime("%Y-%m-%d %H:%M:%S")
    for column, unit in (("seconds", "s"), ("bytes", "B")):
        shown[column] = [format_value(value, unit) for value in shown[column].astype(float)]
    for column in ("series", "rows"):
        shown[column] = shown[column].astype("Int64")
    for column in ("name", "title"):
        shown[column] = [_plain(text) for text in shown[column]]
    return shown.to_string(index=False, na_rep="\N{EN DASH}")


def _plain(text: str) -> str:
    """Return text that does nothing to a terminal but stand there."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _version() -> str:
    from importlib.metadata import version

    return f"pulse_widgets {version('pulse_widgets')}"


def _say(line: str) -> None:
    print(line, flush=True)


def _progress(line: str) -> None:
    # Standard output is for what was recorded.
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
