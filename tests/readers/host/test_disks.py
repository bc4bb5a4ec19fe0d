from __future__ import annotations

import math
import os
import sys

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.readers.base import ALL_CLASSES
from pulse_widgets.readers.host.backend import SystemBackend
from pulse_widgets.readers.host.disks import LinuxDisks, which_disks
from pulse_widgets.readers.host.parts import HostParts
from pulse_widgets.readers.host.portable import PsutilHost
from pulse_widgets.readers.host.proc_files import ProcFiles
from pulse_widgets.readers.host.procfs import LinuxHost
from pulse_widgets.readers.host.protocol import DiskCounts
from tests.readers.host.sys_tree import block_tree

LINE = "   8       0 {} 1 0 2 0 3 0 4 0 0 5000 0"


@pytest.fixture
def read(tmp_path):
    """Read a diskstats of these lines; returns the devices and what was told to be odd."""

    def reader(*lines, below=None):
        sys_root = str(tmp_path / "sys") if below is not None else None
        if below is not None:
            block_tree(tmp_path / "sys", below)
        text = "\n".join(lines) + "\n"
        (tmp_path / "diskstats").write_bytes(text.encode("utf-8", "surrogateescape"))
        told = []
        disks = LinuxDisks(ProcFiles(str(tmp_path)), sys_root, lambda *odd: told.append(odd))
        return disks.read(), told

    return reader


BY_NAME = [
    # Devices that are listed, those the sum counts, and those that are reported besides.
    ("sda", "sda", ""),
    ("vda vdb", "vda vdb", ""),
    ("sda sda1 sda2 dm-0 dm-1", "sda", "dm-0 dm-1"),
    ("sda sda1 sdb sdb1 md0 md127p1", "sda sdb", "md0 md127p1"),
    ("sda sdb dm-0", "sda sdb", "dm-0"),
    ("sda bcache0 bcache0p1", "sda", "bcache0"),
    ("sda zd0 zd0p1 zd16", "sda", "zd0 zd16"),
    ("sda drbd0", "sda", "drbd0"),
    ("sda nbd0 rbd0 rbd0p1", "sda nbd0 rbd0", ""),
    ("mmcblk0 mmcblk0p1 mmcblk0boot0 mmcblk0boot1", "mmcblk0 mmcblk0boot0 mmcblk0boot1", ""),
    ("nvme0n1 nvme0n1p1 nvme1n1", "nvme0n1 nvme1n1", ""),
    ("nvme0n1 nvme0n1p1 nvme0c0n1", "nvme0c0n1", "nvme0n1"),
    ("nvme3n1 nvme3c33n1 nvme3c34n1 nvme4n1", "nvme3c33n1 nvme3c34n1 nvme4n1", "nvme3n1"),
    ("xvda1 xvdb", "xvda1 xvdb", ""),
    ("xvda xvda1", "xvda", ""),
    ("sdp sdp1 sdaa sdaa1", "sdp sdaa", ""),
    ("cciss/c0d0 cciss/c0d0p1", "cciss/c0d0", ""),
    ("cciss!c0d0 cciss!c0d0p1", "cciss!c0d0", ""),
    ("dasda dasda1", "dasda", ""),
    ("pmem0 pmem0p1", "pmem0", ""),
    ("sda ram0 loop0 loop0p1 zram0 sr0 fd0", "sda", ""),
    ("dm-3", "dm-3", ""),
    ("md0 dm-0", "md0", "dm-0"),
    ("zd0", "zd0", ""),
    ("loop0 ram0 zram0 sr0", "", ""),
    ("", "", ""),
    ("disk0 disk2", "disk0 disk2", ""),
    ("PhysicalDrive0", "PhysicalDrive0", ""),
]


@pytest.mark.parametrize(("names", "counted", "besides"), BY_NAME)
def test_each_byte_is_in_the_sum_once(names, counted, besides):
    found = which_disks(names.split())

    assert {name for name, in_sum in found.items() if in_sum} == set(counted.split())
    assert {name for name, in_sum in found.items() if not in_sum} == set(besides.split())


