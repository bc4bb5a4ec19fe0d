"""JSON of others, of which no text is too much, and their errors, which become ours."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.errors import FormatVersionError, RecordingError, StorageError
from pulse_widgets.storage import untrusted
from pulse_widgets.storage.directory import MOST_US, RunInfo
from pulse_widgets.storage.untrusted import as_ours, parse_json


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        b"\xff\xfe\xff",
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" + b"[]," * 5_000_000 + b"1]",
        b"[" + b'"a",' * 5_000_000 + b"1]",
    ],
    ids=["empty", "words", "bytes", "utf-8", "deep", "deep-object", "lists", "texts"],
)
def test_what_is_no_json_or_too_much_of_it_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011  whatever the reason
        parse_json(text)


def test_what_nobody_can_use_is_left_out_of_json():
    deep = b"[" * 50 + b"]" * 50
    text = b'{"a": NaN, "b": 1e400, "c": -Infinity, "d": %d, "e": 1%s, "f": "\\ud800x", "g": %s}'
    got = parse_json(text % (1 << 63, b"0" * 5000, deep))
    assert [got[key] for key in "abcdef"] == [None] * 5 + ["?x"]
    assert json.dumps(got["g"]).count("[") == untrusted.MOST_DEPTH - 1
    assert len(parse_json(b'"' + b"x" * 100_000 + b'"')) == untrusted.MOST_TEXT


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@given(plain)
def test_ordinary_json_stays_what_it_is(content):
    assert parse_json(json.dumps(content).encode()) == content


@given(st.binary())
def test_any_bytes_are_json_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        parse_json(text)


FOREIGN = [
    MemoryError(), RecursionError("deep"), OSError(5, "I/O error"), KeyError("x"), TypeError("x"),
    ValueError("x"), OverflowError("x"), IndexError("x"), AttributeError("x"), AssertionError(),
    UnicodeDecodeError("utf-8", b"", 0, 1, "x"), StopIteration(),
]  # fmt: skip


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
def test_every_foreign_error_becomes_ours_with_a_remedy(tmp_path, error):
    with pytest.raises(RecordingError, match=r"x\.pulse") as caught, as_ours(tmp_path / "x.pulse"):
        raise error
    assert caught.value.__cause__ is error
    assert caught.value.remedy


@pytest.mark.parametrize("error", [StorageError("full"), FormatVersionError("newer")])
def test_our_errors_and_those_that_are_waited_for_stay_what_they_are(tmp_path, error):
    with pytest.raises(type(error)) as caught, as_ours(tmp_path):
        raise error
    assert caught.value is error
    with pytest.raises(FileNotFoundError), as_ours(tmp_path, FileNotFoundError):
        raise FileNotFoundError


GOOD = {"version": "1.0", "id": "a", "start": 5, "about": {"title": "t"}}
WRONG = [True, None, -1, 1.5, math.nan, math.inf, MOST_US + 1, 1 << 70, "5", [], {}]


def test_a_description_is_read_whole():
    run = RunInfo.decode(json.dumps(GOOD).encode(), "x")
    assert (run.id, run.start_us, run.version, run.about) == ("a", 5, "1.0", {"title": "t"})


@pytest.mark.parametrize(
    "changed",
    [
        *({"start": wrong} for wrong in WRONG),
        *({"id": wrong} for wrong in (5, None, [], {}, True)),
        *({"version": wrong} for wrong in (None, [], {}, "", "1", "a.b", "1." + "0" * 50, -1)),
    ],
    ids=str,
)
def test_a_description_with_a_wrong_field_is_refused(changed):
    with pytest.raises(RecordingError):
        RunInfo.decode(json.dumps({**GOOD, **changed}).encode(), "x")


@pytest.mark.parametrize("about", [5, None, [], "text", {"a": 1e400}])
def test_what_is_said_about_a_run_may_be_anything(about):
    run = RunInfo.decode(json.dumps({**GOOD, "about": about}).encode(), "x")
    assert run.about in ({}, {"a": None})
