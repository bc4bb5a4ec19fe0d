"""Events that the driver pushes: XID errors, its word for a fault of a GPU or of its user."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.readers.nvml.library import Code, address_of, reason_of
from pulse_widgets.readers.nvml.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulse_widgets.readers.base import RawRecord
    from pulse_widgets.readers.nvml.library import Library
    from pulse_widgets.readers.nvml.records import Tick

__all__ = ["Events"]

_MOST_AT_ONCE: Final = 16


class Events:
    """The XID errors of some GPUs; looking for them is one call for all, without waiting.

    Parameters
    ----------
    library : Library
    """

    def __init__(self, library: Library) -> None:
        self.missing: dict[str, str] = {}
        self._library = library
        self._counts: dict[str, int] = {}
        self._entities: dict[int | None, str] = {}
        self._wait = library.function("nvmlEventSetWait_v2")
        self._event = library.nvml.c_nvmlEventData_t()
        self._arguments = (ctypes.byref(self._event), ctypes.c_uint(0))
        self._set: Any = None

    def watch(self, handles: Mapping[str, Any]) -> None:
        """Look for the errors of these GPUs, by entity, from now on."""
        self.close()
        self.missing = {}
        self._entities = {}
        code: int = Code.FUNCTION_NOT_FOUND
        if self._wait is not None:
            self._set, code = self._library.attempt("nvmlEventSetCreate")
        for entity, handle in handles.items():
            self._counts.setdefault(entity, 0)
            if self._set is not None:
                code = self._register(handle)
            if code:
                self.missing[f"{entity} xid"] = f"the driver gives no events: {reason_of(code)}"
            else:
                self._entities[address_of(handle)] = entity
        if not self._entities:
            self.close()

    def _register(self, handle: Any) -> int:
        kind = self._library.nvml.nvmlEventTypeXidCriticalError
        return self._library.attempt("nvmlDeviceRegisterEvents", handle, kind, self._set)[1]

    def read(self, tick: Tick) -> list[RawRecord]:
        """Return the errors since the last look: code, and how many there have been."""
        found: list[RawRecord] = []
        if self._set is None or self._wait is None:
            return found
        # Mostly there is none, and nvidia-ml-py would say so with an exception.
        while len(found) < _MOST_AT_ONCE and not self._wait(self._set, *self._arguments):
            entity = self._entities.get(address_of(self._event.device))
            if entity is None:
                break
            self._counts[entity] += 1
            code, count = float(self._event.eventData), float(self._counts[entity])
            found.append(record(tick, entity, {"xid": code, "xids": count}))
        return found

    def close(self) -> None:
        """Give the event set back."""
        if self._set is not None:
            self._library.ask("nvmlEventSetFree", self._set)
            self._set = None
