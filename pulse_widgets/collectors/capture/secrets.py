"""Masks what looks like a password, a key or a token in texts, such as printed lines.

By its form alone: nothing of the process, such as its environment, is looked at.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["KEY_BEGINS", "MASK", "Masks", "masked", "masked_text"]

MASK: Final = "[masked]"
KEY_BEGINS: Final = "PRIVATE KEY"
KEY_LINES: Final = 400
"""A private key has fewer lines; whatever looks like one and has no end ends here."""

_ESCAPES: Final = (
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"
    r"|[PX^_][^\x1b\n]*(?:\x1b\\)?|[ -/]*[0-~])"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]"
)
"""What a terminal does not show: it may stand in the middle of a secret."""


class _Rule(NamedTuple):
    """One sort of secret.

    Attributes
    ----------
    needles : tuple of str
        Lower case; a text without any of them has no such secret.
    pattern : str
        Its group ``secret`` is what is masked.
    """

    needles: tuple[str, ...]
    pattern: str


_NAMES: Final = (
    r"pass(?:word|wd|phrase)|pwd|api[_ -]?key|secret(?:[_-]?(?:access[_-]?)?key)?"
    r"|(?:access|account|private|signing|encryption|shared[_-]?access)[_-]?key|client[_-]?secret"
    r"|credentials?|shared[_-]?access[_-]?signature"
)
_IS: Final = r"[\"']?\]?[ \t]*(?:=>?|:)[ \t]*[bru]?[\"']?"
_VALUE: Final = r"(?P<secret>(?<=\")[^\"\n]+|(?<=')[^'\n]+|[^\s\"',;&()\[\]{}<>][^\s\"',;&)\]}>]*)"
_BEGIN: Final = "gh[pousr]_|github_pat_|glpat-|hf_|sk-|xox[a-z]-|AKIA|ASIA|eyJ|AIza|npm_|pypi-"
_BEGUN: Final = (
    rf"(?<![A-Za-z0-9])(?:{_BEGIN})[\w.\-]*\Z",
    r"(?i:\b(?:bearer|basic)[ \t]+[^\s\"',]*\Z)",
    r"://[^\s/@:]*:(?!\d{1,5}\Z)[^\s/@]*\Z",
)
"""What may still become a secret when more of the line comes."""

_RULES: Final = (
    _Rule((KEY_BEGINS.lower(),), r"(?P<secret>-----BEGIN [^\n]*?PRIVATE KEY[^\n]*)"),
    _Rule(
        ("authorization",),
        r"(?i:\b(?:proxy-)?authorization)[\"']?[ \t]*[:=][ \t]*[bru]?[\"']?"
        r"(?:(?i:basic|bearer|token|digest|negotiate|apikey)[ \t]+)?(?P<secret>[^\s\"',][^\s\"']*)",
    ),
    _Rule(("bearer",), r"\b(?i:bearer)[ \t]+(?P<secret>[\w.~+/=\-]{6,})"),
    _Rule(
        ("pass", "pwd", "key", "secret", "credential", "signature"),
        rf"(?i:(?<![^\W_])(?:\w*[_-])?(?:{_NAMES})(?![^\W_])){_IS}{_VALUE}",
    ),
    _Rule(
        ("token",),
        # A count of tokens, or the number of one, is none.
        rf"(?i:(?<![^\W_])(?:\w*[_-])?token(?![^\W_])){_IS}(?![\d.,+\-eE]+(?!\w)){_VALUE}",
    ),
    _Rule(
        ("--pass", "--token", "--api", "--secret"),
        r"(?<![\w-])--(?:password|passwd|token|api[_-]?key|secret)[ =][\"']?(?P<secret>[^\s\"']+)",
    ),
    _Rule(("://",), r"://(?P<secret>[^\s/@:\"']*:[^\s/@\"']+)@"),
    _Rule(
        ("akia", "asia", "agpa", "aida", "aroa", "anpa", "anva", "aipa"),
        r"(?<![A-Za-z0-9])(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA|AIPA)(?P<secret>[A-Z0-9]{16})(?![A-Za-z0-9])",
    ),
    _Rule(("gh",), r"(?<![A-Za-z0-9])gh[pousr]_(?P<secret>[A-Za-z0-9]{16,})"),
    _Rule(("github_pat_",), r"github_pat_(?P<secret>\w{16,})"),
    _Rule(("glpat-",), r"glpat-(?P<secret>[\w\-]{16,})"),
    _Rule(("hf_",), r"(?<![A-Za-z0-9])hf_(?P<secret>[A-Za-z0-9]{16,})"),
    _Rule(("sk-",), r"(?<![A-Za-z0-9])sk-(?P<secret>[\w\-]{16,})"),
    _Rule(("xox",), r"(?<![A-Za-z0-9])xox[a-z]-(?P<secret>[\w\-]{10,})"),
    _Rule(("aiza",), r"(?<![A-Za-z0-9])AIza(?P<secret>[\w\-]{30,})"),
    _Rule(
        ("hooks.slack", "webhooks/"),
        r"(?i:hooks\.slack\.com/\w+|discord(?:app)?\.com/api/webhooks/\d+)/(?P<secret>[\w/\-]{8,})",
    ),
    _Rule(("npm_",), r"(?<![A-Za-z0-9])npm_(?P<secret>[A-Za-z0-9]{30,})"),
    _Rule(("pypi-",), r"(?<![A-Za-z0-9])pypi-(?P<secret>[\w\-]{30,})"),
    _Rule(("eyj",), r"(?<![\w\-])eyJ(?P<secret>[\w\-]{8,}\.[\w\-]{4,}(?:\.[\w\-]*)?)"),
)


_NEEDLES: Final = tuple(dict.fromkeys(needle for rule in _RULES for needle in rule.needles))


@cache
def _escapes() -> re.Pattern[str]:
    return re.compile(_ESCAPES)


@cache
def _compiled(rule: _Rule) -> re.Pattern[str]:
    # Not when this is imported: all take some milliseconds, and most texts need none of them.
    return re.compile(rule.pattern)


def _suspected(low: str) -> Iterator[re.Pattern[str]]:
    """Yield what may be found in a text, which is given in lower case."""
    return (_compiled(rule) for rule in _RULES if any(needle in low for needle in rule.needles))


@cache
def _begun() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, _BEGUN))


def masked(text: str, *, unfinished: bool = False, since: int = 0) -> str:
    """Return the end of a line without its secrets, escapes of a terminal kept.

    Parameters
    ----------
    text : str
        One line, as far as it is known.
    unfinished : bool
        Whether more of it may come: what may still become a secret is masked as well.
    since : int
        Return only what comes from there on; what is before tells what it is.
    """
    spans = _joined(_spans(text, unfinished=unfinished))
    made, at = [], since
    for first, end in spans:
        if end > since:
            made += [text[at : max(first, since)], MASK, *_escapes_in(text, max(first, since), end)]
            at = end
    made.append(text[at:])
    return "".join(made)


def masked_text(text: str) -> str:
    """Return a text, perhaps of several lines, without its secrets."""
    if text.isprintable():
        low = text.lower()
        if not any(needle in low for needle in _NEEDLES):
            return text
    return "\n".join(Masks().lines(text.split("\n")))


def _escapes_in(text: str, first: int, end: int) -> list[str]:
    """Return the escapes in a secret: the colour that one of them ends is not to go on."""
    return _escapes().findall(text, first, end) if "\x1b" in text else []


def _spans(text: str, *, unfinished: bool) -> list[tuple[int, int]]:
    """Return where the secrets of a line begin and end."""
    plain, places = _plain(text)
    found = [
        match.span("secret")
        for pattern in _suspected(plain.lower())
        for match in pattern.finditer(plain)
    ]
    if unfinished:
        found += [match.span() for pattern in _begun() for match in pattern.finditer(plain)]
    if places is None:
        return found
    return [(places[first], places[end - 1] + 1) for first, end in found if end > first]


def _plain(text: str) -> tuple[str, list[int] | None]:
    """Return a text as a terminal shows it, and where each letter of it stands in `text`."""
    if text.isprintable():
        return text, None
    parts, places, at = list[str](), list[int](), 0
    for match in _escapes().finditer(text):
        parts.append(text[at : match.start()])
        places += range(at, match.start())
        at = match.end()
    parts.append(text[at:])
    places += range(at, len(text))
    return "".join(parts), places


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return stretches in order, those that overlap as one."""
    made: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if made and first <= made[-1][1]:
            made[-1] = made[-1][0], max(end, made[-1][1])
        else:
            made.append((first, end))
    return made


