"""The readings of one GPU: its driver calls, their fallbacks, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.nvml.batch import PATIENCE, Batch
from pulse_widgets.readers.nvml.calls import CALLS, Call, make_call
from pulse_widgets.readers.nvml.fans import FANS, make_fans
from pulse_widgets.readers.nvml.fields import FIELDS, TABLE
from pulse_widgets.readers.nvml.library import UNSUPPORTED, Code, reason_of
from pulse_widgets.readers.nvml.records import BIT
from pulse_widgets.readers.nvml.state import FieldState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulse_widgets.readers.nvml.batch import Stamped
    from pulse_widgets.readers.nvml.calls import Fields
    from pulse_widgets.readers.nvml.identity import Facts
    from pulse_widgets.readers.nvml.library import Library

__all__ = ["FIELDS_OF", "PRIMARY", "Plan", "Readings"]

PRIMARY: Final = {
    **{spec.fallback: spec.name for spec in FIELDS if spec.fallback},
    **{spec.fallback: spec.name for spec in (*CALLS, FANS) if spec.fallback},
}
"""A fallback, to the call it replaces."""

FIELDS_OF: Final = {spec.name: spec.fields for spec in (*CALLS, FANS)}

_MEAN_POWER: Final = "; a mean of about 1 s is read instead"


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls of one combination of classes.

    Attributes
    ----------
    beside_samples : tuple of Call
        Those of `direct` that are still made while samples of the utilisation come.
    """

    batch: Batch | None
    direct: tuple[Call, ...]
    beside_samples: tuple[Call, ...]
    queued: tuple[Call, ...]


