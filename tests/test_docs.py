"""The documentation builds without a warning and leaves nothing public out."""

import builtins
import importlib.util
import json
import re
import struct
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import pulse_widgets as pw
from pulse_widgets import cli, errors
from pulse_widgets.exchange import export as exchange_export
from pulse_widgets.metrics import export as metrics_export
from pulse_widgets.metrics import kinds
from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.kinds import KINDS
from tests.make_pictures import MOST_HIGH, PICTURES, THEMES
from tests.png import MAGIC

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
    for page in (" ".join(built[name].split()) for name in ("api", "reference")):
        for name in {*pw.__all__} - {"PulseError"}:
            assert re.search(rf"\b{name}\b", page), name
        for name in ("interval", "record", "gpus", "title", "step"):
            assert name in page
        # From the docstrings, so that an empty page would not do.
        assert "Start watching, and return the dashboard." in page
        assert "Return the part of the recording that matches everything given." in page
        assert "One row a series" in page
    assert "A joining call adds its sources." in built["reference"]


@pytest.fixture(scope="module")
def make_api():
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs/make_api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_api_page_says_what_the_code_says(make_api):
    assert text_of("api.md") == make_api.written(text_of("api.md"))


def test_every_public_name_stands_under_one_heading(make_api):
    listed = [name for names in make_api.GROUPS.values() for name in names]

    assert sorted(listed) == sorted(pw.__all__)
    entries = re.findall(r"^- `(\w+\.\w+)", make_api.api(), re.MULTILINE)
    for owner, kind in (("mon", pw.Monitor), ("rec", pw.Recording)):
        ours = [base for base in kind.__mro__ if base.__module__.startswith("pulse_widgets.")]
        public = {name for base in ours for name in vars(base) if not name.startswith("_")}
        # What is synced with the page, and what the package alone uses.
        public -= (
            {"feed", "kind", "metrics", "title", "stored"} if owner == "mon" else {"book", "stored"}
        )
        assert {f"{owner}.{name}" for name in public - {"open"}} == {
            entry for entry in entries if entry.startswith(f"{owner}.")
        }
    assert "pw.Recording.open" in make_api.api()


def changed(data, step=0, *, time=None):
    """Record the values of your own metrics at one moment."""


def reworded(data, step=None, *, time=None):
    """Do something else. Record the values of your own metrics at one moment."""


def added(self, path):
    """Return what is new."""


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ((pw, "log"), changed, "pw.log(data, step=0, *, time=None)`"),
        ((pw, "log"), reworded, "Do something else.\n"),
        ((pw.Recording, "added"), added, "rec.added(path)`"),
        ((pw.Monitor, "added"), property(added), "mon.added`"),
        ((errors.WireError, "__doc__"), "Something new.", "| Something new. |"),
    ],
)
def test_what_changes_in_the_code_changes_on_the_page(make_api, monkeypatch, place, value, told):
    monkeypatch.setattr(*place, value, raising=False)

    page = make_api.written(text_of("api.md"))

    assert told in page
    assert page != text_of("api.md")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One sentence.", "One sentence."),
        ("One. Two.", "One."),
        ("Over\n    two lines. And more.", "Over two lines."),
        ("Of ``this.that`` it tells.\n\n    More.", "Of `this.that` it tells."),
        ("Return these:\n\n    - one", "Return these."),
    ],
)
def test_the_first_sentence_is_what_stands_before_the_second(make_api, text, first):
    def documented(): ...

    documented.__doc__ = text
    assert make_api.sentence(documented) == first


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


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_of_the_package_is_there(page):
    text = page.read_text()
    homes = {"pw": pw, "rec": pw.Recording, "mon": pw.Monitor, "Recording": pw.Recording}

    used = re.findall(r"(?<![\w./])(pw|mon|rec|Recording)\.([a-z]\w*)", text)

    assert not [f"{owner}.{name}" for owner, name in used if not hasattr(homes[owner], name)]


