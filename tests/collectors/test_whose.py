"""Which rank a process is, by what its launcher says."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.collectors.whose import RANKED_BY, Rank, Whose, rank_of

PAIRS = [pair for pair in RANKED_BY if pair[1]]


@pytest.mark.parametrize(("number", "size"), PAIRS)
def test_each_launcher_says_the_rank_in_its_own_words(number, size):
    assert rank_of({number: "2", size: "4"}) == Rank(2, 4)
    assert rank_of({number: "0", size: "2"}) == Rank(0, 2)
    assert rank_of({number: "7"}) == Rank(7)


def test_the_number_of_vessl_has_no_size_beside_it():
    assert rank_of({"VESSL_DISTRIBUTED_NUMBER": "3"}) == Rank(3)
    assert rank_of({"VESSL_WORKLOAD_ID": "3"}) is None


@pytest.mark.parametrize(("number", "size"), PAIRS)
def test_who_works_alone_has_no_rank(number, size):
    assert rank_of({number: "0", size: "1"}) is None
    assert rank_of({size: "4"}) is None
    assert rank_of({}) is None


@pytest.mark.parametrize(
    "said", ["", "x", "-1", "+1", "1.0", " 1", "1 ", "0x1", "\u0663", "1_0", "1" * 10, "1\n"]
)
@pytest.mark.parametrize("number", [pair[0] for pair in RANKED_BY])
def test_what_is_no_number_is_passed_over(number, said):
    assert rank_of({number: said}) is None
    assert rank_of({"RANK": said, "PMI_RANK": "3", "PMI_SIZE": "4"}) == Rank(3, 4)


def test_a_number_beyond_the_size_is_passed_over():
    assert rank_of({"RANK": "4", "WORLD_SIZE": "4"}) is None


def test_the_launcher_nearest_to_the_process_has_the_word():
    known = {name: str(k) for k, (name, _) in enumerate(RANKED_BY)}
    sizes = {size: "9" for _, size in PAIRS}
    for place, (name, _) in enumerate(RANKED_BY):
        assert rank_of(known | sizes).number == place
        del known[name]


def test_one_task_of_a_job_inside_a_world_of_one_is_that_of_the_job():
    alone = {"RANK": "0", "WORLD_SIZE": "1"}
    assert rank_of(alone | {"SLURM_PROCID": "2", "SLURM_NTASKS": "4"}) == Rank(2, 4)


@given(
    st.dictionaries(
        st.sampled_from([name for pair in RANKED_BY for name in pair if name]),
        st.text(max_size=4),
    )
)
def test_whatever_the_environment_says_there_is_a_rank_within_its_size_or_none(environ):
    rank = rank_of(environ)

    assert rank is None or (rank.number >= 0 and (rank.size is None or rank.number < rank.size))
    assert rank is None or rank.size != 1


def test_the_environment_of_the_process_is_read(monkeypatch):
    for pair in RANKED_BY:
        for name in filter(None, pair):
            monkeypatch.delenv(name, raising=False)
    assert rank_of() is None
    monkeypatch.setenv("RANK", "5")
    assert rank_of() == Rank(5)
    assert os.environ["RANK"] == "5"


def test_a_rank_has_entities_of_its_own():
    assert Whose.of(None) == Whose("user", "kernel")
    assert Whose.of(Rank(3, 4)) == Whose("rank:3", "rank:3/kernel")
    assert [Whose.of(one).within for one in (None, Rank(3))] == ["", "rank:3"]
