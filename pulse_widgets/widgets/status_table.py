"""The table that ``Monitor.status`` returns: a DataFrame that shows its sentences whole."""

from __future__ import annotations

import pandas as pd

__all__ = ["StatusTable"]


class StatusTable(pd.DataFrame):
    """What is cut out of it is a plain DataFrame again."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        """Return the table as text, with nothing cut off."""
        with pd.option_context("display.max_colwidth", None):
            return super().__repr__()

    def _repr_html_(self) -> str:
        """Return the table as HTML, with nothing cut off."""
        with pd.option_context("display.max_colwidth", None):
            return self.to_html(notebook=True)
