"""Ranks, workers and forked children that record together, each a process of its own."""

import re
import signal
import time

import pytest

import pulse_widgets as pw
from tests.fakes import nvml
from tests.programs import program, run

RECORDED = (
    "from pulse_widgets.default_session import default\n"
    "def recorded():\n"
    "    quiet = 3 if default.session is None else 0\n"
    "    while quiet < 3:\n"
    "        session = default.session\n"
    "        waits = session.user.late() + session.recorder.waiting()\n"
    "        quiet = 0 if waits or session.path is None else quiet + 1\n"
    "        time.sleep(0.02)\n"
)
"""`recorded` waits until everything that was logged is on the disk."""

FORKS = RECORDED + (
    "import multiprocessing, warnings\n"
    "fork = multiprocessing.get_context('fork')\n"
    "def forked(work, *arguments):\n"
    "    pid = os.fork()\n"
    "    if pid == 0:\n"
    "        code = 1\n"
    "        try: work(*arguments); code = 0\n"
    "        finally:\n"
    "            sys.stdout.flush(); sys.stderr.flush(); os._exit(code)\n"
    "    return pid\n"
    "def over(pids):\n"
    "    for pid in pids: assert os.waitpid(pid, 0)[1] == 0\n"
    "def log(child, rows):\n"
    "    for i in range(rows): pw.log({'x': child * 1000 + i}, step=i)\n"
)


def values(path, metric="x", **chosen):
    """All values of a metric, of whoever logged it, in order."""
    frame = pw.Recording.open(path).select(metric, **chosen).to_pandas()
    return sorted(frame["value"].tolist())


def expected(children, rows):
    return sorted(float(child * 1000 + i) for child in children for i in range(rows))


# Forked children ------------------------------------------------------------------------


def test_processes_that_multiprocessing_forks_record_beside_their_parent(tmp_path):
    place = tmp_path / "run"
    out, err = run(
        FORKS + "pw.log({'parent': 1.0})\n"
        "for round in range(2):\n"
        "    started = [fork.Process(target=log, args=(4 * round + k, 50)) for k in range(4)]\n"
        "    for one in started: one.start()\n"
        "    for one in started: one.join(); assert one.exitcode == 0\n"
        "rec = pw.stop()\n"
        "print(rec.path, rec.problems)\n",
        tmp_path / "home",
        PULSE_RECORDING=str(place),
    )

    assert out == f"{place}.pulse.parquet ()\n"
    assert err == ""
    assert values(place) == expected(range(8), 50)
    assert values(place, "parent") == [1.0]
    assert set(pw.Recording.open(place).select("x").series["entity"]) == {"user"}


def test_workers_of_a_pool_that_is_closed_lose_nothing(tmp_path):
    place = tmp_path / "run"
    run(
        FORKS + "pool = fork.Pool(3)\n"
        "pool.starmap(log, [(k, 20) for k in range(9)], chunksize=1)\n"
        "pool.close(); pool.join()\n",
        tmp_path / "home",
        PULSE_RECORDING=str(place),
    )

    assert values(place) == expected(range(9), 20)


@pytest.mark.parametrize(
    ("begun", "children"),
    [("", "range(3)"), ("pw.log({'parent': 1.0})\n", "range(3)")],
    ids=["a parent that does not log", "a parent that logs"],
)
def test_a_forked_child_that_leaves_without_a_word_has_recorded_what_is_older_than_a_moment(
    tmp_path, begun, children
):
    place = tmp_path / "run"
    run(
        FORKS
        + begun
        + f"over([forked(lambda k=k: (log(k, 30), recorded())) for k in {children}])\n"
        "pw.stop()\n",
        tmp_path / "home",
        PULSE_RECORDING=str(place),
    )

    assert values(place) == expected(range(3), 30)


