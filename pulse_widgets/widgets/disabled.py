"""What `pulse_widgets.monitor` returns where ``PULSE_DISABLED=1``: it does nothing, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from pulse_widgets.library.cell_report import CellReport
    from pulse_widgets.library.recording import Recording
    from pulse_widgets.session.alert import Alert
    from pulse_widgets.widgets.monitor import Monitor

__all__ = ["DisabledMonitor", "disabled_monitor"]

PROBLEM: Final = "Nothing is watched or recorded: PULSE_DISABLED is set"
REMEDY: Final = "Unset PULSE_DISABLED and restart the kernel."


class DisabledAlert:
    """Has everything an `Alert` has, and never fires."""

    phase = "off"

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<Alert {self.text!r}: off. {PROBLEM}.>"

    def cancel(self) -> None:
        """Do nothing."""


class DisabledMonitor:
    """Has everything a `Monitor` has, and does none of it."""

    title = ""

    def __repr__(self) -> str:
        return f"<Monitor off. {PROBLEM}. {REMEDY}>"

    @property
    def recording(self) -> Recording | None:
        """Always None: nothing is recorded."""
        return None

    @property
    def status(self) -> pd.DataFrame:
        """One row that says why nothing is watched; columns as those of a `Monitor`."""
        import pandas as pd

        row = {
            "source": "pulse",
            "state": "off",
            "problem": PROBLEM,
            "remedy": REMEDY,
            "missing": 0,
            "cost": 0.0,
        }
        return pd.DataFrame([row]).set_index("source")

    def cell(self, which: int | str | None = None) -> CellReport:
        """Return a report in which nothing is known."""
        from pulse_widgets.library.cell_report import nothing_known

        return nothing_known(which if isinstance(which, int) and which > 0 else None)

    def view(self, layout: str = "dashboard", metrics: Sequence[str] | None = None) -> Monitor:
        """Return this monitor: there is nothing to lay out."""
        del layout, metrics
        return cast("Monitor", self)

    def stop(self) -> Recording | None:
        """Return None: there is no session and no recording."""
        return None

    def close(self) -> None:
        """Do nothing."""

    def mark(self, label: str) -> None:
        """Do nothing."""

    def alert(self, text: str, then: object = None) -> Alert:
        """Return an alert that never fires."""
        del then
        return cast("Alert", DisabledAlert(text))

    def burst(self, seconds: float = 10, interval: float = 0.1) -> None:
        """Do nothing."""


def disabled_monitor() -> Monitor:
    """Return a monitor that does nothing; to the type checker it is a `Monitor`."""
    return cast("Monitor", DisabledMonitor())
