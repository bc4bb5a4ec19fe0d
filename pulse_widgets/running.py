"""The session that runs, as a collector that a program made sees it; and its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulse_widgets.arguments import checked_time
from pulse_widgets.collectors.prefetch import PrefetchedBackend
from pulse_widgets.loading import load
from pulse_widgets.readers.discover import built_in, make_backends

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuChoice
    from pulse_widgets.session.session import Session

__all__ = ["RunningSession", "begin_reading", "load_readers"]


class RunningSession:
    """The session that runs, as a collector that a program made sees it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def log(self, data: Mapping[str, Any], step: int | None, wall_s: float) -> None:
        """Take in values of the user at a Unix time."""
        session = self._session
        session.user.log(data, step, session.clock.from_wall(checked_time(wall_s)))

    def watch(self, sources: Sequence[str]) -> None:
        """Read these sources, too, from now on."""
        load_readers(sources)
        self._session.add_sources(sources)

    def capture(self) -> None:
        """Take what is printed, too, from now on."""
        self._session.capture(True)

    def lines(self, stream: str, texts: Sequence[str], wall_s: Sequence[float]) -> None:
        """Take in lines that somebody else has read, with their Unix times."""
        import numpy as np

        session = self._session
        times = [session.clock.from_wall(checked_time(each)) for each in wall_s]
        session.intake.output.add_lines(stream, np.array(times, np.int64), list(texts))

    def event(self, entity: str, facts: Mapping[str, Any]) -> None:
        """Record that something happened."""
        self._session.intake.marks.event(entity, facts)


def begin_reading(
    sources: Sequence[str | Backend], gpus: GpuChoice, backends: list[str | Backend]
) -> None:
    """Begin to read the built-in sources, and put what is read into `backends`.

    Any other backend may belong to the one thread that opens it.
    """
    load_readers(sources)
    ours = built_in()
    for name in sources:
        if isinstance(name, str) and name in ours:
            (backend,) = make_backends([name], gpus)
            early = PrefetchedBackend(backend)
            backends.append(early)
            early.start()
        else:
            backends.append(name)


def load_readers(sources: Sequence[str | Backend]) -> None:
    """Load what the built-in sources are read with."""
    ours = built_in()
    load(*(ours[name] for name in sources if isinstance(name, str) and name in ours))
