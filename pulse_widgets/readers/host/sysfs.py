"""The small folders and files of ``/sys``."""

from __future__ import annotations

from pathlib import Path

__all__ = ["content_of", "names_in"]


def names_in(folder: str) -> list[str]:
    """Return what a folder holds; nothing where it cannot be read."""
    try:
        return [path.name for path in Path(folder).iterdir()]
    except (OSError, ValueError):
        return []


def content_of(path: str) -> str:
    """Return what a file says, without the end of its line; nothing where it cannot be read."""
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except (OSError, ValueError):
        return ""
