"""A small machine as files of /proc and /sys, and ways in which such a file can be odd.

`make` writes the machine, `MOMENTS` has what its files say at two moments a second apart.
`line_damages` and `file_damages` draw what is done to one line, and to one whole file.
"""

from __future__ import annotations

import shutil

from hypothesis import strategies as st

PID, CHILD = 4242, 4243

_STAT = """\
cpu  {sum} 0 150 13500 15 0 0 0 0 0
cpu0 {cpu[0]} 0 50 4500 5 0 0 0 0 0
cpu2 {cpu[1]} 0 50 4500 5 0 0 0 0 0
cpu3 {cpu[2]} 0 50 4500 5 0 0 0 0 0
intr 70 0 9 61
ctxt 9000
btime 1700000000
"""
_MEMINFO = """\
MemTotal:        8000000 kB
MemFree:         2000000 kB
MemAvailable:    5000000 kB
Buffers:             100 kB
Cached:          2000000 kB
SwapCached:            0 kB
SwapTotal:       1000000 kB
SwapFree:         900000 kB
"""
_DISKSTATS = """\
   8       0 sda {reads} 0 2000 5 20 0 4000 6 0 50 11 0 0 0 0 0 0
   8       1 sda1 {reads} 0 2000 5 20 0 4000 6 0 50 11 0 0 0 0 0 0
 259       0 nvme0n1 30 0 6000 5 40 0 8000 6 0 70 11 0 0 0 0 0 0
"""
_NET = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:      10       1    0    0    0     0          0         0       10       1    0    0    0     0       0          0
  eth0:  {bytes}      10    0    0    0     0          0         0     2000      10    0    0    0     0       0          0
  eth1:    3000      10    1    2    0     0          0         0     4000      10    3    4    0     0       0          0
"""
_PRESSURE = """\
some avg10=0.00 avg60=0.00 avg300=0.00 total={us}
full avg10=0.00 avg60=0.00 avg300=0.00 total=7
"""
_CPUINFO = """\
processor\t: 0
model name\t: Test CPU 3000
cpu MHz\t\t: 2000.000

processor\t: 2
model name\t: Test CPU 3000
cpu MHz\t\t: 2200.000
"""
_PROCESS = "{pid} (odd) name) S 1 1 1 0 -1 4194560 0 0 0 0 {user} 20 3 1 20 -2 3 0 5000 1000000 200 0 0 0\n"
_IO = """\
rchar: 1
wchar: 1
syscr: 1
syscw: 1
read_bytes: {read}
write_bytes: 8192
cancelled_write_bytes: 0
"""


def _files(second):
    """Return what the files say: name to text."""
    cpu = [200 + 50 * second, 300 + 25 * second, 400 + 100 * second]
    files = {
        "stat": _STAT.format(sum=sum(cpu), cpu=cpu).replace("4500", str(4500 + 100 * second)),
        "meminfo": _MEMINFO,
        "diskstats": _DISKSTATS.format(reads=10 + second),
        "net/dev": _NET.format(bytes=1000 + 500 * second),
        "self/mounts": "overlay / overlay rw 0 0\n"
        "proc /proc proc rw 0 0\n"
        "/dev/sdb1 {root}/mnt/data ext4 rw 0 0\n"
        "/dev/sdc1 {root}/mnt/more\\040room xfs rw 0 0\n",
        "cpuinfo": _CPUINFO,
        f"{PID}/task/{PID}/children": f"{CHILD} ",
        f"{CHILD}/task/{CHILD}/children": "",
    }
    for area in ("cpu", "memory", "io"):
        files[f"pressure/{area}"] = _PRESSURE.format(us=1000 + 9 * second)
    for pid in (PID, CHILD):
        files[f"{pid}/stat"] = _PROCESS.format(pid=pid, user=100 + 10 * second)
        files[f"{pid}/io"] = _IO.format(read=4096 * (1 + second))
    for core, kilohertz in ((0, 1800000), (2, 2400000), (3, 3000000)):
        files[f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq"] = f"{kilohertz}\n"
    return files


MOMENTS = (_files(0), _files(1))


def make(root, changes=(), second=0):
    """Write the machine below `root`: proc files there, those of /sys in ``sys``.

    Parameters
    ----------
    root : Path
    changes : mapping of str to str or bytes or None
        File to other content; None is no such file.
    second : {0, 1}
        At which of the two moments.
    """
    for folder in ("mnt/data", "mnt/more room", f"{PID}/fd", f"{CHILD}/fd"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number in range(3):
        (root / f"{PID}/fd/{number}").touch()
    for name, content in {**MOMENTS[second], **dict(changes)}.items():
        put(root, name, content)
    return root


def put(root, name, content):
    """Make one file say something else: text or bytes; None: it is gone; a dict: a directory."""
    path = root / name
    if path.is_dir():
        shutil.rmtree(path)
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, dict):
        path.unlink(missing_ok=True)
        path.mkdir()
    else:
        # Mount points are those of the tree, whose place a test decides.
        whole = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(whole.replace(b"{root}", str(root).encode()))


# What can be odd -------------------------------------------------------------------------

GARBAGE = st.sampled_from(
    [b"<unknown>", b"-1", b"-", b"\xff\xfe", b"\0", b"9" * 30, b"9" * 5000, b"18446744073709551615",
     b"nan", b"inf", b"1e3", b"1_000", b"0x1f", "\u0663".encode(), b"+5", b":", b"\\777", b"cpu",
     b"N/A"]
)  # fmt: skip


@st.composite
def line_damages(draw, content):
    """Draw the number of a line and the lines in its place, for `with_line`."""
    lines = content.split(b"\n")[:-1] or [b""]
    number = draw(st.integers(0, len(lines) - 1))
    return number, draw(_odd_lines(lines[number]))


def with_line(content, number, damaged):
    """Return a content in which other lines stand in the place of one."""
    lines = content.split(b"\n")[:-1] or [b""]
    return b"".join(line + b"\n" for line in (*lines[:number], *damaged, *lines[number + 1 :]))


@st.composite
def _odd_lines(draw, line):
    """Draw what stands in the place of a line: one, none or several."""
    words = line.split(b" ")
    at = draw(st.integers(0, len(words) - 1))
    kinds = {
        "gone": [],
        "empty": [b""],
        "short": [b" ".join(words[:at])],
        "cut": [line[: draw(st.integers(0, len(line)))]],
        "long": [line + b" " + draw(GARBAGE)],
        "word": [b" ".join([*words[:at], draw(GARBAGE), *words[at + 1 :]])],
        "more words": [b" ".join([*words[:at], draw(GARBAGE), *words[at:]])],
        "other": [draw(GARBAGE)],
        "twice": [line, line],
    }
    if line:
        place = draw(st.integers(0, len(line) - 1))
        byte = draw(st.integers(0, 255).filter(lambda b: b not in b"\r\n"))
        kinds["flipped"] = [line[:place] + bytes([byte]) + line[place + 1 :]]
    return kinds[draw(st.sampled_from(sorted(kinds)))]


@st.composite
def file_damages(draw, content):
    """Draw what a whole file can be instead: see `put`."""
    size = draw(st.integers(0, len(content)))
    return draw(
        st.sampled_from(
            [None, {}, b"", content[:size], content[size:], content + content, b"\0" * 100,
             content.replace(b"\n", b" "), content.replace(b" ", b""), b"\n" * 9, draw(st.binary())]
        )
    )  # fmt: skip
