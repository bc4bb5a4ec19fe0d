"""A collector of the user's own metrics."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.collectors.buffered.collector import Collector
from pulse_widgets.collectors.buffered.door import taker
from pulse_widgets.collectors.buffered.entry import Entry
from pulse_widgets.collectors.buffered.words import say
from pulse_widgets.errors import PulseError, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["UserMetricCollector"]

METRICS: Final = "experiment_plot_metric"
FILES: Final = "experiment_plot_file"
RANK: Final = "VESSL_DISTRIBUTED_NUMBER"
WORKLOAD: Final = "VESSL_WORKLOAD_ID"

KEY: Final = re.compile("[a-zA-Z0-9_-]+(?:/[a-zA-Z0-9_-]+)*")
"""What servers for such payloads take for a name."""
KEYS: Final = 10_000
"""So many names are looked at once; of more, each payload is."""


class UserMetricCollector(Collector):
    """Takes in what a training loop logs, a payload a call.

    What it is given is also in the recording and on the dashboards of a session that runs.

    Attributes
    ----------
    step : int
        The step of the newest payload; 0 at the beginning.

    Examples
    --------
    >>> collector = UserMetricCollector()
    >>> collector.handle_step(None)
    >>> payload = collector.build_metric_payload({"loss": 0.5}, ts=1700000000.0)
    >>> payload.tags
    {'step': '1'}
    >>> collector.log_metrics([payload])
    1
    """

    DROP_THRESHOLD = None

    def __init__(self) -> None:
        super().__init__()
        self.step = 0
        self._warned = False
        self._warned_key = False
        self._seen: set[Any] = set()
        """Names that were looked at."""

    def handle_step(self, step: int | None) -> None:
        """Go on to a step: the one after the last for None.

        A step that goes back is applied, too, and said in the log of the program.
        """
        if step is None:
            self.step += 1
            return
        if step < self.step:
            say("Step should not go backwards: %d after %d", step, self.step)
        self.step = step

    def build_metric_payload(self, payload: Mapping[str, Any], ts: float) -> Entry:
        """Return values of one moment as an entry of the step of now.

        Parameters
        ----------
        payload : mapping of str to number
            It is copied; its values stay what they are, NaN and infinity too. Servers for such
            payloads take names of letters of ASCII, digits, ``_`` and ``-``, with single ``/``
            between them. Another name is kept, and said once in the log of the program.
        ts : float
            Unix seconds.
        """
        if not self._seen.issuperset(payload):
            self._check(payload)
        return self._entry(METRICS, payload, ts)

    def build_media_payload(self, payload: Mapping[str, Any], ts: float) -> Entry:
        """Return what describes media files as an entry of the step of now."""
        return self._entry(FILES, payload, ts)

    def log_metrics(self, payloads: Sequence[Entry]) -> int:
        """Take in payloads of metrics, and return the step of now.

        A consumer gets every value as it was given. The recording of a running session has what
        `pulse_widgets.log` makes of it: numbers, and whatever holds exactly one, with NaN and
        infinity; None is missing; mappings are taken apart, their names joined with ``/``.
        Texts, lists and arrays of more than one element are no numbers: they are left out of
        the recording, counted and said once.
        """
        self.add(payloads)
        session = taker()
        if session is not None:
            for payload in payloads:
                try:
                    session.log(payload.fields, _step_of(payload), payload.ts)
                except PulseError as error:
                    self._say(error)
        return self.step

    def log_media(self, payloads: Sequence[Entry]) -> int:
        """Take in payloads of media files, and return the step of now."""
        self.add(payloads)
        return self.step

    def _entry(self, measurement: str, payload: Mapping[str, Any], ts: float) -> Entry:
        fields, tags = dict(payload), {"step": str(self.step)}
        rank, workload = _number(RANK), _number(WORKLOAD)
        if rank is not None:
            tags["distributed_number"] = str(rank)
        elif workload is not None:
            fields["workload_id"] = workload
        return Entry(measurement, ts, fields, tags)

    def _check(self, payload: Mapping[str, Any]) -> None:
        bad = [key for key in payload if not isinstance(key, str) or not KEY.fullmatch(key)]
        if bad and not self._warned_key:
            self._warned_key = True
            say(
                "Servers may reject the metric %s: a name has letters, digits, _ and -, with "
                "single / between them",
                ascii(bad[0])[:80],
            )
        if len(self._seen) < KEYS:
            self._seen.update(payload)

    def _say(self, error: PulseError) -> None:
        if not self._warned:
            self._warned = True
            say("A payload is in no recording: %s", words_of(error))


def _number(name: str) -> int | None:
    """Return an environment variable as an integer; None where it is none."""
    try:
        return int(os.environ.get(name, ""))
    except ValueError:
        return None


def _step_of(entry: Entry) -> int | None:
    try:
        return int(entry.tags["step"])
    except (KeyError, ValueError):
        return None
