"""Network interfaces: their counters, and which of them the host's sum is made of.

A packet to a container passes a network card, a bridge and the container's own interface, and a
packet of a VPN is within another. All are reported, but the host's sum counts each byte once:
where it reaches the machine.
"""

from __future__ import annotations

import math
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulse_widgets.readers.host.device_lines import BadLineError, DeviceLines, count_of
from pulse_widgets.readers.host.protocol import NetCounts
from pulse_widgets.readers.host.sysfs import content_of, names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pulse_widgets.readers.host.omissions import Omissions
    from pulse_widgets.readers.host.proc_files import ProcFiles

__all__ = ["LinuxNetworks", "which_networks"]

_PATH: Final = "/proc/net/dev"
_HEAD_LINES: Final = 2
_WORDS: Final = 16

# loopback0 is how Windows Subsystem for Linux shows the loopback of Windows.
_LOOPBACK: Final = re.compile(r"lo\d*(:|$)|loopback\d|Loopback ")

# Rank of an interface for the sum: only those of the best rank present count, never loopback.
_REAL, _PLAIN, _BOND, _BRIDGE, _TUNNEL, _PAIR, _NEVER = range(7)
_NAMES: Final = {
    _BOND: r"bond|team|lagg",
    _BRIDGE: r"br([-_\d]|idge)|(lx[cd]|incus|vm|xen|fw|c|cni-|vir)br|cni|docker|podman|ovs|weave"
    r"|vEthernet|vmnet|vboxnet|VirtualBox|VMware",
    _TUNNEL: r"vlan|vxlan|genev|tun|tap|wg|ppp|sit\d|gre|erspan|gif|stf|ip6|ipip|(ip_)?vti|ipsec"
    r"|utun|flannel|cilium|tailscale|zt|macv|ipvl|dummy|ifb|vrf|kube|nodelocal|nordlynx|proton",
    _PAIR: r"veth|vnet\d|vif|cali|lxc|fw(pr|ln)|eni[0-9a-f]{6}|azv|gke|v[be]-|feth|vmenet|epair",
}
_BY_NAME: Final = [(level, re.compile(names, re.IGNORECASE)) for level, names in _NAMES.items()]
# A container's way out has this name; it is one end of a pair whose other end is outside.
_WAY_OUT: Final = re.compile(r"(eth|net|venet)\d+$")
# Of /sys/class/net/X/type: Ethernet and InfiniBand, and those that show once more what another
# interface of the same radio receives.
_CARDS: Final = frozenset({"", "1", "32"})
_MONITORS: Final = frozenset({"801", "802", "803"})
# Of /sys/class/net/X/phys_port_name: the inner side of a function of the card (representor), whose
# packets pass its port (p0) too, or stay within the machine.
_REPRESENTOR: Final = re.compile(r"(c\d+)?pf\d+(vf\d+|sf\d+|hpf)?$")

_NO_NAMES: Final = frozenset({"", ".", ".."})
_LOOK_AGAIN_S: Final = 10.0
"""After interfaces came or went, what the others are is asked again, but not more often."""