def test_a_forked_child_that_ends_as_programs_do_loses_nothing(tmp_path):
    place = tmp_path / "run"
    run(
        FORKS + "pw.log({'parent': 1.0})\n"
        "pid = os.fork()\n"
        "log(0 if pid else 1, 40)\n"
        "if pid: over([pid])\n",
        tmp_path / "home",
        PULSE_RECORDING=str(place),
    )

    assert values(place) == expected(range(2), 40)
    assert (tmp_path / "run.pulse.parquet").exists()


def test_without_a_shared_recording_a_child_says_which_line_makes_it_record(tmp_path):
    code = (
        FORKS + "warnings.simplefilter('always')\n"
        "pw.log({'x': 0.0}); recorded(); place = str(default.place)\n"
        "line = f\"os.environ['PULSE_RECORDING'] = {place!r}\"\n"
        "if sys.argv[1:]: exec(line)\n"
        "over([forked(lambda: (log(1, 3), recorded()))])\n"
        "print(line, pw.stop().path)\n"
    )
    out, err = run(code, tmp_path / "home")
    line, _, path = out.strip().rpartition(" ")
    told, _, silent = run(code, tmp_path / "home", "with the line")[0].rpartition(" ")

    assert err.count("RuntimeWarning") == 1
    assert f"put this line before the fork: {line}. " in err
    assert values(path) == [0.0]
    assert told != line
    assert values(silent.strip()) == [0.0, *expected([1], 3)]


@pytest.mark.slow
def test_forks_while_a_session_begins_on_another_thread_hang_and_lose_nothing(tmp_path):
    place = tmp_path / "run"
    code = (
        FORKS + "import threading\n"
        "done = threading.Event()\n"
        "def flood():\n"
        "    while not done.wait(0.001): pw.log({'flood': 1.0})\n"
        "thread = threading.Thread(target=flood)\n"
        "thread.start()\n"
        "for k in range(8):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        pw.log({'x': float(k)})\n"
        "        sys.exit()\n"
        "    over([pid])\n"
        "done.set(); thread.join()\n"
        "pw.stop()\n"
    )
    run(code, tmp_path / "home", PULSE_RECORDING=str(place))

    assert values(place) == [float(k) for k in range(8)]


# One directory --------------------------------------------------------------------------


WAITING = "print('logged', flush=True); sys.stdin.readline()\n"
RANK = RECORDED + (
    "rank = os.environ.get('RANK')\n"
    "def work(thread):\n"
    "    for i in range(500): pw.log({'x': thread * 1000 + i}, step=i)\n"
    "threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]\n"
    "for one in threads: one.start()\n"
    "for one in threads: one.join()\n"
)


def ranks(home, place, count, code, **environ):
    return [
        program(
            code,
            home,
            PULSE_RECORDING=str(place),
            RANK=str(number),
            WORLD_SIZE=str(count),
            **environ,
        )
        for number in range(count)
    ]


def ended(processes):
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")


def test_the_first_of_several_ranks_makes_the_directory_and_the_last_one_the_file(tmp_path):
    place = tmp_path / "deep" / "run"
    started = ranks(tmp_path / "home", place, 4, RANK + WAITING)
    for process in started:
        assert process.stdout.readline() == "logged\n"
    ended(started)

    recording = pw.Recording.open(place)
    assert recording.path.name == "run.pulse.parquet"
    assert recording.problems == ()
    for number in range(4):
        assert values(place, entity=f"rank:{number}") == expected(range(2), 500)
    assert len(recording.select("x", entity="rank:*").series) == 4
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_a_rank_that_is_killed_and_one_that_starts_again_double_and_lose_nothing(tmp_path):
    place, home = tmp_path / "run", tmp_path / "home"
    started = ranks(home, place, 4, RANK + "recorded()\n" + WAITING)
    for process in started:
        assert process.stdout.readline() == "logged\n"
    started[2].send_signal(signal.SIGKILL)
    started[2].communicate()
    again = program(
        "pw.log({'x': 5000.0}); rec = pw.stop()\n"
        "print(rec.path, rec.select('x', entity='rank:2').series['rows'].sum())\n",
        home,
        PULSE_RECORDING=str(place),
        RANK="2",
        WORLD_SIZE="4",
    )
    out, err = again.communicate(timeout=60)
    # Others still write: it stays a directory, and has everything.
    assert (out, err) == (f"{place}.pulse 1001\n", "")

    for number in (3, 0, 1):
        started[number].communicate("\n", timeout=60)

    assert pw.Recording.open(place).path.name == "run.pulse.parquet"
    for number in range(4):
        more = [5000.0] if number == 2 else []
        assert values(place, entity=f"rank:{number}") == expected(range(2), 500) + more
    assert pw.Recording.open(place).problems == ()


