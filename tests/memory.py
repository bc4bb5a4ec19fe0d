"""How much memory a process has taken at most."""

from pathlib import Path

_SELF = Path("/proc/self")


def peak() -> int:
    """Bytes of memory that this process has held at most, since it began or since `forget_peak`.

    `getrusage` would not do: what it tells of a new process includes the peak of its parent.
    """
    lines = (_SELF / "status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def forget_peak() -> int:
    """Let the peak begin anew with what is held now; returns that."""
    (_SELF / "clear_refs").write_text("5")
    return peak()
