"""The user's own metrics: accepted in a microsecond, turned into rows by another thread."""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.collectors.base import Collector, Sink
from pulse_widgets.collectors.device_values import DeviceValues, Entry
from pulse_widgets.errors import ArgumentError, PulseError, words_of
from pulse_widgets.metrics.kinds import MOMENT
from pulse_widgets.metrics.masked import is_masked
from pulse_widgets.notices import warn
from pulse_widgets.series.columns import LOGGED_NAN
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.registry import Registry

__all__ = ["UserCollector"]

ENTITY: Final = "user"

QUEUE_VALUES: Final = 20_000
"""So many values may wait; about as many are written in a tenth of a second."""
PART_VALUES: Final = 10_000

KEY_LENGTH: Final = 512
STEP_LIMIT: Final = 2**63

SHOWN: Final = 80
"""Letters of a name that a message repeats."""

_PLAIN: Final = frozenset({float, int, bool})
_READY: Final = _PLAIN | {type(None)}
"""What becomes a row without being read from anywhere."""


class UserCollector(Collector):
    """Takes in what `pulse_widgets.log` is given.

    A call copies the mapping and returns; `drain` turns what waits into rows. The queue is
    bounded: a caller that finds it full waits until it was drained, so nothing is dropped, and
    nothing that was accepted waits for long.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    sink : callable taking Rows
    host : str
    """

    def __init__(self, registry: Registry, clock: Clock, sink: Sink, host: str) -> None:
        super().__init__("user", sink)
        self.status.state = "ok"
        self._registry = registry
        self._clock = clock
        self._host = host
        self._queue: deque[Entry] = deque()
        self._devices = DeviceValues(self._from_device)
        self._drain_lock = threading.RLock()
        self._most = QUEUE_VALUES
        """How many values may wait."""
        self._ids: dict[str, int] = {}
        self.pressed = 0
        """Calls that found the queue full and drained it."""
        self.relieve: Callable[[], None] | None = None
        """Called by a producer that is too far ahead of the disk, instead of draining itself: an
        interrupt of its cell must not tear what is under way."""
        self.arrived: Callable[[], None] | None = None
        """Called for the first of the values that wait to be drained."""
        self._told = False
        self._closed = False
        self._unreadable: set[str] = set()
        self.left_out = 0
        """Values that were no numbers, or of one name too many."""
        self._left_out: set[str] = set()

    def log(self, data: Mapping[str, Any], step: int | None, time_us: int | None = None) -> bool:
        """Accept the values of one moment.

        Parameters
        ----------
        data : mapping of str to number
            May be nested; keys are joined with ``/``.
        step : int or None
        time_us : int or None
            Microseconds since the epoch; None is now.

        Returns
        -------
        bool
            False when the collector was closed meanwhile, and the values were not taken.

        Raises
        ------
        ArgumentError
            If something is wrong with the call itself: no mapping, a key that cannot be a name
            or stands for two values, a step that is no whole number. A value that is no number
            is left out, counted and said once; None and masked values are missing.
        """
        known = self._ids
        if type(data) is not dict:
            data = self._checked(data)
        for key, value in data.items():
            if key not in known or type(value) not in _PLAIN:
                data = self._checked(data)
                break
        else:
            data = dict(data)
        if step is not None and (type(step) is not int or not -STEP_LIMIT < step < STEP_LIMIT):
            step = _whole(step)
        entry = (self._clock.now_us() if time_us is None else time_us, step, data)
        self._queue.append(entry)
        if not self._told:
            self._announce()
        if self._closed:
            return not self._taken_back(entry)
        if len(self._queue) * len(data) >= self._most:
            self._press(len(data))
        return True

    def _announce(self) -> None:
        try:
            self._told = True
            if self.arrived is not None:
                self.arrived()
        except BaseException:
            # Interrupted: who comes next tells.
            self._told = False
            raise

    def _press(self, width: int) -> None:
        """Wait until what waits was taken; calls are taken to be as wide as this one."""
        self.pressed += 1
        (self.relieve or self.drain)()
        if len(self._queue) * width >= self._most:
            # A disk that hangs is no reason to wait with every call.
            self._most += QUEUE_VALUES

    def __len__(self) -> int:
        """Return the number of calls that are not rows yet."""
        return len(self._queue) + len(self._devices)

    def close(self) -> None:
        """Take nothing more; what was accepted becomes rows with the next `drain`."""
        self._closed = True

    def _taken_back(self, entry: tuple[int, int | None, dict[str, Any]]) -> bool:
        """Remove what came while the collector was closed; False when it became rows."""
        with self._drain_lock:
            for place, waiting in enumerate(self._queue):
                if waiting is entry:
                    del self._queue[place]
                    return True
        return False

    def drain(self, then: Callable[[], None] | None = None) -> None:
        """Turn everything that waits into rows; `then` is called after each part of it."""
        # First: what is appended after this tells again, what came before is counted below.
        self._told = False
        self._most = QUEUE_VALUES
        waiting = len(self._queue)
        while waiting > 0:
            with self._drain_lock:
                waiting -= self._drain_part(waiting)
            if then is not None:
                then()

    def finish(self) -> None:
        """Turn what still waits for a device into rows, as long as the device gets on."""
        if not self._devices.settle():
            left = len(self._devices)
            self._tell(f"{left} of your last calls were not recorded: their device did not answer")
        self._devices.end()

    def _drain_part(self, calls: int) -> int:
        """Turn some of the calls that wait into rows; return how many."""
        taken = values = 0
        plain: list[Entry] = []
        while taken < calls and values < PART_VALUES and self._queue:
            if len(self._devices) >= QUEUE_VALUES:
                # A device that hangs: callers wait behind it, as behind a disk that does.
                self._hand_on(plain)
                return calls
            entry = self._queue.popleft()
            taken += 1
            if _READY.issuperset(map(type, entry[2].values())):
                plain.append(entry)
                values += len(entry[2])
            else:
                self._devices.put(entry)
        self._hand_on(plain)
        return taken if self._queue else calls

    def _hand_on(self, entries: Sequence[Entry]) -> None:
        """Hand on the rows of some calls."""
        ids: list[int] = []
        times, steps, values = [], [], []
        known = self._ids
        for time_us, step, data in entries:
            for key, value in data.items():
                number = self._read(key, value)
                ids.append(known[key])
                times.append(time_us)
                steps.append(NO_STEP if step is None else step)
                values.append(_as_logged(number))
        if ids:
            self.add(Rows.of(ids, times, values, steps))

    def _from_device(self, entry: Entry) -> None:
        self._hand_on([entry])
        if self.arrived is not None:
            self.arrived()

    def _read(self, key: str, value: Any) -> float | None:
        """Return the number of a value; None where there is none, or, said, none can be read."""
        if value is None:
            return None
        try:
            return _number(value)
        except BaseException as error:  # noqa: BLE001  a device's own error, found only on reading
            if key not in self._unreadable:
                self._unreadable.add(key)
                self._tell(f"{key!r} could not be read: {words_of(error)}")
            return None

    def _tell(self, message: str) -> None:
        series = self._registry.add(self._host, "pulse/log", "event", kind=MOMENT.stored)
        text = json.dumps({"kind": "log", "message": message[:500]})
        self.add(Rows.of([series], [self._clock.now_us()], [math.nan], text=[text]))

    def _checked(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the flat copy of a mapping, without the values that are no numbers.

        Raises
        ------
        ArgumentError
            What is wrong with the call itself: no mapping, or a key that cannot be a name.
        """
        flat: dict[str, Any] = {}
        _flatten(data, "", flat)
        taken: dict[str, Any] = {}
        for key, value in flat.items():
            try:
                taken[key] = _accepted(value)
                if key not in self._ids:
                    self._ids[key] = self._registry.add(self._host, ENTITY, key, limited=True)
            except _NoNumberError:
                taken.pop(key, None)
                self._leave_out(key, f"{_short(key)} is {_describe(value)}, not a number")
            except PulseError as error:
                # One of very many new names: what varies belongs into the value.
                taken.pop(key, None)
                self._leave_out("", f"{error.problem}. {error.remedy}")
        return taken

    def _leave_out(self, what: str, why: str) -> None:
        """Go on without a value: it is counted, and said once of each name."""
        self.left_out += 1
        if what not in self._left_out:
            self._left_out.add(what)
            message = f"pw.log() left a value out: {why}"
            self._tell(message)
            warn(message)


class _NoNumberError(Exception):
    """A value cannot be a number."""


def _flatten(data: Mapping[str, Any], prefix: str, flat: dict[str, Any]) -> None:
    if not isinstance(data, Mapping):
        raise ArgumentError(
            f"pw.log takes a mapping of names to numbers, not {type(data).__name__}",
            remedy='Write pw.log({"loss": loss}, step=step).',
        )
    for key, value in data.items():
        name = f"{prefix}{key}"
        if not isinstance(key, str) or not key or len(name) > KEY_LENGTH or not _is_text(name):
            raise ArgumentError(
                f"{_short(key)} cannot be the name of a metric",
                remedy=f"Use text of 1 to {KEY_LENGTH} characters, such as 'train/loss'.",
            )
        if isinstance(value, Mapping):
            _flatten(value, f"{name}/", flat)
        elif name in flat:
            raise ArgumentError(
                f"{_short(name)} stands for two values in one call",
                remedy='Names are joined with "/": {"a": {"b": 1}} and {"a/b": 1} are the same.',
            )
        else:
            flat[name] = value


def _short(name: object) -> str:
    """Return a name as it is shown in a message, where it may be thousands of letters long."""
    shown = repr(name)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."


def _is_text(name: str) -> bool:
    """Return whether a name can be written to a file; half a surrogate pair cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _accepted(value: Any) -> Any:
    """Return what is queued for a value: a number, None, or what is read later on another thread.

    Raises
    ------
    _NoNumberError
        If it is neither a number nor one element that can become one.
    """
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, np.generic | np.ndarray):
        return _of_numpy(value)
    if getattr(value, "shape", ()) != () or not hasattr(type(value), "__float__"):
        raise _NoNumberError
    if hasattr(value, "detach"):
        # Copying on the device does not wait for it; reading the number would.
        return value.detach().clone()
    if hasattr(value, "shape"):
        # Of another library: it may live on a device, and it may be changed after the call.
        return value.copy() if callable(getattr(value, "copy", None)) else value
    return _as_number(value)


