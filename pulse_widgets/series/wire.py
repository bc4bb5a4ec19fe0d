"""The packets that the kernel sends to the browser; `js/core/wire/packet.ts` decodes them.

A *packet* is self-contained::

    b"PULS" | u16 major | u16 minor | u32 header bytes | u32 body bytes
    header: JSON, UTF-8, padded with spaces to a multiple of 8
    body:   little-endian columns, 8-byte columns first

A packet may be deflated. Its header then has ``deflated``, the bytes of the true header (padded
like any) and of the true body; its body is the two, one after the other, in the zlib format. The
rest of what such a header says is said for those who only look for the kind.

Kinds of packet (header key ``kind``):

``frame``
    New samples. Body: f64 time[n] (Unix seconds), f64 value[n] (NaN: missing from here),
    f64 step[n] when ``steps`` (NaN: none), i32 series[n].
``keyframe``
    The screen so far, as envelopes: f64 edges[N+1], f64 last step[K*N] of the ``stepped``
    series, then min, max and mean [S*N] as codes, packed as `pulse_widgets.series.packing` says.
    Code 0 to 65533 maps linearly onto lo..hi, 65534 is a missing reading, 65535 a bucket without
    a sample; as a mean it is one that is not known. A mean lies between min and max. Where there
    are ``grains``, codes of a series are multiples of its grain. Keyframes are deflated.
``rows``
    The answer to a request for detail; or, with the number 0, what a page gets unasked at its
    beginning: every row of a young session. Series with too many rows are in ``envelopes``: ``ids``
    of S series, N ``buckets``, ``stepped`` of K. Body: f64 time[n], value[n] and step[n] as in a
    frame, f64 edges[N+1], f64 min[S*N], max[S*N], mean[S*N] (NaN: none), f64 last step[K*N],
    i32 series[n], u8 missing[S*N].

``lines``
    The answer to a request for lines of text (``{"kind": "printed", "request", "t0", "t1",
    "most"}``, Unix seconds, both inside): the newest so many of them, oldest first, in ``lines``;
    ``more`` says that there are older ones between these times. No body.

Frames and keyframes have more in their header, each a list of records of
`pulse_widgets.series.header`: ``series``, ``entities``, ``moments``, ``spans`` and, in frames and
only while a page asks for them (``{"kind": "lines", "on": true}``), ``lines``; of a flood the
newest alone, then ``lines_left_out`` counts those that a page has to ask for. A span is sent when
it begins and again when it has ended, with the same id and start. ``state`` is one record of
`pulse_widgets.series.state`.

Every value is finite, or NaN. What a user logged as infinite or as NaN is missing there, and has a
record in ``odd``, which any kind may have: the newest 200 of a session in a keyframe, 1000 in a
frame or an answer. Older ones are left out, and leave no mark.

Minor versions:

1.2
    The mean and ``envelopes`` came, and keyframes became small. Before, they had u16 min[S*N] and
    u16 max[S*N] instead of packed codes.
1.1
    ``entities`` is a list of host, entity and labels; ``moments``, ``spans`` and ``lines`` came.
1.0
    ``entities`` was a mapping of entity to labels, whatever the host. ``events`` held moments,
    and the start and end rows of spans. Saved outputs of this version are still read.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.errors import WireError
from pulse_widgets.series.packing import (
    CODE_MISSING,
    CODE_NONE,
    CODE_TOP,
    MOST_INFLATED,
    deflated,
    inflated,
    packed,
)
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.history import Screen

__all__ = [
    "CODE_MISSING",
    "CODE_NONE",
    "LIVE_GRAIN",
    "WIRE_VERSION",
    "Packet",
    "decode",
    "encode",
    "frame",
    "keyframe",
    "lines_reply",
    "live",
    "rows_reply",
]

WIRE_VERSION: Final = (1, 2)
"""Major and minor; two ends of the same major understand each other."""

LIVE_GRAIN: Final = 13
"""Of keyframes for pages: 5041 levels of the range of a series are more than a screen shows."""

_MAGIC: Final = b"PULS"
_PREFIX: Final = struct.Struct("<4sHHII")


@dataclass(frozen=True, slots=True)
class Packet:
    """A decoded packet: its header, and its body as bytes."""

    header: Mapping[str, Any]
    body: bytes


def encode(
    header: Mapping[str, object], body: bytes = b"", *, deflate: bool = False, small: bool = False
) -> bytes:
    """Return a packet, as it is or deflated; as small as it can be, or soon."""
    text = _text(header)
    if deflate:
        outer = {key: header[key] for key in ("kind", "seq") if key in header}
        sizes = [len(text), len(body)]
        text, body = _text({**outer, "deflated": sizes}), deflated(text + body, small=small)
    return _PREFIX.pack(_MAGIC, *WIRE_VERSION, len(text), len(body)) + text + body


def _text(header: Mapping[str, object]) -> bytes:
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return text + b" " * (-len(text) % 8)


def decode(packet: bytes) -> Packet:
    """Return the parts of a packet.

    Raises
    ------
    WireError
        When the bytes are not a whole packet of a major version this program knows.
    """
    if len(packet) < _PREFIX.size or packet[:4] != _MAGIC:
        raise WireError("These bytes are not a packet", remedy="Send them again.")
    _, major, minor, header_size, body_size = _PREFIX.unpack_from(packet)
    if major != WIRE_VERSION[0]:
        raise WireError(
            f"This packet has wire version {major}.{minor}, this program knows {WIRE_VERSION[0]}.x",
            remedy="Upgrade the older of the two: pip install -U pulse_widgets",
        )
    end = _PREFIX.size + header_size
    if len(packet) != end + body_size:
        raise WireError(
            f"A packet of {end + body_size} bytes arrived with {len(packet)}",
            remedy="Send it again.",
        )
    header, body = _header(packet[_PREFIX.size : end]), bytes(packet[end:])
    if "deflated" not in header:
        return Packet(header, body)
    header_size, body_size = _sizes(header["deflated"])
    whole = inflated(body, header_size + body_size)
    return Packet(_header(whole[:header_size]), whole[header_size:])


def _header(text: bytes) -> Mapping[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise WireError(
            f"The header of a packet is damaged: {exc}", remedy="Send it again."
        ) from exc
    if not isinstance(header, dict):
        raise WireError("The header of a packet is not an object", remedy="Send it again.")
    return header


def _sizes(told: object) -> tuple[int, int]:
    """Return how many bytes the header and the body of a deflated packet have."""
    match told:
        case [int(header), int(body)] if not any(isinstance(each, bool) for each in told):
            if header + body > MOST_INFLATED:
                raise WireError("A packet is too large", remedy="Ask for less.")
            if min(header, body) >= 0 and header % 8 == 0:
                return header, body
    raise WireError(f"A packet cannot have the sizes {told!r}", remedy="Send it again.")


def frame(  # noqa: PLR0913  one argument a part of the packet
    seq: int,
    rows: Rows,
    *,
    series: Sequence[Mapping[str, object]] = (),
    entities: Sequence[Mapping[str, object]] = (),
    state: Mapping[str, object] | None = None,
    moments: Sequence[Mapping[str, object]] = (),
    spans: Sequence[Mapping[str, object]] = (),
    lines: Sequence[Mapping[str, object]] = (),
    odd: Sequence[Mapping[str, object]] = (),
    reduced: Sequence[int] = (),
    lines_left_out: int = 0,
) -> bytes:
    """Return the packet of one display tick, or of a part of it.

    Parameters
    ----------
    seq : int
        One more than that of the frame before.
    rows : Rows
        In display form: rates, not counters.
    series, entities, state, moments, spans, lines, odd
        What is new since the last frame, as plain records of `pulse_widgets.series.header`.
    reduced : sequence of int
        The series of which only the extremes are among the rows; a page can ask for the rest.
    lines_left_out : int
        Lines that came since the last frame and are not among `lines`.
    """
    stepped = bool((rows.step != NO_STEP).any())
    header: dict[str, object] = {"kind": "frame", "seq": seq, "n": len(rows), "steps": stepped}
    extras = {
        "series": series,
        "entities": entities,
        "state": state,
        "moments": moments,
        "spans": spans,
        "lines": lines,
        "odd": odd,
        "reduced": reduced,
        "lines_left_out": lines_left_out,
    }
    header.update({key: extra for key, extra in extras.items() if extra})
    return encode(header, b"".join(_columns(rows, stepped=stepped)))


def rows_reply(  # noqa: PLR0913, PLR0917  one argument a part of the packet
    request: int,
    ids: Sequence[int],
    t0: float,
    t1: float,
    rows: Rows,
    screen: Screen | None = None,
    *,
    odd: Sequence[Mapping[str, object]] = (),
) -> bytes:
    """Return the packet that answers a request for the detail of `ids` between two times.

    `screen` has the series with too many rows, `odd` what was logged and is no finite value.
    """
    stepped = bool((rows.step != NO_STEP).any())
    header: dict[str, object] = {
        "kind": "rows",
        "request": request,
        "ids": list(ids),
        "t0": t0,
        "t1": t1,
        "n": len(rows),
        "steps": stepped,
        "reduced": [],
    }
    if odd:
        header["odd"] = list(odd)
    *columns, series = _columns(rows, stepped=stepped)
    if screen is None:
        return encode(header, b"".join((*columns, series)))
    header |= {
        "reduced": screen.ids.tolist(),
        "envelopes": {
            "ids": screen.ids.tolist(),
            "buckets": len(screen.edges) - 1,
            "stepped": screen.stepped.tolist(),
        },
    }
    seen = screen.low <= screen.high
    known = [np.where(seen, each, np.nan) for each in (screen.low, screen.high, screen.mean)]
    fine = [each.astype("<f8").tobytes() for each in (screen.edges, *known, screen.step)]
    return encode(header, b"".join((*columns, *fine, series, screen.missing.tobytes())))


def lines_reply(
    request: int, t0: float, t1: float, lines: Sequence[Mapping[str, object]], *, more: bool
) -> bytes:
    """Return the packet that answers a request for the lines of text between two times."""
    return encode(
        {
            "kind": "lines",
            "request": request,
            "t0": t0,
            "t1": t1,
            "lines": list(lines),
            "more": more,
        }
    )


def live(screen: Screen) -> Screen:
    """Return a screen as pages get it, its values told no finer than any screen shows."""
    return replace(screen, grain=np.full(len(screen.ids), LIVE_GRAIN))


def keyframe(  # noqa: PLR0913  one argument a part of the packet
    seq: int,
    screen: Screen,
    *,
    series: Sequence[Mapping[str, object]],
    entities: Sequence[Mapping[str, object]],
    state: Mapping[str, object],
    moments: Sequence[Mapping[str, object]] = (),
    spans: Sequence[Mapping[str, object]] = (),
    odd: Sequence[Mapping[str, object]] = (),
) -> bytes:
    """Return the packet that paints a page which has seen nothing yet."""
    low, high, codes = _quantize(screen)
    header = {
        "kind": "keyframe",
        "seq": seq,
        "buckets": len(screen.edges) - 1,
        "ids": screen.ids.tolist(),
        "lo": low.tolist(),
        "hi": high.tolist(),
        "packed": True,
        "stepped": screen.stepped.tolist(),
        "last": _known(screen.last),
        "series": list(series),
        "entities": list(entities),
        "state": dict(state),
        "moments": list(moments),
        "spans": list(spans),
    }
    if screen.last is None:
        del header["last"]
    if odd:
        header["odd"] = list(odd)
    if screen.grain is not None:
        header["grains"] = screen.grain.tolist()
    body = b"".join(
        (
            screen.edges.astype("<f8").tobytes(),
            screen.step.astype("<f8").tobytes(),
            packed(codes, screen.grain),
        )
    )
    # What is told more coarsely is to be kept: there small is better than soon.
    small = screen.grain is not None and int(screen.grain.max(initial=0)) > LIVE_GRAIN
    return encode(header, body, deflate=True, small=small)


def _known(values: NDArray[np.float64] | None) -> list[float | None]:
    return [] if values is None else [v if v == v else None for v in values.tolist()]  # noqa: PLR0124


def _columns(rows: Rows, *, stepped: bool) -> list[bytes]:
    columns = [(rows.time / 1e6).astype("<f8").tobytes(), rows.value.astype("<f8").tobytes()]
    if stepped:
        step = np.where(rows.step == NO_STEP, np.nan, rows.step.astype(float))
        columns.append(step.astype("<f8").tobytes())
    columns.append(rows.series.astype("<i4").tobytes())
    return columns


def _quantize(
    screen: Screen,
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.uint16]]]:
    """Map min, max and mean of each series onto 0..CODE_TOP of its own range."""
    seen = screen.low <= screen.high
    low = np.where(seen, screen.low, np.inf).min(axis=1, initial=np.inf)
    high = np.where(seen, screen.high, -np.inf).max(axis=1, initial=-np.inf)
    empty = ~(low <= high)
    low[empty] = high[empty] = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        span = high - low
        scale = np.where(span > 0, CODE_TOP / np.where(span > 0, span, 1.0), 0.0)
        down = np.floor((np.where(seen, screen.low, low[:, None]) - low[:, None]) * scale[:, None])
        up = np.ceil((np.where(seen, screen.high, low[:, None]) - low[:, None]) * scale[:, None])
        middle = np.rint((screen.mean - low[:, None]) * scale[:, None])
    # A range too narrow or too wide to divide becomes one block, which contains every value.
    blunt = ~np.isfinite(scale) | ~np.isfinite(span)
    down[blunt], up[blunt] = 0, CODE_TOP
    down, up = np.clip(down, 0, CODE_TOP), np.clip(up, 0, CODE_TOP)
    if screen.grain is not None:
        grain = screen.grain[:, None]
        down, up = np.floor(down / grain) * grain, np.ceil(up / grain) * grain
        middle = np.rint(middle / grain) * grain
    # Of a lone value between two codes the lower one tells enough, and always the same.
    middle = np.where(up - down <= 1, down, np.clip(middle, down, up))
    middle[np.isnan(screen.mean) | blunt[:, None]] = CODE_NONE
    nothing = np.where(screen.missing, CODE_MISSING, CODE_NONE)
    return low, high, [np.where(seen, code, nothing).astype("<u2") for code in (down, up, middle)]
