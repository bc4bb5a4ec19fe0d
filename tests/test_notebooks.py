"""Every notebook runs from top to bottom, and says what it is committed to say."""

import os
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
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q",
         "-p", "no:cacheprovider", str(notebook)],
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
