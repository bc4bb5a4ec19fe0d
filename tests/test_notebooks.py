"""Every notebook runs from top to bottom, and says what it is committed to say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_outputs_are_those_that_are_stored(notebook, tmp_path):
    # What it saves beside itself stays there.
    copy = shutil.copy(notebook, tmp_path)
    shutil.copy(ROOT / "conftest.py", tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q",
         "-p", "no:cacheprovider", "--rootdir", ROOT, "-c", ROOT / "pyproject.toml", copy],
        cwd=ROOT,
        env={**os.environ, "PULSE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_notebook_keeps_pictures_or_paths(notebook):
    nb = nbformat.read(notebook, 4)

    nbformat.validate(nb)
    outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
    assert outputs
    kept = [kind for output in outputs for kind in output.get("data", {})]
    assert set(kept) <= {"text/plain"}
    assert "/tmp" not in notebook.read_text()
    assert "widgets" not in nb.metadata


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_how_a_notebook_is_tested_stands_in_tags_and_not_in_its_code(notebook):
    nb = nbformat.read(notebook, 4)

    assert "NBVAL" not in "".join(cell.source for cell in nb.cells)
    tags = {tag for cell in nb.cells for tag in cell.metadata.get("tags", [])}
    assert tags == {"nbval-ignore-output"}
    # What is compared must be there to be compared with.
    for cell in nb.cells:
        if cell.cell_type == "code" and "print(" in cell.source and not cell.metadata.get("tags"):
            assert cell.outputs


def test_the_quickstart_begins_with_the_live_view_and_then_replays_eight_gpus():
    nb = nbformat.read(ROOT / "notebooks/01_quickstart.ipynb", 4)
    title, first, *_ = nb.cells
    code = [cell.source for cell in nb.cells if cell.cell_type == "code"]

    assert len(title.source) < 150
    assert first.source == "import pulse_widgets as pw\n\nmon = pw.monitor()\nmon"
    assert "simulated-8gpu" in code[1] and "pw.replay(" in code[1]
    assert "pw.log(" in code[2] and "mon.view(" in code[2]
    assert ".figure(" in code[-1]


CELLS = [
    # Source, tags, output that is stored, how nbval is to judge.
    ("print('now')", ["nbval-ignore-output"], "then", "PASSED"),
    ("print('now')", [], "now", "PASSED"),
    ("print('now')", [], "then", "FAILED"),
    ("1 / 0", ["raises-exception", "nbval-ignore-output"], "", "PASSED"),
    ("1 / 0", ["nbval-skip"], "", "SKIPPED"),
    # A tag on one cell spares no other.
    ("print('now')", [], "later", "FAILED"),
]


@pytest.mark.slow
def test_the_tags_of_a_cell_are_honoured(tmp_path):
    nb = nbformat.v4.new_notebook()
    nb.metadata.kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    for source, tags, stored, _ in CELLS:
        outputs = [nbformat.v4.new_output("stream", text=f"{stored}\n")] if stored else []
        nb.cells.append(
            nbformat.v4.new_code_cell(
                source, metadata={"tags": tags}, outputs=outputs, execution_count=1
            )
        )
    nbformat.write(nb, tmp_path / "tags.ipynb")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-v",
         "-p", "no:cacheprovider", "--rootdir", ROOT, "-c", ROOT / "pyproject.toml",
         tmp_path / "tags.ipynb"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip

    judged = re.findall(r"^::Cell \d+ ([A-Z]+)", done.stdout, re.MULTILINE)
    assert judged == [how for *_, how in CELLS], done.stdout
