"""The picture says what the committed one says; js/core/still/golden.test.ts asks the same."""

import json

from tests.exchange import golden


def test_the_picture_of_the_kernel_says_what_was_looked_at_and_kept():
    assert golden.words() == json.loads((golden.HOME / "words.json").read_text(encoding="utf-8"))


def test_the_screen_the_browser_draws_it_from_is_this_one():
    assert golden.packet() == (golden.HOME / "screen.packet").read_bytes()


def test_the_screen_that_a_packet_holds_exactly_is_drawn_as_it_was_looked_at():
    assert golden.exact_packet() == (golden.HOME / "exact.packet").read_bytes()
    assert golden.exact_svg() == (golden.HOME / "exact.svg").read_text(encoding="utf-8")
