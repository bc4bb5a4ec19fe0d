"""The GPUs of a session: found when it begins, and looked for again now and then.

A GPU is known by its UUID. Its number, as in ``gpu:1``, is the driver's number when it is first
seen, and stays its own for the session: the driver counts anew when a GPU vanishes, and the series
of two GPUs must never become one. A GPU that comes later and whose number is taken gets the next
one that no GPU has had.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pulse_widgets.errors import NoDeviceError, PulseError, ReaderError, words_of
from pulse_widgets.metrics.entities import in_short
from pulse_widgets.readers.nvml.device import Device
from pulse_widgets.readers.nvml.identity import Instances, bus_of, describe, identify
from pulse_widgets.readers.nvml.library import Code, Library, address_of, reason_of
from pulse_widgets.readers.nvml.processes import Family
from pulse_widgets.readers.select import Gpu, GpuChoice, Selection, choose, short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pulse_widgets.readers.nvml.records import Tick

__all__ = ["Fleet", "unreadable"]

T = TypeVar("T")

_MOST_GPUS: Final = 256

_CALLS: Final = 2
"""What a look that finds a change asks of a GPU that was known: its handle and its UUID."""


@dataclass(frozen=True, slots=True)
class _Handle:
    """A GPU that can be opened: what it is known by, the driver's number, UUID, handle."""

    key: str
    index: int
    uuid: str
    handle: Any


