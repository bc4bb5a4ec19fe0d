"""What pages are held against is what Python answers, of bytes that nobody writes anew."""

from __future__ import annotations

import json

import pytest

from tests.storage.running import ANSWERS, CASES, DATA, answers, opened

TOLD = json.loads(ANSWERS.read_text())


@pytest.mark.parametrize("name", CASES)
def test_answers_of_directories_that_are_not_finished_stay_what_they_are(name, tmp_path):
    found = json.loads(json.dumps(answers(opened(name, tmp_path))))

    assert found == TOLD[name]


def test_every_directory_has_answers():
    assert {path.name for path in DATA.glob("*.pulse")} == {f"{name}.pulse" for name in CASES}
    assert TOLD.keys() == CASES.keys()
