"""What a session tells of itself: its state for views, and what it measures of its own work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulse_widgets.collectors.source_state import source_state
from pulse_widgets.series.state import CostState, KernelState, RecordingState, State, Versions

if TYPE_CHECKING:
    from pulse_widgets.session.session import Session

__all__ = ["own_values", "state_of"]


def state_of(session: Session) -> State:
    """Return the state that views show."""
    samplers, governor, cell = session.samplers, session.governor, session.cells.cell
    slowed = {name: governor.says(name) for name in samplers}
    stopped_us = session.stopped_us
    return State(
        phase="running" if session.running else "stopped",
        title=session.settings.title,
        t0=session.clock.start_us / 1e6,
        t1=stopped_us / 1e6 if stopped_us is not None else None,
        interval=session.interval_s,
        simulated=False,
        sources=tuple(source_state(one, slowed[name]) for name, one in samplers.items()),
        recording=RecordingState(**session.recorder.state(session.path)),
        cost=CostState(
            cores=session.cost.cores,
            tick_s=max((s.status.tick_s for s in samplers.values()), default=None),
            dropped=session.dropped(),
            sent_bytes_per_s=session.stage.sent_rate(),
            slowed="; ".join(f"{name}: {said}" for name, said in slowed.items() if said),
        ),
        kernel=KernelState(busy=cell is not None, cell=cell),
        versions=Versions.here(),
        alerts=session.alerting.states(),
    )


def own_values(session: Session, now: float) -> dict[tuple[str, str], float | None]:
    """Return what the monitor costs and does now, by entity and metric.

    Parameters
    ----------
    session : Session
    now : float
        Monotonic seconds.
    """
    cpu = session.cost.cpu_s()
    session.cost.look(now, cpu, settled=session.recorder.settled)
    busy = session.cells.busy_s() if session.cells.active else None
    stage = session.stage
    values: dict[tuple[str, str], float | None] = {
        ("pulse", "pulse.cpu.total"): cpu,
        ("pulse", "pulse.memory"): float(stage.nbytes + session.log.nbytes),
        ("pulse/feed", "pulse.sent.total"): float(stage.sent_bytes()),
        ("pulse/log", "pulse.dropped.total"): float(session.dropped()),
        ("host", "clock.offset"): session.clock.offset_us() / 1e6,
        ("kernel", "kernel.busy.total"): busy,
    }
    for name, sampler in session.samplers.items():
        status = sampler.status
        if status.passes:
            values["pulse/" + name, "pulse.tick.duration"] = status.tick_s
            values["pulse/" + name, "pulse.tick.late"] = status.late_s
            values["pulse/" + name, "pulse.missed.total"] = float(status.missed)
    return values
