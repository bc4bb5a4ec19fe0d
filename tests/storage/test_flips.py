"""Ten thousand flips in a recording: never a wrong row, a foreign error or a dead process."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from tests.storage import flips

BATCH = 500
BATCHES = {"file": 5, "tail": 7, "part": 4, "journal": 4}
PEAK = 1 << 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("flips")
    flips.make(made)
    return made


def copy(folder, tmp_path, name):
    """Copy the recording, so that one batch does not harm another when it is killed."""
    return shutil.copytree(folder, tmp_path / name, copy_function=shutil.copy2)


def test_the_recordings_to_damage_have_all_rows(folder):
    file, _ = flips.rows_of(folder / flips.FINISHED)
    directory, problems = flips.rows_of(folder / flips.FOLDER)

    rows = 2 * flips.LONG + 6 * flips.SHORT + 30
    assert file.num_rows == directory.num_rows == flips.PARTS * rows
    assert file.sort_by("time").equals(directory.sort_by("time"))
    assert problems == ()
    kinds = {path.name[:4] for path in (folder / flips.FOLDER).rglob("w-*/*")}
    assert kinds >= {"part", "jour"}


def changed(table, name, column):
    return table.set_column(table.column_names.index(name), name, column)


def test_rows_that_are_changed_doubled_or_made_up_are_seen(folder):
    original = flips.Original(folder / flips.FINISHED)
    rows = original.table
    steps = rows["step"].to_pylist()
    steps[7] = 12345
    times = pa.array(flips.times_of(rows) + 10**15).cast(rows["time"].type)

    assert original.wrong(rows) == ""
    assert original.wrong(rows[100:500]) == ""
    assert "twice" in original.wrong(rows.take([5, 6, 6]))
    assert "none has" in original.wrong(changed(rows, "time", times))
    assert "step" in original.wrong(changed(rows, "step", pa.array(steps)))


def test_missing_rows_have_to_be_said():
    assert flips.unsaid(0, ()) == ""
    assert flips.unsaid(5, ())
    assert flips.unsaid(5, ("5 rows are damaged in x and left out",)) == ""
    assert flips.unsaid(5, ("4 rows are damaged in x and left out",))
    assert flips.unsaid(5, ("512 bytes at the end were dropped",)) == ""


def check(done):
    print(json.dumps({k: v for k, v in done.items() if k != "faults"}))
    assert done["faults"] == []
    assert done["peak"] < PEAK


@pytest.mark.parametrize("name", BATCHES)
def test_a_few_flips_give_no_wrong_row(folder, tmp_path, name):
    check(flips.run(copy(folder, tmp_path, name), name, 0, 30))


@pytest.mark.slow
@pytest.mark.timeout(2 * flips.BATCH_S)
@pytest.mark.parametrize("name", BATCHES)
def test_ten_thousand_flips_give_no_wrong_row(folder, tmp_path, name):
    # Each batch is a process of its own, with files of its own.
    def batch(number):
        place = tmp_path / str(number)
        place.mkdir()
        return flips.run(copy(folder, place, name), name, 1 + number, BATCH)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(batch, range(BATCHES[name])):
            check(done)


def test_there_are_ten_thousand_of_them_and_a_third_in_the_tail():
    assert BATCH * sum(BATCHES.values()) >= 10_000
    assert BATCHES["tail"] * 3 >= sum(BATCHES.values())
