"""Under which entities a process's own rows stand: alone, or as one rank of several."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RANKED_BY", "Rank", "Whose", "rank_of"]

RANKED_BY: Final = (
    ("RANK", "WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("VESSL_DISTRIBUTED_NUMBER", ""),
)
"""The variables in which launchers say which process this is, and of how many; nearest first.

torchrun, SLURM, Open MPI, MPICH and Intel MPI, VESSL. No others are read.
"""

_NUMBER: Final = re.compile(r"[0-9]{1,9}")


class Rank(NamedTuple):
    """The number of a process among those that work together.

    Attributes
    ----------
    number : int
        From 0.
    size : int or None
        How many there are; None where nobody says it.
    """

    number: int
    size: int | None = None


class Whose(NamedTuple):
    """The entities of a process.

    Attributes
    ----------
    user : str
        Of what it logs.
    kernel : str
        Of its cells, spans, marks and output.
    """

    user: str = "user"
    kernel: str = "kernel"

    @classmethod
    def of(cls, rank: Rank | None) -> Whose:
        """Return the entities of a rank, or of a process that works alone."""
        if rank is None:
            return cls()
        return cls(f"rank:{rank.number}", f"rank:{rank.number}/kernel")

    @property
    def within(self) -> str:
        """The entity of which `kernel` is a part; empty for a process that works alone."""
        return self.kernel.rpartition("/")[0]


def rank_of(variables: Mapping[str, str] | None = None) -> Rank | None:
    """Return the rank of this process; None for one that works alone.

    What is no number of a process among so many is passed over: a launcher further out may know
    better. The only process of its kind, such as a notebook in a job with one task, has no rank.

    Parameters
    ----------
    variables : mapping, optional
        The environment; that of this process unless given.
    """
    known = os.environ if variables is None else variables
    for number_name, size_name in RANKED_BY:
        number, size = _number(known.get(number_name, "")), _number(known.get(size_name, ""))
        if number is not None and (size is None or max(1, number) < size):
            return Rank(number, size)
    return None


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
