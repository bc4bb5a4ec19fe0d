"""What can go wrong, each with what to try.

::

    PulseError                      a failure the user can act on
    ├── ArgumentError               a value passed to a public function is not usable
    ├── UnknownSourceError          `sources=` names something that does not exist
    ├── UnknownMetricError          a selection names a metric nothing has
    ├── SessionRunningError         the running session has other settings
    ├── SessionEndedError           the session that was meant is over
    ├── ReplayError                 a live action was asked of a replay
    ├── RecordingError              a file or directory cannot be read as a recording
    │   └── FormatVersionError      ... because a newer program wrote it
    ├── StorageError                a recording cannot be written (disk full, not writable)
    ├── WireError                   two ends of a feed cannot understand each other
    ├── MissingExtraError           an optional dependency is not installed (also ImportError)
    └── ReaderError                 a source cannot be read (also RuntimeError)
        ├── LibraryNotFoundError    the vendor's library is not on this machine
        ├── DriverError             the library is there, the driver does not answer it
        ├── NoDeviceError           everything answers, and there is no device
        ├── PermissionDeniedError   this user may not read the source
        ├── DeviceLostError         a device stopped answering
        ├── HostEngineUnavailableError
        ├── ExporterCollisionDetected
        ├── ReservationDeniedError
        └── DcgmStreamError
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "DcgmStreamError",
    "DeviceLostError",
    "DriverError",
    "ExporterCollisionDetected",
    "FormatVersionError",
    "HostEngineUnavailableError",
    "LibraryNotFoundError",
    "MissingExtraError",
    "NoDeviceError",
    "PermissionDeniedError",
    "PulseError",
    "ReaderError",
    "RecordingError",
    "ReplayError",
    "ReservationDeniedError",
    "SessionEndedError",
    "SessionRunningError",
    "StorageError",
    "UnknownMetricError",
    "UnknownSourceError",
    "WireError",
]


class PulseError(Exception):
    """A failure the user can act on: what went wrong, and what to try.

    Parameters
    ----------
    problem : str
        One sentence that says what is wrong, with the offending value.
    remedy : str
        What to try next.
    """

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        """Return the problem, a newline and the remedy."""
        return f"{self.problem}\n{self.remedy}" if self.remedy else self.problem

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle through the two texts, so that an error crosses processes whole."""
        return (_rebuild, (type(self), self.problem, self.remedy))


def _rebuild(kind: type[PulseError], problem: str, remedy: str) -> PulseError:
    return kind(problem, remedy=remedy)


class ArgumentError(PulseError, ValueError):
    """A value passed to a public function is not usable."""


class UnknownSourceError(PulseError, ValueError):
    """`sources=` names something that does not exist."""


class UnknownMetricError(PulseError, LookupError):
    """A selection names a metric that nothing here has."""


class SessionEndedError(PulseError):
    """The session that was meant is over: nothing can be added to it."""


class SessionRunningError(PulseError):
    """The running session has other settings than the ones asked for."""


class ReplayError(PulseError):
    """A live action was asked of a replay."""


class RecordingError(PulseError):
    """A file or directory cannot be read as a recording."""


class FormatVersionError(RecordingError):
    """A recording was written by a newer program than this one."""


class StorageError(PulseError, OSError):
    """A recording cannot be written.

    Attributes
    ----------
    errno : int or None
        What the operating system said; None where it was not the one to refuse.
    """

    def __init__(self, problem: str, *, remedy: str = "", errno: int | None = None) -> None:
        super().__init__(problem, remedy=remedy)
        self.errno = errno


class WireError(PulseError):
    """A message on the feed is not one this version understands."""


class MissingExtraError(PulseError, ImportError):
    """An optional dependency is not installed."""


class ReaderError(PulseError, RuntimeError):
    """A source cannot be read; every other source goes on.

    Parameters
    ----------
    problem : str
        What is wrong.
    remediation : str
        What to try; the same text as `remedy`.
    """

    def __init__(self, problem: str, remediation: str = "", *, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy or remediation)

    @property
    def remediation(self) -> str:
        """What to try."""
        return self.remedy


class LibraryNotFoundError(ReaderError):
    """The vendor's library is not on this machine."""


class DriverError(ReaderError):
    """The vendor's library is there, but the driver does not answer it."""


class NoDeviceError(ReaderError):
    """Library and driver answer, and there is no device."""


class PermissionDeniedError(ReaderError):
    """The user may not read the source."""


class DeviceLostError(ReaderError):
    """A device stopped answering while it was being read."""


class HostEngineUnavailableError(ReaderError):
    """The DCGM host engine cannot be reached."""


class ExporterCollisionDetected(ReaderError):  # noqa: N818  the public name of the reader API
    """Another consumer already holds the profiling counters."""


class ReservationDeniedError(ReaderError):
    """A profiling watch cannot be had without dropping another consumer."""


class DcgmStreamError(ReaderError):
    """`dcgmi dmon` failed or ended."""


def words_of(error: BaseException) -> str:
    """Return the kind and the words of a foreign error, even one that cannot say what it is."""
    try:
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    except Exception:  # noqa: BLE001  it is told of all the same
        return type(error).__name__
