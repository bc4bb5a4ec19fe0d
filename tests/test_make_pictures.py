"""What the GPUs of the pictures do is told in full: the stand-in cuts off what is too long."""

import pytest

from tests.pictured_job import FAR_S, GPUS, HOT_GPU, script

WORDS, LETTERS = 64, 4096
"""What a line of the script may have: `tests/fakes/nvml/script.c`."""


def test_no_line_is_longer_than_the_stand_in_reads():
    lines = script().splitlines()

    assert len(lines) > GPUS
    assert max(len(line.split()) for line in lines) <= WORDS
    assert max(map(len, lines)) < LETTERS


@pytest.mark.parametrize("name", ["util", "power", "temperature", "clock_sm", "memory_used"])
def test_the_job_goes_on_until_the_pictures_are_taken(name):
    for gpu in range(GPUS):
        assert at(gpu, name)[-1][0] > FAR_S


def test_one_gpu_is_much_hotter_than_all_others_and_says_that_it_slows_itself_down():
    last = {
        name: [at(gpu, name)[-1][1] for gpu in range(GPUS)] for name in ("temperature", "throttled")
    }
    others = [heat for gpu, heat in enumerate(last["temperature"]) if gpu != HOT_GPU]

    assert last["temperature"][HOT_GPU] > max(others) + 15
    assert [gpu for gpu in range(GPUS) if last["throttled"][gpu] > 0] == [HOT_GPU]


def at(gpu, name):
    """The seconds and values of a signal."""
    (line,) = [x for x in script().splitlines() if x.startswith(f"gpu {gpu} {name} steps ")]
    return [tuple(map(float, pair.split(":"))) for pair in line.split()[4:]]
