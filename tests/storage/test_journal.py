"""What a journal gives back, whole and damaged."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse_widgets.errors import StorageError
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import NO_STEP, Rows
from pulse_widgets.storage.arrow.framing import sound_bytes
from pulse_widgets.storage.journal import Journal, read_journal
from pulse_widgets.storage.place import Local
from tests import memory

row = st.tuples(
    st.integers(0, 4),
    st.integers(-(2**62), 2**62),
    st.one_of(st.just(NO_STEP), st.integers(-(2**62), 2**62)),
    st.floats(width=64),
    st.text(max_size=5),
    st.binary(max_size=5),
)


def registry_of(count: int) -> Registry:
    registry = Registry()
    for number in range(count):
        registry.add("h0", f"gpu:{number}", "gpu.power", unit="W", labels={"uuid": f"GPU-{number}"})
    return registry


def rows_of(rows: list[tuple]) -> Rows:
    ids, times, steps, values, texts, blobs = map(list, zip(*rows, strict=True))
    return Rows.of(
        ids,
        times,
        values,
        steps,
        texts if any(texts) else None,
        blobs if any(blobs) else None,
    )


def sample_batches(count: int = 40, rows: int = 50) -> list[Rows]:
    rnd = np.random.default_rng(1)
    return [
        Rows.of(rnd.integers(0, 5, rows), np.arange(rows) + rows * b, rnd.normal(size=rows))
        for b in range(count)
    ]


def write(path, batches, registry=None):
    journal = Journal(path, registry or registry_of(5))
    ends = [journal.nbytes]
    for rows in batches:
        journal.append(rows)
        ends.append(journal.nbytes)
    journal.close()
    return ends


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(row, min_size=1, max_size=8), max_size=4))
def test_what_was_written_is_read_back_bit_for_bit(batches, tmp_path_factory):
    path = tmp_path_factory.mktemp("j") / "journal-000000.arrows"
    write(path, [rows_of(b) for b in batches])
    got = read_journal(Local(path))
    flat = [r for b in batches for r in b]
    assert got.batches == len(batches)
    assert got.reason == ""
    assert got.series.tolist() == [r[0] for r in flat]
    assert got.columns.time.tolist() == [r[1] for r in flat]
    assert got.columns.step.tolist() == [r[2] for r in flat]
    wanted = np.array([r[3] for r in flat], np.float64)
    assert got.columns.value.tobytes() == wanted.tobytes()
    texts = got.columns.text.texts() if got.columns.text is not None else [""] * len(flat)
    blobs = got.columns.data.pieces() if got.columns.data is not None else [b""] * len(flat)
    assert texts == [r[4] for r in flat]
    assert blobs == [r[5] for r in flat]


def test_every_series_is_announced_where_it_is_first_used(tmp_path):
    path = tmp_path / "j"
    registry = registry_of(5)
    write(path, [Rows.of([3], [1], [1.0]), Rows.of([1, 3], [2, 2], [2.0, 3.0])], registry)
    got = read_journal(Local(path))
    assert got.infos == {1: registry[1], 3: registry[3]}


@pytest.mark.parametrize("count", [1, 4096, 4097, 20_000])
def test_numbers_alone_are_read_back_however_many_and_however_they_lie(tmp_path, count):
    every_other = np.arange(2 * count)[::2]
    rows = Rows((every_other % 5).astype(np.int32), every_other, every_other, every_other / 2)
    few = Rows.of([0], [1], [1.0])

    write(tmp_path / "j", [few, rows, few])
    content = read_journal(Local(tmp_path / "j"))

    assert (content.batches, content.reason) == (3, "")
    np.testing.assert_array_equal(content.series[1:-1], rows.series)
    np.testing.assert_array_equal(content.columns.value[1:-1], rows.value)


def test_half_a_surrogate_pair_does_not_lose_the_row(tmp_path):
    write(tmp_path / "j", [Rows.of([0], [1], [1.0], text=["a\ud800b"])])
    assert read_journal(Local(tmp_path / "j")).columns.text.texts() == ["a?b"]


def test_a_torn_tail_costs_only_the_torn_batch(tmp_path):
    path = tmp_path / "j"
    ends = write(path, sample_batches())
    whole = path.read_bytes()
    for cut in (ends[7] + 1, ends[7] + 9, ends[8] - 1):
        path.write_bytes(whole[:cut])
        got = read_journal(Local(path))
        assert got.batches == 7
        assert got.dropped_bytes == cut - ends[7]
        assert got.reason


def test_a_cut_between_batches_is_not_damage(tmp_path):
    path = tmp_path / "j"
    ends = write(path, sample_batches())
    path.write_bytes(path.read_bytes()[: ends[5]])
    got = read_journal(Local(path))
    assert (got.batches, got.dropped_bytes, got.reason) == (5, 0, "")


def test_an_empty_file_is_a_journal_without_rows(tmp_path):
    path = tmp_path / "j"
    path.write_bytes(b"")
    got = read_journal(Local(path))
    assert (got.batches, len(got.columns)) == (0, 0)


@pytest.mark.parametrize("kind", ["flip", "zeros", "hole", "noise"])
def test_damage_never_gives_wrong_rows_and_never_costs_rows_before_it(tmp_path, kind):
    path = tmp_path / "j"
    ends = write(path, sample_batches())
    whole = path.read_bytes()
    good = read_journal(Local(path))
    rnd = random.Random(kind)
    for _ in range(100):
        at = rnd.randrange(ends[0], len(whole) - 1)
        broken = bytearray(whole)
        if kind == "flip":
            broken[at] ^= 1 << rnd.randrange(8)
        elif kind == "zeros":
            broken[at:] = bytes(rnd.randint(1, 9000))
        elif kind == "hole":
            at = at // 4096 * 4096
            broken[at : at + 4096] = bytes(4096)
        else:
            broken[at:] = rnd.randbytes(500)
        path.write_bytes(broken)
        got = read_journal(Local(path))
        rows = len(got.series)
        assert got.batches >= sum(end <= at for end in ends[1:])
        assert np.array_equal(got.series, good.series[:rows])
        assert got.columns.value.tobytes() == good.columns.value[:rows].tobytes()
        assert np.array_equal(got.columns.time, good.columns.time[:rows])


def test_batches_out_of_order_are_not_taken(tmp_path):
    path = tmp_path / "j"
    ends = write(path, sample_batches(4))
    whole = path.read_bytes()
    path.write_bytes(whole[: ends[1]] + whole[ends[2] :])
    got = read_journal(Local(path))
    assert got.batches == 1
    assert "missing" in got.reason


FULL = """
import resource, sys, numpy as np
from pathlib import Path
from pulse_widgets.errors import StorageError
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage.journal import Journal
registry = Registry(); registry.add("h0", "host", "x")
journal = Journal(Path(sys.argv[1]), registry)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
rnd, done = np.random.default_rng(1), 0
try:
    while True:
        journal.append(Rows.of(np.zeros(100, np.int32), np.arange(100), rnd.normal(size=100)))
        done += 1
