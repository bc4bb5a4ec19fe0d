"""The command ``pulse-widgets``: exit status 0 ok, 1 failed, 2 wrong usage."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from dataclasses import asdict
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
        # The reader of our output closed it, as `head` does. Python would print an error at exit.
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
    _add_repair(commands)
    return parser


def _add_repair(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    repair = commands.add_parser(
        "repair", help="make one file of what a crash left, and say what is lost"
    )
    repair.add_argument("path", type=Path, metavar="PATH", help="directory, or name of a recording")
    repair.add_argument(
        "-o",
        "--output",
        type=Path,
        default=None,
        metavar="PATH",
        help="write the file there and leave the directory as it is",
    )
    repair.add_argument("--json", action="store_true", help="print JSON")
    repair.set_defaults(run=_repair)


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
        from pulse_widgets.demo.lab import run_lab

        return run_lab(say=_say, browser=not options.no_browser)
    from pulse_widgets.arguments import checked_seconds
    from pulse_widgets.demo.headless import record_headless

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
        # Paths are added here because pandas cannot write one that is not valid text.
        rows = json.loads(frame.drop(columns="path").to_json(orient="records", date_format="iso"))
        print(
            json.dumps(
                [{**r, "path": p} for r, p in zip(rows, frame["path"], strict=True)], indent=2
            )
        )
    elif frame.empty:
        print(f"There are no recordings in {home()}.")
    else:
        print(_table(frame))
        for line in _hints(frame):
            print(line)
    return 0


def _hints(frame: pd.DataFrame) -> list[str]:
    """Return what to do about recordings that are not as they should be."""
    bad = frame[frame["state"] == "unreadable"]
    hints = [
        f"{name} cannot be read: {problem.removeprefix(f'{path} cannot be read as a recording: ')}"
        for name, problem, path in zip(bad["name"], bad["problem"], bad["path"], strict=True)
    ]
    lacking = frame[(frame["state"] != "unreadable") & (frame["problem"] != "")]
    pairs = zip(lacking["name"], lacking["problem"], strict=True)
    hints += [f"{name}: {problem}" for name, problem in pairs]
    left = frame["name"][frame["state"] == "unfinished"].tolist()
    if left:
        word = shlex.quote(left[0])
        hints.append(f"To finish one that is unfinished: pulse-widgets repair {word}")
    return list(map(_plain, hints))


def _repair(options: argparse.Namespace) -> int:
    from pulse_widgets.arguments import checked_path
    from pulse_widgets.library.repair import repair

    output = None if options.output is None else checked_path(options.output, "-o")
    done = repair(checked_path(options.path), output)
    if options.json:
        facts = {**asdict(done), "path": str(done.path), "kept": done.kept and str(done.kept)}
        print(json.dumps(facts, indent=2))
        return 0
    said = {
        "finished": f"Finished: {done.path}",
        "written": f"Written: {done.path}",
        "finished already": f"Finished already: {done.path}",
        "removed": f"Nothing had been recorded; removed {done.path}",
    }[done.done]
    lines = [said]
    if done.done != "removed":
        lines += [f"{done.rows} rows of {done.series} series", *(f"Lost: {x}" for x in done.lost)]
    if done.kept is not None:
        lines.append(f"The damaged files are kept in {done.kept}")
    print("\n".join(map(_plain, lines)))
    return 0


def _table(frame: pd.DataFrame) -> str:
    from pulse_widgets.metrics.units import format_value

    shown = frame.drop(columns=["path", "problem"])
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
    # Messages go to standard error: standard output is for what was recorded.
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
