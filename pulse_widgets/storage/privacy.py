"""What is kept locally but leaves the machine only when asked for.

Captured output, cell source, command lines and tracebacks are left out unless included by
name; names of users and hosts, and absolute paths, always.
"""

from __future__ import annotations

import getpass
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import ArgumentError
from pulse_widgets.series.columns import Packed
from pulse_widgets.storage.index import Catalog

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.series.log import SeriesInfo
    from pulse_widgets.storage.directory import RunInfo

__all__ = ["Redaction"]

INCLUDES: Final = ("output", "code", "argv")

_OUTPUT_METRICS: Final = frozenset({"log.stdout", "log.stderr"})
_JSON_METRICS: Final = frozenset({"event", "mark", "alert", "finding", "cell", "span"})
_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "output": frozenset({"output", "traceback"}),
    "code": frozenset({"code", "source", "line"}),
    "argv": frozenset({"argv", "command", "cmdline", "executable"}),
}
_NEVER: Final = frozenset({"user", "username", "hostname", "cwd", "home", "boot_id", "machine_id"})
_PATH: Final = re.compile(r"(?<![\w/.:~-])(?:~|[A-Za-z]:[\\/])?/(?:[^\s/'\",;)]+/)*[^\s/'\",;:)]+")
_NAMELESS: Final = frozenset({"", "root", "user", "localhost", "host", "kernel"})


class Redaction:
    """What one copy of a recording leaves out.

    Parameters
    ----------
    catalog : Catalog
        Of the recording; says which host names there are.
    include : collection of str
        Any of ``"output"``, ``"code"``, ``"argv"``.

    Raises
    ------
    ArgumentError
        If `include` names something else.
    """

    def __init__(self, catalog: Catalog, include: Collection[str] = ()) -> None:
        unknown = sorted(set(include) - set(INCLUDES))
        if unknown:
            raise ArgumentError(
                f"include={unknown[0]!r} is not something that is left out",
                remedy=f"Use any of {', '.join(map(repr, INCLUDES))}.",
            )
        self._output = "output" in include
        self._gone = _NEVER.union(*(keys for name, keys in _KEYS.items() if name not in include))
        names = {str(about.get("name", "")) for about in catalog.hosts.values()} | {_user()}
        hidden = sorted(names - _NAMELESS, key=len, reverse=True)
        joined = "|".join(map(re.escape, hidden))
        self._names = re.compile(rf"(?<!\w)(?:{joined})(?!\w)") if hidden else None
        self._entities: dict[tuple[str, str], str] = {}

    def keeps(self, key: SeriesKey) -> bool:
        """Return whether a series goes along at all."""
        return self._output or key.metric not in _OUTPUT_METRICS

    def keys(self, keys: Sequence[SeriesKey]) -> dict[SeriesKey, SeriesKey]:
        """Return old key to new for what goes along, in order of the new keys."""
        return dict(sorted(((k, self._key(k)) for k in keys if self.keeps(k)), key=lambda p: p[1]))

    def columns(self, key: SeriesKey, columns: Columns) -> Columns:
        """Return the rows without what is left out of their texts."""
        if columns.text is None or key.metric not in _JSON_METRICS:
            return columns
        texts = [self._json_text(text) for text in columns.text.texts()]
        return replace(columns, text=Packed.of_texts(texts))

    def run(self, run: RunInfo) -> RunInfo:
        """Return what is known of the run, as it goes along."""
        return replace(run, about=self.value(run.about))

    def catalog(self, catalog: Catalog, keys: Mapping[SeriesKey, SeriesKey]) -> Catalog:
        """Return the catalog of the series `keys` (old to new), as it goes along."""
        made = Catalog()
        made.add(self._info(catalog.infos[k], new) for k, new in keys.items() if k in catalog.infos)
        for host, named in catalog.entities.items():
            there = {k.entity for k in keys if k.host == host}
            labelled = {self.entity(host, e): self.value(x) for e, x in named.items() if e in there}
            made.entities[host] = labelled
        for host, about in catalog.hosts.items():
            made.hosts[host] = {k: v for k, v in self.value(about).items() if k != "name"}
        return made

    def entity(self, host: str, entity: str) -> str:
        """Return the id; mounts below the root are numbered, for their name is a path."""
        if not entity.startswith("fs:/") or entity == "fs:/":
            return entity
        count = sum(h == host for h, _ in self._entities)
        return self._entities.setdefault((host, entity), f"fs:mount-{count + 1}")

    def value(self, value: Any) -> Any:
        """Return a JSON value as it goes along: whole keys left out, texts cleaned."""
        if isinstance(value, dict):
            return {k: self.value(v) for k, v in value.items() if k not in self._gone}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Return a text with its absolute paths, and names of users and hosts, blotted out."""
        clean = _PATH.sub("<path>", text)
        return clean if self._names is None else self._names.sub("<name>", clean)

    def _info(self, info: SeriesInfo, key: SeriesKey) -> SeriesInfo:
        return replace(info, entity=key.entity, labels=self.value(dict(info.labels)))

    def _key(self, key: SeriesKey) -> SeriesKey:
        return key._replace(entity=self.entity(key.host, key.entity))

    def _json_text(self, text: str) -> str:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            return self.text(text)
        return json.dumps(self.value(content), ensure_ascii=False)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""  # a container's user id without a name
