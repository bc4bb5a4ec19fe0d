"""Under which entities a process's own rows stand: alone, or as one rank of several."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Whose"]


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