except StorageError as exc:
    print(done, exc.remedy)
"""


def test_a_full_disk_is_an_error_and_leaves_whole_batches_only(tmp_path):
    path = tmp_path / "j"
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    accepted, remedy = run.stdout.split(maxsplit=1)
    assert int(accepted) > 3
    assert "space" in remedy
    got = read_journal(Local(path))
    assert got.batches == int(accepted)
    assert got.dropped_bytes == 0


def test_a_journal_in_a_forbidden_place_says_what_to_do(tmp_path):
    with pytest.raises(StorageError) as caught:
        Journal(tmp_path / "absent" / "j", registry_of(1))
    assert caught.value.remedy


def claiming(content: bytes, at: int, claim: int) -> bytes:
    """Return a journal whose longest buffer behind `at` claims to unpack to `claim` bytes."""
    found = content.index((8 * 20_000).to_bytes(8, "little"), at)
    return content[:found] + claim.to_bytes(8, "little") + content[found + 8 :]


def test_what_a_batch_claims_to_unpack_to_is_bounded_before_it_is_unpacked(tmp_path):
    path = tmp_path / "j"
    rows = Rows.of(np.zeros(20_000), np.arange(20_000), np.zeros(20_000))
    ends = write(path, [rows, rows, rows])
    whole = path.read_bytes()
    for claim in (1 << 29, 1 << 40, -5 & (2**64 - 1)):
        path.write_bytes(claiming(whole, ends[1], claim))
        before = memory.forget_peak()
        got = read_journal(Local(path))
        assert (got.batches, got.dropped_bytes) == (1, len(whole) - ends[1])
        assert got.reason
        assert memory.peak() - before < 100 << 20


def test_a_real_bomb_is_refused(tmp_path):
    # 300 MB of one letter, which LZ4 packs into little more than a megabyte.
    path = tmp_path / "j"
    write(path, [Rows.of([0], [1], [1.0]), Rows.of([0], [2], [2.0], text=["x" * (300 << 20)])])
    assert path.stat().st_size < 4 << 20
    got = read_journal(Local(path))
    assert (got.batches, got.reason) == (1, "it unpacks to more than any journal holds")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 2000))
def test_any_bytes_have_a_sound_beginning(noise, at, length):
    content = sound + noise
    content = content[:at] + noise + content[at + length :]
    good, problem = sound_bytes(content, 1 << 20, 1 << 20)
    assert 0 <= good <= len(content)
    assert problem or good == len(content)


def _sound() -> bytes:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "j"
        write(path, sample_batches(4, 5))
        return path.read_bytes()


sound = _sound()


def test_a_number_announced_twice_with_another_meaning_ends_the_trust(tmp_path):
    one, other = registry_of(5), Registry()
    other.add("h0", "gpu:9", "gpu.temperature", unit="degC")
    path = tmp_path / "j"
    journal = Journal(path, one)
    journal.append(Rows.of([0], [1], [1.0]))
    journal._registry, journal._announced = other, np.zeros(0, np.bool_)
    journal.append(Rows.of([0], [2], [2.0]))
    journal.close()
    got = read_journal(Local(path))
    assert got.batches == 1
    assert "number of one series to another" in got.reason
