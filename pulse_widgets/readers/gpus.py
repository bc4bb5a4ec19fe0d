"""What choosing GPUs needs to know of them, and how they are named by UUID."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Gpu", "Mig", "by_uuid", "short", "unnamed"]

_OLD_MIG: Final = re.compile(r"MIG-(GPU-[0-9a-f-]+)/(\d{1,9})/(\d{1,9})", re.ASCII | re.IGNORECASE)
_SHORTEST_UUID: Final = 4
_SHOWN: Final = 80
"""Letters of a variable shown in a message."""


@dataclass(frozen=True, slots=True)
class Mig:
    """A MIG instance: its UUID, GPU instance and compute instance."""

    uuid: str
    gi: int
    ci: int = 0


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that this process can reach, as far as choosing needs to know it.

    Attributes
    ----------
    index : int
        The driver's number of it.
    uuid, bus_id : str
    minor : int or None
        The number in ``/dev/nvidiaN``: the node's number of it, also inside a container.
    migs : tuple of Mig
    model : str
        What makes it as fast as it is: GPUs that say the same are alike. "" where unknown.
    refused : str
        Why it cannot be opened, "" where it can. It counts all the same: a GPU that is lost must
        not change which GPUs the numbers of the others mean.
    """

    index: int
    uuid: str
    bus_id: str = ""
    minor: int | None = None
    migs: tuple[Mig, ...] = ()
    model: str = ""
    refused: str = ""


def by_uuid(word: str, here: Sequence[Gpu]) -> list[tuple[Gpu, Mig | None]]:
    """Return the GPUs and MIG instances whose UUID is a word or begins with it."""
    if old := _OLD_MIG.fullmatch(word):
        gpu_uuid, gi, ci = old[1].lower(), int(old[2]), int(old[3])
        return [
            (gpu, mig)
            for gpu in here
            for mig in gpu.migs
            if gpu.uuid.lower() == gpu_uuid and (mig.gi, mig.ci) == (gi, ci)
        ]
    low = word.lower()
    if not low.startswith(("gpu-", "mig-")) and len(low) < _SHORTEST_UUID:
        return []
    whole: list[tuple[Gpu, Mig | None]] = [(gpu, None) for gpu in here if _begins(gpu.uuid, low)]
    return whole + [(gpu, mig) for gpu in here for mig in gpu.migs if _begins(mig.uuid, low)]


def unnamed(here: Sequence[Gpu]) -> list[Gpu]:
    """Return the GPUs that cannot be opened and of which nobody knows the UUID.

    A UUID that no other GPU has may be theirs.
    """
    return [gpu for gpu in here if gpu.refused and not gpu.uuid]


def _begins(uuid: str, start: str) -> bool:
    low = uuid.lower()
    return low.startswith(start) or low[4:].startswith(start)


def short(value: str) -> str:
    """Return the beginning of a variable, as it is shown in a message."""
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
