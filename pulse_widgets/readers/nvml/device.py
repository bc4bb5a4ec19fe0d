"""One GPU: which of its readings exist, which calls a tick makes, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.base import RateClass, RawRecord
from pulse_widgets.readers.nvml.batch import Batch, FieldState, Stamped
from pulse_widgets.readers.nvml.calls import CALLS, Call, Fields, make_call, make_fans
from pulse_widgets.readers.nvml.fields import FIELDS, TABLE
from pulse_widgets.readers.nvml.library import GONE, UNSUPPORTED, Code, reason_of
from pulse_widgets.readers.nvml.mig import MigInstance
from pulse_widgets.readers.nvml.records import BIT, record, records
from pulse_widgets.readers.nvml.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulse_widgets.readers.nvml.identity import Facts, MigFacts
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.records import Tick
    from pulse_widgets.readers.select import Gpu

__all__ = ["CALLS_A_TICK", "Device"]

CALLS_A_TICK: Final = 10
"""What a tick may ask of one GPU: the driver takes its locks, and the job waits behind them."""

_SLOW: Final = BIT[RateClass.SLOW]
_STATIC: Final = BIT[RateClass.STATIC]
_GAUGES: Final = BIT[RateClass.GAUGES]
_BUFFERED: Final = BIT[RateClass.BUFFERED]
_PROCESSES: Final = BIT[RateClass.PROCESSES]

_PRIMARY: Final = {
    **{spec.fallback: spec.name for spec in FIELDS if spec.fallback},
    **{spec.fallback: spec.name for spec in CALLS if spec.fallback},
}
_FIELDS_OF: Final = {spec.name: spec.fields for spec in CALLS}
_UTILIZATION: Final = _FIELDS_OF["utilization"]
_STAND_INS: Final = 3
"""A reading has at most two that can take over, one after the other."""

_MEAN_POWER: Final = "; a mean of about 1 s is read instead"


@dataclass(frozen=True, slots=True)
class _Plan:
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


class Device:
    """One GPU of the machine.

    Parameters
    ----------
    library : Library
    gpu : Gpu
    handle : device handle
    facts : Facts
    migs : list of MigFacts
        Its MIG instances that are to be read.
    reprobe_s : float
        Seconds after which what is missing is asked again.

    Attributes
    ----------
    error : str
        Why nothing of it can be read; empty while it can.
    revision : int
        Another number than before: `missing` may say something else.
    """

    def __init__(  # noqa: PLR0913  each comes from another place
        self,
        library: Library,
        gpu: Gpu,
        handle: Any,
        facts: Facts,
        migs: list[MigFacts],
        *,
        reprobe_s: float,
    ) -> None:
        self.gpu = gpu
        self.entity = f"gpu:{gpu.index}"
        self.error = ""
        self.revision = 0
        self._library = library
        self._facts = facts
        self._reprobe_s = reprobe_s
        self._probe_at = 0.0
        self._lost_code = 0
        self._returned = False
        """It was lost: what is told once is to be told again."""
        self._passing: dict[str, str] = {}
        self._states = {spec.name: FieldState.of(spec) for spec in FIELDS}
        if facts.nvlinks == 0:
            for name, state in self._states.items():
                if name.startswith("nvlink"):
                    state.refuse("the GPU has no NVLink", for_good=True)
        self.migs = [MigInstance(library, gpu.index, each, gpu.migs) for each in migs]
        self._bind(handle)

    def probe(self, tick: Tick) -> None:
        """Try every reading once, so that the first tick asks only for what there is."""
        self._probe_at = tick.now + self._reprobe_s
        self._samples.probe(tick)
        for _ in range(_STAND_INS):
            self._collect(tick)
            untried = any(
                name in _PRIMARY and self._active(name) and not self._delivered(name)
                for name in self._names()
            )
            if self.error or not untried:
                break

    def read(self, tick: Tick) -> list[RawRecord]:
        """Read what is due; a GPU that is lost gives its error, and is tried again rarely."""
        if self.error and not self._revived(tick):
            return self._lost_records(tick)
        if tick.due & _SLOW and tick.now >= self._probe_at:
            self._probe_at = tick.now + self._reprobe_s
            self._ask_again()
        fields, stamped, others = self._collect(tick)
        if self.error:
            return self._lost_records(tick)
        if tick.due & _STATIC or self._returned:
            self._returned = False
            fields.update(self._facts.labels)
            fields.update(self._facts.statics)
            others = [*(mig.labels(tick) for mig in self.migs), *others]
        elif not tick.due & _SLOW:
            fields.pop("memory.total", None)
        return [*records(tick, self.entity, fields, stamped), *others]

    def lose(self, code: int, now: float) -> None:
        """Stop asking this GPU until it is time to try again."""
        self.error = reason_of(code)
        self._lost_code = code
        self._probe_at = now + self._reprobe_s

    # What there is to read ------------------------------------------------------------

    @property
    def fields(self) -> Iterator[str]:
        """The names of the readings it has."""
        for name in self._names():
            if self._active(name):
                yield from _FIELDS_OF.get(name, (name,))

    @property
    def missing(self) -> dict[str, str]:
        """Every field whose metric nothing gives, to why."""
        given = {TABLE[name].metric for name in self.fields}
        told: dict[str, str] = {}
        for name, why in {**self._passing, **self._absent}.items():
            for one in _FIELDS_OF.get(name, (name,)):
                if name == "power.instant" and TABLE[name].metric in given:
                    told[f"{self.entity} {one}"] = why + _MEAN_POWER
                elif TABLE[one].metric not in given or name in self._passing:
                    told[f"{self.entity} {one}"] = why
        for mig in self.migs:
            told.update(mig.missing)
        return told

    def _bind(self, handle: Any) -> None:
        """Make the calls for a handle; what is known of the fields stays."""
        self.handle = handle
        self._batch_function = self._library.function("nvmlDeviceGetFieldValues")
        made = {spec.name: make_call(spec, self._library, handle) for spec in CALLS}
        if self._facts.fans:
            made["fan.speed"] = make_fans(self._library, handle, self._facts.fans)
        self._calls = {name: call for name, call in made.items() if call is not None}
        why = reason_of(Code.FUNCTION_NOT_FOUND)
        self._too_old = {name: why for name, call in made.items() if call is None}
        if self._batch_function is None:
            self._too_old.update(dict.fromkeys(self._states, why))
        if not self._facts.fans:
            self._too_old["fan.speed"] = "the GPU has no fan of its own"
        self._pending: dict[Call, None] = {}
        self._samples = Samples(self._library, handle, self.entity)
        self._changed()

    def _changed(self) -> None:
        """Forget the plans: what there is to read is no longer the same."""
        self.revision += 1
        self._plans: dict[int, _Plan] = {}
        self._absent = dict(self._too_old)
        self._absent |= {name: s.reason for name, s in self._states.items() if s.reason}
        self._absent |= {name: c.reason for name, c in self._calls.items() if c.reason}

    def _names(self) -> Iterator[str]:
        yield from self._states
        yield from self._calls

    def _active(self, name: str) -> bool:
        primary = _PRIMARY.get(name)
        return name not in self._absent and (primary is None or primary in self._absent)

    def _delivered(self, name: str) -> bool:
        return (self._states.get(name) or self._calls[name]).delivered

    def _make_plan(self, due: int) -> _Plan:
        states = [
            state
            for name, state in self._states.items()
            if BIT[state.rate] & due and self._active(name)
        ]
        batch = None
        if states and self._batch_function is not None:
            batch = Batch(
                self._library,
                self._batch_function,
                self.handle,
                states,
                self._facts.link_bytes_s,
                mig=self._facts.split,
            )
        calls = [
            call
            for name, call in self._calls.items()
            if BIT[call.spec.rate] & due and self._active(name)
        ]
        direct = tuple(call for call in calls if not call.spec.queued)
        queued = tuple(call for call in calls if call.spec.queued)
        beside = tuple(call for call in direct if call.spec.name != "utilization")
        plan = self._plans[due] = _Plan(batch, direct, beside, queued)
        return plan

    def _ask_again(self) -> None:
        for state in self._states.values():
            if state.reason and not state.for_good:
                state.retry()
        self._pending.update(dict.fromkeys(c for c in self._calls.values() if c.reason))
        self._changed()

    # Asking ---------------------------------------------------------------------------

    def _collect(self, tick: Tick) -> tuple[Fields, list[Stamped], list[RawRecord]]:
        """Make the calls of a tick, the queued ones as far as there is room."""
        plan = self._plans.get(tick.due) or self._make_plan(tick.due)
        fields: Fields = {}
        stamped: list[Stamped] = []
        others: list[RawRecord] = []
        room = 1000 if tick.everything else CALLS_A_TICK
        if tick.due & _PROCESSES:
            room -= 1
        if plan.batch is not None:
            room -= 1
            stamped = self._read_batch(plan.batch, tick)
        room -= self._make_direct(plan, fields, others, tick)
        if self.migs and tick.due & _GAUGES:
            # One call is left for the readings that are rare, however many instances there are.
            room -= self._read_migs(others, tick, room - 1)
        for call in plan.queued:
            self._pending[call] = None
        rare = self._make_pending(room, fields, tick)
        if rare:
            others.append(record(tick, self.entity, rare))
        return fields, stamped, others

    def _make_pending(self, room: int, fields: Fields, tick: Tick) -> Fields:
        """Make queued calls as far as there is room; return what the rare ones say.

        Which of those there is room for changes; `fields` stay alike from tick to tick.
        """
        rare: Fields = {}
        while self._pending and room > 0 and not self.error:
            room -= 1
            call = next(iter(self._pending))
            del self._pending[call]
            self._make(call, rare if call.spec.rate is RateClass.SLOW else fields, tick)
            if call.more:
                self._pending[call] = None
        return rare

    def _make_direct(self, plan: _Plan, fields: Fields, others: list[RawRecord], tick: Tick) -> int:
        """Look at the driver's samples and make the calls that never wait; return how many."""
        direct, made = plan.direct, 0
        coming: Sequence[str] = ()
        if tick.due & _BUFFERED and self._samples.wanted and not tick.everything:
            made += self._samples.calls
            found, code = self._samples.read(tick)
            others.extend(found)
            if code in GONE:
                self.lose(code, tick.now)
            coming = self._samples.coming(tick)
            if len(coming) == len(_UTILIZATION):
                direct = plan.beside_samples
        for call in direct:
            if self.error:
                break
            made += 1
            self._make(call, fields, tick)
        for name in coming:
            fields.pop(name, None)
        return made

    def _read_migs(self, others: list[RawRecord], tick: Tick, room: int) -> int:
        """Read instances in turn as far as there is room; return how many calls that took."""
        turn = self.migs[: max(room, 0)]
        for mig in turn:
            if self.error:
                break
            known = len(mig.missing)
            found, code = mig.read(tick)
            self.revision += len(mig.missing) != known
            if code in GONE:
                self.lose(code, tick.now)
            elif found is not None:
                others.append(found)
        self.migs = [*self.migs[len(turn) :], *turn]
        return len(turn)

    def _read_batch(self, batch: Batch, tick: Tick) -> list[Stamped]:
        code, stamped = batch.read()
        if code in GONE:
            self.lose(code, tick.now)
        if batch.waiting or self._passing:
            self.revision += 1
            self._passing.update(batch.waiting)
            for name, value, _ in stamped:
                if value is not None:
                    self._passing.pop(name, None)
        if batch.changed:
            self._changed()
        return stamped

    def _make(self, call: Call, fields: Fields, tick: Tick) -> None:
        code = call(fields)
        if not code:
            call.delivered = True
            if call.reason or self._passing:
                call.reason = ""
                self._passing.pop(call.spec.name, None)
                self._changed()
        elif code in GONE:
            self.lose(code, tick.now)
        else:
            self._failed(call, code, fields)

    def _failed(self, call: Call, code: int, fields: Fields) -> None:
        """Note why a call gave nothing; a series that had values gets a missing one."""
        if call.delivered:
            fields.update(dict.fromkeys(call.spec.fields))
        why = reason_of(code, mig=self._facts.split)
        if code not in UNSUPPORTED:
            self._passing[call.spec.name] = why
            self.revision += 1
        elif call.reason != why:
            call.delivered = False
            call.reason = why
            self._changed()

    # A GPU that is lost ---------------------------------------------------------------

    def _revived(self, tick: Tick) -> bool:
        """Try a lost GPU again, under its UUID: its number and handle may have changed."""
        if not tick.due & _SLOW or tick.now < self._probe_at:
            return False
        self._probe_at = tick.now + self._reprobe_s
        if self._lost_code == Code.UNINITIALIZED and not self._library.again():
            return False
        handle = self._library.ask("nvmlDeviceGetHandleByUUID", self.gpu.uuid)
        if handle is None:
            return False
        self.error = ""
        self._returned = True
        self._bind(handle)
        return True

    def _lost_records(self, tick: Tick) -> list[RawRecord]:
        names = [self.entity, *(mig.entity for mig in self.migs)]
        return [record(tick, name, {}, self.error) for name in names]
