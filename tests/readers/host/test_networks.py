from __future__ import annotations

import math
import os
import sys

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_widgets.readers.host.networks import LinuxNetworks, which_networks
from pulse_widgets.readers.host.parts import HostParts
from pulse_widgets.readers.host.proc_files import ProcFiles
from pulse_widgets.readers.host.procfs import LinuxHost
from pulse_widgets.readers.host.protocol import NetCounts
from tests.readers.host.sys_tree import net_tree

HEAD = "Inter-|   Receive   |  Transmit\n face |bytes    packets |bytes\n"
LINE = "{:>6}: 100 1 2 3 0 0 0 0 200 1 20 30 0 0 0 0"
COUNTS = NetCounts(100, 200, 22, 33)


@pytest.fixture
def read(tmp_path):
    """Read a net/dev of these lines; returns the interfaces and what was told to be odd."""
    (tmp_path / "net").mkdir()

    def reader(*lines):
        text = HEAD + "\n".join(lines) + "\n"
        (tmp_path / "net" / "dev").write_bytes(text.encode("utf-8", "surrogateescape"))
        told = []
        networks = LinuxNetworks(ProcFiles(str(tmp_path)), None, lambda *odd: told.append(odd))
        return networks.read(), told

    return reader


BY_NAME = [
    ("lo eth0", "eth0"),
    ("lo eth0 br-1a2b docker0 veth12ab", "eth0"),
    ("lo eth0 eth1 bond0 bond0.5 vlan7", "eth0 eth1"),
    (
        "lo eno1 enp3s0f0 wlp2s0 wwan0 usb0 ib0 ib0.8001",
        "eno1 enp3s0f0 wlp2s0 wwan0 usb0 ib0 ib0.8001",
    ),
    ("lo eth0 eth0.5 eth0:1 vlan5@eth0 mac0@eth0", "eth0"),
    (
        "lo eth0 tun0 tap0 wg0 tailscale0 ppp0 sit0 gre0 tunl0 ip6tnl0 vxlan.calico flannel.1",
        "eth0",
    ),
    ("lo eth0 cali1f2e lxc9a8b cni0 cbr0 kube-ipvs0 nodelocaldns dummy0 ifb0 cilium_host", "eth0"),
    (
        "lo eth0 virbr0 vnet3 vmnet8 vboxnet0 lxcbr0 lxdbr0 incusbr-1 podman1 fwbr9i0 fwpr9p0",
        "eth0",
    ),
    ("lo eth0 macvlan0 macvtap1 ipvlan0 team0 ovs-system eni0a1b2c3d4e5", "eth0"),
    ("lo eth0@if5", "eth0@if5"),
    ("lo eth0.5 eth1", "eth0.5 eth1"),
    ("lo bond0 bond0.5 bond0.7", "bond0"),
    ("lo docker0 veth1 veth2", "docker0"),
    ("lo br0 tap0 wg0", "br0"),
    ("lo wg0", "wg0"),
    ("lo venet0", "venet0"),
    ("lo", ""),
    ("", ""),
    # macOS, FreeBSD and Windows.
    ("lo0 gif0 stf0 en0 en1 utun0 bridge0 vmenet0 feth1", "en0 en1"),
    ("lo0 em0 lagg0 epair0a tap3", "em0"),
]


@pytest.mark.parametrize(("names", "counted"), BY_NAME)
def test_each_byte_is_in_the_sum_once(names, counted):
    assert which_networks(names.split()) == set(counted.split())


def test_the_names_of_windows_are_phrases():
    names = ["Ethernet 2", "Wi-Fi", "vEthernet (WSL)", "Tailscale", "Loopback Pseudo-Interface 1"]

    assert which_networks(names) == {"Ethernet 2", "Wi-Fi"}


