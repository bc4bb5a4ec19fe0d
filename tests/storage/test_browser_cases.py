"""A kernel still answers what the page's tests expect of it; see `tests.storage.browser_cases`."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from pulse_widgets.library.recording import Recording
from pulse_widgets.series.packing import unpacked
from pulse_widgets.series.wire import decode
from tests.storage.browser_cases import (
    DATA,
    MANY_SERIES,
    QUESTIONS,
    RANGES,
    answers,
    path_of,
    questions,
    unpack,
)
from tests.storage.browser_types import OTHERS, TYPES, answer, is_older, stored

NEAR = 1e-9
"""Sums of the same values may differ in their last digits on another machine."""


def test_the_questions_in_the_file_are_those_that_are_answered():
    assert json.loads(QUESTIONS.read_text()) == questions()


@pytest.mark.parametrize("case", RANGES)
def test_a_kernel_answers_as_the_page_is_held_to(case):
    kept = unpack((DATA / f"{case}.answers").read_bytes())
    made = answers(case)
    assert len(made) == len(kept)
    for ours, theirs in zip(made, kept, strict=True):
        assert told(ours) == told(theirs)
        for own, their in zip(numbers(ours), numbers(theirs), strict=True):
            np.testing.assert_allclose(own, their, rtol=NEAR, atol=0)
        for own, their in zip(codes(ours), codes(theirs), strict=True):
            assert int(np.abs(own.astype(int) - their.astype(int)).max(initial=0)) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("source", [TYPES, OTHERS], ids=lambda path: path.stem)
def test_python_reads_in_files_of_all_types_what_the_page_is_held_to(source, tmp_path):
    if is_older(source):
        pytest.skip("an older pyarrow does not know all types, and rounds decimals otherwise")
    path, other = tmp_path / "it.parquet", []
    for about, truth, content in stored(source):
        path.write_bytes(content)
        if not about["refused"] and answer(path) != truth:
            other.append(about["name"])
    assert other == []


def test_python_opens_what_has_too_many_series_for_a_page():
    assert len(Recording.open(path_of("odd-many-series")).series) == MANY_SERIES


def told(packet: bytes) -> dict:
    """Return what a header says, without what depends on the machine."""
    header = dict(decode(packet).header)
    if "state" in header:
        state = dict(header["state"])
        state["versions"] = None
        state["recording"] = {**state["recording"], "path": None}
        header["state"] = state
    rounded = [None if x is None else float(f"{x:.9g}") for x in header.get("last", [])]
    return {**header, "last": rounded}


def numbers(packet: bytes) -> list[np.ndarray]:
    """Return the numbers of 8 bytes in a packet."""
    header, body = decode(packet).header, decode(packet).body
    if header["kind"] == "keyframe":
        many = header["buckets"] + 1 + len(header["stepped"]) * header["buckets"]
    else:
        sent = header.get("envelopes", {"ids": [], "buckets": -1, "stepped": []})
        cells = 3 * len(sent["ids"]) + len(sent["stepped"])
        many = header["n"] * (2 + header["steps"]) + sent["buckets"] + 1 + cells * sent["buckets"]
    return [np.array(struct.unpack_from(f"<{many}d", body))]


def codes(packet: bytes) -> list[np.ndarray]:
    """Return the codes of a keyframe, by their grain; none of another packet."""
    header, body = decode(packet).header, decode(packet).body
    if header["kind"] != "keyframe":
        return []
    cells = len(header["ids"]) * header["buckets"]
    skip = 8 * len(numbers(packet)[0])
    return unpacked(body[skip:], cells)
