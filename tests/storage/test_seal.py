"""Checksums of the footer and of every column chunk: put in, checked, and found wrong."""

from __future__ import annotations

import base64
import os
import re
import zlib

import numpy as np
import pyarrow.parquet as pq
import pytest

from pulse_widgets.storage.parquet.seal import check_footer, marks, seal
from pulse_widgets.storage.place import Local
from tests.storage import sealed

NAMES = sealed.SCHEMA.names
WRONG = "does not match its checksum"


@pytest.fixture(params=[True, False], ids=["finished", "part"])
def path(request, tmp_path):
    made = tmp_path / "a.parquet"
    tables = [sealed.table(500, seed) for seed in range(3)]
    sealed.write(made, tables, final=request.param, split=False, page=64)
    return made


def footer_place(content: bytes) -> int:
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def test_the_sums_are_those_of_the_bytes_of_each_column_chunk(path):
    content, metadata = path.read_bytes(), pq.read_metadata(path)
    sums = np.frombuffer(base64.b64decode(metadata.metadata[b"pulse.sums"]), "<u4")

    for place, said in enumerate(sums):
        chunk = metadata.row_group(place // 8).column(place % 8)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        assert zlib.crc32(content[start : start + chunk.total_compressed_size]) == said
    assert len(sums) == 24


def test_the_crc_is_that_of_the_footer_with_its_own_digits_as_zeros(path):
    content = path.read_bytes()
    footer = content[footer_place(content) : -8]
    said = pq.read_metadata(path).metadata[b"pulse.crc"]

    assert re.fullmatch(rb"[0-9a-f]{16}", said)
    assert footer.count(b"pulse.crc\x18\x10" + said) == 1
    crc = zlib.crc32(footer.replace(b"\x10" + said, b"\x10" + b"0" * 16))
    assert b"%08x%08x" % (len(footer), crc) == said


def test_sealing_changes_the_marks_alone_and_can_be_done_again(tmp_path):
    path = tmp_path / "a.parquet"
    tables = [sealed.table(500, 0)]
    with pq.ParquetWriter(path, sealed.SCHEMA, **sealed.options(final=True, split=False)) as writer:
        writer.write_table(tables[0])
        writer.add_key_value_metadata({**marks(1, 8), "last": "pulse.crc"})
    before = path.read_bytes()

    seal(path)

    after = path.read_bytes()
    seal(path)
    assert path.read_bytes() == after
    for mark in (rb"(pulse\.sums\x18.)[^\x00]*", rb"(pulse\.crc\x18.)[0-9a-f]*"):
        before, after = (re.sub(mark, rb"\1", text, flags=re.DOTALL) for text in (before, after))
    assert before == after
    assert pq.read_table(path).equals(tables[0])


def test_a_sealed_file_is_sound(path):
    footer = check_footer(Local(path).open())

    assert footer.sealed
    assert footer.size == path.stat().st_size
    assert footer.names == tuple(NAMES)
    assert [footer.damaged(Local(path).open(), group, NAMES) for group in range(3)] == [[], [], []]


def length_place(content: bytes) -> int:
    """Where the digits are that tell a file written anew; all else has a checksum."""
    return content.rindex(b"pulse.crc\x18\x10") + 11


def masked(content: bytes) -> bytes:
    place = length_place(content) if b"pulse.crc\x18\x10" in content else 0
    return content[:place] + content[place + 8 :]


def test_no_changed_byte_of_the_footer_goes_unseen(path):
    content = path.read_bytes()
    rnd = np.random.default_rng(0)
    length = length_place(content)
    with path.open("r+b", buffering=0) as file:
        for place in range(footer_place(content), len(content)):
            os.pwrite(file.fileno(), bytes([content[place] ^ 1 << rnd.integers(8)]), place)
            if length <= place < length + 8:
                assert check_footer(Local(path).open()).sealed
                continue
            with pytest.raises(ValueError, match=r"."):
                check_footer(Local(path).open())
            os.pwrite(file.fileno(), content[place : place + 1], place)
    assert check_footer(Local(path).open()).sealed


def test_no_changed_bits_of_the_footer_go_unseen(path):
    content = path.read_bytes()
    rnd = np.random.default_rng(0)
    for _ in range(1000):
        changed, _ = sealed.damage(content, range(footer_place(content), len(content)), rnd)
        path.write_bytes(changed)
        if masked(changed) != masked(content):
            with pytest.raises(ValueError, match=r"."):
                check_footer(Local(path).open())
        else:
            assert check_footer(Local(path).open()).sealed


def test_a_file_that_another_program_wrote_anew_has_no_checksums(path):
    table = pq.read_table(path)
    kept = {**pq.read_metadata(path).metadata, **(table.schema.metadata or {})}
    assert b"pulse.crc" in kept
    pq.write_table(table.replace_schema_metadata(kept), path, compression="snappy")

    assert not check_footer(Local(path).open()).sealed


def test_a_changed_byte_of_a_column_chunk_damages_it_alone(path):
    content = path.read_bytes()
    rnd = np.random.default_rng(0)
    footer = check_footer(Local(path).open())
    for group in range(3):
        for name in NAMES:
            start, end = footer.extent(group, name)
            changed = bytearray(content)
            changed[rnd.integers(start, end)] ^= 1 << rnd.integers(8)
            path.write_bytes(changed)
            found = [
                check_footer(Local(path).open()).damaged(Local(path).open(), g, NAMES)
                for g in range(3)
            ]
            assert found == [[name] if g == group else [] for g in range(3)]
            others = [other for other in NAMES if other != name]
            assert footer.damaged(Local(path).open(), group, others) == []


def test_a_file_of_another_writer_has_no_checksums(tmp_path):
    path = tmp_path / "a.parquet"
    sealed.write(path, [sealed.table(100, 0)], sealed=False, final=True, split=False)

    footer = check_footer(Local(path).open())

    assert not footer.sealed
    assert footer.damaged(Local(path).open(), 0, NAMES) == []


def test_a_file_that_lost_the_name_of_its_checksum_is_damaged(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b"pulse.crc", b"pulse.crb"))

    with pytest.raises(ValueError, match=WRONG):
        check_footer(Local(path).open())


