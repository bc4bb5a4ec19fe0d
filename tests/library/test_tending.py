"""Renaming and deleting recordings, and leaving alone whatever is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pulse_widgets.errors import PulseError
from pulse_widgets.library.lookup import base_name
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.tending import delete, rename
from pulse_widgets.storage.compact import compact
from tests.storage.bench import START_US, Bench


def record(directory: Path) -> Bench:
    bench = Bench(directory)
    bench.numbers(bench.series(), [START_US, START_US + 2_000_000], [1.0, 2.0])
    return bench


def stopped(directory: Path) -> Path:
    record(directory).writer.close()
    return directory


def finished(directory: Path) -> Path:
    return compact(stopped(directory))


def tree(place: Path) -> dict[str, object]:
    """Return everything below a directory: links as what they lead to, files by their bytes."""
    found: dict[str, object] = {}
    for path in sorted(place.rglob("*")):
        name = str(path.relative_to(place))
        if path.is_symlink():
            found[name] = path.readlink()
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = "directory"
    return found


FORMS = {"directory": stopped, "file": finished}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("written", ["other", "other.pulse", "other.pulse.parquet", " other "])
def test_a_recording_gets_another_name_and_keeps_its_ending(tmp_path, form, written):
    path = FORMS[form](tmp_path / "run.pulse")
    rows = Recording.open(path).to_pandas()

    renamed = rename(path, written)

    assert renamed.name == path.name.replace("run", "other")
    assert not os.path.lexists(path)
    assert Recording.open(renamed).to_pandas().equals(rows)


@pytest.mark.parametrize("form", FORMS)
def test_a_name_that_it_has_already_changes_nothing(tmp_path, form):
    path = FORMS[form](tmp_path / "run.pulse")
    before = tree(tmp_path)

    assert rename(path, "run") == path
    assert {**tree(tmp_path), "run.pulse/.compact.lock": b""} == {
        **before,
        "run.pulse/.compact.lock": b"",
    }


@pytest.mark.parametrize("form", FORMS)
def test_a_deleted_recording_is_gone_and_others_stay(tmp_path, form):
    stopped(tmp_path / "another.pulse")
    finished(tmp_path / "third.pulse")
    others = tree(tmp_path)
    path = FORMS[form](tmp_path / "run.pulse")

    delete(path)

    assert tree(tmp_path) == others


def test_on_the_shelf_a_bare_name_is_enough(tmp_path, monkeypatch):
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    path = finished(tmp_path / "recordings" / "run.pulse")

    assert rename(Path("run"), "today").name == "today.pulse.parquet"
    delete(Path("today"))

    assert not tree(path.parent)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        ".",
        "..",
        ".hidden",
        ".pulse",
        "../out",
        "a/b",
        "/etc/passwd",
        "a\0b",
        "a\nb",
        "\x1b[31m",
        "x" * 300,
        "é" * 200,
        "\udcff",
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_remedy(tmp_path, form, name):
    path = FORMS[form](tmp_path / "run.pulse")
    before = tree(tmp_path)

    with pytest.raises(PulseError) as refused:
        rename(path, name)

    assert refused.value.remedy
    assert tree(tmp_path) == before


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("taken", ["a file", "a directory", "a link that leads nowhere"])
@pytest.mark.parametrize("ending", [".pulse", ".pulse.parquet"])
def test_nothing_that_is_there_is_replaced(tmp_path, form, taken, ending):
    path = FORMS[form](tmp_path / "run.pulse")
    there = tmp_path / f"other{ending}"
    if taken == "a file":
        there.write_text("mine")
    elif taken == "a directory":
        there.mkdir()
    else:
        there.symlink_to(tmp_path / "nowhere")

    with pytest.raises(PulseError, match="is there already"):
        rename(path, "other")

    assert os.path.lexists(path)
    assert os.path.lexists(there)


def make_foreign(place: Path) -> dict[str, Path]:
    """Make what looks like a recording and is none, or is not one to be touched."""
    outside = place / "outside"
    outside.mkdir()
    kept = finished(outside / "kept.pulse")
    directory = stopped(outside / "left.pulse")
    made = {
        name: place / name
        for name in (
            "link.pulse.parquet",
            "link.pulse",
            "text.pulse.parquet",
            "empty.pulse",
            "plain.pulse.parquet",
            "folder.pulse.parquet",
            "nothing.pulse",
            "notes.txt",
            "described.pulse",
        )
    }
    made["link.pulse.parquet"].symlink_to(kept)
    made["link.pulse"].symlink_to(directory)
    made["text.pulse.parquet"].write_text("not Parquet")
    made["empty.pulse"].mkdir()
    made["plain.pulse.parquet"].mkdir()
    made["folder.pulse.parquet"].mkdir()
    made["notes.txt"].write_text("mine")
    made["described.pulse"].mkdir()
    (made["described.pulse"] / "run.pulse.json").symlink_to(directory / "run.pulse.json")
    return {**made, "..": place / "..", "outside": outside, "root": Path("/")}


def test_what_is_no_recording_is_neither_renamed_nor_deleted(tmp_path):
    foreign = make_foreign(tmp_path)
    before = tree(tmp_path)
    for name, path in foreign.items():
        for tend in (delete, lambda one: rename(one, "other")):
            with pytest.raises(PulseError) as refused:
                tend(path)
            assert refused.value.remedy, name

    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "beside", ["notes.txt", "w-mine", "w-host-1-1/model.bin", "link", "media", "w-link"]
)
def test_a_directory_that_holds_anything_else_is_not_deleted(tmp_path, beside):
    path = stopped(tmp_path / "run.pulse")
    target = path / beside
    if beside.endswith("link"):
        target.symlink_to(tmp_path)
    elif beside == "media":
        target.mkdir()
        (target / "mine.png").write_text("mine")
    else:
        target.parent.mkdir(exist_ok=True)
        target.write_text("mine")
    before = tree(tmp_path)

    with pytest.raises(PulseError, match="no part of a recording"):
        delete(path)

    assert {**before, "run.pulse/.compact.lock": b""} == {
        **tree(tmp_path),
        "run.pulse/.compact.lock": b"",
    }


def test_what_is_still_recorded_is_left_alone(tmp_path):
    bench = record(tmp_path / "run.pulse")
    try:
        for tend in (delete, lambda one: rename(one, "other")):
            with pytest.raises(PulseError, match="still being recorded"):
                tend(tmp_path / "run.pulse")
    finally:
        bench.writer.close()

    assert rename(tmp_path / "run.pulse", "other").name == "other.pulse"


def test_a_file_whose_directory_is_still_there_is_left_alone(tmp_path):
    path = finished(tmp_path / "run.pulse")
    stopped(tmp_path / "other.pulse").rename(tmp_path / "run.pulse")

    for tend in (delete, lambda one: rename(one, "third")):
        with pytest.raises(PulseError, match="has just been made"):
            tend(path)


def test_damaged_files_that_were_kept_go_along(tmp_path):
    path = finished(tmp_path / "run.pulse")
    kept = tmp_path / "run.pulse.damaged" / "w-host-1-1"
    kept.mkdir(parents=True)
    (kept / "part-000001.parquet").write_bytes(b"damaged")

    renamed = rename(path, "other")
    assert (tmp_path / "other.pulse.damaged" / "w-host-1-1" / "part-000001.parquet").exists()
    assert base_name(renamed.name) == "other"
    delete(renamed)

    assert not tree(tmp_path)


def test_where_there_are_no_hard_links_a_file_is_renamed_all_the_same(tmp_path, monkeypatch):
    path = finished(tmp_path / "run.pulse")

    def refuse(*_args, **_named):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    assert Recording.open(rename(path, "other")).path == tmp_path / "other.pulse.parquet"
    assert not path.exists()
