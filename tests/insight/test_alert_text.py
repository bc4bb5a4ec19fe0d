"""The grammar of alerts: what is a condition, and what is said of what is none."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pulse_widgets.errors import ArgumentError
from pulse_widgets.insight.alerts.parser import parse
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

POWER = Reading("gpu.power")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("gpu.power > 300", Condition(Comparison(">", POWER, Number(300.0)))),
        ("gpu.power>300W", Condition(Comparison(">", POWER, Number(300.0, "W")))),
        (
            '"train/loss" > 5 for 2 min',
            Condition(
                Comparison(">", Reading("train/loss"), Number(5.0)), lasting=Number(2.0, "min")
            ),
        ),
        (
            "'it''' > 1".replace("''", "\\'", 1),
            Condition(Comparison(">", Reading("it'"), Number(1.0))),
        ),
        (
            "gpu.memory.used >= 0.95 * gpu.memory.total for 30s on gpu:0/mig:1",
            Condition(
                Comparison(
                    ">=",
                    Reading("gpu.memory.used"),
                    Arithmetic("*", Number(0.95), Reading("gpu.memory.total")),
                ),
                "gpu:0/mig:1",
                Number(30.0, "s"),
            ),
        ),
        (
            'gpu.fan > 95 % on "fs:/a b"',
            Condition(Comparison(">", Reading("gpu.fan"), Number(95.0, "%")), "fs:/a b"),
        ),
        (
            "not gpu.power < 1 and gpu.power != 2 or gpu.power == 3",
            Condition(
                Both(
                    "or",
                    Both(
                        "and",
                        Not(Comparison("<", POWER, Number(1.0))),
                        Comparison("!=", POWER, Number(2.0)),
                    ),
                    Comparison("==", POWER, Number(3.0)),
                )
            ),
        ),
        (
            "1 - 2 - gpu.power * -3 / abs(gpu.power) <= 1e3",
            Condition(
                Comparison(
                    "<=",
                    Arithmetic(
                        "-",
                        Arithmetic("-", Number(1.0), Number(2.0)),
                        Arithmetic(
                            "/",
                            Arithmetic("*", POWER, Negated(Number(3.0))),
                            Magnitude(POWER),
                        ),
                    ),
                    Number(1000.0),
                )
            ),
        ),
        (
            "missing(gpu.power, 10s) or mean(net.sent, 1 h) > 10 MB/s",
            Condition(
                Both(
                    "or",
                    Missing("gpu.power", Number(10.0, "s")),
                    Comparison(
                        ">", Window("mean", "net.sent", Number(1.0, "h")), Number(10.0, "MB/s")
                    ),
                )
            ),
        ),
    ],
)
def test_a_condition_is_read_as_it_is_meant(text, condition):
    assert parse(text) == condition


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("95%", 0.95), ("80 GiB", 80 * 2**30), ("10 MB/s", 1e7), ("300 W", 300.0), ("1.5 kW", 1500.0),
        ("85 degC", 85.0), ("85 °C", 85.0), ("2 s", 2.0), ("3 ms", 0.003), ("2 h", 7200.0),
        ("1e3", 1000.0), (".5", 0.5), ("1.98 GHz", 1.98e9), ("12 cores", 12.0), ("5 /s", 5.0),
    ],
)  # fmt: skip
def test_a_number_is_in_the_base_unit(written, value):
    assert parse(f'"x" > {written}').test.right.value == value


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("", 0, "empty"),
        ("gpu.power", 0, "no comparison"),
        ("gpu.power >", 11, "missing at the end"),
        ("> 3", 0, "A value is missing"),
        ("gpu.power = 3", 10, "'=='"),
        ("gpu.power > 3 && gpu.power < 5", 14, "'and'"),
        ("train/loss > 5", 0, "quotes"),
        ('"x" > 300 parrots', 10, "no unit"),
        ('"x" > 5 for 30', 12, "`30s`"),
        ('"x" > 5 for 0s', 12, "0 or more than a year"),
        ('"x" > 5 for 5m', 13, "Is it 'min'"),
        ('"x" > 5 for 2 W', 12, "unit of time"),
        ('"x" > 5 for', 11, "a time is missing"),
        ('"x" > 5 for 1s for 2s', 15, "twice"),
        ('"x" > 5 on', 10, "entity"),
        ('1 < "x" < 3', 8, "... and ..."),
        ('("x" > 5', 8, "')' is missing"),
        ('"x" > 5)', 7, "out of place"),
        ('"x', 0, "not closed"),
        ("gpu.power[0] > 3", 9, "means nothing"),
        ("abs(gpu.power > 3) > 1", 4, "no number"),
        ('"x" > 5 and 3', 12, "no comparison"),
        ("mean(gpu.power) > 3", 14, "60s"),
        ("mean(3, 60s) > 3", 5, "name of a metric"),
        ('"" > 3', 0, "empty"),
        ("gpu.memory.used > 95%", 16, "95% * gpu.memory.total"),
        ("gpu.power > 3 GiB", 10, "The left side is in W, the right in B"),
        ("cpu.user.total > 3", 0, "Write cpu.user"),
        ("gpu.power > 1e999", 12, "too large"),
        ("-" * 20 + "1 > 2", 13, "in one another"),
        ("gpu.power on gpu:0 > 3", 0, "no comparison"),
        ("gpu.power\n> 3 @", 14, "means nothing"),
    ],
)
def test_what_is_no_condition_is_said_with_its_place_and_a_remedy(text, at, says):
    with pytest.raises(ArgumentError) as raised:
        parse(text)

    problem, remedy = raised.value.problem, raised.value.remedy
    assert says in f"{problem} {remedy}"
    assert remedy
    _, line, caret = problem.split("\n")
    assert caret == " " * (4 + at) + "^"
    assert line[4:] == text.replace("\n", " ")


@pytest.mark.parametrize("odd", [None, 3, b"gpu.power > 3", ["gpu.power > 3"]])
def test_what_is_no_text_is_no_condition(odd):
    with pytest.raises(ArgumentError, match="no condition"):
        parse(odd)


def test_a_condition_has_a_greatest_length():
    with pytest.raises(ArgumentError, match="too long"):
        parse('"x" > 5' + " " * 2000)
    with pytest.raises(ArgumentError, match="too long"):
        parse(" and ".join(['"x">5'] * 90))


# Trees ------------------------------------------------------------------------------------

TIMES = [name for name, (_, unit) in UNITS.items() if unit == "s"]
lengths = st.builds(Number, st.integers(1, 50).map(float), st.sampled_from(TIMES))
# Names that the catalog does not have: units are not compared.
names = st.one_of(
    st.sampled_from(["a.b", "layer.0.norm", "loss", "train/loss", 'a"b', "a\\b", "two words"]),
    st.text(min_size=1, max_size=5),
)
numbers = st.builds(Number, st.floats(0, 1e300), st.just(""))
leaves = st.one_of(
    numbers,
    st.builds(Reading, names),
    st.builds(Window, st.sampled_from(["mean", "max", "min"]), names, lengths),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Negated, inner),
        st.builds(Magnitude, inner),
        st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),
    ),
    max_leaves=5,
)
compared = st.builds(
    Comparison, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), values, values
)
conditions = st.builds(
    Condition,
    st.recursive(
        st.one_of(compared, st.builds(Missing, names, lengths)),
        lambda inner: st.one_of(
            st.builds(Not, inner), st.builds(Both, st.sampled_from(["and", "or"]), inner, inner)
        ),
        max_leaves=3,
    ),
    st.none() | st.text(max_size=8) | st.sampled_from(["gpu:0", "cpu:*", "fs:/data"]),
    st.none() | lengths,
)


@given(conditions)
def test_a_condition_is_written_as_a_text_that_is_read_as_the_same(condition):
    text = str(condition)

    read = parsed(text)

    # Only its bounds may keep it from being read.
    if isinstance(read, ArgumentError):
        assert any(word in str(read) for word in ("too long", "in one another"))
    else:
        assert read == condition
        assert str(read) == text


def parsed(text):
    try:
        return parse(text)
    except ArgumentError as error:
        return error


@settings(max_examples=300)
@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                [
                    "gpu.power",
                    "gpu.memory.used",
                    ">",
                    ">=",
                    "<",
                    "==",
                    "!=",
                    "=",
                    "+",
                    "-",
                    "*",
                    "/",
                    "(",
                    ")",
                    ",",
                    "and",
                    "or",
                    "not",
                    "for",
                    "on",
                    "abs",
                    "mean",
                    "missing",
                    "30s",
                    "5",
                    "95%",
                    "3GiB",
                    "10MB/s",
                    "1e9",
                    ".5",
                    "gpu:0",
                    '"x"',
                    "'y'",
                    '"',
                    "'",
                    "\\",
                    "µ",
                    "°",
                    "%",
                    "&",
                    "|",
                    "!",
                    "x",
                    "\n",
                    "30",
                ]
            ),
            max_size=12,
        ).map(" ".join),
        conditions.map(str),
    )
)
@example("(" * 900)
@example("not " * 240)
@example("-" * 990)
@example("1" * 999)
@example('"\ud800" > 1')
def test_any_text_is_a_condition_or_is_refused(text):
    condition = parsed(text)
    if not isinstance(condition, ArgumentError):
        assert parse(str(condition)) == condition
