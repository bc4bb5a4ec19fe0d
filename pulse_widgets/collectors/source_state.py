"""Makes the `SourceState` that views show for a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pulse_widgets.metrics.entities import in_short
from pulse_widgets.readers.base import alike
from pulse_widgets.series.state import MissingField, SourceState

if TYPE_CHECKING:
    from pulse_widgets.collectors.sampling import SamplingCollector
    from pulse_widgets.series.state import Readiness

__all__ = ["source_state"]


def source_state(sampler: SamplingCollector, slowed: str) -> SourceState:
    """Return how a source does.

    Parameters
    ----------
    sampler : SamplingCollector
    slowed : str
        What the governor says of it; empty where it is read as often as was asked for.
    """
    state, problem, remedy = sampler.status.judged()
    if slowed and not problem:
        problem = f"{slowed}, so that watching stays cheap"
        remedy = "Readings come rarer, none is wrong. Ask for a longer interval to have them even."
    return SourceState(
        name=sampler.name,
        title=sampler.info.title,
        group=sampler.info.group,
        state=cast("Readiness", state),
        problem=problem,
        remedy=remedy,
        missing=tuple(
            MissingField(f"{in_short(entities)} {field_name}".strip(), why)
            for (field_name, why), entities in alike(sampler.status.missing).items()
        ),
        rejected=sampler.status.rejected,
    )
