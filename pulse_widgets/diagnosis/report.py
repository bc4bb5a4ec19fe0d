"""What `pulse_widgets.doctor` answers: what works here, what does not, why, and what to try.

The checks are in the modules beside this one: `install` (the package, Jupyter), `sources` (each
source, opened for real) and `machine` (directories, limits, other processes). If one of them
fails, the others still run.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from pulse_widgets.diagnosis.check import Check, State
from pulse_widgets.diagnosis.install import install_checks
from pulse_widgets.diagnosis.machine import machine_checks
from pulse_widgets.diagnosis.snapshot import take_snapshot
from pulse_widgets.diagnosis.sources import source_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

__all__ = ["Check", "Report", "State", "examine", "take_snapshot"]

TEXT_WIDTH: Final = 100
_GROUPS: Final[tuple[Callable[[], Iterable[Check]], ...]] = (
    install_checks,
    source_checks,
    machine_checks,
)


@dataclass(frozen=True, slots=True)
class Report:
    """The checks that were made, in order.

    Attributes
    ----------
    entries : tuple of Check
    """

    entries: tuple[Check, ...]

    @property
    def checks(self) -> pd.DataFrame:
        """One row a check: ``name``, ``state`` (ok, warn, fail, info), ``detail``, ``remedy``."""
        import pandas as pd

        return pd.DataFrame(self.as_dicts(), columns=["name", "state", "detail", "remedy"])

    @property
    def failed(self) -> bool:
        """Whether something has to be mended before a monitor can work here."""
        return any(check.state is State.FAIL for check in self.entries)

    def as_dicts(self) -> list[dict[str, str]]:
        """Return the checks as plain values, ready for JSON."""
        return [{**asdict(check), "state": check.state.value} for check in self.entries]

    def __str__(self) -> str:
        """Return aligned text, one check after another."""
        width = max((len(check.name) for check in self.entries), default=0)
        return "\n".join(line for check in self.entries for line in _lines(check, width))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return a table."""
        head = "<tr><th>state</th><th>check</th><th>result</th><th>what to try</th></tr>"
        rows = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align:left;vertical-align:top">{html.escape(text)}</td>'
                for text in (check.state.value, check.name, check.detail, check.remedy)
            )
            + "</tr>"
            for check in self.entries
        )
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def examine() -> Report:
    """Return what works here and what does not. Never raises; takes less than 2 s.

    Every source is opened and read once, and closed again; no session is started, and nothing
    is written.
    """
    entries: list[Check] = []
    for group in _GROUPS:
        try:
            entries.extend(group())
        except Exception as error:  # noqa: BLE001  a doctor that falls ill helps nobody
            entries.append(
                Check(
                    group.__name__.replace("_", " "),
                    State.WARN,
                    f"could not be made: {type(error).__name__}: {error}",
                    "Please report this as a bug.",
                )
            )
    return Report(tuple(entries))


def _lines(check: Check, width: int) -> list[str]:
    start = f"{check.state.value:<5} {check.name:<{width}}  "
    indent = " " * len(start)
    lines = textwrap.wrap(
        check.detail, TEXT_WIDTH, initial_indent=start, subsequent_indent=indent
    ) or [start.rstrip()]
    if check.remedy:
        lines += textwrap.wrap(
            check.remedy,
            TEXT_WIDTH,
            initial_indent=f"{indent}-> ",
            subsequent_indent=f"{indent}   ",
        )
    return lines
