"""The public functions that say how a run gets on, what it is, and what its metrics are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.plain_values import flat_values
from pulse_widgets.default_session import default
from pulse_widgets.errors import ArgumentError
from pulse_widgets.notices import warn
from pulse_widgets.series.said import CONFIG, DEFINED

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from pulse_widgets.session.session import Session

__all__ = ["config", "define", "progress"]

NAME_LENGTH: Final = 100
TEXT_LENGTH: Final = 200


def progress(done: float, total: float | None = None, *, name: str = "") -> None:
    """Record how far a loop has got.

    It is the metric ``progress`` of the kernel, a share: 0.5 is half. One with a name is that of
    the entity ``kernel/bar:NAME``, so that each loop is a line of its own. Bars of tqdm are
    recorded so by themselves while a session runs, under their description.

    Parameters
    ----------
    done : number
        How much is done, 0 or more; without `total` the share itself. It may be more than `total`.
    total : number, optional
        How much there is to be done; more than 0.
    name : str, optional
        Where several loops run, which one it is.

    Raises
    ------
    ArgumentError
        If `done` is no number or less than 0, `total` is not more than 0, or `name` is no text.
    """
    share = _number(done, "done", least=0.0)
    if total is not None:
        share /= _number(total, "total", least=math.nextafter(0, 1))
    if not isinstance(name, str):
        raise ArgumentError(f"name={name!r} is not text", remedy='Pass name="train".')
    session = _session("pw.progress()", 4)
    while session is not None and not session.intake.progress.tell(share, name[:NAME_LENGTH]):
        session = _session("pw.progress()", 4)


def config(values: Mapping[str, Any] | Namespace | object, /) -> None:
    """Record what a run was started with: its hyperparameters.

    It stands in ``Recording.config``, on the page under "Your metrics", and in files and replays.
    Of a name that is given again the last value counts; all others stay.

    Parameters
    ----------
    values : mapping, argparse.Namespace or dataclass
        Nested ones are flattened: ``{"model": {"depth": 12}}`` is ``model/depth``. Values are what
        JSON has, also lists; anything else is its `repr`, texts of at most 1000 letters. What is
        called a password, token, API key or secret is stored as ``***``.

    Raises
    ------
    ArgumentError
        If it is none of these.
    """
    _say("pw.config()", CONFIG, flat_values(values, "pw.config"))


def define(
    metric: str,
    *,
    unit: str | None = None,
    x: str | None = None,
    better: str | None = None,
    title: str | None = None,
) -> None:
    """Say what a metric of `pulse_widgets.log` is; before or after it was logged first.

    Parameters
    ----------
    metric : str
        A name, or a pattern such as ``"val/*"``. What is said of a name counts more than what is
        said of a pattern, and the last word more than one before.
    unit : str, optional
        One that is known (``"s"``, ``"B"``, ``"W"``, ``"1"`` for a share ...) is shown in the form
        people use; any other text stands behind the number.
    x : str, optional
        The metric that is its x axis, such as ``"epoch"``. A value stands at that metric's value
        of the same step, else at the newest one of that time.
    better : {"min", "max"}, optional
        The best value so far is shown beside the newest.
    title : str, optional
        The heading of its chart.

    Raises
    ------
    ArgumentError
        If one of them is not what it must be, or none is given.
    """
    said = {"unit": unit, "x": x, "better": better, "title": title}
    for key, value in {"metric": metric, **said}.items():
        if value is None and key != "metric":
            continue
        if not isinstance(value, str) or not value or len(value) > TEXT_LENGTH:
            raise ArgumentError(
                f"{key}={value!r:.80} is no text of 1 to {TEXT_LENGTH} letters",
                remedy='Write pw.define("val/loss", better="min").',
            )
    if better not in {None, "min", "max"}:
        raise ArgumentError(f"better={better!r} is unknown", remedy='Pass "min" or "max".')
    told = {key: value for key, value in said.items() if value is not None}
    if not told:
        raise ArgumentError(
            f"nothing is said of {metric!r}", remedy="Pass unit=, x=, better= or title=."
        )
    _say("pw.define()", DEFINED, {metric: told})


def _say(call: str, label: str, facts: Mapping[str, object]) -> None:
    session = _session(call, 5)
    left = session.intake.say(label, facts) if session is not None and facts else []
    if left:
        warn(f"{call} left {len(left)} names out, for which there is no room: {left[0]!r} ...")


def _session(call: str, level: int) -> Session | None:
    session = default.session
    if session is None or session.stopped_us is not None:
        session = default.for_log(call, level)
    return session


def _number(value: Any, name: str, *, least: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not least <= number < math.inf:
        wanted = "0 or more" if least == 0 else "more than 0"
        raise ArgumentError(
            f"{name}={value!r:.80} is not a number of {wanted}",
            remedy="Write pw.progress(batch, len(loader)).",
        )
    return number
