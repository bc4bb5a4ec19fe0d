"""Readers that other packages bring, found by their entry points.

A package names its reader in its ``pyproject.toml``::

    [project.entry-points."pulse_widgets.readers"]
    npu = "my_package:NpuBackend"

Then ``sources="npu"`` reads it. The package is imported when its source is opened, on the
source's own thread: whatever goes wrong in it ends that source alone, and by name.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.errors import PulseError, ReaderError, words_of
from pulse_widgets.loading import load
from pulse_widgets.readers.base import BackendCaps, RateClass, RawRecord, ReaderConfig
from pulse_widgets.readers.contract import check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.metadata import EntryPoint

    from pulse_widgets.readers.base import Backend
    from pulse_widgets.readers.select import GpuChoice

__all__ = ["GROUP", "Plugin", "PluginBackend", "plugins"]

GROUP: Final = "pulse_widgets.readers"
"""The group of entry points that name readers."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A reader of another package, not imported yet.

    Attributes
    ----------
    name : str
        The name of the entry point, which `sources=` uses.
    entry : EntryPoint
    """

    name: str
    entry: EntryPoint

    @property
    def package(self) -> str:
        """Name and version of the package."""
        about = self.entry.dist
        return "unknown" if about is None else f"{about.name} {about.version}"

    def make(self, gpus: GpuChoice) -> PluginBackend:
        """Return its backend, which imports the package when it is opened."""
        return PluginBackend(self, gpus)


def plugins() -> dict[str, Plugin]:
    """Return the readers of other packages, by name; of two of one name the first found."""
    load("importlib.metadata")  # the user's thread may ask
    from importlib.metadata import entry_points

    found: dict[str, Plugin] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, Plugin(entry.name, entry))
    return found


class PluginBackend:
    """The backend of another package, imported and made when it is first opened.

    Parameters
    ----------
    plugin : Plugin
    gpus : GpuChoice
        Which GPUs, for a reader that asks.
    """

    def __init__(self, plugin: Plugin, gpus: GpuChoice) -> None:
        self.name = plugin.name
        self._plugin = plugin
        self._gpus = gpus
        self._backend: Backend | None = None

    def __getattr__(self, name: str) -> Any:
        """Return what else the backend says of itself, its rules say."""
        backend = self.__dict__.get("_backend")
        if backend is None:
            raise AttributeError(name)
        return getattr(backend, name)

    @property
    def caps(self) -> BackendCaps:
        """What it can deliver."""
        return BackendCaps(self.name) if self._backend is None else self._backend.caps

    @property
    def missing(self) -> Mapping[str, str]:
        """What is absent, and why."""
        return {} if self._backend is None else self._backend.missing

    def open(self) -> None:
        """Import the package if need be, make the backend, and open it.

        Raises
        ------
        ReaderError
            Where one of these fails.
        """
        if self._backend is None:
            self._backend = self._made()
        self._backend.open()

    def read(self, due: frozenset[RateClass]) -> Sequence[RawRecord]:
        """Read the backend."""
        if self._backend is None:
            raise ReaderError(f"The reader {self.name!r} is not open.", "Call open() first.")
        return self._backend.read(due)

    def close(self) -> None:
        """Close the backend, if there is one."""
        if self._backend is not None:
            self._backend.close()

    def _made(self) -> Backend:
        try:
            backend: Backend = self._call(self._plugin.entry.load())
        except PulseError:
            raise
        except Exception as error:
            raise ReaderError(
                f"The reader {self.name!r} of {self._plugin.package} cannot be made: "
                f"{words_of(error)}",
                f"Update the package, or remove it; it names {self._plugin.entry.value!r}.",
            ) from error
        check(backend)
        return backend

    def _call(self, factory: Any) -> Any:
        """Call a class or function, with a `ReaderConfig` where it has a parameter `config`."""
        try:
            asks = "config" in inspect.signature(factory).parameters
        except (TypeError, ValueError):
            asks = False
        return factory(config=_config(self._gpus)) if asks else factory()


def _config(gpus: GpuChoice) -> ReaderConfig:
    from pulse_widgets.readers.select import words_of as words

    chosen = words(gpus)
    ids = None if chosen in {("mine",), ("all",)} else chosen
    return ReaderConfig(gpu_ids=ids, all_gpus=chosen == ("all",))
