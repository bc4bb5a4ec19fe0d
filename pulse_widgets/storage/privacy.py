"""Redaction: what is kept on this machine but left out of copies unless asked for.

Captured output, cell source, command lines and tracebacks are left out unless included by
name; names of users and hosts, and absolute paths, always.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import pwd
import re
from collections import Counter
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import ArgumentError
from pulse_widgets.metrics.catalog import kind_of
from pulse_widgets.series.columns import Packed
from pulse_widgets.series.facts import facts_of
from pulse_widgets.series.said import JSON_LABELS, is_user
from pulse_widgets.storage.index import Catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pulse_widgets.metrics.kinds import Kind
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.series.registry import SeriesInfo
    from pulse_widgets.storage.directory import RunInfo

__all__ = ["Redaction"]

INCLUDES: Final = ("output", "code", "argv")

_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "output": frozenset({"output", "traceback"}),
    "code": frozenset({"code", "source", "line"}),
    "argv": frozenset({"argv", "command", "cmdline", "executable"}),
}
_NEVER: Final = frozenset({"user", "username", "hostname", "cwd", "home", "boot_id", "machine_id"})
# The same as in `js/core/still/redact.ts`; `tests/data/redact.json` holds both to it.
_BODY: Final = r"(?:\\[ ]|[^\s'\"`])*"
_WORD: Final = r"[\w.()&+-]+"
# A name with spaces is known only by the slash behind it. "rows/s" and "and/or" are words.
_ON: Final = rf"(?:(?<![.,:;!?)\]}}>])[ ](?:{_WORD}[ ]){{0,3}}{_WORD}[/\\](?!(?:s|h|or)\b){_BODY})*"
_REST: Final = rf"{_BODY}{_ON}[^\s'\"`.,:;!?)\]}}>]"
# A slash between words ("rows/s", "train/loss") or behind a scheme ("https://") begins no path.
_PATHS: Final = (
    *(
        rf"(?<={q})(?:file://|(?:~[\w.-]*|[A-Za-z]:)?[/\\](?![-/{q}]))[^{q}\n]*(?={q})"
        for q in "\"'`"  # in quotes, to their end
    ),
    rf"file://{_REST}",
    # Of ours, which are known by their end.
    r"(?<![\w/.~])/(?![-\s/])[^'\"\n:;]{0,4096}\.pulse(?:\.parquet)?(?![\w.])[^\s'\":;,]*",
    rf"(?<![\w/.~])(?:~[\w.-]*)?/(?![-\s/]){_REST}",
    rf"(?<![\w:/.~])//(?=[\w.-]+/){_REST}",
    rf"(?<!\w)(?:[A-Za-z]:[/\\]|~[\w.-]*\\){_REST}",
    rf"(?<![\w\\])\\{{2,4}}(?=[\w.$-]+\\){_REST}",
)
_PATH: Final = re.compile("|".join(_PATHS))
_GLOB: Final = re.compile(r"[*?\]]")
_WHOLE: Final = re.compile(r"(?:~[\w.-]*|[A-Za-z]:)?[/\\](?!/).+")
_LOST: Final = '{"message": "Left out of this copy: it is nested too deep"}'
_DIGITS: Final = 20
_NAMELESS: Final = frozenset({"", "root", "user", "localhost", "host", "kernel"})
_NUMBERED: Final = re.compile(r"h\d+", re.ASCII)


def _numbered(hosts: Iterable[str]) -> dict[str, str]:
    names = sorted(set(hosts))
    taken = {name for name in names if _NUMBERED.fullmatch(name)}
    free = (f"h{number}" for number in count() if f"h{number}" not in taken)
    return {name: name if name in taken else next(free) for name in names}


class Redaction:
    """What one copy of a recording leaves out.

    Parameters
    ----------
    catalog : Catalog
        Of the recording; says which hosts there are, how they are called, and what the series
        are.
    include : collection of str
        Any of ``"output"``, ``"code"``, ``"argv"``.
    names : collection of str
        Names of machines besides those in the catalog.

    Raises
    ------
    ArgumentError
        If `include` names something else.
    """

    def __init__(
        self, catalog: Catalog, include: Collection[str] = (), *, names: Collection[str] = ()
    ) -> None:
        unknown = sorted(set(include) - set(INCLUDES))
        if unknown:
            raise ArgumentError(
                f"include={unknown[0]!r} is not something that is left out",
                remedy=f"Use any of {', '.join(map(repr, INCLUDES))}.",
            )
        self._described = catalog
        self._output = "output" in include
        self._gone = _NEVER.union(*(keys for name, keys in _KEYS.items() if name not in include))
        keyed = {key.host for key in catalog.infos}
        self._hosts = _numbered({*keyed, *catalog.entities, *catalog.hosts})
        known = {str(about.get("name") or "") for about in catalog.hosts.values()}
        ids = {host for host, number in self._hosts.items() if host != number}
        secret = _users().union(*map(_spellings, {*names, *known, *ids}))
        # Digits alone name nothing, and are in most texts.
        hidden = sorted(
            (name for name in secret - _NAMELESS if not name.isdigit()), key=len, reverse=True
        )
        joined = "|".join(map(re.escape, hidden))
        # Beside letters it is another word; figures and "_" are often put to a name.
        letter = r"[^\W\d_]"
        found = rf"(?<!{letter})(?:{joined})(?!{letter})"
        self._names = re.compile(found) if hidden else None
        self._entities: dict[tuple[str, str], str] = {}
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._ids: dict[str, str] = {}

    def keeps(self, key: SeriesKey) -> bool:
        """Return whether a series goes along at all."""
        return self._output or not self._kind(key).private

    def keys(self, keys: Sequence[SeriesKey]) -> dict[SeriesKey, SeriesKey]:
        """Return old key to new for what goes along, in order of the new keys."""
        return dict(sorted(((k, self._key(k)) for k in keys if self.keeps(k)), key=lambda p: p[1]))

    def columns(self, key: SeriesKey, columns: Columns) -> Columns:
        """Return the rows without what is left out of their texts."""
        if columns.text is None or not self._kind(key).facts:
            return columns
        texts = [self._json_text(text) for text in columns.text.texts()]
        return replace(columns, text=Packed.of_texts(texts))

    def run(self, run: RunInfo) -> RunInfo:
        """Return the facts of the run for a copy; the title is kept, since a user chose it."""
        about = self.value(run.about)
        if "title" in run.about:
            about["title"] = run.about["title"]
        return replace(run, about=about)

    def catalog(self, catalog: Catalog, keys: Mapping[SeriesKey, SeriesKey]) -> Catalog:
        """Return the catalog of the series `keys` (old to new), as it goes along."""
        made = Catalog()
        made.add(self._info(info, keys[k]) for k, info in catalog.infos.items() if k in keys)
        there = {(key.host, key.entity) for key in keys}
        for host, named in catalog.entities.items():
            kept = {e: x for e, x in named.items() if (host, e) in there or is_user(e)}
            told = {self.entity(host, e): self.labels(x) for e, x in kept.items()}
            made.entities[self.host(host)] = told
        for host, about in catalog.hosts.items():
            made.hosts[self.host(host)] = {
                k: v for k, v in self.value(about).items() if k != "name"
            }
        return made

    def host(self, host: str) -> str:
        """Return what to call a host of the catalog.

        A reader may use the names of machines as ids. These become ``h0``, ``h1``, ..., so that
        two different ones do not become one; ids that are such numbers already stay.
        """
        return self._hosts[host]

    def entity(self, host: str, entity: str) -> str:
        """Return the id; one with a path or a name in it is numbered, as ``fs:mount-1``."""
        if (host, entity) not in self._entities:
            sort, _, name = entity.partition(":")
            numbered = entity
            if self.text(name) != name and entity != "fs:/":
                self._numbers[host, sort] += 1
                word = "mount" if sort == "fs" else "name"
                numbered = f"{sort}:{word}-{self._numbers[host, sort]}"
            self._entities[host, entity] = numbered
        return self._entities[host, entity]

    def labels(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """Return labels for a copy; one that is a path is replaced whole, with its spaces."""
        whole = {k: "<path>" if _WHOLE.fullmatch(str(v)) else v for k, v in labels.items()}
        kept: dict[str, Any] = self.value(whole)
        return kept | {k: self.said(labels[k]) for k in JSON_LABELS if k in labels}

    def said(self, label: str) -> str:
        """Return JSON of the user's own for a copy.

        The names in it are the user's, and none of ours: none is left out, texts are cleaned.
        """
        content = facts_of(label)
        return _LOST if content is None else json.dumps(self._cleaned(content))

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, dict):
            made: dict[str, Any] = {}
            for key, inner in value.items():
                name = self._named(key)
                # Several may have become the same.
                made[f"{name} {len(made)}" if name in made else name] = self._cleaned(inner)
            return made
        if isinstance(value, list):
            return [self._cleaned(item) for item in value]
        if isinstance(value, str):
            return "<path>" if _WHOLE.fullmatch(value) else self.text(value)
        return value

    def _named(self, name: str) -> str:
        """Return a name or a pattern of names: in ``*/loss`` the slash begins no path."""
        plain = _GLOB.sub("_", name)
        return name if self.text(plain) == plain else self.text(name)

    def value(self, value: Any) -> Any:
        """Return a JSON value for a copy: private keys left out, texts cleaned."""
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def identity(self, name: str) -> str:
        """Return the id of an event; one with a path or a name in it is numbered.

        Cleaned as other texts are, two ids could become one, and rows of two spans would be
        taken for those of one.
        """
        if self.text(name) == name:
            return name
        return self._ids.setdefault(name, f"<id {len(self._ids) + 1}>")

    def text(self, text: str) -> str:
        """Return a text with its absolute paths, and names of users and hosts, blotted out."""
        clean = _PATH.sub("<path>", text)
        return clean if self._names is None else self._names.sub("<name>", clean)

    def _kind(self, key: SeriesKey) -> Kind:
        return kind_of(key.metric, self._described.describe(key).kind)

    def _info(self, info: SeriesInfo, key: SeriesKey) -> SeriesInfo:
        return replace(info, host=key.host, entity=key.entity, labels=self.labels(info.labels))

    def _key(self, key: SeriesKey) -> SeriesKey:
        return key._replace(host=self.host(key.host), entity=self.entity(key.host, key.entity))

    def _json_text(self, text: str) -> str:
        twice: list[str] = []
        try:
            content = json.loads(text, parse_int=_int, object_pairs_hook=_noting(twice))
            kept = self.value(content)
            if kept == content and not twice:
                return text  # letter by letter: there is nothing in it to be left out
            clean = json.dumps(kept, ensure_ascii=False)
        except RecursionError:
            return _LOST
        except ValueError:
            return self.text(text)
        # Half a surrogate pair, which JSON can spell, has no UTF-8.
        return clean.encode("utf-8", "replace").decode()

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, inner in value.items():
            if key not in self._gone:
                name = self.text(key)
                # Several may have become the same.
                is_id = key == "id" and isinstance(inner, str)
                kept = self.identity(inner) if is_id else self.value(inner)
                made[f"{name} {len(made)}" if name in made else name] = kept
        return made


def _noting(twice: list[str]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Return what makes objects of pairs, and notes names that an object has twice.

    Of these the parser keeps the last value, while the text has the others, too.
    """

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            twice.extend(name for name, _ in pairs)
        return content

    return made


def _int(text: str) -> int | float:
    # Python refuses thousands of digits with an error of its own.
    return int(text) if len(text) <= _DIGITS else float(text)


def _spellings(name: str) -> set[str]:
    """Return how a machine is called: its name, without its domain, and as folders have it."""
    plain = {name, name.partition(".")[0]}
    return plain | {re.sub(r"[^A-Za-z0-9_.]", "_", each) for each in plain}


def _users() -> set[str]:
    """Return how the user of this process is called; a container's may have no name."""
    found = set[str]()
    for ask in (getpass.getuser, lambda: pwd.getpwuid(os.getuid()).pw_name):
        with contextlib.suppress(OSError, KeyError, ImportError):
            found.add(ask())
    return found