def test_who_comes_when_the_recording_is_a_file_begins_the_next(tmp_path):
    place, home = tmp_path / "run", tmp_path / "home"
    for number in range(3):
        run(f"pw.log({{'x': {number}.0}})", home, PULSE_RECORDING=str(place))

    assert [values(tmp_path / f"run{end}") for end in ("", "-2", "-3")] == [[0.0], [1.0], [2.0]]


@pytest.mark.slow
def test_processes_that_come_and_go_at_once_lose_nothing(tmp_path):
    place, home = tmp_path / "run", tmp_path / "home"
    code = "pw.log({'x': float(sys.argv[1])})\n"
    started = [program(code, home, k, PULSE_RECORDING=str(place)) for k in range(24)]
    ended(started)

    found = sorted(tmp_path.glob("run*.pulse.parquet"))
    assert not list(tmp_path.glob("*.pulse"))
    assert sorted(v for path in found for v in values(path)) == [float(k) for k in range(24)]


@pytest.mark.parametrize("where", ["~/a/run", "b/run.pulse", "b/run.pulse.parquet"])
def test_the_place_may_be_relative_or_in_the_home_directory(tmp_path, where):
    out, _ = run(
        f"os.chdir({str(tmp_path)!r}); pw.log({{'x': 1.0}}); print(pw.stop().path)\n",
        tmp_path / "home",
        PULSE_RECORDING=where,
        HOME=str(tmp_path),
    )

    name = where.replace("~/", "").partition("/")[0]
    assert out == f"{tmp_path / name / 'run.pulse.parquet'}\n"


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("x" * 300, r"PULSE_RECORDING=.* cannot be the name of a recording: it is too long"),
        ("/proc/nowhere/run", r"Nothing is recorded yet\. "),
        ("~nobody-of-this-name/run", r"~nobody-of-this-name/run cannot be found"),
    ],
)
def test_a_place_that_cannot_be_is_said_once_and_ends_no_training(tmp_path, where, words):
    _, err = run(
        "for i in range(10): pw.log({'x': 1.0})\nprint('trained')\nos._exit(0)",
        tmp_path / "home",
        PULSE_RECORDING=where,
    )

    assert err.count("RuntimeWarning") == 1
    assert re.search(words, err)
    assert re.search(r"<string>:\d+: RuntimeWarning", err)


def test_a_monitor_at_a_place_that_cannot_be_raises(tmp_path):
    for where in ("x" * 300, "/proc/nowhere/run"):
        out, _ = run(
            "try: pw.monitor('system')\n"
            "except pw.PulseError as error: print(type(error).__name__)\n",
            tmp_path / "home",
            PULSE_RECORDING=where,
        )
        assert out in {"ArgumentError\n", "StorageError\n"}


