"""Writes ``docs/api.md`` from the code: ``python docs/make_api.py``.

Between two comments of that page stand every public name, its signature and the first sentence of
its docstring. A test fails while they are not what the code says.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import pulse_widgets as pw
from pulse_widgets import errors
from pulse_widgets.diagnosis.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = Path(__file__).with_name("api.md")
BEGIN: Final = "<!-- Written by `python docs/make_api.py`; do not edit until the next comment. -->"
END: Final = "<!-- From here on it is written by hand. -->"

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Watch": ("monitor", "Monitor", "stop"),
    "Be told": ("Alert", "AlertEvent"),
    "Log": ("log", "log_batch", "define", "config", "progress", "span", "traced"),
    "Open a recording": ("replay", "recordings", "Recording"),
    "This machine": ("snapshot", "doctor"),
    "Errors": ("PulseError",),
}
"""Every public name, by the heading it stands under."""

HELD: Final = {
    "Monitor": ("mon", pw.Monitor),
    "Recording": ("rec", pw.Recording),
    "Alert": ("alert", pw.Alert),
    "doctor": ("report", Report),
}
"""After which name the members of which class are listed, and what one is called in examples."""

NOT_FOR_USERS: Final = {"book", "stored"}
MODULES: Final = {"pd": "pandas", "np": "numpy", "go": "plotly.graph_objects"}


def api() -> str:
    """Return the written part of the page."""
    lines = [BEGIN]
    for heading, names in GROUPS.items():
        lines += ["", f"## {heading}", ""]
        for name in names:
            value = getattr(pw, name)
            told = "" if inspect.isclass(value) else signature(value)
            lines.append(_entry(f"pw.{name}{told}", value))
            if name in HELD:
                lines += _members(*HELD[name])
    return "\n".join([*lines, "", *_errors(), "", END])


def written(page: str) -> str:
    """Return the page with that part as the code says it is now."""
    before, rest = page.split(BEGIN)
    return before + api() + rest.split(END)[1]


def members(kind: type) -> dict[str, Any]:
    """Return the public methods and properties of a class, in the order of its source."""
    return {
        name: value
        for base in kind.__mro__
        if base.__module__.startswith("pulse_widgets.")
        for name, value in vars(base).items()
        if not name.startswith("_")
        and name not in NOT_FOR_USERS
        and isinstance(value, FunctionType | classmethod | property)
    }


def signature(function: Any) -> str:
    """Return the parameters with their defaults, and what comes back."""
    found = inspect.signature(function)
    shown = [p.replace(annotation=p.empty) for p in found.parameters.values() if p.name != "self"]
    text = str(found.replace(parameters=shown, return_annotation=found.empty))
    # Texts in the quotes of the examples.
    text = re.sub(r"'([^']*)'", r'"\1"', text)
    back = _type(found)
    return f"{text} -> {back}" if back else text


def _type(found: inspect.Signature) -> str:
    """Return what comes back, in full names; empty where nothing does or it is not said."""
    back = str(found.return_annotation)
    for short, full in MODULES.items():
        back = re.sub(rf"\b{short}\.", f"{full}.", back)
    return "" if found.return_annotation in {"None", "Any", found.empty} else back


def sentence(value: Any) -> str:
    """Return the first sentence of a docstring, in Markdown."""
    paragraph = " ".join(inspect.getdoc(value).split("\n\n")[0].split())
    first = re.match(r".*?[.](?= |$)", paragraph)
    # A colon before a list that is not shown here ends it, too.
    return (first[0] if first else paragraph.rstrip(":") + ".").replace("``", "`")


def _members(owner: str, kind: type) -> Iterator[str]:
    for name, value in members(kind).items():
        if isinstance(value, property):
            back = _type(inspect.signature(value.fget))
            yield _entry(f"{owner}.{name}: {back}" if back else f"{owner}.{name}", value)
        elif isinstance(value, classmethod):
            yield _entry(f"pw.{kind.__name__}.{name}{signature(getattr(kind, name))}", value)
        else:
            yield _entry(f"{owner}.{name}{signature(value)}", value)


def _entry(code: str, value: Any) -> str:
    # The backslash breaks the line, where Markdown is rendered.
    return f"- `{code}`\\\n  {sentence(value)}"


def _errors() -> list[str]:
    rows = [
        f"| `{name}` | `{kind.__mro__[1].__name__}` | {sentence(kind)} |"
        for name in errors.__all__
        if (kind := getattr(errors, name)) is not errors.PulseError
    ]
    told = "Every error has a `problem` and a `remedy`. These are in `pulse_widgets.errors`:"
    return [told, "", "| error | is a | when |", "|---|---|---|", *rows]


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