BY_KERNEL = [
    # Interfaces, with what the kernel tells of each, and those that the sum counts.
    ("odd names", {"uplink": "device", "office": "bridge >uplink", "v5": ">uplink"}, "uplink"),
    ("a bond of odd name", {"p1": "device master=x", "p2": "device", "x": "bonding >p1"}, "p1 p2"),
    ("a bridge over the only card", {"ens3": "device master=br0", "br0": "bridge >ens3"}, "ens3"),
    ("a bridge called eth0", {"peth0": "device", "eth0": "bridge >peth0"}, "peth0"),
    ("a card named as a VPN", {"tun5": "device", "eth0": "tun_flags"}, "tun5"),
    ("InfiniBand", {"ib0": "device type=32", "ib0.8001": "parent type=32"}, "ib0 ib0.8001"),
    ("pods", {"ens5": "device", "eni12": "", "hidden7": "", "wg7": "type=65534"}, "ens5"),
    ("a container", {"eth0": ""}, "eth0"),
    ("a container with a card of its own", {"eth0": "", "net1": "device"}, "eth0 net1"),
    ("Docker in LXC", {"eth0": "", "docker0": "bridge", "veth1": "master=docker0"}, "eth0"),
    ("a bridge in LXC", {"eth0": "master=br0", "br0": "bridge >eth0", "vnet0": ""}, "eth0"),
    ("a VLAN in a container", {"eth0": "", "v5": ">eth0"}, "eth0"),
    ("a macvlan in a container", {"host0": ""}, "host0"),
    ("a VPN of odd name", {"host0": "", "mullvad": "type=65534"}, "host0"),
    ("a bond in a container", {"a": "master=b", "b": "bonding >a"}, "a"),
    ("only a VPN", {"mullvad": "tun_flags type=65534"}, "mullvad"),
    ("only a bond", {"x": "bonding", "x.5": ">x"}, "x"),
    ("Azure", {"eth0": "device >enP1s1", "enP1s1": "device master=eth0"}, "eth0"),
    ("a switch on the board", {"eth0": "device", "lan1": "device >eth0"}, "eth0"),
    ("Windows Subsystem for Linux", {"eth0": "device", "loopback0": "device"}, "eth0"),
    (
        "a card as a switch",
        {
            "enp8s0f0np0": "device port=p0",
            "enp8s0f0npf0vf0": "device port=pf0vf0",
            "eth1": "device port=pf0sf88",
            "eth2": "device port=c1pf0vf12",
            "eth3": "device port=c1pf0",
            "eth4": "device port=pf0hpf",
        },
        "enp8s0f0np0",
    ),
    ("ports of cards", {"a": "device port=p0", "b": "device port=p1s2", "c": "device"}, "a b c"),
    ("only the inner side of a card", {"a": "device port=pf0vf1"}, "a"),
    ("a monitor of the radio", {"wlan0": "device", "mon0": "device type=803"}, "wlan0"),
]


@pytest.mark.parametrize(("case", "tree", "counted"), BY_KERNEL)
def test_what_the_kernel_tells_wins_over_names(tmp_path, case, tree, counted):
    net_tree(tmp_path, {"lo": "type=772", **tree})

    assert which_networks(["lo", *tree], str(tmp_path)) == set(counted.split()), case


def test_interfaces_that_sys_does_not_have_are_known_by_name(tmp_path):
    net_tree(tmp_path, {"enp9s0": "device", "lo": ""})

    assert which_networks(["lo", "eth0", "wg0"], str(tmp_path)) == {"eth0"}


