"""What notebooks are compared by when pytest runs them with ``--nbval``."""

from importlib.util import find_spec
from typing import Any

VARYING = ("application/vnd.pulse.replay+json", "text/html")
"""The forms of an output that hold pictures of live data."""

if find_spec("nbval") is not None:
    import nbval.plugin

    _setup = nbval.plugin.IPyNbFile.setup

    def _setup_without_pictures(self: Any) -> None:  # nbval has no annotations
        _setup(self)
        self.skip_compare = (*self.skip_compare, *VARYING)

    # nbval has no setting for MIME types that are not to be compared.
    nbval.plugin.IPyNbFile.setup = _setup_without_pictures
