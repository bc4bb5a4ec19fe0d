"""A damaged page costs its own rows; no row that is given is ever wrong."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse_widgets.storage.arrow.salvage import salvage
from pulse_widgets.storage.parquet import fields
from pulse_widgets.storage.parquet.pages import Page, page_at
from pulse_widgets.storage.parquet.seal import check_footer
from pulse_widgets.storage.parquet.thrift import I32, encode, key
from pulse_widgets.storage.place import Local
from tests import memory
from tests.storage import sealed
from tests.storage.sealed import VALUES

ROWS = 1000
PAGE = 64


@dataclass
class Span:
    """A page of a file that is not damaged: its bytes and its rows."""

    start: int
    body: int
    end: int
    first: int
    last: int
    words: bool
    page: Page


@dataclass
class Case:
    """A file and what is in it."""

    path: Path
    content: bytes
    tables: list[pa.Table]
    final: bool

    def __post_init__(self) -> None:
        self.footer = check_footer(Local(self.path).open())
        self.bad = self.path.with_suffix(".bad")
        self.pages = {
            (group, name): self._pages(group, name)
            for group in range(len(self.tables))
            for name in self.footer.names
        }

    def _pages(self, group: int, name: str) -> list[Span]:
        start, end = self.footer.extent(group, name)
        chunk, found, place, row = memoryview(self.content)[start:end], [], 0, 0
        while place < len(chunk):
            page = page_at(chunk, place)
            last = row if page.words else row + page.values
            body = page.end - len(page.content)
            ends = (start + place, start + body, start + page.end)
            found.append(Span(*ends, row, last, page.words, page))
            place, row = page.end, last
        assert row == len(self.tables[group])
        return found

    def write(self, places: list[int], content: bytes) -> None:
        """Write the damaged file; the page index is left as it is."""
        self.bad.write_bytes(content)
        self.touched = places

    def may_lose(self, group: int, name: str) -> np.ndarray:
        """Which rows the damage may cost: of touched pages, or all behind a broken header."""
        rows = np.zeros(len(self.tables[group]), bool)
        pages = self.pages[group, name]
        hit = [p for p in pages if any(p.start <= at < p.end for at in self.touched)]
        for span in hit:
            if span.words:
                for page in pages:
                    rows[page.first : page.last] |= page.page.encoding == 8
            rows[span.first : span.last] = True
        headers = any(p.start <= at < p.body for p in hit for at in self.touched)
        if hit and headers and not self.final:
            rows[min(p.first for p in hit) :] = True
        return rows

    def check(self, names: tuple[str, ...] = VALUES) -> int:
        """Read all groups of the damaged file; return how many rows were lost."""
        total = 0
        for group, table in enumerate(self.tables):
            arrays, lost = salvage(Local(self.bad).open(), group, names)
            kept = pa.array(~lost)
            allowed = np.zeros(len(table), bool)
            for name in names:
                want = table.column(name).combine_chunks()
                assert arrays[name].type == want.type
                assert len(arrays[name]) == len(table)
                assert same(arrays[name].filter(kept), want.filter(kept)), (group, name)
                allowed |= self.may_lose(group, name)
            assert not (lost & ~allowed).any()
            total += int(lost.sum())
        return total


def same(a: pa.Array, b: pa.Array) -> bool:
    if pa.types.is_dictionary(a.type):
        a, b = a.cast(pa.string()), b.cast(pa.string())
    return a.equals(b)


KINDS = [(final, split) for final in (True, False) for split in (True, False)]


def case(
    path: Path, *, final: bool, split: bool, rows: int = ROWS, page: int | None = PAGE
) -> Case:
    tables = [sealed.table(rows, seed) for seed in range(2)]
    sealed.write(path, tables, final=final, split=split, page=page)
    return Case(path, path.read_bytes(), tables, final)


@pytest.fixture(params=KINDS, ids=["finished, split", "finished", "part, split", "part"])
def made(request, tmp_path):
    final, split = request.param
    return case(tmp_path / "a.parquet", final=final, split=split)


def test_the_test_files_have_pages_of_every_kind(tmp_path):
    seen = set()
    for k, (final, split) in enumerate(KINDS):
        found = case(tmp_path / str(k), final=final, split=split)
        for (_, name), spans in found.pages.items():
            seen |= {(name, span.words, span.page.encoding) for span in spans}
            assert len(spans) >= ROWS // PAGE
    plain, words, delta, split = 0, 8, 5, 9
    assert seen >= {("time", False, delta), ("step", False, delta), ("data", False, plain)}
    assert seen >= {("value", False, encoding) for encoding in (plain, words, split)}
    assert seen >= {("value", True, plain), ("text", True, plain), ("text", False, words)}


def test_a_sound_row_group_is_read_whole(made):
    made.write([], made.content)

    assert made.check(made.footer.names) == 0


def flip_everywhere(made: Case, count: int, seed: int) -> tuple[int, int]:
    rnd = np.random.default_rng(seed)
    inside = range(int(made.footer.extents.min()), int(made.footer.extents.max()))
    lost = damaged = 0
    for _ in range(count):
        content, places = sealed.damage(made.content, inside, rnd)
        made.write(places, content)
        groups = range(len(made.tables))
        damaged += any(
            made.footer.damaged(Local(made.bad).open(), group, VALUES) for group in groups
        )
        lost += made.check()
    return lost, damaged


def test_rows_that_are_not_lost_are_right_whatever_was_flipped(made):
    lost, damaged = flip_everywhere(made, 60, 0)

    assert damaged > 30
    assert 0 < lost < damaged * ROWS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_thousand_flips_give_no_wrong_row_and_take_little_memory(tmp_path):
    before = memory.forget_peak()
    damaged = 0
    for k, (final, split) in enumerate(KINDS):
        made = case(tmp_path / f"{k}.parquet", final=final, split=split)
        damaged += flip_everywhere(made, 1000, 1 + k)[1]
    assert damaged >= 3000
    assert memory.peak() - before < 200 << 20


def flip_headers(made: Case, count: int, seed: int) -> int:
    """Flip headers of one column at a time, where a wrong number of rows would do most harm."""
    rnd = np.random.default_rng(seed)
    lost = 0
    for k in range(count):
        name = VALUES[k % len(VALUES)]
        spans = made.pages[0, name]
        places = [at for span in spans for at in range(span.start, span.body)]
        content, touched = made.content, []
        for _ in range(2):
            content, more = sealed.damage(content, places, rnd)
            touched += more
        made.write(touched, content)
        lost += made.check((name,))
    return lost


def low(path: Path, *, final: bool, split: bool) -> Case:
    """A file in whose headers one bit makes the number of rows of a page too low."""
    return case(path, final=final, split=split, rows=2000, page=192)


@pytest.mark.parametrize(("final", "split"), KINDS)
def test_damaged_headers_never_shift_a_row(tmp_path, final, split):
    assert flip_headers(low(tmp_path / "a.parquet", final=final, split=split), 150, 0) > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("final", "split"), KINDS)
def test_thousands_of_damaged_headers_never_shift_a_row(tmp_path, final, split):
    assert flip_headers(low(tmp_path / "a.parquet", final=final, split=split), 2000, 1) > 0


def flipped(content: bytes, place: int, bits: int = 1) -> bytes:
    return content[:place] + bytes([content[place] ^ bits]) + content[place + 1 :]


@pytest.mark.parametrize("name", VALUES)
def test_a_damaged_page_costs_exactly_its_rows(made, name):
    span = made.pages[1, name][5]
    made.write([span.body], flipped(made.content, span.body))

    assert made.check((name,)) == span.last - span.first
    assert salvage(Local(made.bad).open(), 1, ("time", "value"))[1].sum() == (
        span.last - span.first if name in ("time", "value") else 0
    )


def test_a_damaged_header_costs_its_page_in_a_finished_file_and_the_rest_in_a_part(made):
    span = made.pages[0, "time"][5]
    made.write([span.start], flipped(made.content, span.start, 0xFF))

    assert made.check() == (PAGE if made.final else ROWS - span.first)


def rows_at(made: Case, span: Span) -> int:
    """Return where in the header of a data page its number of rows stands."""
    # Behind the head of the field, of the first in a structure of its own.
    found = made.content.index(b"\x15" + number(span.page.values) + b"\x15", span.start) + 1
    assert found < span.body
    return found


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("name", VALUES)
def test_a_number_of_rows_that_is_too_low_costs_that_page_alone(tmp_path, final, name):
    made = low(tmp_path / "a.parquet", final=final, split=False)
    span = next(span for span in made.pages[0, name] if span.first == 384)
    place = rows_at(made, span) + 1
    content = flipped(made.content, place)
    changed = page_at(memoryview(content)[span.start :], 0)
    assert changed.whole
    assert changed.values == 128
    made.write([place], content)

    assert made.check((name,)) == 192


def test_a_number_of_rows_that_is_too_low_shifts_nothing_where_the_end_is_not_known(tmp_path):
    made = low(tmp_path / "a.parquet", final=False, split=False)
    for name in VALUES:
        low_one, broken = (s for s in made.pages[0, name] if s.first in (384, 1152))
        places = [rows_at(made, low_one) + 1, broken.start]
        made.write(places, flipped(flipped(made.content, places[0]), places[1], 0xFF))
        assert made.check((name,)) == 2000 - 384


def test_pages_as_no_writer_of_ours_makes_them_give_no_wrong_row(tmp_path):
    """Pages of 60 rows: that one of them has 56 cannot be told from the page."""
    made = case(tmp_path / "a.parquet", final=False, split=False, page=60)
    place = rows_at(made, made.pages[0, "time"][4])
    made.bad.write_bytes(flipped(made.content, place, 8))

    arrays, lost = salvage(Local(made.bad).open(), 0, ("time",))

    kept = pa.array(~lost)
    assert arrays["time"].filter(kept).equals(made.tables[0]["time"].combine_chunks().filter(kept))
    assert lost[240:300].all()


def test_two_wrong_numbers_of_rows_cost_what_lies_between_in_a_part(made):
    content, touched = made.content, []
    for at in (3, 6):
        place = rows_at(made, made.pages[0, "step"][at])
        content = flipped(content, place, 2)
        touched.append(place)
    made.write(touched, content)

    assert made.check(("step",)) == (2 if made.final else 4) * PAGE


@pytest.mark.parametrize("final", [True, False])
def test_a_page_that_says_to_be_encoded_otherwise_is_not_read(tmp_path, final):
    made = case(tmp_path / "a.parquet", final=final, split=True)
    span = made.pages[0, "value"][3]
    split, plain = number(9), number(0)
    place = rows_at(made, span) + len(number(PAGE)) + 1
    content = made.content[:place] + plain + made.content[place + 1 :]
    assert made.content[place : place + 1] == split
    assert page_at(memoryview(content)[span.start :], 0).encoding == 0
    made.write([place], content)

    assert made.check(("value",)) == PAGE


def test_a_damaged_dictionary_costs_the_pages_that_use_it(tmp_path):
    for final in (True, False):
        made = case(tmp_path / f"{final}.parquet", final=final, split=False)
        words, *spans = made.pages[0, "value"]
        use = sum(s.last - s.first for s in spans if s.page.encoding == 8)
        assert words.words
        assert 0 < use < ROWS
        made.write([words.body], flipped(made.content, words.body))
        assert made.check(("value",)) == use


def test_keys_are_read_around_damage_too(made):
    span = made.pages[0, "metric"][4]
    made.write([span.body], flipped(made.content, span.body))

    assert made.check(("host", "entity", "metric")) == PAGE


def test_a_chunk_of_nothing_but_zeros_is_lost_and_no_other(made):
    start, end = made.footer.extent(0, "value")
    content = made.content[:start] + bytes(end - start) + made.content[end:]
    made.write(list(range(start, end)), content)

    arrays, lost = salvage(Local(made.bad).open(), 0, VALUES)

    assert lost.all()
    assert arrays["time"].equals(made.tables[0].column("time").combine_chunks())
    assert arrays["value"].null_count == ROWS
    assert made.check(("time", "step", "text", "data")) == 0


def test_an_index_that_is_damaged_too_gives_no_wrong_row(tmp_path):
    made = case(tmp_path / "a.parquet", final=True, split=False)
    outer = check_footer(Local(made.path).open()).tree[fields.GROUPS][0][fields.COLUMNS][5]
    first = outer[fields.INDEX_OFFSET]
    index = range(first, first + outer[fields.INDEX_LENGTH])
    spans = made.pages[0, "value"]
    inside = range(spans[0].start, spans[-1].end)
    rnd = np.random.default_rng(0)
    want = made.tables[0].column("value").combine_chunks()
    kept = 0
    for _ in range(300):
        content, _ = sealed.damage(made.content, inside, rnd)
        made.bad.write_bytes(sealed.damage(content, index, rnd)[0])
        arrays, lost = salvage(Local(made.bad).open(), 0, ("value",))
        rows = pa.array(~lost)
        assert arrays["value"].filter(rows).equals(want.filter(rows))
        kept += int((~lost).sum())
    assert kept > 300 * ROWS // 3


def test_without_checksums_of_the_chunks_those_of_the_pages_are_used(tmp_path):
    path = tmp_path / "a.parquet"
    tables = [sealed.table(ROWS, 0)]
    sealed.write(path, tables, sealed=False, final=False, split=False, page=PAGE)
    made = Case(path, path.read_bytes(), tables, final=False)
    span = made.pages[0, "time"][3]
    made.write([span.body], flipped(made.content, span.body))

    assert made.check() == PAGE


def test_pages_without_a_checksum_are_not_trusted(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(sealed.table(ROWS, 0), path, data_page_size=100, compression="none")
    content = path.read_bytes()
    start = check_footer(Local(path).open()).extent(0, "time")[0]
    path.write_bytes(content[:start] + bytes(20) + content[start + 20 :])

    _, lost = salvage(Local(path).open(), 0, ("time", "step"))

    assert lost.all()


def test_a_page_that_says_to_unpack_to_more_than_its_chunk_is_not_unpacked(tmp_path, monkeypatch):
    made = case(tmp_path / "a.parquet", final=True, split=False, rows=3000, page=None)
    span = made.pages[0, "data"][0]
    unpacked, packed = said(span)
    place = made.content.index(unpacked + packed, span.start)
    assert place < span.body
    huge = number(1_000_000)
    assert len(huge) == len(unpacked)
    made.write([place], made.content[:place] + huge + made.content[place + len(huge) :])
    read, arrow = [], pq.ParquetFile
    # Arrow refuses such a page too, but allocates first; only its calls tell the difference.
    monkeypatch.setattr(pq, "ParquetFile", lambda *a, **k: read.append(1) or arrow(*a, **k))

    _, lost = salvage(Local(made.bad).open(), 0, ("data",))

    assert lost.all()
    assert read == []
    assert salvage(Local(made.bad).open(), 1, ("data",))[1].sum() == 0
    assert read == [1]


def number(value: int) -> bytes:
    """Return a number as it stands in a header."""
    return encode({key(1, I32): value})[1:-1]


def said(span: Span) -> tuple[bytes, bytes]:
    """Return the two sizes as they stand in the header of a page, with the type between."""
    return number(span.page.unpacked), b"\x15" + number(len(span.page.content))


# The same in a process of its own, with little memory: it ends as it should.
READER = """
import resource, sys
from pathlib import Path
from tests.storage import test_salvage as t
resource.setrlimit(resource.RLIMIT_AS, (1500 << 20, 1500 << 20))
for k, (final, split) in enumerate(t.KINDS):
    made = t.case(Path(sys.argv[1]) / f"{k}.parquet", final=final, split=split)
    print(*t.flip_everywhere(made, int(sys.argv[2]), 100 + k))
"""


def test_no_damage_ends_the_process(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", READER, str(tmp_path), "50"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert run.returncode == 0, run.stderr
    assert len(run.stdout.splitlines()) == len(KINDS)
