"""What there is to read of one GPU: the calls, what stands in for what, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.nvml.batch import Batch, FieldState
from pulse_widgets.readers.nvml.calls import CALLS, FANS, Call, make_call, make_fans
from pulse_widgets.readers.nvml.fields import FIELDS, TABLE
from pulse_widgets.readers.nvml.library import Code, reason_of
from pulse_widgets.readers.nvml.records import BIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulse_widgets.readers.nvml.identity import Facts
    from pulse_widgets.readers.nvml.library import Library

__all__ = ["FIELDS_OF", "PRIMARY", "Plan", "Readings"]

PRIMARY: Final = {
    **{spec.fallback: spec.name for spec in FIELDS if spec.fallback},
    **{spec.fallback: spec.name for spec in (*CALLS, FANS) if spec.fallback},
}
"""What stands in for another, to that other."""

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
        if facts.nvlinks == 0:
            for name, state in self.states.items():
                if name.startswith("nvlink"):
                    state.refuse("the GPU has no NVLink", for_good=True)
        self._library = library

    def bind(self, handle: Any) -> None:
        """Make the calls for a handle; what is known of the fields stays."""
        library, fans = self._library, self.facts.fans
        self._handle = handle
        self._batch_function = library.function("nvmlDeviceGetFieldValues")
        made = {spec.name: make_call(spec, library, handle) for spec in CALLS}
        made[FANS.name] = make_fans(library, handle, fans) if fans else None
        self.calls = {name: call for name, call in made.items() if call is not None}
        why = reason_of(Code.FUNCTION_NOT_FOUND)
        self._too_old = {name: why for name, call in made.items() if call is None}
        if self._batch_function is None:
            self._too_old.update(dict.fromkeys(self.states, why))
        if fans == 0:
            self.calls.pop(FANS.fallback, None)
            self._too_old[FANS.name] = "the GPU has no fan of its own"
        self.changed()

    def changed(self) -> None:
        """Forget the plans: what there is to read is no longer the same."""
        self.plans: dict[int, Plan] = {}
        self._absent = dict(self._too_old)
        self._absent |= {name: s.reason for name, s in self.states.items() if s.reason}
        self._absent |= {name: c.reason for name, c in self.calls.items() if c.reason}

    def ask_again(self) -> list[Call]:
        """Have what is missing be asked once more; return the calls to be tried."""
        again = [s for s in self.states.values() if s.reason and not s.for_good]
        for state in again:
            state.retry()
        if again:
            self.changed()
        return [call for call in self.calls.values() if call.reason]

    @property
    def untried(self) -> bool:
        """Something stands in now for what gives nothing, and has not had a value yet."""
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
        told: dict[str, str] = {**self.facts.missing}
        for name, why in {**self.passing, **self._absent}.items():
            for one in FIELDS_OF.get(name, (name,)):
                if name == "power.instant" and TABLE[name].metric in given:
                    told[one] = why + _MEAN_POWER
                elif TABLE[one].metric not in given or name in self.passing:
                    told[one] = why
        return told | self.odd

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
