"""The HTML of a saved output for viewers without our code: a picture, and a table that folds.

Notebooks are read on web pages, in editors and as printed HTML, often by programs that strip
scripts, styles and inline SVG. An ``<img>`` with its data inside and a plain ``<table>``
survive nearly all of them, and where the image does not, the table does.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.exchange.left_out import LEFT_OUT_NAME, left_out_sentence
from pulse_widgets.exchange.picture.alarms import alarm_words
from pulse_widgets.exchange.picture.axis import stretch
from pulse_widgets.exchange.picture.choice import Picked, pick
from pulse_widgets.exchange.picture.figures import figures_svg
from pulse_widgets.exchange.picture.story import NO_STORY, mark_sentence
from pulse_widgets.exchange.picture.svg import WIDTH, Heading, draw
from pulse_widgets.exchange.picture.table import known_lines, series_in, table
from pulse_widgets.exchange.picture.text import clean, shorten
from pulse_widgets.metrics.entities import is_gpu
from pulse_widgets.metrics.globs import matches_any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pulse_widgets.exchange.picture.chart import Line
    from pulse_widgets.exchange.picture.story import Story
    from pulse_widgets.series.history import Screen

__all__ = ["MOST_CHARTS", "figure_html"]

MOST_BYTES: Final = 60_000
MOST_CHARTS: Final = 9
MOST_ROWS: Final = 40
MOST_POINTS: Final = 300
LEAST_POINTS: Final = 24
MOST_SENTENCES: Final = 8
"""Sources and missing readings that are named."""
EACH: Final = 100_000
"""Rows by which no lines are put together."""
OPEN_SENTENCES: Final = 2
"""So many of what is wrong stand below the picture, the others in the part that folds."""

PHASE_WORDS: Final = {
    "running": "Live when this was saved",
    "stopped": "Finished",
    "replay": "Replay of a recording",
}


@dataclass(frozen=True, slots=True)
class _Size:
    """How much a figure shows."""

    charts: int
    points: int
    rows: int
    said: int = MOST_SENTENCES
    """Sentences of what is wrong."""


def figure_html(  # noqa: PLR0913  one argument a part of the screen
    screen: Screen,
    series: Sequence[Mapping[str, Any]],
    *,
    title: str,
    state: Mapping[str, Any],
    entities: Sequence[Mapping[str, Any]],
    limit_bytes: int = MOST_BYTES,
    strip: bool = False,
    metrics: Collection[str] | None = None,
    story: Story = NO_STORY,
) -> str:
    """Return a screen as HTML that needs no script, no style sheet and no network.

    Parameters
    ----------
    screen : Screen
    series : sequence of mapping
        In wire form: ``id``, ``host``, ``entity``, ``metric``, ``unit``, ``kind``. Those that
        carry text are left out.
    title : str
    state : mapping
        What a view says in words: ``phase``, ``sources``, ``simulated``, ...
    entities : sequence of mapping
        In wire form: ``host``, ``entity`` and ``labels``.
    limit_bytes : int
        Bytes of the returned text in UTF-8. Columns give way first, then rows of the table,
        then charts.
    strip : bool
        The picture has the newest values instead of charts, and there is no table.
    metrics : collection of str, optional
        Patterns of the metrics the view asks for. What is not available of others is not said.
    story : Story
        Cells and marks, which are drawn behind the charts.

    Returns
    -------
    str
        A ``<figure>``: the picture as an ``<img>`` with its data inside, what there is to say
        of it, and, folded, a table of smallest, mean, largest and last known values. Gaps in the
        picture are missing readings; a series without a reading has a row and no value.
    """
    # The user may have told numpy to raise where a share is too small for a number.
    with np.errstate(all="ignore"):
        # Figures alone ask for no metric in particular.
        asked = () if strip and not metrics else metrics or ("*",)
        figure = _Figure(screen, series, title, state, entities, story, asked)
        return figure.strip() if strip else _fitting(figure, limit_bytes)


def _fitting(figure: _Figure, limit_bytes: int) -> str:
    size = _Size(MOST_CHARTS, min(MOST_POINTS, figure.columns), MOST_ROWS)
    text = figure.html(size)
    while len(text.encode()) > limit_bytes:
        smaller = _smaller(size, limit_bytes / len(text.encode()))
        if smaller == size:
            break
        size = smaller
        text = figure.html(size)
    return text


def _smaller(size: _Size, share: float) -> _Size:
    """Return the next size to try when only `share` of the bytes may stay."""
    if size.points > LEAST_POINTS and size.charts:
        points = max(LEAST_POINTS, int(size.points * min(share * 0.95, 0.9)))
        return _Size(size.charts, points, size.rows, size.said)
    if size.rows > size.charts:
        return _Size(size.charts, size.points, size.rows // 2, size.said)
    if size.charts:
        return _Size(size.charts // 2, MOST_POINTS, size.rows, size.said)
    return _Size(0, size.points, 0, 0)


class _Figure:
    """One screen, drawn as often as needed until it fits."""

    def __init__(  # noqa: PLR0913, PLR0917  one argument a part of the screen
        self,
        screen: Screen,
        series: Sequence[Mapping[str, Any]],
        title: str,
        state: Mapping[str, Any],
        entities: Sequence[Mapping[str, Any]],
        story: Story,
        asked: Collection[str],
    ) -> None:
        self._story = story
        self._asked = asked
        self.columns = len(screen.edges)
        self._title = title
        self._state = state
        self._devices = _devices(entities)
        self._pick = cache(partial(pick, screen, series, entities))
        self._all = self._pick(MOST_CHARTS, MOST_ROWS)
        self._lines = self._all.lines
        self._span = _span(self._lines, screen, state)

    def html(self, size: _Size) -> str:
        """Return the figure at one size."""
        picked = self._pick(size.charts, MOST_ROWS)
        image = self._image(picked, size.points) if self._span and picked.charts else ""
        said, more = self._said(size.said)
        values = table(self._all, size.rows) if self._lines else ""
        more = [*filter(None, [mark_sentence(self._story)]), *more]
        count = series_in(known_lines(self._all))
        summary = f"Values ({count} series)" if values else "More"
        folded = f"<details><summary>{summary}</summary>{values}{_paragraphs(more)}</details>"
        rest = folded if values or more else ""
        return f"<figure>{image}<figcaption>{_paragraphs(said)}</figcaption>{rest}</figure>"

    def strip(self) -> str:
        """Return the figure of a strip: the newest values, and what there is to say of them."""
        note = " · ".join(self._notes())
        svg, words = figures_svg(self._pick(MOST_CHARTS, EACH), self._title, note)
        alt = f"{shorten(self._title, 80)}: {words}"
        image = _img(svg, alt) if words and self._span else ""
        said, more = self._said(MOST_SENTENCES)
        folded = f"<details><summary>More</summary>{_paragraphs(more)}</details>" if more else ""
        return f"<figure>{image}<figcaption>{_paragraphs(said)}</figcaption>{folded}</figure>"

    def _image(self, picked: Picked, points: int) -> str:
        assert self._span is not None  # noqa: S101  asked by the caller
        subtitle = f"{stretch(*self._span)} UTC"
        if self._devices:
            subtitle += f" · {self._devices}"
        heading = Heading(self._title, subtitle, " · ".join(self._notes()), picked.alarms)
        svg = draw(picked.charts, heading, _wide(self._span), points, self._story)
        names = ", ".join(shorten(chart.title, 40) for chart in picked.charts)
        alarms = "".join(f"; {word}" for word in alarm_words(picked.alarms))
        return _img(svg, f"{shorten(self._title, 80)}: charts of {names}; {subtitle}{alarms}")

    def _notes(self) -> list[str]:
        """Return the warnings of the picture."""
        simulated = ["Simulated data"] if self._state.get("simulated") else []
        return [*simulated, *alarm_words(self._all.alarms)]

    def _said(self, most: int) -> tuple[list[str], list[str]]:
        """Return the sentences below the picture, and those of the part that folds."""
        plain = [self._phase()]
        if self._state.get("simulated"):
            plain.insert(0, "Simulated data: no device was read for it.")
        left_out = left_out_sentence(self._state)
        if left_out:
            plain.append(left_out)
        wrong = list(_problems(self._state))
        shown = wrong[: min(OPEN_SENTENCES, most)]
        folded = [*wrong[len(shown) :], *_unavailable(self._state, self._asked)]
        room = most - len(shown)
        rest = len(folded) - room
        more = [f"and {rest} more things that could not be read"] if rest > 0 else []
        return [" ".join(plain), *shown], [*folded[:room], *more]

    def _phase(self) -> str:
        phase = PHASE_WORDS.get(str(self._state.get("phase")), "Saved")
        # A directory becomes a file soon after the end; without an ending the name opens both.
        name = str((self._state.get("recording") or {}).get("path") or "").removesuffix(".pulse")
        kept = f" Recording: {name}." if name else ""
        if self._span is None:
            return f"{phase}. There was no reading to show yet.{kept}"
        return f"{phase}: {stretch(*self._span)} UTC.{kept}"


def _img(svg: str, alt: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{clean(alt)}" width="{WIDTH}" src="data:image/svg+xml;base64,{data}">'


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{clean(shorten(one, 400))}</p>" for one in sentences)


def _problems(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong, and what to do about it."""
    recording = state.get("recording") or {}
    if recording.get("problem"):
        yield f"{recording['problem']} {recording.get('remedy') or ''}"
    for source in state.get("sources") or []:
        name = str(source.get("name"))
        if name == LEFT_OUT_NAME:
            continue  # has been said already
        if source.get("problem"):
            remedy = f" {source['remedy']}" if source.get("remedy") else ""
            yield f"{name}: {source['problem']}{remedy}"
        elif source.get("state") not in {"ok", "starting", "off"}:
            yield f"{name}: {source.get('state')}"


