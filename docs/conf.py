"""How the documentation is built: ``sphinx-build -n -W docs OUT``. Nothing is fetched."""

from importlib.metadata import version as version_of
from typing import Any

project = "pulse_widgets"
author = "the pulse_widgets authors"
project_copyright = author
release = version_of("pulse_widgets")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Watch, record and replay, in a notebook cell."}

myst_heading_anchors = 3
default_role = "code"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False

# Types in docstrings are words for people: "sequence of str", "path". Only our own are links.
nitpick_ignore_regex = [("py:.*", r"(?!pulse_widgets\.).*")]


def _keep_sentence(_app: Any, what: str, _name: str, _of: Any, _options: Any, lines: Any) -> None:
    """Keep napoleon from taking what stands before a colon for the type of a property."""
    if what == "property" and lines:
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ", 1)


def setup(app: Any) -> None:
    """Listen before napoleon does."""
    app.connect("autodoc-process-docstring", _keep_sentence, priority=100)
