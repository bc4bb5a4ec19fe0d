"""A recording to write to."""

from __future__ import annotations

import pytest

from tests.storage.bench import Bench


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "run.pulse")
    yield made
    made.writer.close()