class Masks:
    """Masks the lines of one stream, in order: a private key has many lines."""

    def __init__(self) -> None:
        self._key_lines = 0
        """So many lines may still be of a private key."""

    def is_needed_at(self, text: str) -> bool:
        """Return whether a text must go through `lines` even where none of it is kept."""
        return bool(self._key_lines) or KEY_BEGINS in text

    def lines(self, lines: Sequence[str]) -> list[str]:
        """Return lines with their secrets masked."""
        text = "\n".join(lines)
        if self.is_needed_at(text):
            return [self.line(line) for line in lines]
        plain = _escapes().sub("", text)
        if not any(pattern.search(plain) for pattern in _suspected(plain.lower())):
            return list(lines)
        return [masked(line) for line in lines]

    def line(self, line: str, *, unfinished: bool = False, since: int = 0) -> str:
        """Return a line, or the part of it from `since` on, with its secrets masked."""
        if self._key_lines and _may_be_of_a_key(line):
            self._key_lines -= not unfinished
            if "-----END" in line:
                self._key_lines = 0
            return MASK
        self._key_lines = 0
        if KEY_BEGINS in line and "-----BEGIN" in line and not unfinished:
            ends = line.rfind("-----END") > line.rfind("-----BEGIN")
            self._key_lines = 0 if ends else KEY_LINES
        return masked(line, unfinished=unfinished, since=since)


def _may_be_of_a_key(line: str) -> bool:
    """Return whether a line may stand in a private key; others have words with spaces between."""
    words = line.split()
    return len(words) <= 1 or "-----END" in line or words[0].endswith(":")
