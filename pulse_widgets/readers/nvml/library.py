"""The driver's library: opening it, its return codes, and what to try when it refuses."""

from __future__ import annotations

import ctypes
import re
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pulse_widgets.errors import (
    DriverError,
    LibraryNotFoundError,
    NoDeviceError,
    PermissionDeniedError,
    ReaderError,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

T = TypeVar("T")

__all__ = ["GONE", "UNSUPPORTED", "Code", "Library", "address_of", "reason_of", "text_of"]


class Code(IntEnum):
    """The return codes of NVML that mean something to us."""

    OK = 0
    UNINITIALIZED = 1
    INVALID_ARGUMENT = 2
    NOT_SUPPORTED = 3
    NO_PERMISSION = 4
    NOT_FOUND = 6
    INSUFFICIENT_SIZE = 7
    DRIVER_NOT_LOADED = 9
    TIMEOUT = 10
    LIBRARY_NOT_FOUND = 12
    FUNCTION_NOT_FOUND = 13
    GPU_IS_LOST = 15
    RESET_REQUIRED = 16
    MISMATCH = 18
    NO_DATA = 21
    VERSION_MISMATCH = 25
    DEPRECATED = 26
    GPU_NOT_FOUND = 28
    UNKNOWN = 999


GONE: Final = frozenset(
    {
        Code.UNINITIALIZED,
        Code.DRIVER_NOT_LOADED,
        Code.GPU_IS_LOST,
        Code.RESET_REQUIRED,
        Code.MISMATCH,
        Code.GPU_NOT_FOUND,
    }
)
"""Nothing can be read of this GPU any more."""

UNSUPPORTED: Final = frozenset(
    {
        Code.INVALID_ARGUMENT,
        Code.NOT_SUPPORTED,
        Code.NO_PERMISSION,
        Code.FUNCTION_NOT_FOUND,
        Code.VERSION_MISMATCH,
        Code.DEPRECATED,
    }
)
"""This one reading is not to be had; asking again soon is pointless."""

_REASONS: Final[dict[int, str]] = {
    Code.NOT_FOUND: "the driver has no value of it now",
    Code.NO_DATA: "the driver has no value of it now",
    Code.TIMEOUT: "the driver did not answer in time",
    Code.INVALID_ARGUMENT: "unknown to this driver",
    Code.NOT_SUPPORTED: "not supported by this GPU",
    Code.NO_PERMISSION: "this user may not read it",
    Code.FUNCTION_NOT_FOUND: "the driver or nvidia-ml-py is too old for it",
    Code.VERSION_MISMATCH: "this driver is too old for it",
    Code.DEPRECATED: "this driver is too new for it",
    Code.UNINITIALIZED: "NVML was shut down by other code of this process",
    Code.DRIVER_NOT_LOADED: "the NVIDIA driver was unloaded",
    Code.GPU_IS_LOST: "the GPU is lost: it fell off the bus or the driver gave it up",
    Code.RESET_REQUIRED: "the GPU needs a reset",
    Code.MISMATCH: "the NVIDIA driver was replaced while running",
    Code.GPU_NOT_FOUND: "the GPU is not there any more",
    Code.UNKNOWN: "the driver gives an unknown error (NVML error 999)",
}

_NAME: Final = "libnvidia-ml.so.1"
_KERNEL_MODULE: Final = re.compile(r"Kernel Module.*?\s(\d+\.\d[\d.]*)")

_TEXT_BYTES: Final = 96
"""Room for the longest text that NVML gives."""

_NOT_NEEDED: Final = "Without an NVIDIA GPU nothing is missing; sources='auto,-nvml' leaves it out."


def reason_of(code: int, *, mig: bool = False) -> str:
    """Return why a reading is missing, in a few words."""
    if mig and code == Code.NOT_SUPPORTED:
        return "n/a (MIG)"
    return _REASONS.get(code, f"NVML error {code}")


class Library:
    """The loaded `libnvidia-ml.so.1`, through nvidia-ml-py.

    Parameters
    ----------
    proc : Path
        Where procfs is mounted.
    """

    def __init__(self, proc: Path) -> None:
        # nvidia-ml-py has no annotations.
        self.nvml: Any = None
        self._proc = proc
        self._shared: dict[Hashable, Any] = {}

    def open(self) -> None:
        """Load and initialise it. Raises a `ReaderError` that names the cause."""
        if not _is_there():
            raise self._refusal(Code.LIBRARY_NOT_FOUND)
        try:
            import pynvml

            self.nvml = pynvml
            pynvml.nvmlInit()
        except Exception as error:
            if self.nvml is None:
                raise LibraryNotFoundError(
                    f"The package nvidia-ml-py cannot be imported ({words_of(error)}).",
                    remedy="Run `pip install --force-reinstall nvidia-ml-py`.",
                ) from error
            raise self._refusal(_code_of(error)) from error

    def again(self) -> bool:
        """Give it back and initialise it anew; return whether that worked.

        The driver lists its GPUs when it is initialised: one that came later is found so.
        """
        self.attempt("nvmlShutdown")
        return not self.attempt("nvmlInit")[1]

    def close(self) -> None:
        """Give back our share of the library."""
        if self.nvml is not None:
            self.attempt("nvmlShutdown")

    def function(self, symbol: str) -> Callable[..., int] | None:
        """Return a function of the library, None where it is too old to have it."""
        found: Callable[..., int] | None = getattr(self.nvml.nvmlLib, symbol, None)
        return found

    def shared(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return what all GPUs use in turn, made once.

        One thread asks one GPU after the other. What they write their answers into is soon cold
        if each has its own, and cold memory is what a reading a second costs most.
        """
        if what not in self._shared:
            self._shared[what] = make()
        found: T = self._shared[what]
        return found

    def attempt(self, name: str, *arguments: Any) -> tuple[Any, int]:
        """Return the result of a function of nvidia-ml-py and 0, or None and its error code.

        Whatever it raises becomes a code: a version of nvidia-ml-py may lack the function or a
        structure of it, and some answers of a driver are more than it expects.
        """
        try:
            return getattr(self.nvml, name)(*arguments), Code.OK
        except Exception as error:  # noqa: BLE001  the one place where nvidia-ml-py is called
            return None, _code_of(error)

    def ask(self, name: str, *arguments: Any) -> Any:
        """Return the result of a function of nvidia-ml-py, None if it fails."""
        return self.attempt(name, *arguments)[0]

    def text(self, symbol: str, *arguments: Any) -> str:
        """Return the text that a function of the library writes, "" where it fails.

        It is decoded here: nvidia-ml-py raises where a text is no UTF-8, as the names of GPUs
        are on some systems.
        """
        function = self.function(symbol)
        buffer = ctypes.create_string_buffer(_TEXT_BYTES)
        if function is None or function(*arguments, buffer, ctypes.c_uint(_TEXT_BYTES)):
            return ""
        return text_of(buffer.value)

    def count(self) -> int:
        """Return how many GPUs there are."""
        count, code = self.attempt("nvmlDeviceGetCount")
        if code:
            raise self._refusal(code)
        return int(count)

    def handle(self, index: int) -> tuple[Any, int]:
        """Return the handle of a GPU, or None and the code of the refusal."""
        return self.attempt("nvmlDeviceGetHandleByIndex", index)

    def versions(self) -> tuple[str, str]:
        """Return driver version and CUDA version ("" where unknown)."""
        cuda = self.ask("nvmlSystemGetCudaDriverVersion")
        text = "" if cuda is None else f"{cuda // 1000}.{cuda % 1000 // 10}"
        return self.text("nvmlSystemGetDriverVersion"), text

    def no_permission(self) -> PermissionDeniedError:
        """Return the error for GPUs that exist and may not be opened."""
        return PermissionDeniedError(
            "The NVIDIA driver is there, but this user may not open its GPUs.",
            remedy=(
                "Look at `ls -l /dev/nvidia*`: this user needs read and write access (often the "
                "group `video` or `render`). In a batch job ask for a GPU; in a container pass "
                "the devices with `--gpus all`."
            ),
        )

    def _refusal(self, code: int) -> ReaderError:
        if code == Code.LIBRARY_NOT_FOUND:
            return LibraryNotFoundError(
                "The NVIDIA library libnvidia-ml.so.1 is not on this machine.",
                remedy=(
                    "On a machine with an NVIDIA GPU install its driver (`nvidia-smi` must work); "
                    f"start a container with `--gpus all`. {_NOT_NEEDED}"
                ),
            )
        if code == Code.NO_PERMISSION:
            return self.no_permission()
        if code in {Code.NOT_FOUND, Code.GPU_NOT_FOUND}:
            return self.no_device()
        return self._driver_refusal(code)

    def no_device(self) -> NoDeviceError:
        """Return the error for a driver without GPUs."""
        return NoDeviceError(
            "The NVIDIA driver works, and it has no GPU.",
            remedy=(
                "Check `nvidia-smi -L` and `lspci | grep -i nvidia`; in a batch job ask for a "
                f"GPU, in a container pass `--gpus all`. {_NOT_NEEDED}"
            ),
        )

    def _driver_refusal(self, code: int) -> DriverError:
        module, library = self._module_version(), self._library_version()
        if code == Code.DRIVER_NOT_LOADED:
            return DriverError(
                "The NVIDIA library is installed, but the NVIDIA driver is not loaded.",
                remedy=(
                    "Run `sudo modprobe nvidia` and look at `dmesg | grep -i nvidia`; after an "
                    f"update of the kernel or the driver, reboot. {_NOT_NEEDED}"
                ),
            )
        if code == Code.MISMATCH:
            return DriverError(
                f"The NVIDIA driver in the kernel is {module or 'of an unknown version'}, its "
                f"library is {library or 'of another version'}: they must be the same.",
                remedy=(
                    "The driver was updated while the old one ran: reboot, or unload and load "
                    "the kernel modules. In a container, start it again."
                ),
            )
        if code == Code.FUNCTION_NOT_FOUND:
            return DriverError(
                f"The NVIDIA library {library} is too old to be asked.".replace("  ", " "),
                remedy="Install NVIDIA driver 450 or newer.",
            )
        return DriverError(
            f"The NVIDIA driver does not start: {self._said(code)} (NVML error {code}).",
            remedy="Check that `nvidia-smi` works, and look at `dmesg | grep -i nvidia`.",
        )

    def _said(self, code: int) -> str:
        """Return the library's own words for a code."""
        function: Any = self.function("nvmlErrorString")
        if function is None:
            return "unknown error"
        function.restype = ctypes.c_char_p
        return text_of(function(code) or b"") or "unknown error"

    def _module_version(self) -> str:
        try:
            text = (self._proc / "driver/nvidia/version").read_text(errors="replace")
        except OSError:
            return ""
        found = _KERNEL_MODULE.search(text)
        return found[1] if found else ""

    def _library_version(self) -> str:
        # NVML puts the CUDA branch before the version of the driver it belongs to.
        return self.text("nvmlSystemGetNVMLVersion").partition(".")[2]


def _is_there() -> bool:
    """Return whether the system finds the library, as far as can be known here.

    Where it does not, loading nvidia-ml-py would be a tenth of a first `monitor()`.
    """
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL(_NAME)
    except OSError:
        return False
    return True


def address_of(handle: Any) -> int | None:
    """Return the address of a handle, which tells handles apart."""
    return ctypes.cast(handle, ctypes.c_void_p).value


def text_of(raw: bytes) -> str:
    """Return a text of the driver as it can be shown, whatever bytes it has."""
    text = raw.decode(errors="replace").strip()
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _code_of(error: Exception) -> int:
    """Return the code of an `NVMLError`, and one for anything else that was raised."""
    value = getattr(error, "value", None)
    if isinstance(value, int) and value:
        return value
    # nvidia-ml-py has no such function or structure.
    return Code.FUNCTION_NOT_FOUND if isinstance(error, AttributeError) else Code.UNKNOWN