BY_KERNEL = [
    ("a volume over what this container does not see", {"dm-3": ["sda2"]}, "dm-3", ""),
    ("beside a disk that it is not made of", {"vda": [], "dm-3": ["sda2"]}, "vda dm-3", ""),
    ("LUKS in LVM", {"dm-3": ["sda2"], "dm-4": ["dm-3"]}, "dm-3", "dm-4"),
    ("a partition that is not listed", {"sda": [], "dm-0": ["sda3"]}, "sda", "dm-0"),
    ("two arrays", {"md0": ["sda1"], "dm-0": ["sdb1"]}, "md0 dm-0", ""),
    ("LVM over an array", {"md0": ["sda1"], "dm-0": ["md0"]}, "md0", "dm-0"),
    ("a driver of no known name", {"sda": [], "vdo0": ["sda"]}, "sda", "vdo0"),
    ("names with a slash", {"cciss!c0d0": [], "dm-0": ["cciss!c0d0p2"]}, "cciss/c0d0", "dm-0"),
    ("a circle", {"dm-0": ["dm-8"], "dm-8?": ["dm-9"], "dm-9?": ["dm-8"]}, "dm-0", ""),
    ("over a file", {"sda": [], "loop0": [], "dm-0": ["loop0"]}, "sda", "dm-0"),
]


@pytest.mark.parametrize(("case", "tree", "counted", "besides"), BY_KERNEL)
def test_the_kernel_tells_what_is_above_what(read, case, tree, counted, besides):
    # What has a question mark is in /sys, and not in the list.
    names = [name.replace("!", "/") for name in tree if not name.endswith("?")]
    below = {name.rstrip("?"): slaves for name, slaves in tree.items()}

    found, _ = read(*map(LINE.format, names), below=below)

    assert {n for n, disk in found.items() if disk.in_sum} == set(counted.split()), case
    assert {n for n, disk in found.items() if not disk.in_sum} == set(besides.split()), case


def test_what_is_above_what_is_asked_only_when_devices_come_or_go(tmp_path):
    block_tree(tmp_path / "sys", {"sda": [], "dm-0": ["sda"]})
    stats = tmp_path / "diskstats"
    stats.write_text("\n".join(map(LINE.format, ("sda", "dm-0"))))
    disks = LinuxDisks(ProcFiles(str(tmp_path)), str(tmp_path / "sys"), lambda *_: None)
    assert not disks.read()["dm-0"].in_sum

    (tmp_path / "sys/block/dm-0/slaves/sda").unlink()
    (tmp_path / "sys/block/dm-0/slaves/sdz").touch()
    assert not disks.read()["dm-0"].in_sum

    stats.write_text("\n".join(map(LINE.format, ("sda", "sdb", "dm-0"))))
    assert disks.read()["dm-0"].in_sum


def test_a_line_has_bytes_requests_and_the_time_it_was_busy(read):
    found, told = read(LINE.format("sda"))

    assert found == {"sda": DiskCounts(1024, 2048, 1, 3, 5.0)}
    assert told == []


ODD = [
    (" 3 1 hda1 8 8 8 8", "disk:hda1", "7 words"),
    (" 8 0", "/proc/diskstats", "2 words"),
    ("garbage", "/proc/diskstats", "1 words"),
    (" 8 0 sdb 1 0 2 0 3 0 4 0 0", "disk:sdb", "12 words"),
    (LINE.format("sdb").replace(" 1 0 2", " -1 0 2"), "disk:sdb", "'-1'"),
    (LINE.format("sdb").replace(" 1 0 2", " x 0 2"), "disk:sdb", "'x'"),
    (LINE.format("sdb").replace(" 1 0 2", " 1_0 0 2"), "disk:sdb", "'1_0'"),
    (LINE.format("sdb").replace(" 1 0 2", " 1 0 18446744073709551616"), "disk:sdb", "18446744073"),
    (LINE.format("sdb").replace(" 1 0 2", " 1 0 " + "9" * 5000), "disk:sdb", "9999...'"),
    (LINE.format("s" * 5000), "disk:" + "s" * 64, "too long"),
    (LINE.format("sda").replace(" 1 0 2", " 7 0 7"), "disk:sda", "two lines"),
]


@pytest.mark.parametrize(("line", "what", "why"), ODD)
@pytest.mark.parametrize("first", [True, False])
def test_an_odd_line_is_left_out_with_its_reason_and_the_others_are_read(
    read, line, what, why, first
):
    lines = [LINE.format("sda"), LINE.format("nvme0n1")]
    # Of two lines with one name the first is taken.
    lines.insert(0 if first and "two lines" not in why else 2, line)

    found, told = read(*lines)

    assert found == {name: DiskCounts(1024, 2048, 1, 3, 5.0) for name in ("sda", "nvme0n1")}
    ((said, reason),) = told
    assert said == (f"{what} counters" if ":" in what else f"host {what}")
    assert why in reason
    assert len(reason) < 120


