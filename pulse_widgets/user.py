"""The public functions that take in what the user's code has to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.arguments import checked_span, checked_time
from pulse_widgets.collectors.batches import microseconds, steps_of
from pulse_widgets.collectors.logged_values import STEP_LIMIT
from pulse_widgets.default_session import default
from pulse_widgets.series.clock import elapsed_ns
from pulse_widgets.series.rows import NO_STEP

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["log", "log_batch"]


def log(data: Mapping[str, Any], step: int | None = None, *, time: float | None = None) -> None:
    """Record the values of your own metrics at one moment.

    Costs less than a microsecond; only a loop that is tens of thousands of values ahead of the
    disk waits for it. Values accepted by a process that records are in its recording within a
    fifth of a second, even when the process is killed then. A tensor is copied and read later, by
    another thread: the call does not wait for its device.

    Parameters
    ----------
    data : mapping of str to number
        Names and values, possibly nested: ``{"train": {"loss": 0.3}}`` is ``train/loss``. A
        number is whatever has ``float()`` and a single element: Python, numpy, torch, jax,
        TensorFlow, Decimal. None and masked values are missing. Anything else is left out with
        one warning a name, and counted; the rest of the call is recorded.
    step : int, optional
        Your own x axis: a batch, an epoch.
    time : float, optional
        Unix seconds, of 2000 or later; now unless given.

    Raises
    ------
    ArgumentError
        If something is wrong with the call itself: `data` is no mapping, a name is no text or
        stands for two values, `step` is no whole number, `time` lies before 2000 or ahead.
    """
    if time is None and type(data) is dict and len(data) == 1:
        # What most loops do, and nearly all of the time: done in one place it costs half.
        (name,) = data
        value = data[name]
        flat = default.singles.get(name)
        if (
            flat is not None
            and type(value) is float
            and (step is None or (type(step) is int and NO_STEP < step < STEP_LIMIT))
        ):
            stamp = elapsed_ns()
            flat.extend((stamp, NO_STEP if step is None else step, value))
            if len(flat) <= flat.most or flat.ask(flat, stamp):
                return
    wall_s = None if time is None else checked_time(time)
    session = default.session
    if session is None or session.stopped_us is not None:
        session = default.for_log()
    # A session that ends at this moment takes nothing more; the next one does.
    while session is not None and not session.user.log(
        data, step, None if wall_s is None else session.clock.from_wall(wall_s)
    ):
        session = default.for_log()


def log_batch(
    data: Mapping[str, Any],
    steps: Any = None,  # whatever numpy makes an array of
    times: Any = None,
) -> None:
    """Record many values of your own metrics at once: what `log` does, for each row of columns.

    For what a loop has gathered, or what was recorded elsewhere. The columns are copied: they may
    be changed after the call. A tensor on a device is read in this call, which waits for it. Of
    more than 250 000 values each piece is handed on as soon as there is room, the first rows
    first.

    Parameters
    ----------
    data : mapping of str to (n,) numbers
        Names and columns of equal length, possibly nested, as in `log`: arrays, lists, CPU or
        device tensors. Masked elements, and None in a list, are missing; NaN and infinity are
        kept. A column that is no row of numbers is left out with one warning a name, and counted.
    steps : (n,) whole numbers, optional
        Your own x axis; steps may repeat or go back.
    times : (n,) Unix seconds or datetime64, optional
        Of 2000 or later, in any order; without a zone they are UTC. All are now unless given.

    Raises
    ------
    ArgumentError
        If something is wrong with the call itself, as in `log`: columns, `steps` and `times`
        differ in length, `steps` are no whole numbers, `times` are no times.
    """
    given_steps = steps_of(steps)
    wall_us = None if times is None else microseconds(times)
    if wall_us is not None and len(wall_us):
        checked_span(int(wall_us.min()) / 1e6, int(wall_us.max()) / 1e6)
    session = default.for_log() if (running := default.session) is None else running
    while session is not None:
        if session.stopped_us is None:
            times_us = None if wall_us is None else wall_us - session.clock.shift_us()
            if session.user.log_batch(data, given_steps, times_us):
                return
        session = default.for_log()
