"""What C code and subprocesses print: a pipe in the place of a file descriptor.

A thread passes on to the old place what comes out of the pipe, byte by byte the same.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import fcntl
import os
import select
import struct
import termios
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.ipython import kernel_here
from pulse_widgets.signals import Flag, start_shielded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DescriptorTee", "flush_c", "reaches", "reads_its_descriptor"]

READ_BYTES: Final = 64 << 10
PIPE_BYTES: Final = 1 << 20
"""Room for what comes while the interpreter is held by C code; the most that Linux gives."""
LOOKED_AT: Final = 50
"""So many objects are looked at in search of the stream below those of others."""
DRAIN_S: Final = 1.0
"""How long an end waits for what is still in the pipe."""


class DescriptorTee:
    """Puts a pipe in the place of a descriptor, and passes on what comes out of it.

    A subprocess may keep the pipe when this process has its own descriptor back: what it prints
    is passed on as long as this process lives.

    Parameters
    ----------
    number : int
        1 or 2.
    hear : callable
        Called on a thread of its own with each text that came.
    """

    def __init__(self, number: int, hear: Callable[[str], None]) -> None:
        self._number = number
        self._hear = hear
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._heard = True
        self._ended = Flag()
        """Up when nobody holds the pipe any more, and all of it was passed on."""
        self._busy = self._restored = False
        self._open = threading.Lock()
        """Taken by the one that closes the copy of the old descriptor."""
        self._pid = os.getpid()
        self._saved = os.dup(number)
        try:
            self._read, write = os.pipe()
        except OSError:
            os.close(self._saved)
            raise
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._pipe = _identity(write)
        # Begun first: whatever interrupts this, nothing waits in the pipe for ever.
        start_shielded(f"pulse-fd-{number}", self._run)
        try:
            os.dup2(write, number)
        except BaseException:
            os.dup2(self._saved, number)
            raise
        finally:
            os.close(write)

    def restore(self) -> None:
        """Give the process its descriptor back, unless somebody else has put something there."""
        if os.getpid() == self._pid and _identity(self._number) == self._pipe:
            os.dup2(self._saved, self._number)
        self._restored = True
        self._close_saved()

    def _close_saved(self) -> None:
        """Close the copy of the old descriptor once neither end needs it."""
        if self._restored and self._ended.is_set() and self._open.acquire(blocking=False):
            os.close(self._saved)

    def drain(self) -> None:
        """Wait for what came before `restore`; what comes later is passed on and not heard."""
        self.settle()
        self._heard = False

    def settle(self) -> None:
        """Wait for what came until now."""
        ends = time.monotonic() + DRAIN_S
        while not self._ended.wait(0.005) and time.monotonic() < ends:
            if not self._busy and not _waiting(self._read):
                break

    def _run(self) -> None:
        try:
            while True:
                self._busy = False
                select.select([self._read], [], [])
                self._busy = True
                data = os.read(self._read, READ_BYTES)
                if not data:
                    return
                if self._heard:
                    with contextlib.suppress(Exception):
                        self._hear(self._decode(data))
                if not _write(self._saved, data):
                    # Nobody reads it any more. Who prints learns that as it would without us.
                    return
        finally:
            os.close(self._read)
            self._ended.set()
            self._close_saved()


def _write(number: int, data: bytes) -> bool:
    """Write all of it, however little the other end takes; return whether it is there."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(number, left) :]
        except BlockingIOError:
            select.select([], [number], [], 1.0)
        except OSError:
            return False
    return True


def _waiting(number: int) -> int:
    """Return how many bytes wait in a pipe."""
    try:
        told = fcntl.ioctl(number, termios.FIONREAD, b"\0" * 4)
    except OSError:
        return 0
    return int(struct.unpack("i", told)[0])


def _identity(number: int) -> tuple[int, int] | None:
    try:
        told = os.fstat(number)
    except OSError:
        return None
    return told.st_dev, told.st_ino


def reads_its_descriptor(stream: Any, number: int) -> bool:
    """Return whether a stream itself reads what is printed to a descriptor, as a kernel's does."""
    pipe = getattr(stream, "_fid", None)
    if kernel_here() is None or not isinstance(pipe, int):
        return False
    return _identity(pipe) == _identity(number)


def reaches(stream: Any, number: int) -> bool:
    """Return whether what is printed to a stream comes to a descriptor, as far as can be seen.

    A stream that somebody put in its place may write elsewhere, as that of a test runner does; one
    that has no descriptor of its own may pass on to another stream, which it holds.
    """
    seen: set[int] = set()
    todo = [stream]
    while todo and len(seen) < LOOKED_AT:
        one = todo.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        try:
            own = one.fileno()
        except Exception:  # noqa: BLE001  of any class
            held = list(getattr(one, "__dict__", {}).values())
            todo += [each for each in held if hasattr(each, "write")]
        else:
            if own == number or (isinstance(own, int) and _identity(own) == _identity(number)):
                return True
    return False


def flush_c() -> None:
    """Have C code print what it holds back."""
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).fflush(None)
