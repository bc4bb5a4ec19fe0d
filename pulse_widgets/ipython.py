"""The IPython of this process, where there is one; never loads it."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["kernel_here", "shell_here"]


def shell_here() -> Any:
    """Return the interactive shell of this process; None where there is none."""
    module = sys.modules.get("IPython.core.getipython")
    return module.get_ipython() if module is not None else None


def kernel_here() -> Any:
    """Return the kernel that this process is; None where it is none."""
    return getattr(shell_here(), "kernel", None)
