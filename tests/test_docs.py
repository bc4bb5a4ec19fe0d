"""The documentation builds without a warning and leaves nothing public out."""

import builtins
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pulse_widgets as pw
from pulse_widgets import cli, errors
from pulse_widgets.exchange import export as exchange_export
from pulse_widgets.metrics import export as metrics_export
from pulse_widgets.metrics import kinds
from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.kinds import KINDS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the documentation once and return its text, page by page."""
    out = tmp_path_factory.mktemp("docs")
    subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "-b", "text", ROOT / "docs", out],
        check=True,
        timeout=170,
    )
    return {page.stem: page.read_text() for page in out.glob("*.txt")}


@pytest.mark.slow
def test_every_public_name_and_what_it_takes_is_documented(built):
    for name in pw.__all__:
        assert re.search(rf"\b{name}\b", built["api"]), name
    for name in ("interval", "record", "gpus", "title", "step"):
        assert name in built["api"]
    # From the docstrings, so that an empty page would not do.
    assert "Start watching, and return the dashboard." in built["api"]
    assert "Return the part of the recording that matches everything given." in built["api"]
    assert "One row a series" in built["api"]


@pytest.mark.slow
def test_every_error_is_documented(built):
    assert all(name in built["errors"] for name in errors.__all__)


def test_every_metric_is_in_the_table():
    table = (ROOT / "docs/metrics.md").read_text()

    assert not [name for name in CATALOG if f"| `{name}` |" not in table]


def test_the_readme_gives_the_two_commands():
    commands = re.findall(r"```sh\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert commands == [
        'pip install ".[lab]" && pulse-widgets demo',
        'pip install -e ".[dev]" && pytest',
    ]


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_every_name_in_an_example_is_one_that_works(page):
    text = (ROOT / page).read_text()
    homes = {"pw": pw, "rec": pw.Recording, "mon": pw.Monitor}

    used = re.findall(r"\b(pw|mon|rec)\.([a-z]\w*)", text)

    assert len(used) > 10
    assert not [f"{owner}.{name}" for owner, name in used if not hasattr(homes[owner], name)]


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_file_and_folder_that_is_named_is_there():
    for page in ("contributing.md", "how-it-works.md"):
        named = re.findall(r"`((?:\.ci|docs|js|pulse_widgets|tests)/[\w./-]*)`", text_of(page))

        assert len(named) > 10, page
        assert not [path for path in named if not (ROOT / path).exists()], page


def test_the_commands_that_are_named_write_the_files_that_are_named():
    page = text_of("contributing.md")

    for module, made in ((metrics_export, "metrics"), (exchange_export, "exchange")):
        (line,) = [
            x for x in page.splitlines() if x.startswith(f"| `python -m pulse_widgets.{made}")
        ]
        assert re.findall(r"`([\w./-]+\.(?:ts|md))`", line) == list(module.GENERATED)


@pytest.mark.parametrize(
    ("language", "folder", "names"),
    [
        ("python", "pulse_widgets", r"(?<![\w.])([A-Za-z_]\w+(?=\()|[A-Z]\w+|\w+(?==[^=]))"),
        ("ts", "js/core", r"\b([A-Z]\w+)\b"),
    ],
)
def test_what_an_example_uses_is_there(language, folder, names):
    page = text_of("contributing.md")
    blocks = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    files = [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.ts")]
    sources = "\n".join(file.read_text("utf-8") for file in files)
    told = re.sub(r"\".*?\"|(#|//).*", "", "\n".join(blocks))

    used = set(re.findall(names, told))

    made = re.findall(r"(?:def|class|const) (\w+)|^(\w+): Final", told, re.MULTILINE)
    own = {name for pair in made for name in pair}
    assert len(used - own) > 3
    assert not [
        name
        for name in used - own
        if not re.search(rf"\b{name}\b", sources) and not hasattr(builtins, name)
    ]


def test_the_kind_in_the_guide_is_one():
    (block,) = re.findall(r"```python\n(ALERT: .*?)```", text_of("contributing.md"), re.DOTALL)
    names = dict(vars(kinds))

    exec(block, names)

    assert names["ALERT"].paired
    assert names["ALERT"].listed
    assert names["ALERT"].on_timeline


def test_every_command_is_documented():
    parsers = [a for a in cli._parser()._actions if a.choices]
    commands = [name for parser in parsers for name in parser.choices]

    assert len(commands) > 3
    assert not [name for name in commands if f"`pulse-widgets {name}" not in text_of("api.md")]


def test_the_format_says_what_rows_of_each_kind_are():
    page = text_of("recording-format.md")

    assert not [kind.stored for kind in KINDS.values() if f"| `{kind.stored}` |" not in page]


def test_the_house_is_drawn_as_it_is_checked():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = [
        contract["layers"]
        for contract in config["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    (drawing,) = re.findall(r"## The house.*?```\n(.*?)```", text_of("how-it-works.md"), re.DOTALL)

    drawn = [re.split(r"  +", line)[0].split(" | ") for line in drawing.splitlines()]
    assert drawn == [
        [name.removeprefix("pulse_widgets.") for name in layer.split(" | ")] for layer in layers
    ]


def text_of(page):
    return (ROOT / "docs" / page).read_text()


def test_the_changelog_has_the_version_that_is_built():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
