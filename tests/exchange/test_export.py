from __future__ import annotations

from pathlib import Path

import pytest

from pulse_widgets.exchange.export import GENERATED, write

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", GENERATED)
def test_a_generated_file_is_fresh(path):
    assert (ROOT / path).read_text("utf-8") == GENERATED[path]()


def test_writing_fills_a_source_tree(tmp_path):
    (tmp_path / "js/core/vocabulary").mkdir(parents=True)

    write(tmp_path)

    for path, text in GENERATED.items():
        assert (tmp_path / path).read_text("utf-8") == text()
