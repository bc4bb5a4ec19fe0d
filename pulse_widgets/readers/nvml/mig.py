"""One MIG instance: it has a memory of its own, and no utilisation that NVML could tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.readers.nvml.calls import MIG_MEMORY, Fields, make_call
from pulse_widgets.readers.nvml.library import Code, reason_of
from pulse_widgets.readers.nvml.records import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.nvml.identity import MigFacts
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.records import Tick
    from pulse_widgets.readers.select import Mig

__all__ = ["MigInstance"]

_NOT_OF_AN_INSTANCE = ("utilization.gpu", "utilization.memory")


class MigInstance:
    """A part of a GPU that has an entity of its own.

    Parameters
    ----------
    library : Library
    gpu : int
        Index of the GPU.
    facts : MigFacts
    siblings : sequence of Mig
        All instances of the GPU: compute instances are named only where they share one.
    """

    def __init__(
        self, library: Library, gpu: int, facts: MigFacts, siblings: Sequence[Mig]
    ) -> None:
        shared = sum(other.gi == facts.mig.gi for other in siblings) > 1
        self.entity = f"gpu:{gpu}/mig:{facts.mig.gi}" + (f"/ci:{facts.mig.ci}" if shared else "")
        self.memory = make_call(MIG_MEMORY, library, facts.handle)
        self.missing = {f"{self.entity} {name}": "n/a (MIG)" for name in _NOT_OF_AN_INSTANCE}
        self._labels = facts.labels
        if self.memory is None:
            self._lack(reason_of(Code.FUNCTION_NOT_FOUND))

    def labels(self, tick: Tick) -> RawRecord:
        """Return what does not change about it."""
        return record(tick, self.entity, dict(self._labels))

    def read(self, tick: Tick) -> tuple[RawRecord | None, int]:
        """Return its memory, and the driver's code."""
        call = self.memory
        if call is None:
            return None, Code.FUNCTION_NOT_FOUND
        fields: Fields = {}
        code = call(fields)
        if not code:
            call.delivered = True
            self.missing.pop(f"{self.entity} memory.used", None)
            return record(tick, self.entity, fields), 0
        if code in {Code.INVALID_ARGUMENT, Code.NOT_FOUND}:
            return record(tick, self.entity, {}, "the MIG instance is not there any more"), code
        self._lack(reason_of(code))
        if not call.delivered:
            return None, code
        return record(tick, self.entity, dict.fromkeys(call.spec.fields)), code

    def _lack(self, why: str) -> None:
        self.missing[f"{self.entity} memory.used"] = why
