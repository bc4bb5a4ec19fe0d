"""A recording that is saved: the same answers, and nothing that should not leave the machine."""

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pulse_widgets.errors import ArgumentError, StorageError
from pulse_widgets.library.recording import Recording
from tests.storage.bench import START_US, Bench


def test_a_saved_copy_answers_the_same(rec, tmp_path):
    path = rec.save(tmp_path / "copy", include=("output", "code", "argv"))
    assert path.name == "copy.pulse.parquet"
    copy = Recording.open(path)
    shown = ["gpu.*", "cpu.*", "memory.*", "train/*", "cell"]
    assert copy.select(shown).to_pandas().equals(rec.select(shown).to_pandas())
    assert (
        copy.select(["gpu.*", "cpu.*"]).summary().equals(rec.select(["gpu.*", "cpu.*"]).summary())
    )
    assert copy.start == rec.start
    assert copy.events["message"].tolist()[0] == "begin"


def test_a_saved_selection_holds_only_what_was_selected(rec, tmp_path):
    place = tmp_path / "copies"
    place.mkdir()
    path = rec.select("gpu.power", start=5, end=8).save(place)
    assert path == place / "run.pulse.parquet"
    assert sorted(pd.read_parquet(path)["value"].dropna()) == [105, 106, 107, 300, 300]


def test_what_is_private_does_not_leave_the_machine(rec, tmp_path):
    path = rec.save(tmp_path / "copy.pulse.parquet")
    frame = pd.read_parquet(path)
    marks = pq.read_metadata(path).metadata
    everything = frame.to_csv() + " ".join(v.decode("ascii", "replace") for v in marks.values())
    for secret in (
        "secret output",
        "/home/ada",
        "s3cret",
        "fit(1)",
        "job.py",
        rec._stored.catalog.hosts["h0"]["boot_id"],
    ):
        assert secret not in everything
    assert "XID 79" in everything
    assert "fs:mount-1" in set(frame["entity"])
    assert (tmp_path / "copy.pulse.parquet").stat().st_mode & 0o077 == 0
    with pytest.raises(ArgumentError):
        rec.save(tmp_path / "other", include=("everything",))


def test_saving_replaces_the_same_recording_only(rec, tmp_path):
    path = rec.save(tmp_path / "copy")
    assert rec.save(path) == path
    other = Bench(tmp_path / "other.pulse")
    other.numbers(other.series(), [START_US], [1.0])
    other.writer.close()
    with pytest.raises(StorageError, match="not this recording"):
        Recording.open(other.directory).save(path)
    (tmp_path / "text.parquet").write_text("mine")
    with pytest.raises(StorageError):
        rec.save(tmp_path / "text.parquet")
    with pytest.raises(StorageError):
        rec.save(tmp_path / "absent" / "copy")
    assert (tmp_path / "text.parquet").read_text() == "mine"


def test_a_part_does_not_replace_the_whole(rec, tmp_path):
    whole = rec.save(tmp_path / "all")
    before = whole.read_bytes()
    part = rec.select("train/loss")

    with pytest.raises(StorageError, match="holds more of this recording"):
        part.save(tmp_path / "all")

    assert whole.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()].count(whole.name) == 1
    assert not list(tmp_path.glob(".all*"))
    # The same part replaces itself, and the whole replaces a part.
    small = part.save(tmp_path / "part")
    assert part.save(tmp_path / "part") == small
    assert len(Recording.open(rec.save(tmp_path / "part")).series) > 1