def test_proc_tells_of_bonds_and_vlans_where_there_is_no_sys(tmp_path):
    for path in ("net/bonding/pair", "net/vlan/storage", "net/vlan/config"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    found = which_networks(["p1", "p2", "pair", "storage"], root=str(tmp_path))

    assert found == {"p1", "p2"}


def test_both_directions_of_errors_are_added(read):
    found, told = read(LINE.format("eth0"))

    assert found == {"eth0": COUNTS}
    assert told == []


NUMBERS = LINE.rpartition(":")[2]
ODD = [
    ("  odd0: 5 1 0", "net:odd0", "4 words"),
    (LINE.format("odd0") + " 9", "net:odd0", "18 words"),
    ("odd0 5 1 0", "net:odd0", "4 words"),
    ("odd0:", "net:odd0", "1 words"),
    (":" + NUMBERS, "/proc/net/dev", "17 words"),
    ("two words:" + NUMBERS, "net:two", "18 words"),
    (LINE.format("odd0").replace(" 200 ", " -200 "), "net:odd0", "'-200'"),
    (LINE.format("odd0").replace(" 200 ", " 2e2 "), "net:odd0", "'2e2'"),
    (LINE.format("odd0").replace(" 200 ", " 99999999999999999999 "), "net:odd0", "99999'"),
    (LINE.format("e" * 300), "net:" + "e" * 64, "too long"),
    (LINE.format("eth0").replace(" 200 ", " 7 "), "net:eth0", "two lines"),
]


@pytest.mark.parametrize(("line", "what", "why"), ODD)
@pytest.mark.parametrize("first", [True, False])
def test_an_odd_line_is_left_out_with_its_reason_and_the_others_are_read(
    read, line, what, why, first
):
    lines = [LINE.format("eth0"), LINE.format("eth1")]
    # Of two lines with one name the first is taken.
    lines.insert(0 if first and "two lines" not in why else 2, line)

    found, told = read(*lines)

    assert found == {"eth0": COUNTS, "eth1": COUNTS}
    ((said, reason),) = told
    assert said == (f"{what} counters" if ":" in what else f"host {what}")
    assert why in reason


@pytest.mark.parametrize("kept", [0, 1])
def test_a_list_without_its_head_loses_no_interface(tmp_path, kept):
    (tmp_path / "net").mkdir()
    head = HEAD.splitlines()[:kept]
    (tmp_path / "net" / "dev").write_text(
        "\n".join([*head, LINE.format("eth0"), LINE.format("eth1")])
    )

    found = LinuxNetworks(ProcFiles(str(tmp_path)), None, lambda *_: None).read()

    assert found == {"eth0": COUNTS, "eth1": COUNTS}


def test_names_may_hold_colons_and_touch_the_first_number(read):
    touching = LINE.format("eth0:1").replace(": ", ":")

    found, told = read(LINE.format("eth0"), touching, "")

    assert {name: net[:4] for name, net in found.items()} == {
        "eth0": COUNTS[:4],
        "eth0:1": COUNTS[:4],
    }
    assert [net.in_sum for net in found.values()] == [True, False]
    assert told == []


def test_a_name_that_is_no_text_is_shown_with_replacements(read):
    found, _ = read(LINE.format("e\udcff"), LINE.format("e\x1cf"), LINE.format("e\u2028f"))

    assert set(found) == {"e\ufffd", "e\x1cf", "e\u2028f"}


@pytest.mark.parametrize("text", ["", "one line", HEAD, HEAD.strip(), "\n\n\n"])
def test_a_list_without_interfaces_has_none(tmp_path, text):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "dev").write_text(text)

    assert LinuxNetworks(ProcFiles(str(tmp_path)), None, lambda *_: None).read() == {}


def _parts(root, lines):
    (root / "net").mkdir(exist_ok=True)
    (root / "net" / "dev").write_text(HEAD + "\n".join(lines))
    host = LinuxHost(str(root), pid=os.getpid())
    return HostParts(host, pid=os.getpid(), per_device=True)


def test_stacked_interfaces_have_their_own_series_and_are_not_in_the_sum(tmp_path):
    fields = _parts(tmp_path, map(LINE.format, ("lo", "eth0", "bond0", "wg0")))._networks()

    assert set(fields) == {"host", "net:lo", "net:eth0", "net:bond0", "net:wg0"}
    assert fields["host"]["net.received.total"] == 100
    assert fields["net:bond0"]["net.received.total"] == 100


