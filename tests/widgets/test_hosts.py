"""Two machines with a GPU each in one recording: what is the one's is never taken for the other's."""

import platform

import pytest

from pulse_widgets.errors import ArgumentError
from pulse_widgets.exchange.bundle import redact
from pulse_widgets.exchange.fitting import fit
from pulse_widgets.exchange.picture.document import figure_html
from pulse_widgets.library.recording import Recording
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.wire import decode, keyframe
from pulse_widgets.storage.compact import compact
from tests.exchange.scene import svg_of
from tests.storage.bench import START_US, Bench

MACHINES = {"node17": ("NVIDIA A100", 100.0), "node18": ("NVIDIA H100", 700.0)}
SECOND = 1_000_000


@pytest.fixture(params=["finished", "directory"])
def rec(request, tmp_path, monkeypatch):
    directory = tmp_path / "run.pulse"
    for name, (model, watts) in MACHINES.items():
        monkeypatch.setattr(platform, "node", lambda name=name: name)
        bench = Bench(directory)
        power = bench.series("gpu:0", "gpu.power", unit="W")
        mark = bench.series("kernel", "mark", kind="text")
        cell = bench.series("kernel", "cell", unit="s", kind="span")
        bench.numbers(power, [START_US + s * SECOND for s in range(10)], [watts] * 10)
        bench.put([(mark, START_US + SECOND, -1, float("nan"), f'{{"label": "of {name}"}}', b"")])
        begun = '{"id": "1@1", "count": 1, "line": "fit()"}'
        bench.put([(cell, START_US + SECOND, -1, float("nan"), begun, b"")])
        bench.put([(cell, START_US + 3 * SECOND, -1, 2.0, '{"id": "1@1", "status": "ok"}', b"")])
        bench.writer.describe({"h0": {"gpu:0": {"name": model}}})
        bench.writer.close()
    return Recording.open(compact(directory) if request.param == "finished" else directory)


@pytest.fixture
def header(rec):
    """The header of the keyframe that a page gets of the recording."""
    src = RecordingProvider(rec)
    told = src.events(10).plain()
    packet = keyframe(
        0,
        src.screen(),
        series=src.series(),
        entities=src.entities(),
        state=src.state(),
        **told,
    )
    return decode(packet).header


def machines(header):
    """Host to the name of its machine."""
    named = (one for one in header["entities"] if one["entity"] == "host")
    return {one["host"]: one["labels"]["name"] for one in named}


def test_a_page_is_told_of_both_gpus_and_of_whom_they_are(header):
    named = machines(header)
    gpus = [one for one in header["entities"] if one["entity"] == "gpu:0"]

    assert sorted(named.values()) == list(MACHINES)
    assert {named[one["host"]]: one["labels"]["name"] for one in gpus} == {
        name: model for name, (model, _) in MACHINES.items()
    }


def test_moments_and_spans_say_on_which_machine_they_were(header):
    named = machines(header)

    labels = {named[one["host"]]: one["facts"]["label"] for one in header["moments"]}
    assert labels == {name: f"of {name}" for name in MACHINES}
    cells = {named[one["host"]]: one for one in header["spans"]}
    assert list(map(cells.__contains__, MACHINES)) == [True, True]
    for cell in cells.values():
        assert cell["end"] - cell["start"] == pytest.approx(2.0)
        assert cell["facts"] == {"count": 1, "line": "fit()", "status": "ok"}


def test_a_picture_draws_and_lists_both(rec):
    src = RecordingProvider(rec)
    html = figure_html(
        src.screen(), src.series(), title="", state=src.state(), entities=src.entities()
    )

    drawn = ["".join(text.itertext()) for text in svg_of(html).iter()]
    for name, (model, _) in MACHINES.items():
        assert f"{name} · GPU 0" in drawn
        assert f"<td>{name} · GPU 0</td>" in html
        assert f"1 \N{MULTIPLICATION SIGN} {model}" in html
    assert "<td>100 W</td>" in html
    assert "<td>700 W</td>" in html


def test_a_saved_picture_keeps_them_apart_and_does_not_name_the_machines(header, rec):
    told = redact(header)
    screen, told = fit(RecordingProvider(rec).screen(), told, 100_000)
    html = figure_html(
        screen, told["series"], title="", state=told["state"], entities=told["entities"]
    )

    assert "<td>h0 · GPU 0</td>" in html
    assert "<td>h1 · GPU 0</td>" in html
    said = html + str(told["entities"]) + str(told["moments"]) + str(told["spans"])
    assert not [name for name in MACHINES if name in said]
    assert {one["host"] for one in told["moments"]} == {"h0", "h1"}


def test_a_choice_that_is_not_one_series_says_on_which_machines_they_are(rec):
    with pytest.raises(ArgumentError) as told:
        rec.select("gpu.power").values()

    named = "gpu.power of gpu:0 on node17, gpu.power of gpu:0 on node18"
    assert str(told.value).splitlines()[0].endswith(f"2 series are selected, not one: {named}")


def test_the_list_of_series_names_the_machines_where_there_are_several(rec):
    names = dict(zip(rec.series["host"], rec.series["host_name"], strict=True))
    assert sorted(names.values()) == list(MACHINES)
    for host, name in names.items():
        assert len(rec.select(host=host).series) == len(rec.select(host=name).series) == 3
        assert "host_name" not in rec.select(host=host).series


@pytest.mark.parametrize(("name", "watts"), [(n, w) for n, (_, w) in MACHINES.items()])
def test_a_selection_of_one_machine_has_its_readings_alone(rec, name, watts):
    one = rec.select("gpu.power", host=name)
    assert one.to_pandas()["value"].tolist() == [watts] * 10