def _unavailable(state: Mapping[str, Any], asked: Collection[str]) -> Iterator[str]:
    """Yield what there is no reading of and why, of the metrics that are asked for."""
    for source in state.get("sources") or []:
        for missing in source.get("missing") or []:
            what = str(missing.get("what"))
            if any(matches_any(name, asked) for name in _names_of(what)):
                yield f"{source.get('name')}, {what}: {missing.get('why')}"


def _names_of(what: str) -> Iterator[str]:
    """Yield the names that a metric may have whose reading is called so.

    A reader calls it as its driver does: ``gpu:0 fan.speed`` is of ``gpu.fan``.
    """
    parts = what.split(" ")
    kind = _kind_of(parts[0]) if len(parts) > 1 else ""
    yield parts[-1]
    words = parts[-1].split(".")
    for count in range(len(words), 0, -1):
        yield ".".join([*filter(None, [kind]), *words[:count]])


def _kind_of(entity: str) -> str:
    return entity.rpartition("/")[2].partition(":")[0]


# Times and names -----------------------------------------------------------------------


def _span(
    lines: Sequence[Line], screen: Screen, state: Mapping[str, Any]
) -> tuple[float, float] | None:
    """Return the stretch in which there are samples, None without any.

    Of the first and last bucket that has one, no more than what the session lived through.
    """
    traces = [line.trace.time for line in lines if len(line.trace)]
    if not traces:
        return None
    first, last = min(t[0] for t in traces), max(t[-1] for t in traces)
    start = float(screen.edges[np.searchsorted(screen.edges, first) - 1])
    end = float(screen.edges[np.searchsorted(screen.edges, last)])
    begun, stopped = state.get("t0"), state.get("t1")
    if begun is not None and start < begun < last:
        start = float(begun)
    if stopped is not None and first < stopped < end:
        end = float(stopped)
    return start, end


def _wide(span: tuple[float, float]) -> tuple[float, float]:
    """Return a span that has a width, even when there is a single moment."""
    start, end = span
    return span if end - start > 1e-3 else (start - 0.5, end + 0.5)  # noqa: PLR2004


def _devices(entities: Sequence[Mapping[str, Any]]) -> str:
    """Return the GPUs' models with their number."""
    models = Counter(
        str(one["labels"]["name"])
        for one in entities
        if is_gpu(one["entity"]) and one["labels"].get("name")
    )
    return ", ".join(f"{count} \N{MULTIPLICATION SIGN} {name}" for name, count in models.items())
