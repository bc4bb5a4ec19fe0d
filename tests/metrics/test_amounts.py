"""Counts and lengths in words."""

import pytest

from pulse_widgets.metrics.amounts import amount, lasting, of_devices


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 rows"),
        (1, "1 row"),
        (2, "2 rows"),
        (9_999, "9999 rows"),
        (10_000, "10 000 rows"),
        (949_999, "949 999 rows"),
        (950_000, "950 000 rows"),
        (960_000, "1 million rows"),
        (1_000_000, "1 million rows"),
        (1_234_000, "1.2 million rows"),
        (999_999_999, "1 billion rows"),
        (12_300_000_000, "12.3 billion rows"),
    ],
)
def test_a_count_is_said_with_what_is_counted(count, text):
    assert amount(count, "row") == text


def test_a_word_may_have_a_plural_of_its_own():
    assert [amount(n, "series", "series") for n in (0, 1, 2)] == [
        "0 series",
        "1 series",
        "2 series",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1.0, "0 s"), (0.0, "0 s"), (1e-6, "0 s"), (0.25, "250 ms"), (2.5, "2.5 s"),
     (359.0, "5 min 59 s"), (60.0, "1 min"), (7200.0, "2 h"), (93_600.0, "1 d 2 h")],
)  # fmt: skip
def test_a_length_is_said_in_the_units_people_use(seconds, text):
    assert lasting(seconds) == text
    assert text.isascii()


@pytest.mark.parametrize(
    ("owners", "facts"),
    [
        ([], ["0 series"]),
        ([("h0", "host")], ["1 series"]),
        ([("h0", "gpu:0"), ("h0", "gpu:0")], ["1 GPU", "2 series"]),
        # Parts of a GPU and processes on it are no GPUs of their own.
        ([("h0", "gpu:0/mig:1"), ("h0", "pid:7/gpu:0"), ("h0", "gpu:0")], ["1 GPU", "3 series"]),
        # GPU 0 of two machines is two GPUs.
        ([("h0", "gpu:0"), ("h1", "gpu:0")], ["2 GPUs", "2 series"]),
    ],
)
def test_gpus_are_counted_by_machine_and_series_as_they_are(owners, facts):
    assert of_devices(owners) == facts
