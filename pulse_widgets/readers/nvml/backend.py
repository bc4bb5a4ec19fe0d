"""The GPUs of this machine, through the library that comes with the NVIDIA driver.

Per GPU and tick: one batched call for everything that has a field id, a few calls for what has
none, never more than ten, none that blocks. Readings that a GPU does not have are asked once,
remembered and asked again rarely; a GPU that is lost does not disturb the others.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.errors import ReaderError
from pulse_widgets.loading import load
from pulse_widgets.readers.base import BackendCaps, BackendKind, RateClass, RawRecord
from pulse_widgets.readers.nvml.fields import TABLE
from pulse_widgets.readers.nvml.library import Library
from pulse_widgets.readers.nvml.records import Tick, mask_of, record
from pulse_widgets.readers.select import GpuChoice, Selection, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulse_widgets.readers.nvml.device import Device
    from pulse_widgets.readers.nvml.events import Events
    from pulse_widgets.readers.nvml.fleet import Fleet

__all__ = ["NvmlBackend"]

REPROBE_S: Final = 60.0


class NvmlBackend:
    """Readings of NVIDIA GPUs and of their MIG instances.

    Parameters
    ----------
    gpus : str, int or list of those
        ``"mine"`` (what CUDA, the container or the scheduler left to this process), ``"all"``,
        ``"none"``, or indices, UUIDs, beginnings of UUIDs, bus ids.
    environ : mapping of str to str, optional
        The environment that ``"mine"`` asks; that of the process.
    proc : Path
        Where procfs is mounted.
    clock : callable
        Monotonic seconds.
    reprobe_s : float
        Seconds after which what is missing or lost is asked again.

    Raises
    ------
    ArgumentError
        If `gpus` is malformed.

    Notes
    -----
    A forked child must not use what its parent opened: there `read` raises and `close` does
    nothing.
    """

    name: str = "nvml"
    title = "NVIDIA GPUs"
    rules = TABLE
    lasting = True

    def __init__(
        self,
        gpus: GpuChoice = "mine",
        *,
        environ: Mapping[str, str] | None = None,
        proc: Path = Path("/proc"),
        clock: Callable[[], float] = time.monotonic,
        reprobe_s: float = REPROBE_S,
    ) -> None:
        words_of(gpus)
        self.caps = BackendCaps(BackendKind.NVML_DIRECT)
        self.missing: Mapping[str, str] = {}
        self._gpus = gpus
        self._proc = proc
        self._clock = clock
        self._reprobe_s = reprobe_s
        self._look_at = 0.0
        self._library: Library | None = None
        self._environ = os.environ if environ is None else environ
        self._fleet: Fleet | None = None
        """Made once the library was there: without a driver nothing that asks it is loaded."""
        self._events: Events | None = None
        self._host: dict[str, float | str | None] = {}
        self._revision = -1
        self._pid = os.getpid()

    @property
    def selection(self) -> Selection:
        """Which GPUs are read, and why these."""
        return Selection((), reason="none") if self._fleet is None else self._fleet.selection

    @property
    def _devices(self) -> Sequence[Device]:
        return () if self._fleet is None else self._fleet.devices

    # Opening --------------------------------------------------------------------------

    def open(self) -> None:
        """Find the GPUs and what each of them can be asked.

        Raises
        ------
        LibraryNotFoundError, DriverError, PermissionDeniedError, NoDeviceError
            Each says what to try.
        ArgumentError
            If a beginning of a UUID fits several GPUs.
        """
        self.close()
        if words_of(self._gpus) == ("none",):
            return
        library = Library(self._proc)
        library.open()
        self._library = library
        try:
            self._find(library)
        except BaseException:
            self.close()
            raise

    def _find(self, library: Library) -> None:
        driver, cuda = library.versions()
        self._host = {key: text for key, text in (("driver", driver), ("cuda", cuda)) if text}
        now = self._clock()
        tick = Tick(mask_of(frozenset(RateClass)), now, time.time() - now, driver, everything=True)
        load("pulse_widgets.readers.nvml.fleet", "pulse_widgets.readers.nvml.events")
        from pulse_widgets.readers.nvml.events import Events
        from pulse_widgets.readers.nvml.fleet import Fleet

        if self._fleet is None:
            self._fleet = Fleet(self._gpus, self._environ, self._proc, self._reprobe_s)
        self._fleet.find(library, tick)
        self._events = Events(library)
        self._watch()
        self._look_at = now + self._reprobe_s

    def _watch(self) -> None:
        """Take over which GPUs there are."""
        if self._events is not None:
            living = (device for device in self._devices if not device.error)
            self._events.watch({device.entity: device.handle for device in living})
        fields = frozenset(name for device in self._devices for name in device.fields)
        self.caps = BackendCaps(BackendKind.NVML_DIRECT, fields)
        self._tell()

    # Reading --------------------------------------------------------------------------

    def read(self, due: frozenset[RateClass]) -> Sequence[RawRecord]:
        """Read every GPU once, the fields of the classes in `due` only.

        Returns
        -------
        list of RawRecord
            Entities ``gpu:N``, ``gpu:N/mig:M``, ``pid:N/gpu:M``, ``pid:others/gpu:M`` and
            ``host``. A GPU that is lost has a record with `error`.

        Raises
        ------
        ReaderError
            In a forked child, and where no GPU is left: opening it again may find some.
        """
        if os.getpid() != self._pid:
            raise ReaderError(
                "NVML was opened before this process was forked.",
                remedy="Make a new NvmlBackend here, or start the process with `spawn`.",
            )
        now = self._clock()
        offset, mask = time.time() - now, mask_of(due)
        version = str(self._host.get("driver", ""))
        spent = 0
        if RateClass.SLOW in due and now >= self._look_at and self._devices:
            spent = self._look(now, Tick(mask, now, offset, version, everything=True))
        found: list[RawRecord] = []
        revision = 0
        for device in self._devices:
            # Each GPU has its own moment: with many of them a pass takes a while.
            tick = Tick(mask, self._clock(), offset, version, spent=spent)
            try:
                found.extend(device.read(tick))
            except Exception as error:  # noqa: BLE001  the one place where a GPU is asked
                from pulse_widgets.readers.nvml.fleet import unreadable

                found.extend(device.fail(unreadable(error), tick))
            revision += device.revision + device.processes.revision
        tick = Tick(mask, now, offset, version)
        if RateClass.STATIC in due and self._host:
            found.insert(0, record(tick, "host", dict(self._host)))
        if RateClass.EVENTS in due and self._events is not None:
            found.extend(self._events.read(tick))
        if revision != self._revision:
            self._revision = revision
            self._tell()
        return found

    def _look(self, now: float, tick: Tick) -> int:
        """Look for GPUs that came, went or came back; return the calls that each was asked."""
        self._look_at = now + self._reprobe_s
        if self._library is None or self._fleet is None:
            return 0
        before = self._fleet.revision
        made = self._fleet.look(self._library, tick)
        if self._fleet.revision != before:
            made += 1
            self._watch()
        elif made:
            self._tell()
        return made

    def close(self) -> None:
        """Let go of the library; what was opened before a fork stays the parent's."""
        library, self._library = self._library, None
        if library is not None and os.getpid() == self._pid:
            if self._events is not None:
                self._events.close()
            library.close()
        if self._fleet is not None:
            self._fleet.close()
        self._events = None
        self._host = {}
        self._revision = -1
        self._pid = os.getpid()

    def _tell(self) -> None:
        """Say what is missing."""
        missing = {} if self._fleet is None else dict(self._fleet.refused)
        missing.update({f"host {name}": why for name, why in self.selection.ignored.items()})
        for device in self._devices:
            missing.update(device.missing)
        if self._events is not None:
            missing.update(self._events.missing)
        # A new one each time: other threads may be reading the one before.
        self.missing = missing