class Readings:
    """The readings of one GPU.

    Parameters
    ----------
    library : Library
    facts : Facts

    Attributes
    ----------
    passing : dict of str to str
        Why there is no value now of what is asked for all the same, by name.
    odd : dict of str to str
        Why what the driver says cannot be, by field.
    """

    def __init__(self, library: Library, facts: Facts) -> None:
        self.facts = facts
        self.passing: dict[str, str] = {}
        self.odd: dict[str, str] = {}
        self.states = {spec.name: FieldState.of(spec) for spec in FIELDS}
        self._library = library
        self._no_links()

    def bind(self, handle: Any) -> None:
        """Make the calls for a handle; what is known of the fields stays."""
        library = self._library
        self._handle = handle
        for state in self.states.values():
            state.restart()
        self._batch_function = library.function("nvmlDeviceGetFieldValues")
        made = {spec.name: make_call(spec, library, handle) for spec in CALLS}
        self.calls = {name: call for name, call in made.items() if call is not None}
        why = reason_of(Code.FUNCTION_NOT_FOUND)
        self._too_old = {name: why for name, call in made.items() if call is None}
        if self._batch_function is None:
            self._too_old.update(dict.fromkeys(self.states, why))
        self._take_fans()
        self.changed()

    def renew(self, facts: Facts) -> None:
        """Take over what the GPU has said of itself only now."""
        fans, self.facts = self.facts.fans, facts
        self._no_links()
        if facts.fans != fans:
            self._take_fans()
        self.changed()

    def _take_fans(self) -> None:
        fans = self.facts.fans
        call = make_fans(self._library, self._handle, fans) if fans else None
        if call is not None:
            self.calls[FANS.name] = call
            self._too_old.pop(FANS.name, None)
        elif fans == 0:
            self.calls.pop(FANS.fallback, None)
            self._too_old[FANS.name] = "the GPU has no fan of its own"
        else:
            self._too_old[FANS.name] = reason_of(Code.FUNCTION_NOT_FOUND)

    def _no_links(self) -> None:
        for name, state in self.states.items():
            if self.facts.nvlinks == 0 and name.startswith("nvlink"):
                state.refuse("the GPU has no NVLink", for_good=True)

    def changed(self) -> None:
        """Forget the plans: what there is to read is no longer the same."""
        self.plans: dict[int, Plan] = {}
        self._absent = dict(self._too_old)
        self._absent |= {name: s.reason for name, s in self.states.items() if s.reason}
        self._absent |= {name: c.reason for name, c in self.calls.items() if c.reason}

    def ask_again(self) -> list[Call]:
        """Have what is missing be asked once more; return the calls to be tried."""
        again = [s for s in self.states.values() if s.incomplete and not s.for_good]
        for state in again:
            state.retry()
        if again:
            self.changed()
        return [call for call in self.calls.values() if call.reason]

    # What came of it; each returns whether `missing` may say something else -----------

    def took(self, batch: Batch, stamped: Sequence[Stamped]) -> bool:
        """Note what a reading of the batch gave."""
        passing = self.passing
        before = dict(passing)
        if batch.waiting or passing:
            for name, value, _ in stamped:
                if value is not None:
                    passing.pop(name, None)
            passing.update(batch.waiting)
            batch.waiting.clear()
        if batch.changed:
            self.changed()
        return batch.changed or passing != before

    def look_at(self, call: Call) -> bool:
        """Clear the failure of a call, and note values of its answer that cannot be true."""
        restored = bool(call.reason or call.failures)
        if restored:
            call.reason, call.failures = "", 0
            self.passing.pop(call.spec.name, None)
            self.changed()
        call.flawed = bool(call.odd)
        # The first wrong numbers are the ones that are reported.
        odd, before = self.odd, dict(self.odd)
        for name in call.spec.fields:
            odd.pop(name, None)
        for name, why in (call.odd or {}).items():
            odd[name] = before.get(name, why)
        return restored or odd != before

    def failed(self, call: Call, code: int, fields: Fields) -> bool:
        """Note why a call gave nothing; a series that had values gets a missing one."""
        if call.delivered:
            fields.update(dict.fromkeys(call.spec.fields))
        call.failures += 1
        call.flawed = True
        why = reason_of(code, mig=self.facts.split)
        over = call.spec.fallback and (not call.delivered or call.failures >= PATIENCE)
        if code not in UNSUPPORTED and not over:
            self.passing[call.spec.name] = why
            return True
        if call.reason == why:
            return False
        self.passing.pop(call.spec.name, None)
        call.delivered = False
        call.reason = why
        self.changed()
        return True

    @property
    def untried(self) -> bool:
        """A fallback is in use that has not had a value yet."""
        return any(
            name in PRIMARY and self.active(name) and not self._delivered(name)
            for name in self._names()
        )

    @property
    def fields(self) -> Iterator[str]:
        """The names of the readings there are."""
        for name in self._names():
            if self.active(name):
                yield from FIELDS_OF.get(name, (name,))

    @property
    def missing(self) -> dict[str, str]:
        """Every field whose metric nothing gives, to why."""
        given = {TABLE[name].metric for name in self.fields}
        missing: dict[str, str] = {**self.facts.missing}
        # Passing failures count only for fields that are in use now.
        passing = {name: why for name, why in self.passing.items() if self.active(name)}
        for name, why in {**passing, **self._absent}.items():
            for one in FIELDS_OF.get(name, (name,)):
                if name == "power.instant" and TABLE[name].metric in given:
                    missing[one] = why + _MEAN_POWER
                elif TABLE[one].metric not in given or name in passing:
                    missing[one] = why
        return missing | self.odd

    def active(self, name: str) -> bool:
        """Return whether a call or field is asked for: it gives something, and is needed."""
        primary = PRIMARY.get(name)
        return name not in self._absent and (primary is None or primary in self._absent)

    def plan(self, due: int) -> Plan:
        """Return what is to be asked where some classes are due."""
        if due not in self.plans:
            self.plans[due] = self._make_plan(due)
        return self.plans[due]

    def _names(self) -> Iterator[str]:
        yield from self.states
        yield from self.calls

    def _delivered(self, name: str) -> bool:
        return (self.states.get(name) or self.calls[name]).delivered

    def _make_plan(self, due: int) -> Plan:
        states = [
            state
            for name, state in self.states.items()
            if BIT[state.rate] & due and self.active(name)
        ]
        batch = None
        if states and self._batch_function is not None:
            batch = Batch(
                self._library,
                self._batch_function,
                self._handle,
                states,
                self.facts.link_bytes_s,
                mig=self.facts.split,
            )
        calls = [
            call
            for name, call in self.calls.items()
            if BIT[call.spec.rate] & due and self.active(name)
        ]
        direct = tuple(call for call in calls if not call.spec.queued)
        queued = tuple(call for call in calls if call.spec.queued)
        beside = tuple(call for call in direct if call.spec.name != "utilization")
        return Plan(batch, direct, beside, queued)
