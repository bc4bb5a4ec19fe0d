"""One GPU: which calls a tick makes, what came back, and what becomes of it when it is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.base import RateClass, RawRecord
from pulse_widgets.readers.nvml.check import Check
from pulse_widgets.readers.nvml.identity import facts_of
from pulse_widgets.readers.nvml.library import GONE, Code, reason_of
from pulse_widgets.readers.nvml.mig import MigInstance, entity_of_instance, renewed
from pulse_widgets.readers.nvml.processes import GpuProcesses
from pulse_widgets.readers.nvml.readings import FIELDS_OF, PRIMARY, Readings
from pulse_widgets.readers.nvml.records import BIT, record, records
from pulse_widgets.readers.nvml.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulse_widgets.readers.nvml.batch import Batch, Stamped
    from pulse_widgets.readers.nvml.calls import Call, Fields
    from pulse_widgets.readers.nvml.identity import Answers, Facts, Instances
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.processes import Family
    from pulse_widgets.readers.nvml.readings import Plan
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

_UTILIZATION: Final = FIELDS_OF["utilization"]
_CHECK_SHARE: Final = 0.5
"""A look at what the GPU is takes many ticks where it is split; it begins as much earlier."""
_STAND_INS: Final = 3
"""A reading has at most two that can take over, one after the other."""


class Device:
    """One GPU of the machine.

    Parameters
    ----------
    library : Library
    gpu : Gpu
    handle : device handle
    facts : Facts
    family : Family
        The processes that are named.
    reprobe_s : float
        Seconds after which what is missing is asked again.

    Attributes
    ----------
    error : str
        Why nothing of it can be read; empty while it can.
    revision : int
        Another number than before: `missing` may say something else.
    processes : GpuProcesses
    wanted : frozenset of str or None
        UUIDs of the MIG instances to read; None: all of them.
    """

    def __init__(  # noqa: PLR0913  each comes from another place
        self,
        library: Library,
        gpu: Gpu,
        handle: Any,
        facts: Facts,
        family: Family,
        *,
        reprobe_s: float,
    ) -> None:
        self.gpu = gpu
        self.entity = f"gpu:{gpu.index}"
        self.error = ""
        self.wanted: frozenset[str] | None = None
        self.migs: list[MigInstance] = []
        self.revision = 0
        self._library = library
        self._reprobe_s = reprobe_s
        self._probe_at = self._check_at = 0.0
        self._send_again = False
        """Labels, which are sent once, are due again: it was lost, or more of it is known."""
        self._unnamed = ""
        self._readings = Readings(library, facts)
        self.processes = GpuProcesses(library, self.entity, family, facts.memory_bytes)
        self.bind(handle)

    def bind(self, handle: Any) -> None:
        """Read the GPU through this handle from now on; what is known of it stays."""
        self.handle = handle
        returned, self.error = bool(self.error), ""
        self._send_again = returned or self._send_again
        self._readings.bind(handle)
        self._samples = Samples(self._library, handle, self.entity)
        self._check = Check(self._library, handle)
        self._pending: dict[Call | GpuProcesses, None] = {}
        self._checking = returned
        self.revision += 1

    def probe(self, tick: Tick) -> None:
        """Try every reading once, so that the first tick asks only for what there is."""
        self._probe_at = tick.now + self._reprobe_s
        self._check_at = tick.now + self._reprobe_s * _CHECK_SHARE
        self._samples.probe(tick)
        self.processes.probe(self.handle)
        for _ in range(_STAND_INS):
            self._collect(tick)
            if self.error or not self._readings.untried:
                break

    def read(self, tick: Tick) -> list[RawRecord]:
        """Read what is due; a GPU that is lost gives its error."""
        if tick.due & _SLOW and tick.now >= self._check_at and not self.error:
            self._check_at = tick.now + self._reprobe_s * _CHECK_SHARE
            self._checking = True
            if tick.now >= self._probe_at:
                self._ask_again(tick)
        fields, stamped, others = self._collect(tick)
        if self.error:
            return self._lost_records(tick)
        if tick.due & _STATIC or (self._send_again and tick.due & _SLOW):
            self._send_again = False
            fields.update(self._readings.facts.labels)
            fields.update(self._readings.facts.statics)
            others = [*(mig.labels(tick) for mig in self.migs), *others]
        elif not tick.due & _SLOW:
            fields.pop("memory.total", None)
        found = [*records(tick, self.entity, fields, stamped), *others]
        if tick.due & _PROCESSES:
            processes, code = self.processes.read(tick, self.handle)
            found += processes
            if code:
                self._no_processes(code)
        return found

    def lose(self, code: int) -> None:
        """Stop asking this GPU until it is found again."""
        self.error = reason_of(code)
        self.revision += 1

    def fail(self, why: str, tick: Tick) -> list[RawRecord]:
        """Stop asking this GPU, for a reason of another kind; return what says so."""
        self.error = why
        self.revision += 1
        return self._lost_records(tick)

    @property
    def fields(self) -> Iterator[str]:
        """The names of the readings it has."""
        return self._readings.fields

    @property
    def missing(self) -> dict[str, str]:
        """Every field whose metric nothing gives, to why."""
        missing = {f"{self.entity} {name}": why for name, why in self._readings.missing.items()}
        if self._unnamed:
            missing[f"{self.entity} MIG"] = self._unnamed
        for mig in self.migs:
            missing.update(mig.missing)
        return missing | self.processes.missing

    def _lost_records(self, tick: Tick) -> list[RawRecord]:
        """Return what says that nothing of it can be read."""
        names = [self.entity, *(mig.entity for mig in self.migs)]
        return [record(tick, name, {}, self.error) for name in names]

    # What there is to read ------------------------------------------------------------

    def split(self, found: Instances) -> list[MigInstance]:
        """Take over which MIG instances there are; return those that are new."""
        if not (found.split or found.whole):
            # Whether it is split is not known now: keep what was known.
            return []
        facts = self._readings.facts
        if found.split != facts.split:
            self._readings.facts = replace(facts, split=found.split)
            self._readings.changed()
            self._pending.update(dict.fromkeys(self._readings.ask_again()))
            self._samples = Samples(self._library, self.handle, self.entity)
        wanted = [
            each for each in found.migs if self.wanted is None or each.mig.uuid in self.wanted
        ]
        siblings = [each.mig for each in found.migs]
        names = {entity_of_instance(self.entity, each.mig, siblings): each for each in wanted}
        self.migs, new = renewed(self._library, self.migs, names, whole=found.whole)
        self._unnamed = found.refused
        self.revision += 1
        return new

    def _ask_again(self, tick: Tick) -> None:
        """Have what is missing be tried once more."""
        self._probe_at = tick.now + self._reprobe_s
        self._pending.update(dict.fromkeys(self._readings.ask_again()))
        self._check.known = self._readings.facts.answers
        if not self._readings.facts.split:
            # A split GPU has none, and its calls are needed for the instances.
            self._samples.retry(tick)
        self._try_processes()
        for mig in self.migs:
            mig.retry()

    def _no_processes(self, code: int) -> None:
        if code in GONE:
            self.lose(code)
        elif self.processes.failing:
            self._try_processes()

    def _try_processes(self) -> None:
        """Have other versions of the list of processes be tried as there is room."""
        if self.processes.retry():
            self._pending[self.processes] = None

    # Asking ---------------------------------------------------------------------------

    def _collect(self, tick: Tick) -> tuple[Fields, list[Stamped], list[RawRecord]]:
        """Make the calls of a tick, the queued ones as far as there is room."""
        if self.error:
            return {}, [], []
        plan = self._readings.plans.get(tick.due) or self._readings.plan(tick.due)
        fields: Fields = {}
        stamped: list[Stamped] = []
        others: list[RawRecord] = []
        room = 1000 if tick.everything else CALLS_A_TICK - tick.spent
        if tick.due & _PROCESSES:
            room -= 1
        if plan.batch is not None:
            room -= 1
            stamped = self._read_batch(plan.batch)
            if plan.batch.changed:
                plan = self._after(plan, stamped, tick)
        room -= self._make_direct(plan, fields, others, tick, room)
        if self._checking:
            room -= self._make_check(room, others, tick)
        if self.migs and tick.due & _GAUGES:
            # One call is left for the readings that are rare, however many instances there are.
            room -= self._read_migs(others, tick, room - 1)
        for call in plan.queued:
            self._pending[call] = None
        rare = self._make_pending(room, fields)
        if rare:
            others.append(record(tick, self.entity, rare))
        return fields, stamped, others

    def _after(self, before: Plan, stamped: Sequence[Stamped], tick: Tick) -> Plan:
        """Return the plan with the calls that now replace fields of the batch.

        A field that has just ended is reported missing; its replacement begins with the next tick.
        """
        ended = {name for name, value, _ in stamped if value is None}
        plan = self._readings.plan(tick.due)
        direct = tuple(call for call in plan.direct if PRIMARY.get(call.spec.name) not in ended)
        beside = tuple(call for call in plan.beside_samples if call in direct)
        return replace(plan, batch=before.batch, direct=direct, beside_samples=beside)

    def _make_pending(self, room: int, fields: Fields) -> Fields:
        """Make queued calls as far as there is room; return what the rare ones say.

        Which of those there is room for changes; `fields` stay alike from tick to tick.
        """
        rare: Fields = {}
        while self._pending and room > 0 and not self.error:
            room -= 1
            call = next(iter(self._pending))
            del self._pending[call]
            if isinstance(call, GpuProcesses):
                if call.try_next(self.handle):
                    self._pending[call] = None
                continue
            self._make(call, rare if call.spec.rate is RateClass.SLOW else fields)
            if call.more:
                self._pending[call] = None
        return rare

    def _make_check(self, room: int, others: list[RawRecord], tick: Tick) -> int:
        """Go on with the look at what the GPU is; return how many calls that took."""
        steps = min(max(room // 2, 1), room)
        for made in range(steps):
            found = self._check.step([mig.facts for mig in self.migs])
            if found is None:
                continue
            self._checking = False
            instances, answers = found
            if instances.uuid and self.gpu.uuid and instances.uuid != self.gpu.uuid:
                # Another GPU answers under this handle, one that was not selected.
                self.lose(Code.GPU_NOT_FOUND)
                return made + 1
            self._learn(answers)
            if instances.split or self._readings.facts.split or self.migs:
                others.extend(mig.labels(tick) for mig in self.split(instances))
            return made + 1
        return steps

    def _learn(self, answers: Answers) -> None:
        """Note facts that it reports only now."""
        before = self._readings.facts
        answers = {**before.answers, **answers}
        if answers != before.answers:
            facts = facts_of(answers, split=before.split)
            self._readings.renew(facts)
            self.processes.most_bytes = facts.memory_bytes
            self._send_again = True
            self.revision += 1

    def _make_direct(
        self, plan: Plan, fields: Fields, others: list[RawRecord], tick: Tick, room: int
    ) -> int:
        """Look at the driver's samples and make the calls that never wait; return how many."""
        direct, made = plan.direct, 0
        coming: Sequence[str] = ()
        if tick.due & _BUFFERED and self._samples.wanted and not tick.everything:
            # They wait in the driver; one call is left for the readings that are rare.
            if self._samples.calls + len(direct) < room:
                made += self._samples.calls
                found, code = self._samples.read(tick)
                others.extend(found)
                if code in GONE:
                    self.lose(code)
            coming = self._samples.coming(tick)
            if len(coming) == len(_UTILIZATION):
                direct = plan.beside_samples
        for call in direct:
            if self.error:
                break
            made += 1
            self._make(call, fields)
        for name in coming:
            fields.pop(name, None)
        return made

    def _read_migs(self, others: list[RawRecord], tick: Tick, room: int) -> int:
        """Read instances in turn as far as there is room; return how many calls that took."""
        made, turn = 0, 0
        for mig in self.migs:
            if self.error or made >= room:
                break
            turn += 1
            known = mig.revision
            found, code = mig.read(tick, room - made)
            made += mig.made
            self.revision += mig.revision - known
            if code in GONE:
                self.lose(code)
            elif found is not None:
                others.append(found)
        self.migs = [*self.migs[turn:], *self.migs[:turn]]
        return made

    def _read_batch(self, batch: Batch) -> list[Stamped]:
        code, stamped = batch.read()
        if code in GONE:
            self.lose(code)
        if batch.changed or batch.waiting or self._readings.passing:
            self.revision += self._readings.took(batch, stamped)
        return stamped

    def _make(self, call: Call, fields: Fields) -> None:
        code = call(fields)
        if not code:
            call.delivered = True
            if call.flawed:
                self.revision += self._readings.look_at(call)
        elif code in GONE:
            self.lose(code)
        else:
            self.revision += self._readings.failed(call, code, fields)
