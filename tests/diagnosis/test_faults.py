"""What breaks underneath a monitor ends in a named state, and harms nothing else."""

import json
import math
import os
import subprocess
import sys

import pytest

import pulse_widgets as pw
from tests.fakes import nvml

# Each starts a process of its own, and together they take long.
pytestmark = pytest.mark.slow

HEAD = "import pulse_widgets as pw, pulse_widgets.default_session as home, time, json, sys\n"
TELL = (
    "time.sleep({seconds})\n"
    "state = home.default.session.state()\n"
    "rec = mon.stop()\n"
    "print(json.dumps(state['sources']))\n"
)


@pytest.fixture
def sources(tmp_path):
    """Watch a scripted driver for a while; return what each source said, and the recording."""

    def watch(seconds=1.2, gpus=2, missing=(), script=""):
        environ = nvml.environment(
            tmp_path / "nvml", gpus=gpus, latency_us=0, missing=missing, script=script
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", HEAD + "mon = pw.monitor(interval=0.1)\n" + TELL.format(seconds=seconds)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **environ, "PULSE_HOME": str(tmp_path / "home")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said = {source["name"]: source for source in json.loads(done.stdout)}
        return said, pw.Recording.open(next((tmp_path / "home").rglob("*.pulse*")))

    return watch


@pytest.mark.parametrize(
    ("script", "gpus", "state", "words"),
    [
        ("init driver_not_loaded", 1, "failed", "not loaded"),
        ("init mismatch\nnvml 13.570.10", 1, "failed", "570.10"),
        ("init no_permission", 1, "failed", "may not open"),
        ("", 0, "absent", "no"),
    ],
)
@pytest.mark.slow
def test_a_driver_that_cannot_be_used_is_named_with_a_remedy_and_the_machine_is_still_watched(
    sources, script, gpus, state, words
):
    said, recording = sources(script=script, gpus=gpus)

    assert said["nvml"]["state"] == state
    assert words in said["nvml"]["problem"]
    assert said["nvml"]["remedy"]
    assert said["system"]["state"] == "ok"
    assert len(recording.select("memory.used", entity="host").values()[1]) >= 5
    assert not recording.series["entity"].str.startswith("gpu").any()


@pytest.mark.slow
def test_a_gpu_lost_while_watched_becomes_a_gap_and_an_event_while_its_neighbour_goes_on(sources):
    said, recording = sources(seconds=2.5, script="gpu 1 lost at 1")

    assert "gpu:1" in said["nvml"]["problem"]
    lost = recording.select("gpu.power", entity="gpu:1").values()[1]
    whole = recording.select("gpu.power", entity="gpu:0").values()[1]
    assert str(lost[-1]) == "nan"
    assert all(map(math.isfinite, whole))
    assert len(whole) > len(lost)
    assert recording.events.astype(str).to_string().count("gpu:1") >= 1


def test_one_unsupported_field_has_a_reason_and_hides_no_other(sources):
    said, recording = sources(script="gpu 0 field 82 not_supported")

    missing = {item["what"]: item["why"] for item in said["nvml"]["missing"]}
    assert any(what.startswith("gpu:0") and "temp" in what for what in missing)
    metrics = recording.series.query("entity == 'gpu:0'")["metric"].tolist()
    assert "gpu.memory.temperature" not in metrics
    assert {"gpu.power", "gpu.temperature", "gpu.memory.used"} <= set(metrics)


@pytest.mark.slow
def test_a_driver_that_hangs_is_named_and_neither_the_machine_nor_the_stop_waits_for_it(sources):
    said, recording = sources(
        seconds=3.5, gpus=1, script="latency nvmlDeviceGetFieldValues 20000000"
    )

    assert said["nvml"]["state"] == "stalled"
    assert said["nvml"]["remedy"]
    assert len(recording.select("memory.used", entity="host").values()[1]) >= 20


@pytest.mark.slow
def test_a_disk_that_fills_up_pauses_the_recording_visibly_and_loses_nothing_logged(tmp_path):
    code = HEAD + (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "session = lambda: home.default.session\n"
        "pw.log({'a': 0.0}, step=0); time.sleep(0.5)\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))\n"
        "for i in range(1, 3000): pw.log({'a': float(i)}, step=i)\n"
        "time.sleep(0.6)\n"
        "state = session().state()['recording']\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))\n"
        "time.sleep(2.5)\n"
        "after = session().state()['recording']\n"
        "rec = pw.stop()\n"
        "print(json.dumps([state, after, rec.select('a').values()[1].tolist()]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PULSE_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr

    full, after, values = json.loads(done.stdout)
    assert full["problem"]
    assert full["remedy"]
    assert after["problem"] is None
    assert values == [float(i) for i in range(3000)]


def test_what_all_gpus_lack_is_one_thing_and_what_one_lacks_is_said_of_it(sources):
    said, _ = sources(gpus=4, script="gpu 2 field 82 not_supported\ngpu * fans 0")

    missing = [item["what"] for item in said["nvml"]["missing"]]
    assert "gpu:0 to gpu:3 fan.speed" in missing
    assert "gpu:2 temperature.memory" in missing
    assert not any(what.startswith("gpu:1 ") for what in missing)


@pytest.mark.slow
def test_gpus_that_are_lost_alike_are_told_of_together(sources):
    script = "gpu 1 lost at 1\ngpu 2 lost at 1\ngpu 3 lost at 1"
    said, _ = sources(seconds=2.5, gpus=4, script=script)

    assert said["nvml"]["problem"].startswith("gpu:1 to gpu:3: the GPU is lost")
    assert said["nvml"]["problem"].endswith(".")