class Fleet:
    """The GPUs of one session.

    Parameters
    ----------
    gpus : str, int or list of those
        As `choose` takes it.
    environ : mapping of str to str
        The environment that ``"mine"`` asks.
    proc : Path
        Where procfs is mounted.
    reprobe_s : float
        Seconds after which what is missing or lost is asked again.

    Attributes
    ----------
    devices : list of Device
        Those that are read, by number.
    selection : Selection
    revision : int
        Another number than before: there are other GPUs, or they have other handles.
    """

    def __init__(
        self, gpus: GpuChoice, environ: Mapping[str, str], proc: Path, reprobe_s: float
    ) -> None:
        self.devices: list[Device] = []
        self.selection = Selection((), reason="none")
        self.revision = 0
        self._gpus = gpus
        self._environ = environ
        self._proc = proc
        self._reprobe_s = reprobe_s
        self._numbers: dict[str, int] = {}
        self._remembered: dict[str, Gpu] = {}
        self._known: dict[str, tuple[Gpu, Instances]] = {}
        self._refused: dict[int, str] = {}
        """Numbers of GPUs that are not read, to why."""
        self._read: dict[str, Device] = {}
        self._count = 0
        self._listed: frozenset[str] = frozenset()
        self._why = ""

    def find(self, library: Library, tick: Tick) -> None:
        """Find the GPUs that are asked for. Raises a `ReaderError` where there is none."""
        self._listed = self._names()
        self._count = library.count()
        if not self._count:
            raise library.no_device()
        handles, closed = self._handles(library, self._count)
        self._meet(library, handles)
        self._refuse(handles, closed)
        if not self._known:
            raise _none_opens(library, closed, self._refused)
        self.selection = choose(self._gpus, self._here(), self._environ)
        if not self.selection.gpus:
            raise _nothing_chosen(self.selection)
        self._make(library, handles, tick)
        if not self.devices:
            raise _none_chosen_opens(self.refused)

    @property
    def refused(self) -> dict[str, str]:
        """The entities that are asked for and cannot be opened, to why."""
        chosen = self.selection.gpus
        return {f"gpu:{each}": why for each, why in self._refused.items() if each in chosen}

    def look(self, library: Library, tick: Tick) -> int:
        """Look what has come, gone and come back; return how many calls each GPU was asked.

        It is none of a GPU, and one in all, where nothing has changed.

        Raises
        ------
        NoDeviceError
            If there is none left.
        """
        lost = [device for device in self.devices if device.error]
        listed = self._names()
        # The driver lists its GPUs when it is initialised.
        anew = len(lost) == len(self.devices) or listed != self._listed
        self._listed = listed
        if anew:
            library.again()
            self.revision += 1
        here, code = library.attempt("nvmlDeviceGetCount")
        if not (anew or lost or self._refused or code or here != self._count):
            return 0
        self._count = 0 if code else int(here)
        self._refused = {}
        handles, closed = self._handles(library, self._count)
        self._rebind({each.key: each for each in handles}, anew=anew)
        self._meet(library, handles)
        self._refuse(handles, closed)
        self._choose_again()
        self._make(library, handles, tick)
        if all(device.error for device in self.devices):
            raise _all_gone(self.devices)
        # Without a UUID it is identified by its bus id.
        return _CALLS + any(not each.uuid for each in handles)

    def close(self) -> None:
        """Forget the GPUs, but not their numbers: they are the same when it is opened again."""
        self.devices, self._refused = [], {}
        self._known, self._read = {}, {}
        self._count = 0

    # Finding --------------------------------------------------------------------------

    def _asked(self, ask: Callable[..., T], *arguments: Any) -> T | None:
        """Return the answer of a GPU; None if anything fails, with the reason in `_why`."""
        try:
            return ask(*arguments)
        except Exception as error:  # noqa: BLE001  the one place where GPUs are found
            self._why = unreadable(error)
            return None

    def _names(self) -> frozenset[str]:
        """Return what the kernel module calls its GPUs; empty where it does not say."""
        with contextlib.suppress(OSError):
            return frozenset(os.listdir(self._proc / "driver/nvidia/gpus"))  # noqa: PTH208  names
        return frozenset()

    def _handles(self, library: Library, among: int) -> tuple[list[_Handle], dict[int, int]]:
        """Return the GPUs that can be opened, and the codes of those that cannot, by index."""
        found: dict[str, _Handle] = {}
        closed: dict[int, int] = {}
        for index in range(min(among, _MOST_GPUS)):
            handle, code = library.handle(index)
            if handle is None:
                closed[index] = code
                continue
            uuid = library.text("nvmlDeviceGetUUID", handle)
            key = self._key(library, index, uuid, handle)
            if key in found:
                # Two GPUs with the same name are still two.
                key = f"{key} {bus_of(library, handle)} {index}"
            found[key] = _Handle(key, index, uuid, handle)
        return list(found.values()), closed

    def _key(self, library: Library, index: int, uuid: str, handle: Any) -> str:
        """Return what a GPU is known by: its UUID, else its place on the bus, else its index."""
        if uuid in self._numbers:
            return uuid
        bus, place = bus_of(library, handle), f"index {index}"
        if not uuid:
            known = (key for key, gpu in self._remembered.items() if bus and gpu.bus_id == bus)
            return next(known, bus) or place
        for key, gpu in tuple(self._remembered.items()):
            # Its UUID was not known before.
            if not gpu.uuid and (gpu.bus_id == bus if gpu.bus_id else key == place):
                self._rename(key, uuid)
                break
        return uuid

    def _rename(self, key: str, uuid: str) -> None:
        """Have a GPU that has said its UUID only now be known by it."""
        self._numbers[uuid] = self._numbers.pop(key)
        gpu = self._remembered[uuid] = replace(self._remembered.pop(key), uuid=uuid)
        if key in self._known:
            self._known[uuid] = gpu, self._known.pop(key)[1]
        if key in self._read:
            self._read[uuid] = device = self._read.pop(key)
            device.gpu = gpu

    def _meet(self, library: Library, handles: list[_Handle]) -> None:
        """Ask the GPUs that are new what they are, and give them numbers."""
        for each in handles:
            if each.key in self._known:
                continue
            number = self._number(each)
            met = self._asked(identify, library, number, each.handle, each.uuid)
            if met is None:
                self._refused[number] = self._why
            else:
                self._known[each.key] = met
                self._remembered[each.key] = met[0]

    def _number(self, each: _Handle) -> int:
        taken = set(self._numbers.values())
        free = each.index if each.index not in taken else max(taken) + 1
        return self._numbers.setdefault(each.key, free)

    def _refuse(self, handles: list[_Handle], closed: Mapping[int, int]) -> None:
        """Note why GPUs are not read that the driver counts, or that were here before."""
        known = self._numbers
        opened = {known[each.key] for each in handles}
        # A GPU that was lost while it was read says so itself.
        served = opened | {device.gpu.index for device in self._read.values()}
        new = count(max(known.values(), default=-1) + 1)
        for index, code in closed.items():
            number = next(each for each in new if each not in closed) if index in opened else index
            if number not in served:
                self._refused[number] = reason_of(code)
        for number in set(known.values()) - served:
            self._refused.setdefault(number, reason_of(Code.GPU_NOT_FOUND))

    def _here(self) -> list[Gpu]:
        """Return every GPU that there is or was, by number."""
        here = {number: Gpu(number, "") for number in {*self._numbers.values(), *self._refused}}
        here.update((gpu.index, gpu) for gpu in self._remembered.values())
        for number, why in self._refused.items():
            here[number] = replace(here[number], refused=why)
        return [here[number] for number in sorted(here)]

    def _rebind(self, here: Mapping[str, _Handle], *, anew: bool) -> None:
        """Give devices their handles of now; those that are not there any more are lost."""
        for key, device in self._read.items():
            each = here.get(key)
            if each is None:
                # The reason given when it was lost says more.
                if not device.error:
                    self.revision += 1
                    device.lose(Code.GPU_NOT_FOUND)
            elif anew or device.error or address_of(device.handle) != address_of(each.handle):
                self.revision += 1
                device.bind(each.handle)

    def _choose_again(self) -> None:
        """Choose among all GPUs that were ever here; what is read already stays chosen."""
        # The beginning of a UUID may match two GPUs by now.
        with contextlib.suppress(PulseError):
            chosen = choose(self._gpus, self._here(), self._environ)
            before = {device.gpu.index for device in self.devices}
            new = {index: migs for index, migs in chosen.migs.items() if index not in before}
            self.selection = Selection(
                tuple(sorted({*chosen.gpus, *before})),
                {**self.selection.migs, **new},
                chosen.reason,
                chosen.value,
                chosen.ignored,
            )

    def _make(self, library: Library, handles: list[_Handle], tick: Tick) -> None:
        """Make a device of each chosen GPU that has none yet."""
        for each in handles:
            if each.key in self._read or each.key not in self._known:
                continue
            gpu, found = self._known[each.key]
            if gpu.index not in self.selection.gpus:
                continue
            device = self._asked(self._device, library, each, gpu, found, tick)
            if device is None:
                self._refused[gpu.index] = self._why
            else:
                self._read[each.key] = device
                self.revision += 1
        self.devices = sorted(self._read.values(), key=lambda device: device.gpu.index)

    def _device(
        self, library: Library, each: _Handle, gpu: Gpu, found: Instances, tick: Tick
    ) -> Device:
        facts = describe(library, gpu, each.handle, found, each.index)
        family = Family(os.getpid(), self._proc)
        device = Device(library, gpu, each.handle, facts, family, reprobe_s=self._reprobe_s)
        device.wanted = self.selection.migs.get(gpu.index)
        device.split(found)
        device.probe(tick)
        return device