def test_a_monitor_in_a_rank_records_there_and_its_process_is_one_of_several(tmp_path):
    place = tmp_path / "run"
    code = (
        RECORDED + "mon = pw.monitor('system', gpus='none')\n"
        "pw.log({'x': 1.0}); mon.mark('here'); recorded()\n" + WAITING + "mon.stop()\n"
    )
    started = ranks(tmp_path / "home", place, 2, code)
    for process in started:
        assert process.stdout.readline() == "logged\n"
    ended(started)

    recording = pw.Recording.open(place)
    found = recording.series.groupby("metric")["entity"].apply(set)
    ours = {"rank:0/kernel", "rank:1/kernel"}
    assert found["x"] == {"rank:0", "rank:1"}
    assert found["process.memory.rss"] == ours
    assert found["mark"] == ours
    assert found["pulse.cpu.total"] == {"rank:0/pulse", "rank:1/pulse"}
    assert not {"kernel", "user", "pulse"} & set(recording.series["entity"])
    assert set(recording.select(labels={"world_size": "2"}).series["entity"]) == found["x"]


def test_a_place_named_by_the_call_goes_before_that_of_the_environment(tmp_path):
    out, _ = run(
        f"mon = pw.monitor('system', gpus='none', record={str(tmp_path / 'own')!r})\n"
        "print(mon.stop().path)\n",
        tmp_path / "home",
        PULSE_RECORDING=str(tmp_path / "shared"),
    )

    assert out == f"{tmp_path / 'own.pulse.parquet'}\n"
    assert not list(tmp_path.glob("shared*"))


def few(place):
    """Whether fewer than twenty readings of the processors are there."""
    series = pw.Recording.open(place).series
    return series["rows"][series["metric"] == "cpu.user.total"].max() < 20


@pytest.mark.slow
def test_a_counter_of_the_machine_that_two_monitors_read_is_recorded_once(tmp_path):
    place = tmp_path / "run"
    code = (
        "mon = pw.monitor('system', gpus='none', interval=0.1)\n"
        "print('logged', flush=True); sys.stdin.readline()\n"
        "mon.stop()\n"
    )
    started = ranks(tmp_path / "home", place, 3, code)
    for process in started:
        assert process.stdout.readline() == "logged\n"
    while not place.with_suffix(".pulse").is_dir() or few(place):
        time.sleep(0.2)
    ended(started)

    recording = pw.Recording.open(place)
    times, _ = recording.select("cpu.user.total", entity="host").values()
    span_ms = (times[-1] - times[0]).astype("timedelta64[ms]").astype(int)
    # Of three that read there would be about three times as many.
    assert 3 <= len(times) <= span_ms / 100 + 2
    assert len(recording.select("process.cpu.total", entity="rank:*").series) == 3


def test_ranks_that_each_see_another_gpu_as_the_first_are_told_apart(tmp_path):
    place = tmp_path / "run"
    code = (
        RECORDED + "mon = pw.monitor('nvml', gpus='all', interval=0.1)\n"
        "pw.log({'x': 1.0}); recorded()\n" + WAITING + "mon.stop()\n"
    )
    started, watts = [], {"GPU-aa": 100, "GPU-bb": 200}
    for number, (uuid, power) in enumerate(watts.items()):
        seen = nvml.environment(
            tmp_path / uuid,
            gpus=1,
            latency_us=0,
            script=f"gpu 0 uuid {uuid}\ngpu 0 power {power * 1000}",
        )
        # Their libraries lie apart, as what a container shows does.
        started += [
            program(code, tmp_path / "home", PULSE_RECORDING=str(place), RANK=str(number),
                    WORLD_SIZE="2", **seen)
        ]  # fmt: skip
    for process in started:
        assert process.stdout.readline() == "logged\n"
    ended(started)

    frame = pw.Recording.open(place).select("gpu.power").to_pandas()
    found = {entity: set(part["value"]) for entity, part in frame.groupby("entity")}
    assert sorted(found) == ["gpu:0", "gpu:1"]
    assert sorted(map(min, found.values())) == sorted(map(max, found.values())) == [100.0, 200.0]
    uuids = pw.Recording.open(place)
    for uuid, power in watts.items():
        (entity,) = set(uuids.select("gpu.power", labels={"uuid": uuid}).series["entity"])
        assert found[entity] == {power}
