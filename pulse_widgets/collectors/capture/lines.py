"""Joins pieces of printed text to lines, each with the time of its first piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.collectors.capture.hook import Break, Mark
from pulse_widgets.collectors.capture.secrets import Masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LINE_BYTES", "UNFINISHED_S", "Lines", "LinesOf"]

LINE_BYTES: Final = 64 << 10
"""UTF-8 bytes of a line at most; what is cut off is said."""
BEYOND: Final = 4096
"""Letters that are looked at beyond it: a secret there may begin before."""
UNFINISHED_S: Final = 1.0
"""An unfinished line is given out after so long, and so often at most."""
NOTE_BYTES: Final = 64
TELLING_S: Final = 1e-6
UTF8_MOST: Final = 4
PART_LETTERS: Final = 16 << 20
"""So many are looked at together; of a longer piece begin and end are kept."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one stream, in order.

    Attributes
    ----------
    texts : list of str
        Without the end of the line; escapes of a terminal kept, secrets masked.
    times_s : (n,) float64
        Monotonic seconds at which the first piece of each came.
    left_out : int
        Lines that came with them and were left out, beyond a rate.
    """

    texts: list[str]
    times_s: NDArray[np.float64]
    left_out: int = 0

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.texts)

    @classmethod
    def joined(cls, parts: Sequence[Lines]) -> Lines:
        """Return several as one, in order."""
        if len(parts) == 1:
            return parts[0]
        texts = [text for part in parts for text in part.texts]
        times = np.concatenate([np.zeros(0), *(part.times_s for part in parts)])
        return cls(texts, times, sum(part.left_out for part in parts))


class LinesOf:
    """Makes lines of what one stream is given.

    The lines do not depend on how a text is cut into pieces. A carriage return begins a line
    anew, as a terminal shows it: of the states of a progress bar the last one stays. A line
    that is not finished is given out as far as it goes after `UNFINISHED_S`, a bar with the
    state that it has then; what comes later of it is a line of its own, which does not repeat
    it. What goes into one place goes by the whole: no part of a secret is given out before the
    rest has come.
    """

    def __init__(self) -> None:
        self._masks = Masks()
        self._open = ""
        """What has come of the line that is not finished, from its last carriage return on."""
        self._began_s = 0.0
        """When that began."""
        self._fresh_s = 0.0
        """When that of it came which was not given out."""
        self._given = 0
        """How many letters of it were given out."""
        self._last = ""
        """The last state of it that was given out, before a carriage return."""
        self._over = 0
        """Letters of it that were left out."""

    def take(
        self, pieces: Sequence[str], came_s: float, until_s: float, limit: Limit | None = None
    ) -> Lines:
        """Return the lines that some more pieces finish.

        Parameters
        ----------
        pieces : sequence of str
            In order, with a `Mark` wherever the time is known.
        came_s, until_s : float
            Between these they came; monotonic seconds.
        limit : Limit, optional
            How many lines may be kept.
        """
        pieces, left_out = _checked(pieces)
        sizes = np.fromiter(map(len, pieces), np.int64, len(pieces))
        ends = np.cumsum(sizes)
        empty = np.flatnonzero(sizes == 0).tolist()
        breaks = [place for place in empty if isinstance(pieces[place], Break)]
        parts, first, moment = [Lines([], np.zeros(0), left_out)], 0, came_s
        while first < len(pieces):
            # Of a flood one part after the other: each is in memory several times.
            before = ends[first - 1] if first else 0
            end = max(first + 1, int(np.searchsorted(ends, before + PART_LETTERS, "right")))
            if breaks and breaks[0] < end:
                end = breaks.pop(0) + 1
            until = next((p.time_s for p in pieces[end:] if isinstance(p, Mark)), until_s)
            parts.append(self._take(pieces[first:end], sizes[first:end], (moment, until), limit))
            if isinstance(pieces[end - 1], Break):
                parts.append(self._end())
            # What comes without a time of its own came after the last one that is known.
            known = (p.time_s for p in reversed(pieces[first:end]) if isinstance(p, Mark))
            told = [float(each.times_s[-1]) for each in parts[1:] if len(each)]
            first, moment = end, max([next(known, moment), *told[-1:]])
        return Lines.joined(parts)

    def _take(
        self,
        pieces: Sequence[str],
        sizes: NDArray[np.int64],
        between_s: tuple[float, float],
        limit: Limit | None,
    ) -> Lines:
        text = "".join(pieces)
        raw = text.split("\n")
        if len(raw) == 1:
            first = pieces[0] if pieces else None
            self._extend(text, first.time_s if isinstance(first, Mark) else between_s[0])
            return NO_LINES
        times = _times(pieces, sizes, raw, between_s)
        last = raw.pop()
        self._extend(raw[0], float(times[0]))
        texts = [_state(line) if "\r" in line else line for line in raw] if "\r" in text else raw
        return self._finished(texts, times, last, limit)

    def _finished(
        self, texts: list[str], times: NDArray[np.float64], last: str, limit: Limit | None
    ) -> Lines:
        began_s, opening = self._time_s(), self._close()
        left_out = 0
        bulk, bulk_times = texts[1:], times[1:-1]
        if limit is not None and bulk:
            allowed = limit.allowed(len(bulk), sum(map(len, bulk)))
            left_out = len(bulk) - allowed
        if left_out and self._masks.is_needed_at("\n".join(bulk)):
            bulk = self._masks.lines(bulk)[left_out:]
        else:
            # The newest stay: how it went on, and how it ended.
            bulk = self._masks.lines(bulk[left_out:])
        bulk = [_cut(line) if len(line) * UTF8_MOST > LINE_BYTES else line for line in bulk]
        bulk_times = bulk_times[left_out:]
        self._extend(last, float(times[-1]))
        if opening is None:
            return Lines(bulk, bulk_times, left_out)
        return Lines([opening, *bulk], np.append(began_s, bulk_times), left_out)

    @property
    def due_s(self) -> float | None:
        """When `unfinished` has something to give out, monotonic seconds; None: nothing waits."""
        return self._fresh_s + UNFINISHED_S if self._rest() else None

    def unfinished(self) -> Lines:
        """Return the line that is not finished, as far as it goes and was not given out."""
        if not self._rest():
            return NO_LINES
        shown = _state(self._open)
        text = self._masks.line(shown, unfinished=True, since=self._given)
        time_s = self._time_s()
        self._given, self._last = len(shown), shown
        return Lines([_cut(text, self._over)], np.array([time_s]))

    def _end(self) -> Lines:
        """End the line that is not finished, if there is one."""
        time_s, text = self._time_s(), self._close() if self._open else None
        return NO_LINES if text is None else Lines([text], np.array([time_s]))

    def _time_s(self) -> float:
        return self._fresh_s if self._given else self._began_s

    def _rest(self) -> bool:
        shown = _state(self._open)
        return len(shown) > self._given and shown != self._last

    def _close(self) -> str | None:
        """Return the line that ends now; None where all of it was given out."""
        shown, given, over = _state(self._open), self._given, self._over
        repeats = bool(given or self._last) and (len(shown) <= given or shown == self._last)
        self._open, self._given, self._over, last = "", 0, 0, self._last
        self._last = ""
        if repeats or (last and not shown.strip()):
            return None
        return _cut(self._masks.line(shown, since=given), over)

    def _extend(self, text: str, time_s: float) -> None:
        """Add to the line that is not finished."""
        if not text:
            if not self._open:
                self._began_s = self._fresh_s = time_s
            return
        if not self._rest():
            self._fresh_s = time_s
        if not self._open:
            self._began_s = time_s
        whole = self._open + text
        begins = whole.rstrip("\r").rfind("\r") + 1
        if begins:
            whole, self._given, self._over = whole[begins:], 0, 0
            self._began_s = time_s
        most = LINE_BYTES + BEYOND
        if len(whole) > most:
            body = whole.rstrip("\r")
            self._over += max(0, len(body) - most)
            whole = body[:most] + "\r" * (len(body) < len(whole))
        self._open = whole


class Limit:
    """Says how many lines may be kept: so many a second, and more of them in a burst.

    Parameters
    ----------
    lines, letters : float
        A second.
    burst_s : float
        So many seconds of them may come at once.
    """

    def __init__(self, lines: float, letters: float, burst_s: float) -> None:
        self._rates = np.array([lines, letters])
        self._most = self._rates * burst_s
        self._left = self._most.copy()
        self._at_s: float | None = None

    def allow(self, now_s: float) -> None:
        """Note how much time has passed."""
        if self._at_s is not None:
            self._left += self._rates * max(0.0, now_s - self._at_s)
            np.minimum(self._left, self._most, out=self._left)
        self._at_s = now_s

    def allowed(self, lines: int, letters: int) -> int:
        """Return how many of so many lines may be kept, and count them."""
        share = min(1.0, self._left[0] / lines, self._left[1] / max(letters, 1))
        kept = int(lines * max(share, 0.0))
        self._left -= np.array([kept, letters * (kept / lines)])
        return kept


def _checked(pieces: Sequence[str]) -> tuple[Sequence[str], int]:
    """Return pieces that are texts and not too long, and how many lines were left out of them."""
    if not set(map(type, pieces)) <= {str, Mark, Break}:
        # The stream has refused what is no text.
        pieces = [piece for piece in pieces if isinstance(piece, str)]
    if max(map(len, pieces), default=0) <= PART_LETTERS:
        return pieces, 0
    left_out, made = 0, list[str]()
    for piece in pieces:
        middle = piece[PART_LETTERS // 2 : -PART_LETTERS // 2] if len(piece) > PART_LETTERS else ""
        if not middle:
            made.append(piece)
            continue
        gap = "\n" * ("\n" in middle)
        left_out += middle.count("\n")
        made.append(f"{piece[: PART_LETTERS // 2]}{gap}{piece[-PART_LETTERS // 2 :]}")
    return made, left_out


def _times(
    pieces: Sequence[str],
    sizes: NDArray[np.int64],
    lines: Sequence[str],
    between_s: tuple[float, float],
) -> NDArray[np.float64]:
    """Return when the first piece of each line came.

    Of pieces without a time of their own it is that of the last mark before them, and a
    microsecond more for each line since: so lines keep their order among those of other streams.
    """
    empty = [(place, pieces[place]) for place in np.flatnonzero(sizes == 0).tolist()]
    marks = [(place, piece.time_s) for place, piece in empty if isinstance(piece, Mark)]
    before = np.cumsum(sizes) - sizes
    letters = np.append(-1, before[[place for place, _ in marks]])
    # Whole microseconds: those are what a recording tells apart.
    moments = np.round([between_s[0], *(time_s for _, time_s in marks)], 6)
    lengths = np.fromiter(map(len, lines), np.int64, len(lines)) + 1
    begins = np.cumsum(lengths) - lengths
    group = np.searchsorted(letters, begins, "right") - 1
    room = np.diff(moments, append=between_s[1])[group]
    nth = np.arange(len(lines)) - np.searchsorted(group, group, "left")
    later: NDArray[np.float64] = np.minimum(nth * TELLING_S, np.maximum(room - TELLING_S, 0.0))
    return moments[group] + later


def _state(line: str) -> str:
    """Return what a terminal shows of a line that was written over itself."""
    shown = line.rstrip("\r")
    return shown[shown.rfind("\r") + 1 :]


def _cut(line: str, over: int = 0) -> str:
    """Return a line of at most `LINE_BYTES`; what is left out is said at its end."""
    if not over and len(line.encode("utf-8", "replace")) <= LINE_BYTES:
        return line
    kept = line.encode("utf-8", "replace")[: LINE_BYTES - NOTE_BYTES].decode("utf-8", "ignore")
    left_out = len(line) - len(kept) + over
    return f"{kept} [{left_out} more characters left out]"


NO_LINES: Final = Lines([], np.zeros(0))
