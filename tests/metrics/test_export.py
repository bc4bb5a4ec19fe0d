from __future__ import annotations

import re
from pathlib import Path

import pytest

from pulse_widgets.metrics.catalog import CATALOG
from pulse_widgets.metrics.export import GENERATED, to_markdown, write

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", GENERATED)
def test_a_generated_file_is_fresh(path):
    assert (ROOT / path).read_text("utf-8") == GENERATED[path]()


def test_every_metric_of_the_catalog_is_in_the_documentation():
    documented = re.findall(r"^\| `([^`]+)` \|", to_markdown(), re.MULTILINE)

    assert sorted(documented) == sorted(CATALOG)


def test_writing_fills_a_source_tree(tmp_path):
    (tmp_path / "js/core/vocabulary").mkdir(parents=True)
    (tmp_path / "docs").mkdir()

    write(tmp_path)

    assert "gpu.power" in (tmp_path / "js/core/vocabulary/catalog.gen.ts").read_text("utf-8")
    assert "gpu.power" in (tmp_path / "docs/metrics.md").read_text("utf-8")