@pytest.mark.parametrize(
    "lines",
    [
        ["", LINE.format("sda"), "   "],
        [LINE.format("sda"), LINE.format("sda")],
        [LINE.format("sda") + " 0 0 0 0"],
        [LINE.format("sda") + " 0 0 0 0 0 0"],
        [LINE.format("sda") + " 0 0 0 0 0 0 new columns"],
    ],
)
def test_empty_and_longer_lines_and_a_line_printed_twice_are_not_odd(read, lines):
    found, told = read(*lines)

    assert found == {"sda": DiskCounts(1024, 2048, 1, 3, 5.0)}
    assert told == []


def test_a_partition_is_known_by_its_device_even_where_that_is_odd(read):
    found, told = read(" 8 0 sda odd", LINE.format("sda1"), LINE.format("sdb"))

    assert set(found) == {"sdb"}
    assert [what for what, _ in told] == ["disk:sda counters"]


def test_a_name_that_is_no_text_is_shown_with_replacements(read):
    found, _ = read(LINE.format("sd\udcff"), LINE.format("sda"))

    assert set(found) == {"sd\ufffd", "sda"}


def test_what_is_odd_is_told_on_each_look_as_long_as_it_is(tmp_path):
    stats, told = tmp_path / "diskstats", []
    disks = LinuxDisks(ProcFiles(str(tmp_path)), None, lambda what, _: told.append(what))

    for text in (" 8 0 sda odd", " 8 0 sda odd", LINE.format("sda"), " 8 0 sda odd"):
        stats.write_text(text)
        disks.read()

    assert told == ["disk:sda counters"] * 3


def _host(root, text):
    (root / "diskstats").write_text(text)
    host = LinuxHost(str(root), pid=os.getpid())
    return HostParts(host, pid=os.getpid(), per_device=True)


def test_stacked_devices_have_their_own_series_and_are_not_in_the_sum(tmp_path):
    fields = _host(tmp_path, "\n".join(map(LINE.format, ("sda", "sda1", "dm-0"))))._disks()

    assert set(fields) == {"host", "disk:sda", "disk:dm-0"}
    assert fields["host"]["disk.read.total"] == 1024
    assert fields["disk:dm-0"]["disk.read.total"] == 1024


def test_a_device_that_never_did_anything_has_no_series(tmp_path):
    idle = " 43 0 nbd0 0 0 0 0 0 0 0 0 0 0 0"
    fields = _host(tmp_path, f"{LINE.format('sda')}\n{idle}\n")._disks()

    assert set(fields) == {"host", "disk:sda"}


def test_the_first_work_of_an_idle_device_is_in_the_sum(tmp_path):
    idle = " 8 16 sdb 0 0 0 0 0 0 0 0 0 0 0"
    parts = _host(tmp_path, f"{LINE.format('sda')}\n{idle}\n")
    parts._disks()

    (tmp_path / "diskstats").write_text("\n".join(map(LINE.format, ("sda", "sdb"))))

    assert parts._disks()["host"]["disk.read.total"] == 2048


@pytest.mark.parametrize("text", ["", "7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n", " 8 0 sda 1 2 3\n"])
def test_without_a_disk_the_sum_is_missing_with_a_reason_and_not_0(tmp_path, text):
    parts = _host(tmp_path, text)

    assert parts._disks() == {}
    parts._host.omissions.settle("disks")

    assert "no disk" in parts._host.omissions.reasons["host disk.read.total"]


@pytest.mark.parametrize(
    ("root", "sys_root", "asked"),
    [("/proc", "/sys", "/sys"), ("captured", "/sys", None), ("captured", "sys", "sys")],
)
def test_the_tree_of_this_machine_is_not_asked_about_a_captured_list(
    tmp_path, root, sys_root, asked
):
    proc = root if root == "/proc" else str(tmp_path)

    host = LinuxHost(proc, sys_root=sys_root, pid=os.getpid())

    assert host._disks._sys_root == asked
    assert host._networks._ranks._base == (asked and f"{asked}/class/net")
    host.close()


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_the_real_devices_are_those_psutil_has():
    theirs = psutil.disk_io_counters(perdisk=True) or {}

    assert LinuxHost(pid=os.getpid()).disks().keys() <= theirs.keys()
    assert PsutilHost().disks().keys() <= theirs.keys()


