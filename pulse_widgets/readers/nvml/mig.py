"""One MIG instance: it has a memory of its own, and no utilisation that NVML could tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.readers.nvml.batch import PATIENCE
from pulse_widgets.readers.nvml.calls import MIG_MEMORY, Call, Fields, make_call
from pulse_widgets.readers.nvml.library import GONE, Code, reason_of
from pulse_widgets.readers.nvml.records import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.nvml.identity import MigFacts
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.records import Tick
    from pulse_widgets.readers.select import Mig

__all__ = ["MigInstance", "entity_of_instance"]

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
    revision : int
        Another number than before: `missing` may say something else.
    """

    def __init__(self, library: Library, entity: str, facts: MigFacts) -> None:
        self.entity = entity
        self._library = library
        self.revision = 0
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
    def calls(self) -> int:
        """How many driver calls the next reading makes at most."""
        if self.ended:
            return 0
        return len(self._calls) - self._use if self._trial else min(1, len(self._calls))

    @property
    def missing(self) -> dict[str, str]:
        """What of it is missing, to why."""
        told = {f"{self.entity} {name}": "n/a (MIG)" for name in _NOT_OF_AN_INSTANCE}
        if self._why:
            told[f"{self.entity} memory.used"] = self._why
        return told | {f"{self.entity} {name}": why for name, why in self._odd.items()}

    def labels(self, tick: Tick) -> RawRecord:
        """Return what does not change about it."""
        return record(tick, self.entity, dict(self.facts.labels))

    def read(self, tick: Tick) -> tuple[RawRecord | None, int]:
        """Return its memory, and the driver's code."""
        if self.ended:
            return self._ended(tick), Code.OK
        if not self._calls:
            return None, Code.FUNCTION_NOT_FOUND
        fields: Fields = {}
        code = self._ask(fields)
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

    def _ask(self, into: Fields) -> int:
        """Make the call that gives something; a trial tries one after the other."""
        trial, self._trial = self._trial, False
        while True:
            call: Any = self._calls[self._use]
            code: int = call(into)
            if not code:
                self._failures = 0
                if call.odd or self._odd:
                    odd = {name: self._odd.get(name, why) for name, why in (call.odd or {}).items()}
                    self.revision += odd != self._odd
                    self._odd = odd
                return code
            self._failures += 1
            more = self._use + 1 < len(self._calls) and code not in GONE
            if more and (trial or self._failures >= PATIENCE):
                self._use, self._failures = self._use + 1, 0
                trial = True
                continue
            return code
