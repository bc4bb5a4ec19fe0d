"""A small disk that a test fills and empties."""

import contextlib
import subprocess


class Disk:
    """A disk of its own where this user may mount one, else a place that refuses like one.

    Attributes
    ----------
    place : Path
    prelude : str
        What a program does first that records there: the reserve of 1 GiB is more than the
        whole disk, so that it would never be written to.
    """

    def __init__(self, place, size="1m"):
        self.place = place
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
            capture_output=True,
            check=False,
        )
        self.mounted = done.returncode == 0
        self._filler = place / "filler"
        self.prelude = "import pulse_widgets.storage.disk as disk\n"
        if self.mounted:
            self.prelude += "disk.Reserve.problem = lambda self, place: ''\n"
        else:
            self.prelude += (
                "disk.Reserve.spares = lambda self, place, nbytes: False\n"
                "disk.Reserve.problem = lambda self, place: (\n"
                f"    'No room left' if os.path.exists({str(self._filler)!r}) else '')\n"
            )

    def fill(self):
        """Leave no room, to the last byte."""
        with self._filler.open("wb", buffering=0) as file:
            for piece in (bytes(65536), bytes(64)) if self.mounted else ():
                with contextlib.suppress(OSError):
                    while file.write(piece) == len(piece):
                        pass

    def empty(self):
        """Make room again."""
        self._filler.unlink()

    def close(self):
        """Take the disk away."""
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.place)], check=True)
