"""What a condition of an alert consists of, and how it is written.

``str()`` of a tree is a text that is read as the same tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "UNITS",
    "Arithmetic",
    "Both",
    "Comparison",
    "Condition",
    "Magnitude",
    "Missing",
    "Negated",
    "Not",
    "Number",
    "Numeric",
    "Reading",
    "Test",
    "Window",
    "comparisons",
    "readings",
]

_BYTES: Final = {
    **{name: 1024.0**k for k, name in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB"))},
    **{name: 1000.0**k for k, name in enumerate(("kB", "MB", "GB", "TB", "PB"), 1)},
}
_OTHERS: Final = {
    "%": (0.01, "1"),
    "mW": (1e-3, "W"), "W": (1.0, "W"), "kW": (1e3, "W"), "MW": (1e6, "W"),
    "J": (1.0, "J"), "kJ": (1e3, "J"), "MJ": (1e6, "J"), "Wh": (3600.0, "J"), "kWh": (3.6e6, "J"),
    "Hz": (1.0, "Hz"), "kHz": (1e3, "Hz"), "MHz": (1e6, "Hz"), "GHz": (1e9, "Hz"),
    "ns": (1e-9, "s"), "us": (1e-6, "s"), "µs": (1e-6, "s"), "ms": (1e-3, "s"), "s": (1.0, "s"),
    "min": (60.0, "s"), "h": (3600.0, "s"), "d": (86_400.0, "s"),
    "degC": (1.0, "degC"), "°C": (1.0, "degC"),
    "core": (1.0, "cores"), "cores": (1.0, "cores"), "/s": (1.0, "count/s"),
}  # fmt: skip
UNITS: Final[dict[str, tuple[float, str]]] = {
    **_OTHERS,
    **{name: (size, "B") for name, size in _BYTES.items()},
    **{f"{name}/s": (size, "B/s") for name, size in _BYTES.items()},
}
"""What may stand after a number: its size in the base unit, and that unit of the catalog."""

_EXACT: Final = 2.0**53

DOTTED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+")
"""A name that needs no quotes."""
ENTITY: Final = re.compile(r"""[^\s"'()]+""")
"""An entity that needs none."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, with what stands after it.

    Attributes
    ----------
    written : float
    suffix : str
        A key of `UNITS`, or empty.
    """

    written: float
    suffix: str = ""

    @property
    def value(self) -> float:
        """The number in the base unit."""
        size = UNITS[self.suffix][0] if self.suffix else 1.0
        # A division gives what people expect: 95 / 100 is 0.95, 95 * 0.01 is a bit more.
        return self.written / round(1 / size) if size < 1 else self.written * size

    def __str__(self) -> str:
        whole = self.written.is_integer() and self.written < _EXACT
        number = str(int(self.written)) if whole else repr(self.written)
        if self.suffix and self.suffix[0].isalpha():
            return f"{number} {self.suffix}"
        return number + self.suffix


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of a metric."""

    metric: str

    def __str__(self) -> str:
        return named(self.metric)


@dataclass(frozen=True, slots=True)
class Window:
    """The mean, the greatest or the least of the values of the last so many seconds."""

    function: Literal["mean", "max", "min"]
    metric: str
    length: Number

    def __str__(self) -> str:
        return f"{self.function}({named(self.metric)}, {self.length})"


@dataclass(frozen=True, slots=True)
class Negated:
    """A number with the other sign."""

    of: Numeric

    def __str__(self) -> str:
        return f"-{_inside(self.of, 3)}"


@dataclass(frozen=True, slots=True)
class Magnitude:
    """A number without its sign."""

    of: Numeric

    def __str__(self) -> str:
        return f"abs({self.of})"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers put together."""

    operator: Literal["+", "-", "*", "/"]
    left: Numeric
    right: Numeric

    def __str__(self) -> str:
        level = 2 if self.operator in "*/" else 1
        return f"{_inside(self.left, level)} {self.operator} {_inside(self.right, level + 1)}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two numbers compared."""

    operator: Literal[">", ">=", "<", "<=", "==", "!="]
    left: Numeric
    right: Numeric

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether a metric that had readings has had none for so long."""

    metric: str
    length: Number

    def __str__(self) -> str:
        return f"missing({named(self.metric)}, {self.length})"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: Test

    def __str__(self) -> str:
        return f"not {_inside(self.of, -1)}"


@dataclass(frozen=True, slots=True)
class Both:
    """Two tests put together."""

    operator: Literal["and", "or"]
    left: Test
    right: Test

    def __str__(self) -> str:
        level = -2 if self.operator == "and" else -3
        return f"{_inside(self.left, level)} {self.operator} {_inside(self.right, level + 1)}"


Numeric: TypeAlias = Number | Reading | Window | Negated | Magnitude | Arithmetic
Test: TypeAlias = Comparison | Missing | Not | Both


@dataclass(frozen=True, slots=True)
class Condition:
    """When an alert fires.

    Attributes
    ----------
    test : Test
    entity : str or None
        A pattern of the entities that it is about; None is all.
    lasting : Number or None
        For how long it must be true.
    """

    test: Test
    entity: str | None = None
    lasting: Number | None = None

    @property
    def lasting_us(self) -> int:
        """For how long it must be true, microseconds."""
        return 0 if self.lasting is None else round(self.lasting.value * 1e6)

    def __str__(self) -> str:
        on = f" on {_entity(self.entity)}" if self.entity is not None else ""
        lasting = f" for {self.lasting}" if self.lasting is not None else ""
        return f"{self.test}{on}{lasting}"


def named(metric: str) -> str:
    """Return the name of a metric as it is written in a condition."""
    return metric if DOTTED.fullmatch(metric) else _quoted(metric)


def readings(tree: Test | Numeric) -> Iterator[Reading | Window | Missing]:
    """Yield what a tree reads, from left to right."""
    if isinstance(tree, Reading | Window | Missing):
        yield tree
    elif isinstance(tree, Negated | Magnitude | Not):
        yield from readings(tree.of)
    elif isinstance(tree, Arithmetic | Comparison | Both):
        yield from readings(tree.left)
        yield from readings(tree.right)


def comparisons(tree: Test) -> Iterator[Comparison]:
    """Yield the comparisons of a test, from left to right."""
    if isinstance(tree, Comparison):
        yield tree
    elif isinstance(tree, Not):
        yield from comparisons(tree.of)
    elif isinstance(tree, Both):
        yield from comparisons(tree.left)
        yield from comparisons(tree.right)


def _level(tree: Test | Numeric) -> int:
    """Return how tightly a tree holds together; what is one piece has the greatest number."""
    if isinstance(tree, Both):
        return -2 if tree.operator == "and" else -3
    if isinstance(tree, Not):
        return -1
    if isinstance(tree, Comparison):
        return 0
    if isinstance(tree, Arithmetic):
        return 2 if tree.operator in "*/" else 1
    return 3 if isinstance(tree, Negated) else 4


def _inside(tree: Test | Numeric, least: int) -> str:
    return str(tree) if _level(tree) >= least else f"({tree})"


def _entity(pattern: str) -> str:
    return pattern if ENTITY.fullmatch(pattern) else _quoted(pattern)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