class LinuxNetworks:
    """Reads ``net/dev``: the interfaces of this network namespace.

    Parameters
    ----------
    files : ProcFiles
    sys_root : str or None
        The sys tree of the same machine, where there is one.
    omissions : Omissions
        Told what is left out.
    clock : callable
        Returns monotonic seconds.
    """

    def __init__(
        self,
        files: ProcFiles,
        sys_root: str | None,
        omissions: Omissions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._clock = clock
        self._lines = DeviceLines(_PATH, "net", _parsed, omissions)
        self._ranks = _Ranks(sys_root, files.root)
        self._names: Collection[str] = ()
        self._in_sum: frozenset[str] = frozenset()
        self._ranked_at = -math.inf
        self._changed = False

    def read(self) -> dict[str, NetCounts]:
        """Return the counters of each interface."""
        lines = self._files.keep("net/dev").split(b"\n")
        head = [line for line in lines[:_HEAD_LINES] if b"|" not in line]
        found = self._lines.take([*head, *lines[_HEAD_LINES:]])
        changed = found.keys() != self._names
        if changed or self._changed:
            self._rank(found.keys(), changed=changed)
        in_sum = self._in_sum
        return {
            name: NetCounts._make((*counts, name in in_sum))
            for name, counts in found.items()
            if counts is not None
        }

    def _rank(self, names: Collection[str], *, changed: bool) -> None:
        """Find out which count: new ones at once, and all of them once in a while."""
        now = self._clock()
        if now - self._ranked_at >= _LOOK_AGAIN_S:
            # One that came may have taken others into a bond or a bridge, at once or soon after.
            self._ranks.forget()
            self._ranked_at, self._changed = now, changed
        elif changed:
            self._changed = True
        else:
            return
        self._names, self._in_sum = names, self._ranks.counted(names)


def which_networks(
    names: Collection[str], sys_root: str | None = None, root: str | None = None
) -> frozenset[str]:
    """Return the interfaces that the host's sum counts.

    Parameters
    ----------
    names : collection of str
    sys_root, root : str or None
        Where the kernel tells more than the names do.

    Examples
    --------
    >>> sorted(which_networks(["lo", "eth0", "eth1", "bond0", "docker0", "veth12ab"]))
    ['eth0', 'eth1']
    >>> sorted(which_networks(["lo", "bond0", "bond0.5"]))
    ['bond0']
    """
    return _Ranks(sys_root, root).counted(names)


class _Ranks:
    """How good each interface is for the sum; asked once for as long as it is there.

    Parameters
    ----------
    sys_root, root : str or None
        As in `which_networks`.
    """

    def __init__(self, sys_root: str | None, root: str | None) -> None:
        self._base = None if sys_root is None else f"{sys_root}/class/net"
        self._root = root
        self._levels: dict[str, int] = {}
        self._unsure: set[str] = set()
        """Those of which the kernel can tell more; asked only where there is no hardware."""

    def forget(self) -> None:
        """Ask again for all."""
        self._levels.clear()
        self._unsure.clear()

    def counted(self, names: Collection[str]) -> frozenset[str]:
        """Return those of the names that count."""
        there, levels = frozenset(names), self._levels
        for name in levels.keys() - there:
            del levels[name]
            self._unsure.discard(name)
        fresh = there - levels.keys()
        by_kernel = self._told() if fresh else {}
        for name in fresh:
            by_name = by_kernel.get(name, _level_by_name(name, there))
            levels[name] = _NEVER if _LOOPBACK.match(name) else self._level(name, by_name)
        if self._base is not None and self._unsure and _REAL not in levels.values():
            # Asked only where no real interface is found: with many containers there are hundreds.
            for name in self._unsure:
                levels[name] = _level_by_kernel(name, self._base, levels[name])
            self._unsure.clear()
        best = min(levels.values(), default=_NEVER)
        return frozenset(name for name, level in levels.items() if level == best < _NEVER)

    def _told(self) -> dict[str, int]:
        """Return the bonds and VLANs that the kernel lists below /proc."""
        if self._root is None:
            return {}
        return {
            **dict.fromkeys(names_in(f"{self._root}/net/bonding"), _BOND),
            **dict.fromkeys(names_in(f"{self._root}/net/vlan"), _TUNNEL),
        }

    def _level(self, name: str, by_name: int) -> int:
        base = self._base
        if base is None or not _is_there(name, base):
            return by_name
        if _is_hardware(name, base):
            return _PAIR if _is_counted_elsewhere(name, base) else _REAL
        if _WAY_OUT.match(name):
            return _level_by_kernel(name, base, by_name)
        self._unsure.add(name)
        return max(by_name, _PLAIN)


def _level_by_name(name: str, names: Collection[str]) -> int:
    # eth0.5 and vlan5@eth0 are VLANs, eth0:1 is another address; eth0@if7 is one end of a pair.
    # ib0.8001 does not pass through ib0.
    below = [name.rpartition(":")[0], name.rpartition("@")[2]]
    if not name.startswith("ib"):
        below.append(name.rpartition(".")[0])
    if any(each != name and each in names for each in below):
        return _TUNNEL
    return next((level for level, pattern in _BY_NAME if pattern.match(name)), _REAL)


def _level_by_kernel(name: str, base: str, by_name: int) -> int:
    """Return the level of an interface that is no hardware."""
    about = set(names_in(f"{base}/{name}"))
    if "bonding" in about:
        return _BOND
    if "bridge" in about:
        return _BRIDGE
    stacked = "tun_flags" in about or bool(_lower(about, base))
    if _WAY_OUT.match(name) and not stacked and "master" not in about:
        return _REAL
    if stacked or content_of(f"{base}/{name}/type") not in _CARDS:
        return max(by_name, _TUNNEL)
    return max(by_name, _PLAIN)


def _is_hardware(name: str, base: str) -> bool:
    # Of a partition of an InfiniBand network the kernel tells the parent instead.
    return any(os.path.lexists(f"{base}/{name}/{entry}") for entry in ("device", "parent"))


def _is_counted_elsewhere(name: str, base: str) -> bool:
    """Return whether another piece of hardware counts what passes this one.

    The fast path of a virtual machine's interface belongs to it (Azure, failover); the ports of
    a switch on a board pass everything through the interface below them; the functions of a card
    pass it through its port.
    """
    master = _master(name, base)
    if _is_there(master, base) and _is_hardware(master, base):
        return True
    if _REPRESENTOR.match(content_of(f"{base}/{name}/phys_port_name")):
        return True
    below = _lower(names_in(f"{base}/{name}"), base)
    if any(_is_hardware(each, base) and _master(each, base) != name for each in below):
        return True
    return content_of(f"{base}/{name}/type") in _MONITORS


def _is_there(name: str, base: str) -> bool:
    """Return whether the interface has a folder; other namespaces' have none."""
    return name not in _NO_NAMES and "/" not in name and os.path.lexists(f"{base}/{name}")


def _lower(about: Collection[str], base: str) -> list[str]:
    found = (entry.removeprefix("lower_") for entry in about if entry.startswith("lower_"))
    return [name for name in found if _is_there(name, base)]


def _master(name: str, base: str) -> str:
    try:
        return Path(base, name, "master").readlink().name
    except OSError:
        return ""


def _parsed(line: bytes) -> tuple[bytes, tuple[float, ...]]:
    # Names may hold colons: in `eth0:1:` the second one ends the name.
    head, colon, rest = line.rpartition(b":")
    before, words = head.split(), rest.split()
    name = b"".join(before[:1] if colon else words[:1])
    if len(before) != 1 or len(words) != _WORDS:
        raise BadLineError(name, f"its line of {_PATH} has {len(line.split())} words")
    received, failed, lost, sent, unsent, dropped = (
        count_of(words[k], name, _PATH) for k in (0, 2, 3, 8, 10, 11)
    )
    return name, (received, sent, failed + unsent, lost + dropped)
