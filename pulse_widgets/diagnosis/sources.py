"""Checks of the sources: each is opened and read for real."""

from __future__ import annotations

import contextlib
import math
import threading
from typing import TYPE_CHECKING, Final

from pulse_widgets.diagnosis.check import Check, State
from pulse_widgets.errors import LibraryNotFoundError, NoDeviceError, PulseError
from pulse_widgets.readers.base import ALL_CLASSES, alike
from pulse_widgets.readers.contract import ask, open_backend
from pulse_widgets.readers.discover import built_in, make_backends
from pulse_widgets.readers.plugins import plugins
from pulse_widgets.readers.translate import translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.contract import ReaderInfo

__all__ = ["examine_backend", "source_checks"]

PATIENCE_S: Final = 1.2
"""A driver that needs longer than this to answer is reported as hanging, and left behind."""

_ABSENT: Final = (LibraryNotFoundError, NoDeviceError)


def source_checks() -> Iterator[Check]:
    """Yield what each source has here, the built-in ones first."""
    for backend in make_backends(list(built_in()), "mine"):
        yield from _in_time(backend)
    for plugin in plugins().values():
        yield from _in_time(plugin.make("mine"), f"from the package {plugin.package}")


def _in_time(backend: Backend, whence: str = "") -> list[Check]:
    """Examine a backend on a thread: opening a broken driver can take for ever."""
    found: list[Check] = []
    if whence:
        found.append(Check(f"source {backend.name}", State.INFO, whence))
    thread = threading.Thread(
        target=lambda: found.extend(examine_backend(backend)),
        name=f"pulse-doctor-{backend.name}",
        daemon=True,
    )
    thread.start()
    thread.join(PATIENCE_S)
    if thread.is_alive():
        return [
            *found[: 1 if whence else 0],
            Check(
                f"source {backend.name}",
                State.WARN,
                f"it has not answered for {PATIENCE_S} s",
                "It may just be slow. If a driver hangs, `dmesg` says so; a monitor goes on.",
            ),
        ]
    return found


def examine_backend(backend: Backend) -> list[Check]:
    """Return what a backend has here: state, devices, and each thing it lacks with its reason."""
    name = f"source {backend.name}"
    try:
        return _opened(backend, open_backend(backend), name)
    except PulseError as error:
        state = State.INFO if isinstance(error, _ABSENT) else State.WARN
        return [Check(name, state, error.problem, error.remedy)]
    except Exception as error:  # noqa: BLE001  the top of this thread; a reader may throw anything
        what = f"{type(error).__name__}: {error}"
        return [Check(name, State.WARN, what, "Please report this as a bug.")]
    finally:
        # Nobody can act on a reader that fails to close, so it is not reported.
        with contextlib.suppress(Exception):
            backend.close()


def _opened(backend: Backend, info: ReaderInfo, name: str) -> list[Check]:
    translation = translate(ask(backend, ALL_CLASSES), info)
    labels = {entity: about for (_, entity), about in translation.labels.items()}
    errors = {entity: why for (_, entity), why in translation.errors.items()}
    present = {r.metric for r in translation.readings if r.text or not math.isnan(r.value)}
    checks = [Check(name, State.OK, f"{len(present)} metrics of {_devices(labels)}")]
    lost = {key: why for key, why in backend.missing.items() if " " not in key}
    absent = {key: why for key, why in backend.missing.items() if " " in key}
    checks += [
        Check(f"{name}: {entity}", State.WARN, why, "See `dmesg` for the driver's messages.")
        for entity, why in {**lost, **errors}.items()
    ]
    driver = labels.get("host", {})
    if "driver" in driver:
        versions = f"driver {driver['driver']}, CUDA {driver.get('cuda', 'unknown')}"
        checks.append(Check("GPU driver", State.OK, versions))
    checks += [
        Check(
            f"{name}: rejected",
            State.WARN,
            f"{metric} of {entity}: the source says {values[-1]}, which cannot be true",
            "The value is left out. A newer driver may help.",
        )
        for (_, entity, metric), values in translation.rejected.items()
    ]
    checks += [
        Check(f"{name}: not available", State.INFO, f"{', '.join(fields)}: {why}")
        for why, fields in _by_reason(absent).items()
    ]
    return checks


def _devices(labels: Mapping[str, Mapping[str, str]]) -> str:
    alike: dict[str, list[str]] = {}
    for entity, about in labels.items():
        if "name" in about:
            alike.setdefault(about["name"], []).append(entity)
    names = [
        f"{len(entities)} \N{MULTIPLICATION SIGN} {name} ({', '.join(entities)})"
        for name, entities in alike.items()
    ]
    return ", ".join(names) or "this machine"


def _by_reason(missing: Mapping[str, str]) -> dict[str, list[str]]:
    """Return each reason with the fields it holds for, and of which entities where not of all."""
    found: dict[str, list[str]] = {}
    for (field, why), entities in alike(missing).items():
        one, several = f"{field} of {entities[0]}", f"{field} ({len(entities)} devices)"
        found.setdefault(why, []).append(one if len(entities) == 1 else several)
    return found
