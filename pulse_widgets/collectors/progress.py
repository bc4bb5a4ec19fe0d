"""How far loops have got: what `pulse_widgets.progress` is told, and the bars of tqdm.

A share is a row of the metric ``progress``: without a name of the process itself (``kernel``),
with one of ``kernel/bar:NAME``. So all of them are lines of one chart, and each is a line of a
summary.
"""

from __future__ import annotations

import os
import re
import sys
import weakref
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pulse_widgets.collectors.queued import QueuedRows
from pulse_widgets.collectors.whose import Whose
from pulse_widgets.errors import PulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulse_widgets.series.clock import Clock
    from pulse_widgets.series.log import Log
    from pulse_widgets.series.registry import Registry

__all__ = ["ProgressRows"]

MODULE: Final = "tqdm.std"
AGAIN_US: Final = 200_000
"""A bar is looked at so often at most; its last state counts always."""
BARS: Final = 50
"""So many names of bars are kept: a name with a number in it would be a new one each time."""
NAME_LENGTH: Final = 100
_NUMBERED: Final = re.compile(r"(?:^|[\s:,;=#(\[|-]+)[#(\[]?\d[\d.,/%]*(?![^\W\d_]).*", re.DOTALL)
"""What counts in the text before a bar, and what follows."""


class _Seen(NamedTuple):
    """What is known of a bar."""

    series: int
    shared_us: int
    share: float


class ProgressRows(QueuedRows):
    """Takes in shares, and looks at the bars of tqdm as soon as it is loaded.

    Parameters
    ----------
    registry : Registry
    clock : Clock
    host : str
    arrived, relieve : callable
        As of `QueuedRows`.
    entity : str
        The process it is about.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what all of them are given, and how callers wait
        self,
        registry: Registry,
        clock: Clock,
        host: str,
        arrived: Callable[[], None],
        relieve: Callable[[], None] = lambda: None,
        entity: str = Whose().kernel,
    ) -> None:
        super().__init__("progress", arrived, relieve)
        self.status.state = "ok"
        self._registry = registry
        self._clock = clock
        self._host = host
        self._entity = entity
        self._pid = os.getpid()
        self._series: dict[str, int] = {}
        self._closed = False
        self._bars: _Bars | None = None

    def start(self) -> None:
        """Look at the bars of tqdm, where it is loaded."""
        self._find_bars()

    def stop(self) -> None:
        """Take nothing more; tqdm is as it was."""
        self._closed = True
        bars, self._bars = self._bars, None
        if bars is not None:
            bars.restore()

    def tell(self, share: float, name: str) -> bool:
        """Accept how far something has got; False once nothing is taken any more."""
        if self._closed:
            return False
        series = self._series.get(name)
        if series is None:
            series = self._add(name)
        self.put((series, self._clock.now_us(), share, None))
        return True

    def drain(self, log: Log) -> bool:
        """Turn what waits into rows; tqdm may have been loaded since the last time."""
        if self._bars is None and not self._closed:
            self._find_bars()
        return super().drain(log)

    def _add(self, name: str) -> int:
        entity = f"{self._entity}/bar:{name}" if name else self._entity
        series = self._registry.add(self._host, entity, "progress", unit="1", limited=True)
        self._series[name] = series
        return series

    def _find_bars(self) -> None:
        # Found half loaded, it has no class yet.
        found = getattr(sys.modules.get(MODULE), "tqdm", None)
        if isinstance(found, type) and os.getpid() == self._pid:
            self._bars = _Bars(found, self._see)

    # Bars ------------------------------------------------------------------------------

    def _see(self, bar: Any, names: _Names, *, last: bool) -> None:
        """Look at a bar; it has just been drawn, or is about to be closed."""
        if self._closed or os.getpid() != self._pid:
            return
        total, done = bar.total, bar.n
        if not total or bar.disable:
            return
        now_us = self._clock.now_us()
        seen: _Seen | None = names.seen.get(id(bar))
        if seen is None:
            name = names.name_of(bar)
            if name is None:
                return
            series = self._series.get(name)
            seen = _Seen(self._add(name) if series is None else series, 0, -1.0)
        share = float(done) / float(total)
        if last:
            names.forget(bar)
        if (last or now_us - seen.shared_us >= AGAIN_US) and share != seen.share:
            self.put((seen.series, now_us, share, None))
            seen = _Seen(seen.series, now_us, share)
        if not last:
            names.seen[id(bar)] = seen


class _Names:
    """What the bars that are drawn now are called: each has a name of its own."""

    def __init__(self) -> None:
        self.seen: dict[int, _Seen] = {}
        self._taken: dict[str, weakref.ref[Any]] = {}
        self._known: set[str] = set()

    def name_of(self, bar: Any) -> str | None:
        """Return the name of a new bar; None for one of too many."""
        words = str(getattr(bar, "desc", "") or "").strip().removesuffix(":")
        wanted = (_NUMBERED.sub("", words).strip(" :=#-([|") or words)[:NAME_LENGTH] or "tqdm"
        name, number = wanted, 1
        while (other := self._taken.get(name)) is not None and other() is not None:
            number += 1
            name = f"{wanted} ({number})"
        if name not in self._known and len(self._known) >= BARS:
            return None
        self._known.add(name)
        self._taken[name] = weakref.ref(bar)
        return name

    def forget(self, bar: Any) -> None:
        """Let others have the name of a bar."""
        self.seen.pop(id(bar), None)
        for name, other in list(self._taken.items()):
            if other() is bar or other() is None:
                del self._taken[name]


class _Bars:
    """Hears of every bar of tqdm that is drawn, and when it is closed.

    Also of those of a notebook: they are drawn through the same two methods.
    """

    def __init__(self, kind: type, see: Callable[..., None]) -> None:
        self._kind = kind
        self._names = _Names()
        self._see = see
        self._before = {name: kind.__dict__[name] for name in ("refresh", "close")}
        self._ours = {
            "refresh": self._after_refresh(self._before["refresh"]),
            "close": self._before_close(self._before["close"]),
        }
        for name, method in self._ours.items():
            setattr(kind, name, method)

    def restore(self) -> None:
        """Leave the class as it was; where others have changed it since, do nothing any more."""
        for name, ours in self._ours.items():
            if self._kind.__dict__.get(name) is ours:
                setattr(self._kind, name, self._before[name])

    def _after_refresh(self, refresh: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(refresh)
        def drawn(bar: Any, *args: Any, **options: Any) -> Any:
            result = refresh(bar, *args, **options)
            self._look(bar, last=False)
            return result

        return drawn

    def _before_close(self, close: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(close)
        def closed(bar: Any) -> Any:
            # What is closed twice was seen the first time.
            if not getattr(bar, "disable", True):
                self._look(bar, last=True)
            return close(bar)

        return closed

    def _look(self, bar: Any, *, last: bool) -> None:
        try:
            self._see(bar, self._names, last=last)
        except (PulseError, AttributeError, TypeError, ValueError, ArithmeticError, KeyError):
            # A bar of another make, or one name too many: the loop is not to suffer.
            return
