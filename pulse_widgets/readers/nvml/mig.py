"""One MIG instance: it has a memory of its own, and no utilisation that NVML could tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.readers.nvml.batch import PATIENCE
from pulse_widgets.readers.nvml.calls import MIG_MEMORY, Call, Fields, make_call
from pulse_widgets.readers.nvml.library import GONE, Code, address_of, reason_of
from pulse_widgets.readers.nvml.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.nvml.identity import MigFacts
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.records import Tick
    from pulse_widgets.readers.select import Mig

__all__ = ["MigInstance", "entity_of_instance", "renewed"]

_NOT_OF_AN_INSTANCE = ("utilization.gpu", "utilization.memory")
_ENDED = "the MIG instance is not there any more"


def entity_of_instance(gpu: str, mig: Mig, siblings: Sequence[Mig]) -> str:
    """Return the name: compute instances are named only where several share a GPU instance."""
    shared = sum(other.gi == mig.gi for other in siblings) > 1
    return f"{gpu}/mig:{mig.gi}" + (f"/ci:{mig.ci}" if shared else "")


class MigInstance:
    """A part of a GPU that has an entity of its own.

    Parameters
    ----------
    library : Library
    entity : str
    facts : MigFacts

    Attributes
    ----------
    ended : bool
        It was destroyed.
    made : int
        How many driver calls the last reading took.
    revision : int
        Another number than before: `missing` may say something else.
    """

    def __init__(self, library: Library, entity: str, facts: MigFacts) -> None:
        self.entity = entity
        self._library = library
        self.revision = self.made = 0
        self._why = ""
        self._odd: dict[str, str] = {}
        self._delivered = False
        self.bind(facts)

    def bind(self, facts: MigFacts) -> None:
        """Read the instance through this handle from now on."""
        self.facts = facts
        self.ended = False
        made = (make_call(spec, self._library, facts.handle) for spec in MIG_MEMORY)
        self._calls: list[Call] = [call for call in made if call is not None]
        self._use = 0
        self._failures = 0
        self._trial = True
        if not self._calls:
            self._why = reason_of(Code.FUNCTION_NOT_FOUND)

    def end(self) -> None:
        """Ask it no more: it was destroyed."""
        self.ended = True

    def retry(self) -> None:
        """Begin with the newest call again."""
        if self._use or self._why:
            self._use, self._failures, self._trial = 0, 0, True

    @property
    def missing(self) -> dict[str, str]:
        """What of it is missing, to why."""
        missing = {f"{self.entity} {name}": "n/a (MIG)" for name in _NOT_OF_AN_INSTANCE}
        if self._why:
            missing[f"{self.entity} memory.used"] = self._why
        return missing | {f"{self.entity} {name}": why for name, why in self._odd.items()}

    def labels(self, tick: Tick) -> RawRecord:
        """Return what does not change about it."""
        return record(tick, self.entity, dict(self.facts.labels))

    def read(self, tick: Tick, room: int) -> tuple[RawRecord | None, int]:
        """Return its memory, and the driver's code, by one call or, where there is room, by two."""
        self.made = 0
        if self.ended:
            return self._ended(tick), Code.OK
        if not self._calls:
            return None, Code.FUNCTION_NOT_FOUND
        fields: Fields = {}
        code = self._ask(fields, room)
        if code in {Code.INVALID_ARGUMENT, Code.NOT_FOUND}:
            return self._ended(tick), code
        self._lack("" if code in GONE or not code else reason_of(code))
        if code and (code in GONE or not self._delivered):
            return None, code
        self._delivered = True
        return record(tick, self.entity, fields or dict.fromkeys(MIG_MEMORY[0].fields)), code

    def _ended(self, tick: Tick) -> RawRecord:
        return record(tick, self.entity, {}, _ENDED)

    def _lack(self, why: str) -> None:
        self.revision += why != self._why
        self._why = why

    def _ask(self, into: Fields, room: int) -> int:
        """Make the call that gives something; a trial tries the next one where there is room."""
        trial, self._trial = self._trial, False
        while True:
            call = self._calls[self._use]
            code = call(into)
            self.made += 1
            if not code:
                self._failures = 0
                self._note_odd(call.odd or {})
                return code
            self._failures += 1
            last = self._use + 1 == len(self._calls) or code in GONE
            if last or not (trial or self._failures >= PATIENCE):
                return code
            self._use, self._failures = self._use + 1, 0
            if self.made >= room:
                self._trial = True
                return code
            trial = True

    def _note_odd(self, odd: Mapping[str, str]) -> None:
        """Remember what of an answer cannot be, with the numbers that came first."""
        if odd or self._odd:
            now = {name: self._odd.get(name, why) for name, why in odd.items()}
            self.revision += now != self._odd
            self._odd = now


def renewed(
    library: Library, before: Sequence[MigInstance], here: Mapping[str, MigFacts], *, whole: bool
) -> tuple[list[MigInstance], list[MigInstance]]:
    """Return the instances of a GPU, and those of them that are new.

    One that is known keeps its name. One that has come in the place of another has the name of
    that, and its series go on. One that is not here any more has ended, if the look was whole.
    """
    known = {mig.facts.mig: mig for mig in before}
    kept: dict[str, MigInstance] = {}
    new: list[MigInstance] = []
    for name, facts in here.items():
        mig = known.pop(facts.mig, None)
        if mig is None:
            mig = MigInstance(library, name, facts)
            new.append(mig)
        elif mig.ended or address_of(mig.facts.handle) != address_of(facts.handle):
            mig.bind(facts)
        kept[mig.entity] = mig
    for mig in known.values():
        if whole:
            mig.end()
        kept.setdefault(mig.entity, mig)
    return list(kept.values()), new
