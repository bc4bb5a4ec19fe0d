"""Pieces of printed text become lines, however the text was cut."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.collectors.capture import lines as module
from pulse_widgets.collectors.capture.hook import Break, Mark
from pulse_widgets.collectors.capture.lines import LINE_BYTES, UNFINISHED_S, Limit, LinesOf

TEXTS = st.text(st.sampled_from("ab \n\n\r\x1b[0mé€😀"), max_size=60)


def mark(time_s):
    made = Mark()
    made.time_s = time_s
    return made


def lines_of(*batches):
    """Give the lines of batches of pieces, and at the end what is left."""
    made, found = LinesOf(), []
    for at, pieces in enumerate(batches):
        found += made.take(pieces, float(at), at + 1.0).texts
    return found + made.unfinished().texts


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["a", " ", "b", "\n"], ["a b"]),
        (["one\ntwo", "\nthree"], ["one", "two", "three"]),
        (["text\n", "\n", "\n", "more\n"], ["text", "", "", "more"]),
        (["\n"], [""]),
        (["windows\r\n", "lines\r\n"], ["windows", "lines"]),
        (["\r 10%", "\r 20%", "\r100%", "\n"], ["100%"]),
        (["10%\r", "20%\r", "100%\r\n"], ["100%"]),
        (["10%\r20%"], ["20%"]),
        (["\x1b[31mred\x1b[0m\n"], ["\x1b[31mred\x1b[0m"]),
        (["", "\n", ""], [""]),
        ([], []),
        (["tab\there \n"], ["tab\there "]),
    ],
)
def test_pieces_are_joined_to_lines(pieces, lines):
    assert lines_of(pieces) == lines
    assert lines_of(*([piece] for piece in pieces)) == lines


@given(TEXTS, st.lists(st.integers(0, 60), max_size=12), st.integers(1, 5))
def test_however_a_text_is_cut_the_lines_are_the_same(text, cuts, together):
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    batches = [pieces[at : at + together] for at in range(0, len(pieces), together)]

    assert lines_of(*batches) == lines_of([text])


@given(TEXTS.filter(lambda text: "\r" not in text))
def test_no_letter_is_lost_or_added_without_a_carriage_return(text):
    given_out = lines_of([text])

    assert "\n".join(given_out) == text.removesuffix("\n")


@given(st.lists(st.tuples(st.text("ab ", max_size=5), st.booleans()), max_size=20))
def test_a_line_that_is_given_out_unfinished_goes_on_where_it_was(parts):
    made, found = LinesOf(), []
    for part, pause in parts:
        found += made.take([part], 0.0, 1.0).texts
        if pause:
            found += made.unfinished().texts
    found += made.unfinished().texts

    assert "".join(found) == "".join(part for part, _ in parts)


def test_a_prompt_appears_after_a_while_and_its_end_is_not_doubled():
    made = LinesOf()
    assert made.due_s is None
    assert made.take([mark(5.0), "Name? "], 5.0, 5.1).texts == []
    assert made.due_s == 5.0 + UNFINISHED_S

    first = made.unfinished()
    assert made.due_s is None
    second = made.take([mark(9.0), "Ada\n"], 5.1, 9.1)
    third = made.take(["\n"], 9.1, 9.2)

    assert (first.texts, first.times_s.tolist()) == (["Name? "], [5.0])
    assert (second.texts, second.times_s.tolist()) == (["Ada"], [9.0])
    assert third.texts == [""]


@pytest.mark.parametrize("form", ["\r{}", "{}\r"])
def test_of_a_progress_bar_the_state_of_each_interval_and_the_last_one_are_kept(form):
    made, found, now = LinesOf(), [], 0.0
    for percent in range(101):
        now = percent / 20
        found += made.take([mark(now), form.format(f"{percent}%")], now, now).texts
        if made.due_s is not None and now >= made.due_s:
            found += made.unfinished().texts
    found += made.take(["\n"], now, now).texts

    assert found == ["20%", "41%", "62%", "83%", "100%"]


def test_a_bar_that_ends_as_it_was_last_shown_is_not_told_again():
    made = LinesOf()
    made.take(["\r100%"], 0.0, 1.0)

    assert made.unfinished().texts == ["100%"]
    assert made.take(["\r100%", "\n"], 1.0, 2.0).texts == []
    made.take(["\r50%"], 2.0, 3.0)
    assert made.unfinished().texts == ["50%"]
    assert made.take(["\r    \r", "next\n"], 3.0, 4.0).texts == ["next"]


def test_the_time_of_a_line_is_that_of_its_first_piece():
    pieces = [mark(1.0), "a", mark(2.0), "b\nc", mark(3.0), "d\n", mark(4.0), "e\n"]

    lines = LinesOf().take(pieces, 0.0, 5.0)

    assert lines.texts == ["ab", "cd", "e"]
    assert np.allclose(lines.times_s, [1.0, 2.0, 4.0], atol=1e-4)
    assert lines.times_s[1] > 2.0 - 1e-9


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=8), st.integers(0, 3))
def test_lines_keep_their_order_and_never_pass_the_next_time_that_is_known(counts, ties):
    pieces, moment = [], 0
    for count in counts:
        pieces += [mark(moment * 1e-3), "x\n" * count]
        moment += 1 if ties else 0

    times = LinesOf().take(pieces, 0.0, moment * 1e-3).times_s

    assert len(times) == sum(counts)
    assert (np.diff(times) >= 0).all()
    begins = np.cumsum([0, *counts[:-1]])
    for place, count in enumerate(counts):
        of_piece = times[begins[place] : begins[place] + count]
        known = place * 1e-3 if ties else 0.0
        assert of_piece[0] == known
        assert of_piece[-1] <= max(known, known + 1e-3 if ties else known) + 1e-12


@pytest.mark.parametrize("letter", ["x", "é", "€", "😀"])
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_very_long_line_is_cut_and_says_so(letter, pieces):
    text = letter * 140_000
    size = len(text) // pieces + 1

    lines = lines_of(*([text[at : at + size]] for at in range(0, len(text), size)), ["\n", "b\n"])

    assert lines[1:] == ["b"]
    assert len(lines[0].encode()) <= LINE_BYTES
    kept, _, said = lines[0].rpartition(" [")
    assert set(kept) == {letter}
    assert said == f"{len(text) - len(kept)} more characters left out]"


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["a", None, "b\n"], ["a", "b"]),
        (["a\n", None, "b\n"], ["a", "b"]),
        ([None, None, "b\n"], ["b"]),
        (["\r1%", "\r2%", None, "b"], ["2%", "b"]),
        (["a", None], ["a"]),
        (["password=", None, "hunter2\n"], ["password=", "hunter2"]),
    ],
)
def test_where_another_cell_begins_a_line_ends(pieces, lines):
    def broken():
        made = Break()
        made.time_s = 1.0
        return made

    given_pieces = [broken() if piece is None else piece for piece in pieces]

    assert lines_of(given_pieces) == lines
    assert lines_of(*([piece] for piece in given_pieces)) == lines


def test_a_line_of_exactly_the_most_bytes_is_whole():
    assert lines_of(["x" * LINE_BYTES, "\n"]) == ["x" * LINE_BYTES]


def test_what_is_no_text_is_left_to_the_stream():
    assert lines_of(["a", b"bytes", None, "b\n"]) == ["ab"]


def test_beyond_a_rate_the_newest_lines_stay_and_the_others_are_counted():
    made, limit = LinesOf(), Limit(10, 1e9, 2.0)
    limit.allow(0.0)
    text = "".join(f"{number}\n" for number in range(101))

    first = made.take([text], 0.0, 0.0, limit)
    limit.allow(1.0)
    second = made.take([text], 1.0, 1.0, limit)

    # The line that was open before is not of the rate.
    assert first.texts == ["0", *map(str, range(81, 101))]
    assert first.left_out == 80
    assert second.texts == ["0", *map(str, range(91, 101))]
    assert second.left_out == 90
    assert len(first.times_s) == len(first)


def test_a_rate_of_letters_counts_too():
    made, limit = LinesOf(), Limit(1e9, 100.0, 1.0)
    limit.allow(0.0)

    lines = made.take(["x" * 30 + "\n"] * 11, 0.0, 0.0, limit)

    assert (len(lines), lines.left_out) == (4, 7)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 500)), min_size=1, max_size=30))
def test_no_more_passes_than_the_rate_allows(steps):
    limit, now, kept = Limit(100, 1e12, 3.0), 0.0, 0
    for pause, lines in steps:
        now += pause
        limit.allow(now)
        kept += limit.allowed(lines, lines)

    assert 0 <= kept <= 300 + 100 * now + 1e-6


def test_the_key_of_a_block_that_was_left_out_is_masked_nevertheless():
    made, limit = LinesOf(), Limit(2, 1e9, 1.0)
    limit.allow(0.0)
    key = ["-----BEGIN RSA PRIVATE KEY-----", *["MIIEowIBAAKCAQEA"] * 20]

    lines = made.take(["x\n", *(f"{line}\n" for line in key)], 0.0, 0.0, limit)

    assert lines.left_out == 19
    assert lines.texts == ["x", "[masked]", "[masked]"]


def test_the_unfinished_line_is_bounded_while_it_grows():
    made = LinesOf()
    for _ in range(100):
        made.take(["y" * 10_000], 0.0, 0.0)

    assert len(made._open) <= LINE_BYTES + module.BEYOND


def test_floods_are_looked_at_in_parts_and_of_a_huge_piece_begin_and_end_stay(monkeypatch):
    whole = "".join(f"{number}\n" for number in range(1000))
    pieces = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    monkeypatch.setattr(module, "PART_LETTERS", 100)

    in_parts = LinesOf().take([mark(1.0), *pieces], 0.0, 2.0)
    huge = LinesOf().take([whole], 0.0, 2.0)

    assert in_parts.texts == whole.splitlines()
    assert (np.diff(np.round(in_parts.times_s * 1e6)) >= 0).all()
    assert (huge.texts[0], huge.texts[-1]) == ("0", "999")
    assert abs(len(huge) + huge.left_out - 1000) <= 1
    assert sum(map(len, huge.texts)) <= 101