@pytest.mark.parametrize(
    "page", ["README.md", "docs/quickstart.md", "notebooks/01_quickstart.ipynb"]
)
def test_every_metric_in_an_example_is_one(page):
    text = (ROOT / page).read_text()
    areas = {name.split(".")[0] for name in CATALOG}

    named = {
        name
        for name in re.findall(r"[\"\\]([a-z]+(?:\.[a-z0-9_*]+)+)\\?\"", text)
        if name.split(".")[0] in areas
    }

    assert named
    assert not [name for name in named if not any(fnmatch(one, name) for one in CATALOG)]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_are_those_that_the_script_makes_and_small(name, theme):
    picture = ROOT / f"docs/images/{name}-{theme}.png"
    data = picture.read_bytes()
    width, height = struct.unpack_from(">II", data, 16)

    assert data.startswith(MAGIC)
    # At most as large as the script takes them, of a palette.
    assert width < 1100
    assert height <= MOST_HIGH
    assert data[24:26] == bytes([8, 3])
    assert len(data) < 60_000
    assert any(f"images/{picture.name}" in page.read_text() for page in PAGES)


def test_there_are_no_other_pictures():
    made = {f"{name}-{theme}.png" for name in PICTURES for theme in THEMES}

    assert {path.name for path in (ROOT / "docs/images").iterdir()} == made


def test_the_readme_shows_both_themes_of_its_pictures():
    shown = re.findall(r"docs/images/([\w-]+)-(light|dark)\.png", text_of("../README.md"))

    assert {name for name, _ in shown} == {"live", "panel"}
    assert sorted(shown) == sorted((name, theme) for name in ("live", "panel") for theme in THEMES)


def test_every_command_key_and_setting_of_the_extension_is_documented():
    page = text_of("jupyterlab.md")
    schema = json.loads((ROOT / "js/lab/schema/plugin.json").read_text())
    commands = (ROOT / "js/lab/shell/commands.ts").read_text()

    ids = re.findall(r'"(pulse-widgets:[\w-]+)"', commands)
    assert len(ids) > 10
    # The launcher and a menu of files know the place that these need.
    placed = {"pulse-widgets:new-notebook", "pulse-widgets:open-selected"}
    assert not [one for one in {*ids} - placed if f"| `{one}` |" not in page]
    for shortcut in schema["jupyter.lab.shortcuts"]:
        accel, alt, key = shortcut["keys"][0].split()
        assert (accel, alt) == ("Accel", "Alt")
        assert f"| `{shortcut['command']}` | Ctrl + Alt + {key}, ⌘ ⌥ {key} |" in page
    for name, setting in schema["properties"].items():
        assert f"| `{name}` | `{json.dumps(setting['default'])}` |" in page


def test_every_plugin_of_the_extension_is_documented():
    texts = [path.read_text() for path in (ROOT / "js/lab").rglob("*.ts")]
    ids = set(re.findall(r"\bid: \"(pulse-widgets:[\w-]+)\"", "\n".join(texts)))
    ids.add("pulse-widgets:plugin")

    told = re.findall(
        r"^\| `(pulse-widgets:[\w-]+)` \| [a-z]", text_of("jupyterlab.md"), re.MULTILINE
    )
    assert len(ids) > 7
    assert set(told) == ids
    # What users are told to switch on is there, too.
    named = set(re.findall(r"plugin (pulse-widgets:[\w-]+)", "\n".join(texts)))
    assert named
    assert named <= ids


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_file_and_folder_that_is_named_is_there():
    for page in ("contributing.md", "how-it-works.md"):
        named = re.findall(r"`((?:\.ci|docs|js|pulse_widgets|tests)/[\w./-]*)`", text_of(page))

        assert len(named) > 10, page
        assert not [path for path in named if not (ROOT / path).exists()], page


def test_the_scripts_that_are_named_are_there():
    tables = re.findall(
        r"\| command \| writes \|\n.*?\n(.*?)\n\n", text_of("contributing.md"), re.DOTALL
    )

    lines = [line for table in tables for line in table.splitlines()]
    assert len(lines) > 4
    for line in lines:
        command, *made = re.findall(r"`([^`]+)`", line)
        script = command.removeprefix("python ").removeprefix("-m ")
        script = script if script.endswith(".py") else script.replace(".", "/") + ".py"
        assert (ROOT / script).is_file(), line
        assert made
        assert all((ROOT / path).exists() for path in made), line


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
