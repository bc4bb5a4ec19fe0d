"""File systems: one that cannot be asked takes itself away alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pulse_widgets.readers.host.mounts import spaces_of
from pulse_widgets.readers.host.omissions import Omissions

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are no mounts to read")


def read(mounts):
    omissions = Omissions()
    found = omissions.asked("mounts", lambda: spaces_of(mounts, omissions))
    return set(found), omissions.reasons


AS_NOBODY = """
import json, os, sys
from pulse_widgets.readers.host.mounts import spaces_of
from pulse_widgets.readers.host.omissions import Omissions
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
omissions = Omissions()
found = omissions.asked(0, lambda: spaces_of(sys.stdin.buffer.read(), omissions))
print(json.dumps([sorted(found), dict(omissions.reasons)]))
"""


def read_as_nobody(mounts, tmp_path):
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        if folder.name.startswith("pytest-of") or "pytest-" in folder.as_posix():
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY], input=mounts, capture_output=True, check=True
    )
    return json.loads(done.stdout)


def test_a_mount_behind_a_closed_door_is_told_and_the_others_are_read(tmp_path):
    hidden, open_one = tmp_path / "secret" / "inner", tmp_path / "data"
    hidden.mkdir(parents=True)
    open_one.mkdir()
    hidden.parent.chmod(0)
    mounts = f"/dev/root / ext4 rw\n/dev/sdc1 {hidden} ext4 rw\n/dev/sdd1 {open_one} xfs rw\n"

    try:
        found, told = read_as_nobody(mounts.encode(), tmp_path)
    finally:
        hidden.parent.chmod(0o755)

    assert found == sorted(["/", str(open_one)])
    assert list(told) == [f"fs:{hidden} disk.total"]
    assert "PermissionError" in told[f"fs:{hidden} disk.total"]


@pytest.mark.parametrize(
    ("kinds", "asked"),
    [
        ("ext4 nfs4", []),
        ("nfs4 ext4", ["/dev/1"]),
        ("ext4 xfs", ["/dev/1"]),
        ("ext4 autofs nfs", []),
        ("ext4 tmpfs", []),
    ],
)
def test_of_several_mounts_at_one_path_the_last_counts(monkeypatch, tmp_path, kinds, asked):
    seen = []
    statvfs = os.statvfs
    monkeypatch.setattr(os, "statvfs", lambda path: seen.append(path) or statvfs(path))
    lines = [f"/dev/{n} {tmp_path} {kind} rw\n" for n, kind in enumerate(kinds.split())]

    found, told = read("".join(lines).encode())

    assert found == ({str(tmp_path)} if asked else set())
    assert seen == [os.fsencode(tmp_path)] * len(asked)
    assert told == {}


def test_a_disk_that_is_hidden_at_one_path_is_read_at_another(tmp_path):
    mounts = "/dev/sdb1 {0} ext4 rw\n/dev/sdb1 {0}/long ext4 rw\nserver:/x {0} nfs rw\n"
    (tmp_path / "long").mkdir()

    assert read(mounts.format(tmp_path).encode()) == ({f"{tmp_path}/long"}, {})


def test_no_room_at_all_is_no_number(monkeypatch, tmp_path):
    plain = os.statvfs(tmp_path)
    monkeypatch.setattr(
        os, "statvfs", lambda _: os.statvfs_result((*plain[:2], 0, 0, 0, *plain[5:]))
    )

    found, told = read(b"none / 9p rw\n")

    assert found == set()
    assert "0 blocks" in told["fs:/ disk.total"]


def test_a_longer_path_counts_where_the_shorter_cannot_be_read(tmp_path):
    short, there = tmp_path / "a", tmp_path / "there"
    there.mkdir()

    found, told = read(f"/dev/sdb1 {short} ext4 rw\n/dev/sdb1 {there} ext4 rw\n".encode())

    assert found == {str(there)}
    assert told == {}


def test_a_path_of_other_bytes_is_read_and_shown_with_replacement(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(path)).mkdir()

    found, told = read(b"/dev/sdb1 " + path + b" ext4 rw\n")

    assert found == {f"{tmp_path}/caf\N{REPLACEMENT CHARACTER}"}
    assert told == {}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"/dev/sdb1", "fs:2"),
        (b"/dev/sdb1 /nowhere", "fs:2"),
        (b"/dev/sdb1 /not/there ext4 rw", "fs:/not/there"),
        (b"/dev/sdb1 /no\\040place ext4 rw", "fs:/no\\040place"),
        (b"/dev/sdb1 /a\\000b ext4 rw", "fs:/a\0b"),
        (b"/dev/sdb1 /a\\777b ext4 rw", "fs:/a\\777b"),
    ],
)
def test_an_odd_line_is_told(line, name):
    found, told = read(b"overlay / overlay rw\n" + line + b"\n\n")

    assert found == {"/"}
    assert list(told) == [f"{name} disk.total"]


def test_what_cannot_be_is_told(monkeypatch, tmp_path):
    free = os.statvfs(tmp_path)
    odd = os.statvfs_result((*free[:2], 100, 200, *free[4:]))
    monkeypatch.setattr(os, "statvfs", lambda _: odd)

    found, told = read(f"/dev/sdb1 {tmp_path} ext4 rw\n".encode())

    assert found == set()
    assert "200 of 100 blocks" in told[f"fs:{tmp_path} disk.total"]
