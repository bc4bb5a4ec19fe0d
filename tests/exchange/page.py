"""A saved picture and its table, read back with the standard library's parsers."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from html.parser import HTMLParser

from pulse_widgets.exchange.picture.svg import GRID, PLOT, PX, SOFT, TALL_PLOT
from tests.exchange.scene import Scene, svg_of

SVG = "{http://www.w3.org/2000/svg}"
PLAIN_TAGS = {
    "figure", "figcaption", "img", "p", "details", "summary",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


class Page(HTMLParser):
    """Tags, attributes, cells of the table and words of a figure."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, set[str]] = {}
        self.rows: list[list[str]] = []
        self.said = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.setdefault(tag, set()).update(name for name, _ in attrs)
        if tag != "img":
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] in {"td", "th"}:
            self.rows[-1][-1] += data
        else:
            self.said += data + "\n"

    def row(self, *start: str) -> list[str]:
        (found,) = [row for row in self.rows if tuple(row[: len(start)]) == start]
        return found


def titles(html: str) -> list[str]:
    """Return the charts' titles in the order of the picture."""
    return [card.find(f"{SVG}text").text for card in cards(html)]


def height(html: str) -> int:
    """Return the half pixels of the plots: a picture with one row of charts has taller ones."""
    return PX * (PLOT if len(cards(html)) > 2 else TALL_PLOT)


def cards(html: str):
    return svg_of(html).findall(f"{SVG}g")


def card(html: str, title: str):
    (found,) = [c for c in cards(html) if c.find(f"{SVG}text").text == title]
    return found


def pixels_of(card) -> list[list[int]]:
    """Return the numbers of the colours in a card's image, line by line."""
    (image,) = card.iter(f"{SVG}image")
    data = base64.b64decode(image.get("href").partition("base64,")[2])
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert data.startswith(b"\x89PNG")
    assert (depth, kind) == (4, 3)
    at = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[at - 4 : at])
    body = data[at + 4 : at + 4 + length]
    assert struct.unpack(">I", data[at + 4 + length :][:4])[0] == zlib.crc32(b"IDAT" + body)
    raw = zlib.decompress(body)
    stride = 1 + (width + 1) // 2
    lines = [raw[n * stride + 1 : (n + 1) * stride] for n in range(height)]
    return [[n for pair in line for n in (pair >> 4, pair & 15)][:width] for line in lines]


def means(card) -> list:
    """Return the paths that are lines of means."""
    return [p for p in card.iter(f"{SVG}path") if p.get("stroke-width") == "2.6"]


def spikes(card) -> list:
    """Return the paths that are spikes."""
    grid = {GRID, SOFT}
    lines = [p for p in card.iter(f"{SVG}path") if p.get("stroke-width") == "2"]
    return [path for path in lines if path.get("stroke") not in grid]


def curves(card) -> list[list[tuple[int, int]]]:
    """Return the corners of every band, line, spike and dot in a card, the grid left out."""
    found = []
    for path in card.find(f"{SVG}g").findall(f"{SVG}path"):
        if path.get("stroke") in {GRID, SOFT}:
            continue
        found += [corners(part) for part in re.findall(r"[Mm][^Mm]+", path.get("d"))]
    return found


def corners(path: str) -> list[tuple[int, int]]:
    """Follow a path of the four commands the picture uses."""
    x = y = 0
    points = []
    for command, numbers in re.findall(r"([MmlhVz])([-\d ]*)", path):
        values = [int(n) for n in re.findall(r"-?\d+", numbers)]
        if command in "Mm":
            x, y = values
        elif command == "h":
            x += values[0]
        elif command == "V":
            y = values[0]
        for dx, dy in zip(values[::2], values[1::2], strict=True) if command == "l" else ():
            x, y = x + dx, y + dy
            points.append((x, y))
        if command in "MmhV":
            points.append((x, y))
    return points


def one(values, **scene) -> str:
    drawn = Scene(**scene)
    drawn.add("host", "cpu.utilization", values)
    return drawn.html()