def test_the_first_packets_of_an_idle_interface_are_in_the_sum(tmp_path):
    idle = "eth1: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    parts = _parts(tmp_path, [LINE.format("eth0"), idle])
    assert "net:eth1" not in parts._networks()

    dev = tmp_path / "net" / "dev"
    dev.write_text(HEAD + "\n".join(map(LINE.format, ("eth0", "eth1"))))

    assert parts._networks()["host"]["net.received.total"] == 200


def test_bytes_are_in_the_sum_once_also_while_interfaces_change_their_rank(tmp_path):
    # What the bridge passed while the card was counted must not come in with it later.
    parts = _parts(tmp_path, [LINE.format("br0")])
    sums = []
    for received, names in ((100, ["br0"]), (500, ["br0", "eth0"]), (900, ["br0"])):
        lines = [LINE.format(name).replace(" 100 ", f" {received} ", 1) for name in names]
        (tmp_path / "net" / "dev").write_text(HEAD + "\n".join(lines))
        sums.append(parts._networks()["host"]["net.received.total"])

    assert sums == [100, 100, 100]


def test_with_loopback_alone_the_sum_is_missing_with_a_reason_and_not_0(tmp_path):
    parts = _parts(tmp_path, [LINE.format("lo")])

    fields = parts._networks()
    parts._host.omissions.settle("networks")

    assert set(fields) == {"net:lo"}
    assert "loopback" in parts._host.omissions.reasons["host net.received.total"]


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_the_real_interfaces_are_those_psutil_has():
    host = LinuxHost(pid=os.getpid())

    assert host.networks().keys() == psutil.net_io_counters(pernic=True).keys()
    host.close()


CAPTURED = b"""\
    lo: 1880809326 2045366    0    0    0     0          0         0 1880809326 2045366 0 0 0 0 0 0
  eth0: 5343446830  124216    1    2    0     0          0         0  8775358   85568 3 4 0 0 0 0
eth0.5:12345678901  124216    0    0    0     0          0         0  8775358   85568 0 0 0 0 0 0
docker0: 5343446  124216    0    0    0     0          0         0  8775358   85568 0 0 0 0 0 0
vethb9: 5343446  124216    0    0    0     0          0         0  8775358   85568 0 9 0 0 0 0
""".splitlines()


@st.composite
def mutated(draw):
    """Lines with some of them changed, and which these are."""
    lines = list(CAPTURED)
    changed = draw(st.sets(st.integers(0, len(lines) - 1), min_size=1, max_size=3))
    for k in changed:
        at, to = sorted(draw(st.tuples(*[st.integers(0, len(lines[k]))] * 2)))
        odd = st.sampled_from([b"", b" ", b":", b"-1", b"\xff", b"9" * 30, b" 7 ", b"\x00", b"e9"])
        new = draw(odd | st.binary(max_size=20)).replace(b"\n", b"")
        lines[k] = draw(st.sampled_from([lines[k][:at], b""])) + new + lines[k][to:]
    return lines, changed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("proc")
    (made / "net").mkdir()
    return made


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_whatever_a_line_says_the_others_keep_their_values(folder, case):
    lines, changed = case
    expected = _read_of(folder, CAPTURED)

    found = _read_of(folder, lines)

    for net in found.values():
        assert all(math.isfinite(value) and value >= 0 for value in net)
    # A changed line may have taken the name of another interface.
    said = b"\n".join(lines[k] for k in changed)
    for k, line in enumerate(CAPTURED):
        name = line.partition(b":")[0].strip()
        if k not in changed and name not in said:
            assert found[name.decode()][:4] == expected[name.decode()][:4]


def _read_of(folder, lines):
    (folder / "net" / "dev").write_bytes(HEAD.encode() + b"\n".join(lines))
    return LinuxNetworks(ProcFiles(str(folder)), None, lambda *_: None).read()


@given(st.lists(st.text(max_size=20), unique=True, max_size=6))
def test_any_names_can_be_sorted_out(names):
    found = which_networks(names, "/sys", "/proc")

    assert found <= set(names)