def _of_numpy(value: Any) -> float | None:
    if value.shape != () or value.dtype.kind not in "biufO":
        raise _NoNumberError
    if is_masked(value):
        return None
    return _as_number(value[()])


def _as_number(value: Any) -> float:
    try:
        return _number(value)
    except (TypeError, ValueError, ArithmeticError) as exc:
        raise _NoNumberError from exc


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    return f"{kind} of shape {tuple(shape)}" if shape is not None else f"of type {kind}"


def _whole(step: Any) -> int:
    try:
        number = int(step)
        # True is 1 to Python; to who wrote it, it is no step.
        same = bool(number == step) and not isinstance(step, bool | np.bool_)
    except (TypeError, ValueError, OverflowError):
        same = False
    if not same or abs(number) >= STEP_LIMIT:
        raise ArgumentError(
            f"step={step!r} is not a whole number", remedy="Pass an integer, such as step=epoch."
        )
    return number


def _as_logged(number: float | None) -> float:
    """Return what stands for a value in a row: a NaN that was logged is not a missing one."""
    if number is None:
        return math.nan
    return LOGGED_NAN if number != number else number  # noqa: PLR0124  quicker than math.isnan


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        # An integer beyond the range of a float: as infinite as a float can say.
        return math.inf if value > 0 else -math.inf