def test_a_file_written_with_other_marks_is_not_sealed(tmp_path):
    path = tmp_path / "a.parquet"
    for room in ({}, marks(2, 8), {"pulse.crc": "00000000"}):
        with pq.ParquetWriter(path, sealed.SCHEMA) as writer:
            writer.write_table(sealed.table(100, 0))
            writer.add_key_value_metadata(room)
        before = path.read_bytes()
        with pytest.raises(ValueError, match=r"no pulse\.sums|no room"):
            seal(path)
        assert path.read_bytes() == before


def test_values_may_speak_of_the_keys(tmp_path):
    path = tmp_path / "a.parquet"
    said = {"before": "pulse.crc pulse.sums 00000000", "pulse.crcs": "00000000"}
    with pq.ParquetWriter(path, sealed.SCHEMA) as writer:
        writer.write_table(sealed.table(100, 0))
        writer.add_key_value_metadata({**said, **marks(1, 8), "zz": "pulse.crc"})
    seal(path)

    assert check_footer(Local(path).open()).sealed
    assert pq.read_metadata(path).metadata[b"before"] == said["before"].encode()


def test_a_file_that_is_cut_off_is_refused_wherever_it_is(path):
    content = path.read_bytes()
    rnd = np.random.default_rng(0)
    for length in [*range(20), *rnd.integers(20, len(content), 300).tolist(), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"^it"):
            check_footer(Local(path).open())


def test_a_file_that_is_not_there_is_told_as_that(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_footer(Local(tmp_path / "none.parquet").open())


def test_a_column_chunk_cut_off_while_it_is_read_is_damaged(path):
    footer = check_footer(Local(path).open())
    start, end = footer.extent(2, "value")
    path.write_bytes(path.read_bytes()[: (start + end) // 2])

    assert "value" in footer.damaged(Local(path).open(), 2, NAMES)
