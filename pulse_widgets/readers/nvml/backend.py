"""The GPUs of this machine, through the library that comes with the NVIDIA driver.

Per GPU and tick: one batched call for everything that has a field id, a few calls for what has
none, never more than ten, none that blocks. Readings that a GPU does not have are asked once,
remembered and asked again rarely; a GPU that is lost does not disturb the others.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import NoDeviceError, ReaderError
from pulse_widgets.readers.base import BackendCaps, BackendKind, RateClass, RawRecord
from pulse_widgets.readers.nvml.device import Device
from pulse_widgets.readers.nvml.events import Events
from pulse_widgets.readers.nvml.fields import TABLE
from pulse_widgets.readers.nvml.identity import MigFacts, describe, identify
from pulse_widgets.readers.nvml.library import GONE, Code, Library, reason_of
from pulse_widgets.readers.nvml.processes import Family, GpuProcesses
from pulse_widgets.readers.nvml.records import Tick, mask_of, record
from pulse_widgets.readers.select import Gpu, GpuWish, Selection, choose, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
        gpus: GpuWish = "mine",
        *,
        environ: Mapping[str, str] | None = None,
        proc: Path = Path("/proc"),
        clock: Callable[[], float] = time.monotonic,
        reprobe_s: float = REPROBE_S,
    ) -> None:
        words_of(gpus)
        self.caps = BackendCaps(BackendKind.NVML_DIRECT)
        self.missing: Mapping[str, str] = {}
        self.selection = Selection((), reason="none")
        self._gpus = gpus
        self._environ = os.environ if environ is None else environ
        self._proc = proc
        self._clock = clock
        self._reprobe_s = reprobe_s
        self._library: Library | None = None
        self._devices: list[Device] = []
        self._processes: dict[Device, GpuProcesses] = {}
        self._events: Events | None = None
        self._host: dict[str, float | str | None] = {}
        self._refused: dict[str, str] = {}
        self._revision = -1
        self._pid = os.getpid()

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
        handles: dict[int, Any] = {}
        instances: dict[int, list[MigFacts]] = {}
        here = self._reachable(library, handles, instances)
        self.selection = chosen = choose(self._gpus, here, self._environ)
        if not chosen.gpus:
            raise _nothing_chosen(chosen)
        driver, cuda = library.versions()
        self._host = {key: text for key, text in (("driver", driver), ("cuda", cuda)) if text}
        now = self._clock()
        tick = Tick(mask_of(frozenset(RateClass)), now, time.time() - now, driver, everything=True)
        for gpu in (gpu for gpu in here if gpu.index in chosen.gpus):
            device = self._device(library, gpu, handles[gpu.index], instances[gpu.index])
            device.probe(tick)
            self._devices.append(device)
            self._processes[device] = GpuProcesses(
                library, device.entity, Family(os.getpid(), self._proc)
            )
        self._events = Events(library, {d.entity: d.handle for d in self._devices})
        self.caps = BackendCaps(
            BackendKind.NVML_DIRECT, frozenset(name for d in self._devices for name in d.fields)
        )
        self._tell()

    def _reachable(
        self, library: Library, handles: dict[int, Any], instances: dict[int, list[MigFacts]]
    ) -> list[Gpu]:
        """Return the GPUs that can be opened; note why the others cannot."""
        count = library.count()
        if not count:
            raise library.no_device()
        here, codes = [], []
        for index in range(count):
            handle, code = library.handle(index)
            if handle is None:
                codes.append(code)
                self._refused[f"gpu:{index}"] = reason_of(code)
                continue
            handles[index] = handle
            gpu, instances[index] = identify(library, index, handle)
            here.append(gpu)
        if not here:
            raise _none_opens(library, codes, self._refused)
        return here

    def _device(self, library: Library, gpu: Gpu, handle: Any, instances: list[MigFacts]) -> Device:
        wanted = self.selection.migs.get(gpu.index)
        migs = [each for each in instances if wanted is None or each.mig.uuid in wanted]
        facts = describe(library, gpu, handle)
        return Device(library, gpu, handle, facts, migs, reprobe_s=self._reprobe_s)

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
            In a forked child.
        """
        if os.getpid() != self._pid:
            raise ReaderError(
                "NVML was opened before this process was forked.",
                remedy="Make a new NvmlBackend here, or start the process with `spawn`.",
            )
        now = self._clock()
        offset, mask = time.time() - now, mask_of(due)
        version = str(self._host.get("driver", ""))
        found: list[RawRecord] = []
        revision = 0
        for device in self._devices:
            # Each GPU has its own moment: with many of them a pass takes a while.
            tick = Tick(mask, self._clock(), offset, version)
            found.extend(device.read(tick))
            if RateClass.PROCESSES in due and not device.error:
                records, code = self._processes[device].read(tick, device.handle)
                found.extend(records)
                if code in GONE:
                    device.lose(code, tick.now)
            revision += device.revision + self._processes[device].revision
        tick = Tick(mask, now, offset, version)
        if RateClass.STATIC in due and self._host:
            found.insert(0, record(tick, "host", dict(self._host)))
        if RateClass.EVENTS in due and self._events is not None:
            found.extend(self._events.read(tick))
        if revision != self._revision:
            self._revision = revision
            self._tell()
        return found

    def close(self) -> None:
        """Let go of the library; what was opened before a fork stays the parent's."""
        library, self._library = self._library, None
        if library is not None and os.getpid() == self._pid:
            if self._events is not None:
                self._events.close()
            library.close()
        self._devices, self._processes, self._events = [], {}, None
        self._host, self._refused = {}, {}
        self._revision = -1
        self._pid = os.getpid()

    def _tell(self) -> None:
        """Say what is missing."""
        told = dict(self._refused)
        told.update({f"host {name}": why for name, why in self.selection.ignored.items()})
        for device in self._devices:
            told.update(device.missing)
            told.update(self._processes[device].missing)
        if self._events is not None:
            told.update(self._events.missing)
        # A new one each time: other threads may be reading the one before.
        self.missing = told


def _nothing_chosen(chosen: Selection) -> NoDeviceError:
    value = f"{chosen.reason}={chosen.value!r}"
    return NoDeviceError(
        f"This machine has GPUs, and {value} hides all of them from this process.",
        remedy=f"Unset {chosen.reason}, or show them all the same with gpus='all'.",
    )


def _none_opens(library: Library, codes: list[int], refused: Mapping[str, str]) -> ReaderError:
    if set(codes) == {Code.NO_PERMISSION}:
        return library.no_permission()
    each = "; ".join(f"{name}: {why}" for name, why in refused.items())
    return NoDeviceError(
        f"The NVIDIA driver has GPUs, and none of them can be opened ({each}).",
        remedy="Look at `nvidia-smi` and `dmesg | grep -i -E 'nvrm|xid'`; a reboot may be needed.",
    )
