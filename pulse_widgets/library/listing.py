"""A small table as a notebook shows it, made without pandas."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["html_table"]


def html_table(names: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in the form that pandas gives a DataFrame without its index."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{_cells(line)}</tr>" for line in lines)
    return (
        '<table class="dataframe">'
        f'<thead><tr style="text-align: right;">{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _cells(line: Sequence[str]) -> str:
    return "".join(f"<td>{html.escape(text)}</td>" for text in line)
