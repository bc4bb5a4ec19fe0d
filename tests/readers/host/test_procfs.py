from __future__ import annotations

import os
import platform
import sys

import psutil
import pytest

from pulse_widgets.readers.host.portable import PsutilHost
from pulse_widgets.readers.host.procfs import LinuxHost
from pulse_widgets.readers.host.protocol import CpuTimes

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")


@pytest.fixture
def captured(tmp_path):
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return LinuxHost(str(tmp_path), sys_root=str(tmp_path / "sys"), pid=os.getpid())

    return write


def test_core_times_add_low_priority_to_user_and_interrupts_to_system(captured):
    host = captured({"stat": "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 3 4 5 6 7 8 9 9\nintr 5 5\n"})

    assert host.cpu_times() == {
        0: CpuTimes(3 / TICKS, pytest.approx(16 / TICKS), 4 / TICKS, 5 / TICKS, 8 / TICKS)
    }


def test_available_memory_is_estimated_where_the_kernel_does_not_say(captured):
    host = captured({"meminfo": "MemTotal: 100 kB\nMemFree: 20 kB\nBuffers: 5 kB\nCached: 10 kB\n"})

    assert tuple(host.memory().values()) == (100 * 1024, 35 * 1024, 65 * 1024, None, None)


def test_pressure_is_the_time_in_which_some_task_waited(captured):
    text = "some avg10=0.00 avg60=0.00 avg300=0.00 total={}\nfull avg10=0 total=9\n"
    host = captured(
        {
            f"pressure/{name}": text.format(us)
            for name, us in (("cpu", 1_500_000), ("memory", 0), ("io", 250_000))
        }
    )

    seconds = {area: host.pressure(area) for area in ("cpu", "memory", "disk")}
    assert seconds == {"cpu": 1.5, "memory": 0.0, "disk": 0.25}


def test_the_clock_is_the_mean_of_the_cores(captured):
    host = captured({"cpuinfo": "cpu MHz\t: 2000.0\n\ncpu MHz\t: 3000.0\n"})

    assert host.frequency() == 2.5e9


def test_the_clock_of_the_governor_wins(captured):
    path = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"
    host = captured({path: "1800000\n", "cpuinfo": "cpu MHz : 2000.0\n"})

    assert host.frequency() == 1.8e9


def test_a_machine_that_does_not_say_its_clock_has_none(captured):
    with pytest.raises(OSError, match="clock"):
        captured({"cpuinfo": "processor : 0\n"}).frequency()


def test_file_systems_are_local_and_each_counts_once(captured, tmp_path):
    big, inner = tmp_path / "big disk", tmp_path / "big disk" / "inner"
    inner.mkdir(parents=True)
    single = tmp_path / "hosts"
    single.touch()
    mounts = (
        f"/dev/sdb1 {inner} ext4 rw 0 0",
        f"/dev/sdb1 {big} ext4 rw 0 0".replace("big disk", "big\\040disk"),
        f"/dev/sdc1 {single} ext4 rw 0 0",
        f"server:/home {tmp_path} nfs4 rw 0 0",
        f"proc {tmp_path} proc rw 0 0",
        "overlay / overlay rw 0 0",
    )
    host = captured(
        {"self/mounts": "\n".join(mounts).replace(f"{inner}", f"{inner}".replace(" ", "\\040"))}
    )

    spaces = host.spaces()

    assert set(spaces) == {"/", str(big)}
    assert spaces[str(big)].total == psutil.disk_usage(str(big)).total


@on_linux
@pytest.mark.parametrize("make", [lambda: LinuxHost(pid=os.getpid()), PsutilHost])
def test_a_real_machine_says_the_same_as_psutil(make):
    host = make()

    memory = host.memory()
    assert memory["memory.total"] == psutil.virtual_memory().total
    assert memory["memory.available"] == pytest.approx(psutil.virtual_memory().available, rel=0.1)
    cores = psutil.cpu_times(percpu=True)
    assert [core.idle for core in host.cpu_times().values()] == [
        pytest.approx(core.idle, abs=2) for core in cores
    ]
    for name, net in host.networks().items():
        theirs = psutil.net_io_counters(pernic=True)[name]
        assert net.received_bytes <= theirs.bytes_recv <= net.received_bytes + 1e9
    for name, disk in host.disks().items():
        theirs = psutil.disk_io_counters(perdisk=True)[name]
        assert disk.read_bytes <= theirs.read_bytes
        assert disk.write_bytes <= theirs.write_bytes
        assert disk.busy_s <= theirs.busy_time / 1000
    assert host.spaces()["/"].total == psutil.disk_usage("/").total
    assert host.labels()["os"].startswith(platform.system())
    usage = host.tree(thorough=True)
    own = psutil.Process()
    assert usage.rss_bytes >= own.memory_info().rss * 0.9
    assert usage.cpu_s >= sum(own.cpu_times()[:2]) - 1
    assert host.tree_files() >= 3
    assert host.tree_io().read_bytes >= 0


def test_what_psutil_does_not_have_is_an_error_that_says_so():
    with pytest.raises(OSError, match="pressure"):
        PsutilHost().pressure("cpu")
