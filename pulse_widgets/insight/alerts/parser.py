"""Reads the text of an alert. Nothing in it is evaluated as Python.

::

    condition:  test [on ENTITY] [for DURATION]
    test:       test or test | test and test | not test | (test) | comparison
                | missing(METRIC, DURATION)
    comparison: number (> >= < <= == !=) number
    number:     number (+ - * /) number | -number | (number) | abs(number) | METRIC
                | 1.5 | 1e3 | 80 GiB | (mean max min)(METRIC, DURATION)
    METRIC:     gpu.power, or quoted: "train/loss"
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NoReturn, TypeGuard, cast

from pulse_widgets.errors import ArgumentError
from pulse_widgets.insight.alerts.lexer import EXAMPLE, KEYWORDS, Part, fail, parts_of
from pulse_widgets.insight.alerts.tree import (
    UNITS,
    Arithmetic,
    Both,
    Comparison,
    Condition,
    Magnitude,
    Missing,
    Negated,
    Not,
    Number,
    Reading,
    Window,
)
from pulse_widgets.insight.alerts.unit_check import unit_problem
from pulse_widgets.metrics.catalog import CATALOG, lookup

if TYPE_CHECKING:
    from typing import Any

    from pulse_widgets.insight.alerts.tree import Numeric, Test

__all__ = ["parse"]

LETTERS_MOST: Final = 1000
DEPTH_MOST: Final = 12
"""Brackets and signs inside one another."""
LASTING_MOST_S: Final = 366 * 86_400.0
FUNCTIONS: Final = ("mean", "max", "min", "abs", "missing")
COMPARING: Final = (">", ">=", "<", "<=", "==", "!=")
LIKE_C: Final = {"&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "=": "=="}


def parse(text: str) -> Condition:
    """Return the condition that a text is.

    Raises
    ------
    ArgumentError
        It is none; the message has a caret under the place.
    """
    if not isinstance(text, str):
        raise ArgumentError(
            f"{str(type(text).__name__)!r} is no condition of an alert",
            remedy=f"Pass a text, such as {EXAMPLE}.",
        )
    if len(text) > LETTERS_MOST:
        raise ArgumentError(
            f"A condition of {len(text)} letters is too long: it may have {LETTERS_MOST}",
            remedy="Set several alerts.",
        )
    return _Parser(text).condition()


class _Parser:
    """Reads one text from left to right; each method reads one sort of thing."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts = parts_of(text)
        self._place = 0
        self._depth = 0

    # Steps ------------------------------------------------------------------------------

    @property
    def _next(self) -> Part:
        return self._parts[self._place]

    def _step(self) -> Part:
        part = self._next
        self._place += part.sort != "end"
        return part

    def _is(self, *texts: str) -> bool:
        return self._next.sort in {"word", "sign"} and self._next.text in texts

    def _took(self, *texts: str) -> bool:
        found = self._is(*texts)
        self._place += found
        return found

    def _fail(self, problem: str, remedy: str, at: int | None = None) -> NoReturn:
        fail(self._text, self._next.at if at is None else at, problem, remedy)

    def _require(self, sign: str) -> None:
        if not self._took(sign):
            self._fail(f"Here {sign!r} is missing", "Close every bracket, divide by commas.")

    # What there is ----------------------------------------------------------------------

    def condition(self) -> Condition:
        """Return the whole."""
        if self._next.sort == "end":
            self._fail("The condition is empty", f"Write it as {EXAMPLE}.")
        test = self._test(self._either(), 0)
        entity: str | None = None
        lasting: Number | None = None
        while self._is("on", "for"):
            at, word = self._next.at, self._step().text
            if (entity if word == "on" else lasting) is not None:
                self._fail(f"{word!r} is there twice", "Leave one of them out.", at)
            if word == "on":
                entity = self._entity()
            else:
                lasting = self._duration()
        if self._next.sort != "end":
            self._unexpected()
        return Condition(test, entity, lasting)

    def _unexpected(self) -> NoReturn:
        part = self._next
        if part.text in LIKE_C:
            self._fail(f"{part.text!r} is written differently", f"Write {LIKE_C[part.text]!r}.")
        if part.sort in {"word", "name", "number", "quoted"}:
            self._fail(
                f"{part.text!r} does not go on from what stands before it",
                "Put a comparison, a sign such as *, `and` or `or` between them. `on gpu:0` and "
                "`for 30s` stand at the end. Names with blanks or slashes are quoted.",
            )
        self._fail(f"{part.text!r} is out of place", "Leave it out, or write what goes before it.")

    def _entity(self) -> str:
        part = self._step()
        if part.sort == "quoted":
            return self._unquoted(part)
        if part.sort != "entity":
            remedy = "Write such as `on gpu:0`, `on cpu:*`."
            self._fail("Here the name of an entity is missing", remedy, part.at)
        return part.text

    def _duration(self) -> Number:
        part = self._step()
        if part.sort != "number":
            self._fail("Here a time is missing", "Write such as `30s` or `2 min`.", part.at)
        number = self._number(part)
        if not part.suffix or UNITS[part.suffix][1] != "s":
            self._fail(
                "This is no time: it has no unit of time",
                f"Write such as `{part.text}s`, `{part.text} min` or `{part.text} h`.",
                part.at,
            )
        if not 0 < number.value <= LASTING_MOST_S:
            self._fail("This time is 0 or more than a year", "Write such as `30s`.", part.at)
        return number

    def _either(self) -> Test | Numeric:
        return self._chain("or", self._all)

    def _all(self) -> Test | Numeric:
        return self._chain("and", self._opposite)

    def _chain(self, word: str, one: Any) -> Test | Numeric:
        at = self._next.at
        left: Test | Numeric = one()
        while self._is(word):
            before = self._test(left, at)
            self._step()
            second = self._next.at
            left = Both(cast("Any", word), before, self._test(one(), second))
        return left

    def _opposite(self) -> Test | Numeric:
        if not self._took("not"):
            return self._compared()
        at = self._next.at
        with self._deeper():
            of = self._opposite()
        return Not(self._test(of, at))

    def _compared(self) -> Test | Numeric:
        at = self._next.at
        left = self._sum()
        if not self._is(*COMPARING):
            return left
        sign = self._step()
        second = self._next.at
        right = self._numeric(self._sum(), second)
        if self._is(*COMPARING):
            remedy = f"Write `... {sign.text} ... and ... {self._next.text} ...`."
            self._fail("Two comparisons stand in one row", remedy)
        made = Comparison(cast("Any", sign.text), self._numeric(left, at), right)
        if problem := unit_problem(made):
            self._fail(*problem, sign.at)
        return made

    def _sum(self) -> Test | Numeric:
        return self._arithmetic(("+", "-"), self._product)

    def _product(self) -> Test | Numeric:
        return self._arithmetic(("*", "/"), self._signed)

    def _arithmetic(self, signs: tuple[str, ...], one: Any) -> Test | Numeric:
        at = self._next.at
        left: Test | Numeric = one()
        while self._is(*signs):
            before, sign = self._numeric(left, at), self._step().text
            second = self._next.at
            left = Arithmetic(cast("Any", sign), before, self._numeric(one(), second))
        return left

    def _signed(self) -> Test | Numeric:
        if not self._took("-"):
            return self._single()
        at = self._next.at
        with self._deeper():
            of = self._signed()
        return Negated(self._numeric(of, at))

    def _single(self) -> Test | Numeric:
        part = self._next
        if part.sort == "number":
            return self._number(self._step())
        if part.sort in {"name", "quoted"}:
            return Reading(self._metric())
        if self._took("("):
            return self._bracket()
        if part.sort == "word" and part.text in FUNCTIONS:
            return self._function()
        if part.sort == "word" and part.text not in KEYWORDS:
            quoted = f"Put names without a dot into quotes: {part.text!r}, or `train/loss` whole."
            self._fail(f"{part.text!r} is no name with a dot in it", quoted)
        if part.sort == "end" or part.text in {*KEYWORDS, *COMPARING, ")", "*", "/", "+", ","}:
            before = self._place > 0
            where = "before this" if part.sort != "end" else "at the end"
            remedy = f"Write it as {EXAMPLE}."
            self._fail(f"A value is missing {where}" if before else "A value is missing", remedy)
        return self._unexpected()

    def _bracket(self) -> Test | Numeric:
        with self._deeper():
            inner = self._either()
            self._require(")")
        return inner

    def _function(self) -> Test | Numeric:
        name = self._step().text
        self._require("(")
        with self._deeper():
            if name == "abs":
                at = self._next.at
                inner = Magnitude(self._numeric(self._either(), at))
                self._require(")")
                return inner
            if self._next.sort not in {"name", "quoted"}:
                remedy = f"Write such as `{name}(gpu.power, 60s)`; names without a dot are quoted."
                self._fail("Here the name of a metric is missing", remedy)
            metric = self._metric()
            if self._is(")"):
                self._fail("Here a time is missing", f"Write `{name}({metric}, 60s)`.")
            self._require(",")
            length = self._duration()
            self._require(")")
        if name == "missing":
            return Missing(metric, length)
        return Window(cast("Any", name), metric, length)

    # Pieces -----------------------------------------------------------------------------

    def _deeper(self) -> _Parser:
        self._depth += 1
        if self._depth > DEPTH_MOST:
            remedy = "Take brackets away, or set several alerts."
            self._fail(f"More than {DEPTH_MOST} brackets or signs stand in one another", remedy)
        return self

    def __enter__(self) -> None:
        """Go into a bracket."""

    def __exit__(self, *raised: object) -> None:
        """Come out of a bracket."""
        self._depth -= 1

    def _number(self, part: Part) -> Number:
        number = Number(float(part.text), part.suffix)
        if math.isinf(number.value):
            self._fail("This number is too large", "Write a smaller one.", part.at)
        return number

    def _metric(self) -> str:
        part = self._step()
        name = self._unquoted(part) if part.sort == "quoted" else part.text
        if not name:
            self._fail("The name of a metric is empty", "Write the name in the quotes.", part.at)
        if name not in CATALOG and lookup(name) is not None:
            rate = name.removesuffix(".total")
            self._fail(
                f"{name} is a counter, which is compared as its rate", f"Write {rate}.", part.at
            )
        return name

    def _unquoted(self, part: Part) -> str:
        return re.sub(r"\\(.)", r"\1", part.text[1:-1], flags=re.DOTALL)

    def _test(self, tree: Test | Numeric, at: int) -> Test:
        if _is_test(tree):
            return tree
        if self._is("=", "!", "&", "|", "&&", "||") or self._next.sort not in {"end", "word"}:
            self._unexpected()
        return self._fail(
            "Here is a number, and no comparison",
            "Compare it with something, such as `gpu.power > 300 W`.",
            at,
        )

    def _numeric(self, tree: Test | Numeric, at: int) -> Numeric:
        if _is_test(tree):
            remedy = "Put tests together with `and` and `or`, and compare numbers."
            self._fail("Here is a test, and no number", remedy, at)
        return cast("Numeric", tree)


def _is_test(tree: Test | Numeric) -> TypeGuard[Test]:
    return isinstance(tree, Comparison | Missing | Not | Both)