def test_a_counter_of_psutil_that_falls_is_not_added_to_the_old_one(monkeypatch):
    asked = []

    def answer(**how):
        asked.append(how)
        return {}

    monkeypatch.setattr(psutil, "disk_io_counters", answer)
    monkeypatch.setattr(psutil, "net_io_counters", answer)
    host = PsutilHost()

    assert host.disks() == host.networks() == {}
    assert [how["nowrap"] for how in asked] == [False, False]


CAPTURED = b"""\
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
   8       0 sda 1099431 170138 457851954 3624252 1534477 1056358 145469032 421725 0 413548 4161860
   8       1 sda1 1099 17 4578 36 15 10 14546 4 0 41 416 0 0 0 0 0 0
   8      16 sdb 99431 70138 57851954 624252 534477 56358 45469032 21725 0 13548 161860 1 6 1 9
 259       0 nvme0n1 431 138 954 252 477 358 32 725 0 548 860 1357157 65 111830472 99015 167341 16866
 253       0 dm-0 431 0 954 252 477 0 32 725 0 548 860 0 0 0 0
   9       0 md0 431 0 954 252 477 0 32 725 0 548 860
""".splitlines()


@st.composite
def mutated(draw, captured):
    """Lines with some of them changed, and which these are."""
    lines = list(captured)
    changed = draw(st.sets(st.integers(0, len(lines) - 1), min_size=1, max_size=3))
    for k in changed:
        words = lines[k].split(b" ")
        kind = draw(st.sampled_from(["cut", "word", "bytes", "twice", "joined"]))
        at = draw(st.integers(0, len(words) - 1))
        if kind == "cut":
            lines[k] = b" ".join(words[:at])
        elif kind == "word":
            odd = [b"-1", b"", b"\xff\xfe", b"1e9", b"9" * 30, b"nan", b"\x00", b"0x1f", b":"]
            lines[k] = b" ".join((*words[:at], draw(st.sampled_from(odd)), *words[at + 1 :]))
        elif kind == "bytes":
            lines[k] = draw(st.binary(max_size=60)).replace(b"\n", b"")
        elif kind == "twice":
            lines[k] = b" ".join((*words[: at + 1], *words[at:]))
        else:
            lines[k] = lines[k] + lines[(k + 1) % len(lines)]
    return lines, changed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("proc")


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(mutated(CAPTURED))
def test_whatever_a_line_says_the_others_keep_their_values(folder, case):
    lines, changed = case
    expected = _read_of(folder, CAPTURED)

    found = _read_of(folder, lines)

    for disk in found.values():
        assert all(math.isfinite(value) and value >= 0 for value in disk)
    said = {word.decode("utf-8", "replace") for k in changed for word in lines[k].split()}
    for k, line in enumerate(CAPTURED):
        name = line.split()[2].decode()
        # A changed line may have taken the name of another device, or of one that it is part of.
        if k not in changed and name in expected and not any(map(name.startswith, said)):
            assert found[name][:5] == expected[name][:5]


def _read_of(folder, lines):
    (folder / "diskstats").write_bytes(b"\n".join(lines))
    return LinuxDisks(ProcFiles(str(folder)), None, lambda *_: None).read()


def test_a_list_that_comes_back_whole_is_read_again(tmp_path):
    (tmp_path / "diskstats").write_text(LINE.format("sda"))
    backend = SystemBackend(root=str(tmp_path))
    backend.open()
    try:
        (tmp_path / "diskstats").write_text(" 8 0 sda odd\n")
        odd = {r.entity_id: r.fields for r in backend.read(ALL_CLASSES)}
        (tmp_path / "diskstats").write_text(LINE.format("sda"))
        whole = {r.entity_id: r.fields for r in backend.read(ALL_CLASSES)}
    finally:
        backend.close()

    assert odd["host"]["disk.read.total"] is None
    assert odd["disk:sda"]["disk.read.total"] is None
    assert whole["host"]["disk.read.total"] == whole["disk:sda"]["disk.read.total"] == 1024
