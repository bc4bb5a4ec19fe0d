"""Checks of the surroundings: where recordings go, limits, neighbours, switches."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.diagnosis.check import Check, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["limits", "machine_checks", "place_checks", "profiler_check", "switch_checks"]

SWITCHES: Final = (
    "PULSE_DISABLED",
    "PULSE_HOME",
    "PULSE_RECORDING",
    "PULSE_SKIP_JS",
    "PULSE_REQUIRE_ALL",
    "PULSE_CHROME",
)
# As the kernel shortens names, to 15 characters.
PROFILERS: Final[dict[str, str]] = {
    "nv-hostengine": "the DCGM host engine",
    "dcgm-exporter": "the DCGM exporter",
    "nsys": "Nsight Systems",
    "nsys-launcher": "Nsight Systems",
    "nsys-ui": "Nsight Systems",
    "ncu": "Nsight Compute",
    "ncu-ui": "Nsight Compute",
    "nv-nsight-cu-cl": "Nsight Compute",
}
_UNLIMITED: Final = 1 << 60


def machine_checks() -> Iterator[Check]:
    """Yield what surrounds this process."""
    from pulse_widgets.library.shelf import home

    yield from place_checks(home())
    yield limits(Path("/proc"), Path("/sys/fs/cgroup"))
    yield profiler_check(Path("/proc"))
    yield from _process()
    yield from switch_checks(os.environ)


def place_checks(place: Path) -> Iterator[Check]:
    """Yield whether recordings can be written to a directory, which need not exist yet."""
    from pulse_widgets.library.shelf import network_note
    from pulse_widgets.storage.disk import Reserve

    nearest = place
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    elsewhere = "Set PULSE_HOME to a directory you may write to, or pass record=PATH."
    full = Reserve().problem(place)
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        yield Check("recordings", State.FAIL, f"{nearest} may not be written to", elsewhere)
    elif full:
        yield Check("recordings", State.FAIL, full, f"Free some space. {elsewhere}")
    else:
        disk = os.statvfs(nearest)
        free = disk.f_bavail * disk.f_frsize / 2**30
        yield Check("recordings", State.OK, f"{place}, {free:.1f} GiB free")
    note = network_note(place)
    if note:
        yield Check("recordings' disk", State.WARN, note, "Set PULSE_HOME to a local disk.")


def limits(proc: Path, cgroups: Path) -> Check:
    """Return whether a container limits this process, and to what.

    Parameters
    ----------
    proc, cgroups : Path
        Where procfs and the cgroup file systems are mounted.
    """
    group = _own_groups(proc)
    unified = _up(cgroups, group.get("", "/"))
    cores = _tightest(unified, "cpu.max", _cores)
    memory = _tightest(unified, "memory.max", _bytes)
    if cores is None and memory is None:
        cores = _tightest(
            _up(cgroups / "cpu", group.get("cpu", "/")), "cpu.cfs_quota_us", _old_cores
        )
        memory = _tightest(
            _up(cgroups / "memory", group.get("memory", "/")), "memory.limit_in_bytes", _bytes
        )
    inside = _container()
    where = f"in a container ({inside})" if inside else "no container"
    limits = [
        *([f"{cores:g} of {os.cpu_count()} cores"] if cores is not None else []),
        *([f"{memory / 2**30:.1f} GiB of memory"] if memory is not None else []),
    ]
    if not limits:
        return Check("limits", State.OK, f"{where}, no limit of cores or memory")
    return Check(
        "limits",
        State.INFO,
        f"{where}, limited to {' and '.join(limits)}; CPU and memory shown are the machine's",
    )


def profiler_check(proc: Path) -> Check:
    """Return whether a program runs that may hold the GPUs' profiling counters.

    Only names of processes are read, never command lines.
    """
    names = set()
    for path in proc.glob("[0-9]*/comm"):
        try:
            names.add(path.read_text(errors="replace").strip())
        except OSError:  # it has ended meanwhile
            continue
    running = sorted({f"{PROFILERS[name]} ({name})" for name in names & PROFILERS.keys()})
    if running:
        return Check(
            "GPU profilers",
            State.INFO,
            f"running: {', '.join(running)}; it may hold the profiling counters of the GPUs",
            "Readings that need those counters are missing while it does; the others go on.",
        )
    return Check("GPU profilers", State.OK, "no DCGM host engine and no Nsight in sight")


def switch_checks(environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield the switches that are set, and what they do."""
    if environ.get("PULSE_DISABLED", "") not in {"", "0"}:
        yield Check(
            "PULSE_DISABLED",
            State.WARN,
            "monitor() and log() do nothing in this process",
            "Unset PULSE_DISABLED and restart the kernel.",
        )
    switches = [f"{name}={environ[name]}" for name in SWITCHES if name in environ]
    if switches:
        yield Check("switches", State.INFO, ", ".join(switches))


def _process() -> Iterator[Check]:
    if multiprocessing.parent_process() is not None:
        yield Check(
            "process",
            State.INFO,
            "this is a child made by multiprocessing; after a fork pw.log() records nothing",
            "Log from the parent, or start children with the 'spawn' method.",
        )


# Control groups -----------------------------------------------------------------------


def _own_groups(proc: Path) -> dict[str, str]:
    """Return the path of this process for each controller; "" is the unified hierarchy."""
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path))
    return found


def _up(top: Path, group: str) -> list[Path]:
    """Return the directory of a group and all above it: each may set a limit."""
    inner = top / group.lstrip("/")
    return [inner, *(p for p in inner.parents if p == top or top in p.parents)]


def _tightest(places: list[Path], name: str, read: Callable[[Path], float | None]) -> float | None:
    """Return the tightest limit of all the groups."""
    found = []
    for place in places:
        try:
            value = read(place / name)
        except (OSError, ValueError):
            continue
        if value is not None:
            found.append(value)
    return min(found, default=None)


def _cores(path: Path) -> float | None:
    quota, period = path.read_text().split()
    return None if quota == "max" else int(quota) / int(period)


def _old_cores(path: Path) -> float | None:
    quota = int(path.read_text())
    period = int(path.with_name("cpu.cfs_period_us").read_text())
    return quota / period if quota > 0 else None


def _bytes(path: Path) -> float | None:
    text = path.read_text().strip()
    return None if text == "max" or int(text) >= _UNLIMITED else float(text)


def _container() -> str:
    marks = {
        "Kubernetes": "/var/run/secrets/kubernetes.io",
        "Docker": "/.dockerenv",
        "Podman": "/run/.containerenv",
    }
    return next((name for name, mark in marks.items() if Path(mark).exists()), "")