def unreadable(error: Exception) -> str:
    """Return why a GPU is not read after an unexpected answer of the driver."""
    return f"what the driver says of it cannot be read ({words_of(error)})"


def _nothing_chosen(chosen: Selection) -> NoDeviceError:
    remedy = f"Correct or unset {chosen.reason}, or show them all the same with gpus='all'."
    if chosen.value in {"", "-1", "NoDevFiles"}:
        value = f"{chosen.reason}={chosen.value!r}"
        problem = f"This machine has GPUs, and {value} hides all of them from this process."
    else:
        value = short(chosen.value)
        why = chosen.ignored.get(chosen.reason, "its first entry is no GPU here")
        why = why.removeprefix(f"'{value}': ")
        said = f"{chosen.reason}={value}: {why}"
        problem = f"This machine has GPUs, and CUDA gives this process none of them: {said}."
    return NoDeviceError(problem, remedy=remedy)


def _told(reasons: Mapping[str, str]) -> str:
    """Return reasons in one line, each once, with the entities it holds for."""
    alike: dict[str, list[str]] = {}
    for entity, why in reasons.items():
        alike.setdefault(why, []).append(entity)
    return "; ".join(f"{in_short(entities)}: {why}" for why, entities in alike.items())


def _none_opens(
    library: Library, closed: Mapping[int, int], refused: Mapping[int, str]
) -> ReaderError:
    if set(closed.values()) == {Code.NO_PERMISSION}:
        return library.no_permission()
    each = _told({f"gpu:{number}": why for number, why in refused.items()})
    return NoDeviceError(
        f"The NVIDIA driver has GPUs, and none of them can be opened ({each}).", remedy=_LOOK
    )


def _none_chosen_opens(refused: Mapping[str, str]) -> NoDeviceError:
    return NoDeviceError(
        f"None of the GPUs that are asked for can be opened ({_told(refused)}).", remedy=_LOOK
    )


def _all_gone(devices: list[Device]) -> NoDeviceError:
    each = _told({device.entity: device.error for device in devices})
    return NoDeviceError(f"No GPU can be read any more ({each}).", remedy=_LOOK)


_LOOK: Final = "Look at `nvidia-smi` and `dmesg | grep -i -E 'nvrm|xid'`; a reboot may be needed."
