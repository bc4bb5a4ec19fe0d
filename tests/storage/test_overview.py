"""The overview of a finished file: read in pieces, and believed only where it can be true."""

from __future__ import annotations

import io
import json
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pulse_widgets.library.recording import Recording
from pulse_widgets.series.columns import Columns
from pulse_widgets.series.envelopes import Envelopes
from pulse_widgets.series.levels import Drawn, levels_of
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage import overview, overview_file, pack
from pulse_widgets.storage.arrow.convert import DAMAGE
from pulse_widgets.storage.arrow.overview import COLUMNS, GroupDecoder, encode
from pulse_widgets.storage.compact import compact
from pulse_widgets.storage.extent import Extent
from pulse_widgets.storage.overview import overview_mark
from pulse_widgets.storage.overview_file import OverviewFile
from pulse_widgets.storage.parquet import fields
from pulse_widgets.storage.parquet.thrift import BINARY, I32, STRUCT, key
from pulse_widgets.storage.parquet.thrift import decode as decode_thrift
from pulse_widgets.storage.parquet.thrift import encode as encode_thrift
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.reader import open_stored
from tests.storage.bench import START_US, Bench, noise

SECOND = 1_000_000
ROWS = 20_000


def record(bench: Bench, series=4, rows=ROWS):
    """Write some long series, with a missing reading and a silence in each; return the file."""
    ids = np.array([bench.series(f"gpu:{k}", "gpu.power") for k in range(series)], np.int32)
    times = START_US + np.arange(rows) * 100_000
    times[rows // 2 :] += 3600 * SECOND
    values = noise(rows)
    values[rows // 4] = np.nan
    for number in ids:
        bench.writer.append(Rows.of(np.full(rows, number), times, values + number))
    bench.writer.close()
    return compact(bench.directory)


def from_rows(stored, key) -> dict[int, Envelopes]:
    """The levels of a series, computed from its rows."""
    levels = levels_of([Drawn("gauge", key.entity, stored.columns(key))])
    return {level.size: level.envelopes for level in levels}


def same(found: dict[int, Envelopes], right: dict[int, Envelopes]) -> bool:
    """Whether the blocks are exactly those of the rows, not rounded as those of the file are."""
    assert list(found) == list(right)
    return all(
        getattr(found[size], name).tobytes() == getattr(right[size], name).tobytes()
        for size in right
        for name in Envelopes.__slots__
    )


@pytest.fixture
def pieces(monkeypatch):
    """The pieces of an overview that are read: (offset, length)."""
    read: list[tuple[int, int]] = []
    real = overview_file.read_piece

    def counted(path, offset, length):
        read.append((offset, length))
        return real(path, offset, length)

    monkeypatch.setattr(overview_file, "read_piece", counted)
    return read


def mark_of(path) -> dict:
    return json.loads(pq.read_metadata(path).metadata[b"pulse.overview"])


def test_an_envelope_of_the_whole_run_reads_the_coarsest_level_that_is_enough(bench, pieces):
    path = record(bench, series=40)
    mark = mark_of(path)
    metadata = pq.read_metadata(io.BytesIO(path.read_bytes()[mark["offset"] :][: mark["length"]]))
    sizes = [metadata.row_group(g).column(1).statistics.min for g in range(metadata.num_row_groups)]
    assert sizes == [512, 64]
    rec = Recording.open(path)

    for number in range(40):
        rec.select("gpu.power", entity=number).envelope(4)

    # The footer once, and the row group of the coarsest level once for all series.
    end = mark["offset"] + mark["length"]
    coarsest = metadata.row_group(0)
    length = sum(coarsest.column(c).total_compressed_size for c in range(coarsest.num_columns))
    assert pieces == [(end - mark["footer"], mark["footer"]), (mark["offset"] + 4, length)]
    assert sum(n for _, n in pieces) < mark["length"] / 4

    pieces.clear()
    rec.select("gpu.power", entity=0).envelope(30)
    assert len(pieces) == 1
    assert pieces[0][1] > length


def test_a_row_group_holds_one_level_and_a_bounded_number_of_blocks(bench, monkeypatch, pieces):
    monkeypatch.setattr(overview, "GROUP_BLOCKS", 500)
    path = record(bench)
    mark = mark_of(path)
    content = path.read_bytes()[mark["offset"] :][: mark["length"]]
    footer = content[-mark["footer"] :]

    groups = GroupDecoder(footer, len(content)).groups

    assert [(g.size, g.blocks) for g in groups] == [(512, 168), (64, 500), (64, 500), (64, 268)]
    assert mark["crc32"] == zlib.crc32(content)
    assert mark["footer_crc32"] == zlib.crc32(footer)
    assert mark["sums"] == [zlib.crc32(content[g.begin : g.end]) for g in groups]
    # Of a level only the row groups of the series are read.
    stored = open_stored(path)
    blocks = stored.level(list(stored.extents)[3], 300)
    assert len(blocks) == 317
    assert len(pieces) == 1 + 2


def test_the_rows_are_not_touched_where_blocks_answer(bench):
    path = record(bench)
    content = bytearray(path.read_bytes())
    right = Recording.open(path).select("gpu.power", entity=1).envelope(20)
    content[4 : mark_of(path)["offset"]] = bytes(mark_of(path)["offset"] - 4)
    path.write_bytes(content)

    found = Recording.open(path).select("gpu.power", entity=1).envelope(20)

    assert found.count.sum() == ROWS - 1
    assert all(a.tobytes() == b.tobytes() for a, b in zip(found, right, strict=True))


@pytest.mark.parametrize("place", ["footer", "coarsest", "finest"])
def test_a_damaged_piece_is_not_used_and_the_others_are(bench, place):
    path = record(bench)
    mark = mark_of(path)
    content = bytearray(path.read_bytes())
    end = mark["offset"] + mark["length"]
    at = {"footer": end - 20, "coarsest": mark["offset"] + 50, "finest": end - mark["footer"] - 9}
    content[at[place]] ^= 4
    path.write_bytes(content)
    stored = open_stored(path)
    key = next(iter(stored.extents))

    levels = {size: stored.level(key, ROWS // size) for size in (512, 64)}

    assert (levels[512] is None) == (place in {"footer", "coarsest"})
    assert (levels[64] is None) == (place in {"footer", "finest"})
    # What cannot be trusted is computed from the rows.
    assert same(stored.levels(key), from_rows(stored, key))


def test_every_flipped_bit_leaves_right_blocks(bench):
    path = record(bench, series=1, rows=5000)
    mark, whole = mark_of(path), path.read_bytes()
    right = open_stored(path)
    key = next(iter(right.extents))
    trusted = {
        size: [getattr(c, n).tobytes() for n in Envelopes.__slots__]
        for size, c in right.levels(key).items()
    }
    rnd = np.random.default_rng(7)
    for at in rnd.integers(mark["offset"], mark["offset"] + mark["length"], 300).tolist():
        content = bytearray(whole)
        content[at] ^= 1 << int(rnd.integers(8))
        path.write_bytes(content)
        stored = open_stored(path)
        found = stored.levels(key)
        told = {
            size: [getattr(c, n).tobytes() for n in Envelopes.__slots__]
            for size, c in found.items()
        }
        assert told == trusted or same(found, from_rows(stored, key))


def test_flipped_bits_with_right_checksums_are_refused_or_harmless(tmp_path):
    made = overview.Overview()
    for number in range(2):
        values = noise(5000, number)
        made.add(
            number, "gauge", "host", Columns(np.arange(5000), np.zeros(5000, np.int64), values)
        )
    blob = made.blob()
    said = json.loads(overview_mark(blob, 0))
    groups = GroupDecoder(blob[-said["footer"] :], len(blob)).groups
    rnd, path, extent = np.random.default_rng(3), tmp_path / "file", Extent(5000, 0, 4999)
    refused = 0
    for turn in range(600):
        content = bytearray(blob)
        footer = (len(blob) - said["footer"], len(blob) - 8)
        content[int(rnd.integers(*(footer if turn % 2 else (4, footer[0]))))] ^= 1 << turn % 8
        path.write_bytes(content)
        sums = {
            "footer_crc32": zlib.crc32(content[-said["footer"] :]),
            "sums": [zlib.crc32(content[g.begin : g.end]) for g in groups],
        }
        try:
            read = OverviewFile(Local(path).open(), json.dumps(said | sums).encode())
            levels = [read.levels(number, extent) for number in range(2)]
        except DAMAGE:
            refused += 1
            continue
        assert all(c.rows.sum() == 5000 for each in levels for c in each.values())
    assert 300 < refused < 600


# Overviews with right checksums that cannot be true -------------------------------------


def written(bench, monkeypatch, change) -> tuple:
    """A file whose overview was changed by `change` before its checksums were made."""
    real = overview.Overview.blob

    def lying(self):
        table = pq.read_table(pa.BufferReader(real(self)))
        columns = {name: table[name].to_numpy().copy() for name in COLUMNS}
        sizes = sorted(set(columns["cell"].tolist()), reverse=True)
        groups = [{n: c[columns["cell"] == size] for n, c in columns.items()} for size in sizes]
        for group in groups:
            change(group)
        return encode(groups)

    monkeypatch.setattr(overview.Overview, "blob", lying)
    stored = open_stored(record(bench, series=2))
    return stored, next(iter(stored.extents))


def put(name, place, value):
    def change(group):
        group[name][place] = value

    return change


def add(name, value, place=slice(None)):
    def change(group):
        group[name][place] += value

    return change


def swap(group):
    for column in group.values():
        column[[1, 2]] = column[[2, 1]]


def leave_out(group):
    for name, column in group.items():
        group[name] = np.delete(column, 3)


def over_the_gap(group):
    """Give what is known of a gap to the block before it."""
    gap = int(np.flatnonzero((group["count"] == 0) & (group["series"] == 0))[0])
    group["rows"][gap - 1] += group["rows"][gap]
    group["end"][gap - 1] = group["end"][gap]
    for name, column in group.items():
        group[name] = np.delete(column, gap)


def swap_extremes(group):
    group["min"], group["max"] = group["max"], group["min"]


LIES = {
    "more rows": add("rows", 1),
    "fewer rows": add("rows", -1),
    "rows moved from one block to another": lambda g: (add("rows", -1, 1)(g), add("rows", 1, 2)(g)),
    "a negative count": put("count", 2, -1),
    "more values than rows": put("count", 2, 1 << 30),
    "another beginning": add("start", -1, 0),
    "another end": lambda g: add("end", 1, int(np.flatnonzero(g["series"] == 0)[-1]))(g),
    "an end before the start": lambda g: put("end", 2, g["start"][2] - 1)(g),
    "blocks one over the other": lambda g: put("end", 2, g["start"][3] + 1)(g),
    "blocks out of order": swap,
    "one block less": leave_out,
    "a least value above the greatest": swap_extremes,
    "no extremes where values are": put("min", 2, np.nan),
    "a mean above the greatest value": lambda g: put("mean", 2, g["max"][2] + 1)(g),
    "a mean of nothing": put("mean", 2, np.nan),
    "extremes in a gap": lambda g: put("max", g["count"] == 0, 1.0)(g),
    "a block across a gap": over_the_gap,
    "the blocks of another series too": put("series", slice(None), 0),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_overview_that_contradicts_itself_or_the_index_is_not_used(bench, monkeypatch, lie):
    stored, key = written(bench, monkeypatch, LIES[lie])

    assert stored.level(key, 30) is None
    assert same(stored.levels(key), from_rows(stored, key))


def test_levels_that_contradict_each_other_are_not_used(bench, monkeypatch):
    def change(group):
        if group["cell"][0] == 512:
            group["count"][1] -= 1

    stored, key = written(bench, monkeypatch, change)

    assert same(stored.levels(key), from_rows(stored, key))


def test_an_unchanged_overview_is_used(bench, monkeypatch, pieces):
    stored, key = written(bench, monkeypatch, lambda group: None)

    assert not same(stored.levels(key), from_rows(stored, key))
    assert len(stored.level(key, 30)) == 42
    assert len(pieces) == 3


# Overviews that are made to do harm ------------------------------------------------------


def parquet(columns, groups=1, **types) -> bytes:
    """The columns as any Parquet writer may write them."""
    names = [n for n in columns if n not in types]
    arrays = [pa.array(columns[n]) for n in names] + list(types.values())
    fields = [
        pa.field(n, a.type, nullable=n in types)
        for n, a in zip([*names, *types], arrays, strict=True)
    ]
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, pa.schema(fields), use_dictionary=False) as writer:
        for _ in range(groups):
            writer.write_table(pa.table(arrays, schema=pa.schema(fields)), row_group_size=1 << 30)
    return sink.getvalue()


def blocks_like(count, size=64) -> dict[str, np.ndarray]:
    """Columns that could be those of one series."""
    columns = {name: np.zeros(count, kind) for name, kind in COLUMNS.items()}
    columns["cell"][:] = columns["rows"][:] = columns["count"][:] = size
    return columns


def without(name) -> dict[str, np.ndarray]:
    return {n: c for n, c in blocks_like(10).items() if n != name}


MADE_TO_HARM = {
    "larger than any": lambda: parquet(blocks_like(70_000)),
    "start is not one": lambda: parquet(without("start"), start=pa.array([None, *range(9)])),
    "end is not one": lambda: parquet(blocks_like(10) | {"end": np.zeros(10)}),
    "last": lambda: parquet(without("last")),
    "rows is not one": lambda: parquet(without("rows"), rows=pa.array(["x"] * 10)),
    "more than one level": lambda: parquet(blocks_like(10) | {"cell": np.int32([64, 512] * 5)}),
    "other levels than any": lambda: parquet(blocks_like(10, 100)),
    "levels": lambda: parquet(blocks_like(10, 512)),
    "not in order": lambda: parquet(blocks_like(10) | {"series": np.int32([0, 1] * 5)}),
    "length": lambda: parquet(blocks_like(10))[:-8] + b"\xff\xff\xff\xffPAR1",
}


@pytest.mark.parametrize("told", MADE_TO_HARM)
def test_an_overview_that_cannot_be_one_is_refused(tmp_path, told):
    blob = MADE_TO_HARM[told]()
    path = tmp_path / "file"
    path.write_bytes(blob)
    try:
        mark = bare_mark(blob, 0)
    except pa.ArrowInvalid:
        mark = json.dumps({"offset": 0, "length": len(blob), "footer": 100, "sums": [], "footer_crc32": zlib.crc32(blob[-100:])})  # fmt: skip

    with pytest.raises(DAMAGE, match=told if told != "length" else "not as long"):
        OverviewFile(Local(path).open(), mark.encode()).level(0, Extent(640, 0, 0), 1)


def crafted(change, size=64) -> bytes:
    """An overview whose footer was changed, as no writer does it."""
    blob = encode([blocks_like(10, size)])
    length = int.from_bytes(blob[-8:-4], "little")
    footer = without_truths(decode_thrift(blob[-8 - length : -8])[0])
    added = change(footer[fields.GROUPS][0], footer) or b""
    made = encode_thrift(footer)
    return blob[: -8 - length] + added + made + len(made).to_bytes(4, "little") + b"PAR1"


def without_truths(fields):
    """A structure without fields that are true or false, which need not be there."""
    if isinstance(fields, list):
        return [without_truths(each) for each in fields]
    if not isinstance(fields, dict):
        return fields
    return {k: without_truths(v) for k, v in fields.items() if not isinstance(v, bool)}


def last_chunk(group) -> dict:
    return group[fields.COLUMNS][-1][fields.CHUNK]


def bomb(group, _) -> bytes:
    """Put a page of 40 MB, which is packed to 2 kB, behind the others of the last column."""
    content = pa.compress(bytes(40_000_000), codec="zstd", asbytes=True)
    page, body = (
        {key(1, I32): 0, key(2, I32): 40_000_000, key(3, I32): len(content)},
        {key(1, I32): 10, key(2, I32): 0, key(3, I32): 3, key(4, I32): 3},
    )
    added = encode_thrift(page | {key(5, STRUCT): body}) + content
    last_chunk(group)[fields.PACKED] += len(added)
    return added


def cut_short(group, _) -> None:
    last_chunk(group)[fields.PACKED] -= 1


def apart(group, footer) -> bytes:
    """Leave room between two columns."""
    last_chunk(group)[fields.PAGES] += 7
    return bytes(7)


def another_level(group, _) -> None:
    bounds = group[fields.COLUMNS][1][fields.CHUNK][fields.STATISTICS]
    for name in bounds.keys() & fields.BOUNDS:
        bounds[name] = (512 if name in {key(1, BINARY), key(5, BINARY)} else 64).to_bytes(
            4, "little"
        )


def another_series(group, _) -> None:
    bounds = group[fields.COLUMNS][0][fields.CHUNK][fields.STATISTICS]
    for name in bounds.keys() & fields.BOUNDS:
        bounds[name] = (0 if name in {key(2, BINARY), key(6, BINARY)} else 3).to_bytes(4, "little")


def told_level(group, _) -> None:
    bounds = group[fields.COLUMNS][1][fields.CHUNK][fields.STATISTICS]
    for name in bounds.keys() & fields.BOUNDS:
        bounds[name] = (128).to_bytes(4, "little")


CRAFTED = {
    "a page unpacks to more": bomb,
    "does not end where it should": cut_short,
    "one after the other": apart,
    "more than one level": another_level,
    "not in order": another_series,
    "other levels than any": told_level,
}


def test_a_row_group_of_another_level_than_its_statistics_say_is_refused(tmp_path):
    def told_64(group, _):
        bounds = group[fields.COLUMNS][1][fields.CHUNK][fields.STATISTICS]
        bounds.update((name, (64).to_bytes(4, "little")) for name in bounds.keys() & fields.BOUNDS)

    blob = crafted(told_64, 512)
    path = tmp_path / "file"
    path.write_bytes(blob)

    with pytest.raises(ValueError, match="of the overview is of more than one level"):
        OverviewFile(Local(path).open(), bare_mark(blob, 0).encode()).level(
            0, Extent(5120, 0, 0), 1
        )


@pytest.mark.parametrize("told", CRAFTED)
def test_an_overview_that_was_crafted_is_refused_before_it_is_unpacked(tmp_path, told):
    blob = crafted(CRAFTED[told])
    path = tmp_path / "file"
    path.write_bytes(blob)

    with pytest.raises(ValueError, match=told):
        OverviewFile(Local(path).open(), bare_mark(blob, 0).encode()).level(0, Extent(640, 0, 0), 1)


def test_crafting_alone_does_no_harm(tmp_path):
    blob = crafted(lambda *_: None)
    path = tmp_path / "file"
    path.write_bytes(blob)

    read = OverviewFile(Local(path).open(), bare_mark(blob, 0).encode())

    assert len(read.level(0, Extent(640, 0, 0), 1)) == 10


def bare_mark(blob: bytes, offset: int) -> str:
    """The mark of any Parquet file, its sums made from what the footer says."""
    about = pq.read_metadata(io.BytesIO(blob))
    length = int.from_bytes(blob[-8:-4], "little") + 8
    sums = []
    for place in range(about.num_row_groups):
        chunks = [about.row_group(place).column(c) for c in range(about.num_columns)]
        begin = chunks[0].data_page_offset
        end = begin + sum(c.total_compressed_size for c in chunks)
        sums.append(zlib.crc32(blob[begin:end]))
    said = {"offset": offset, "length": len(blob), "crc32": zlib.crc32(blob), "footer": length}
    return json.dumps(said | {"footer_crc32": zlib.crc32(blob[-length:]), "sums": sums})


@pytest.mark.parametrize(
    "change",
    [
        {"offset": -1},
        {"offset": 1 << 62},
        {"offset": True},
        {"offset": "7"},
        {"offset": 4.0},
        {"length": 1 << 40},
        {"length": None},
        {"length": 0, "footer": 0},
        {"footer": 1 << 40},
        {"footer": 8},
        {"footer": 4},
        {"footer_crc32": 0},
        {"sums": []},
        {"sums": [0]},
        {"sums": [[]]},
        {"sums": 5},
        {"sums": list(range(1_000_000))},
    ],
    ids=str,
)
def test_a_mark_that_cannot_be_true_is_not_followed(bench, monkeypatch, change):
    monkeypatch.setattr(
        pack, "overview_mark", lambda b, o: json.dumps(json.loads(overview_mark(b, o)) | change)
    )
    stored = open_stored(record(bench, series=1, rows=5000))
    key = next(iter(stored.extents))

    assert stored.level(key, 1) is None
    assert same(stored.levels(key), from_rows(stored, key))


@pytest.mark.parametrize("mark", ["", "{", "[]", "null", "7", '{"offset": 1}', "[" * 100_000])
def test_a_mark_that_is_no_mark_is_not_followed(bench, monkeypatch, mark):
    monkeypatch.setattr(pack, "overview_mark", lambda b, o: mark)
    stored = open_stored(record(bench, series=1, rows=500))

    assert stored.levels(next(iter(stored.extents)))[64].rows.sum() == 500


def test_a_later_minor_version_may_have_more_columns(tmp_path):
    columns = blocks_like(3) | {"start": np.arange(3), "end": np.arange(3)}
    blob = parquet(columns, median=pa.array([1.0, 2.0, 3.0]))
    path = tmp_path / "file"
    path.write_bytes(blob)

    read = OverviewFile(Local(path).open(), bare_mark(blob, 0).encode())

    assert len(read.level(0, Extent(3 * 64, 0, 2), 1)) == 3


def test_a_file_that_was_replaced_is_read_as_it_was_when_it_was_opened(bench):
    path = record(bench, series=1, rows=5000)
    stored, again = open_stored(path), open_stored(path)
    path.unlink()
    path.write_bytes(bytes(5000))

    (key,) = stored.extents
    assert len(stored.columns(key)) == 5000
    assert repr(stored.level(key, 1)) == repr(again.level(key, 1))
    assert stored.level(key, 1) is not None


def test_no_series_is_looked_for_among_all_others(bench):
    class Guarded(dict):
        def __iter__(self):
            raise AssertionError("all series were gone through for one")

    stored = open_stored(record(bench, series=3, rows=100))
    keys = list(stored.extents)
    stored.extents = Guarded(stored.extents)

    found = [stored.levels(key) for key in keys]

    assert [blocks[64].rows.sum() for blocks in found] == [100] * 3


def test_a_directory_has_the_same_blocks_as_its_finished_file(bench):
    bench.numbers(bench.series("gpu:0", "gpu.power"), range(START_US, START_US + 1000), noise(1000))
    bench.numbers(bench.series("kernel", "log.stdout", kind="text"), [START_US], [1.0])
    bench.writer.close()
    running = open_stored(bench.directory)
    finished = open_stored(compact(bench.directory))
    power, log = running.extents

    assert (running.level(power, 1), len(finished.level(power, 1))) == (None, 16)
    assert running.levels(power)[64].rows.tolist() == finished.levels(power)[64].rows.tolist()
    assert running.levels(log) == finished.levels(log) == {}
    # Asked again, they are not computed again.
    assert running.levels(power) is running.levels(power)
