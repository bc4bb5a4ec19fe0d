"""What `stop()` returns: always everything accepted, as one file as soon as that can be."""

import threading

import pytest

import pulse_widgets as pw
from pulse_widgets.errors import StorageError
from pulse_widgets.library.destination import new_directory
from pulse_widgets.library.finishing import compact_ended
from pulse_widgets.storage.claim import Claim, shared
from pulse_widgets.storage.compact import compact
from tests.programs import program, run
from tests.storage.bench import START_US, Bench


@pytest.mark.parametrize("record", ["", ", record=sys.argv[1]"])
def test_a_stop_returns_with_the_finished_file_in_place(record, tmp_path):
    out, warned = run(
        f"mon = pw.monitor('system'{record})\n"
        "for i in range(1000): pw.log({'x': i}, step=i)\n"
        "rec = mon.stop()\n"
        "print(rec.path.name.endswith('.pulse.parquet'), rec.path.is_file(), rec.problems)\n"
        "print(rec.path.with_name(rec.path.name.removesuffix('.parquet')).exists())\n"
        "print(rec.select('x').values()[1].tolist() == list(range(1000)), pw.stop() is rec)\n",
        tmp_path / "home",
        tmp_path / "runs" / "mine",
    )

    assert out == "True True ()\nFalse\nTrue True\n"
    assert warned == ""
    if record:
        assert (tmp_path / "runs" / "mine.pulse.parquet").is_file()


def test_after_a_stop_views_are_told_the_size_of_the_file_not_of_the_journal(tmp_path):
    out, _ = run(
        "mon = pw.monitor('system')\n"
        "for i in range(1000): pw.log({'x': i}, step=i)\n"
        "session = mon._hub._session\n"
        "rec = mon.stop()\n"
        "print(session.state()['recording']['bytes'] == rec.path.stat().st_size)\n",
        tmp_path / "home",
    )

    assert out == "True\n"


def test_a_large_recording_follows_in_the_background_and_its_path_with_it(tmp_path):
    out, _ = run(
        "import pulse_widgets.library.finishing as finishing, pulse_widgets.library.shelf as shelf\n"
        "shelf.SMALL_ROWS, compact, go = 100, finishing.compact, threading.Event()\n"
        "finishing.compact = lambda *a, **k: (go.wait(20), compact(*a, **k))[1]\n"
        "for i in range(1000): pw.log({'x': i}, step=i)\n"
        "rec = pw.stop()\n"
        "print(rec.path.suffix, rec.select('x').values()[1].tolist() == list(range(1000)))\n"
        "go.set()\n"
        "while not rec.path.is_file(): time.sleep(0.01)\n"
        "print(rec.path.suffix, rec.select('x').values()[1].tolist() == list(range(1000)))\n",
        tmp_path / "home",
    )

    assert out == ".pulse True\n.parquet True\n"


def test_a_program_that_ends_without_a_stop_leaves_a_finished_file(tmp_path):
    _, warned = run("for i in range(1000): pw.log({'x': i}, step=i)\n", tmp_path / "home")

    (file,) = (tmp_path / "home" / "recordings").iterdir()
    assert file.name.endswith(".pulse.parquet")
    assert pw.Recording.open(file).select("x").values()[1].tolist() == list(range(1000))
    assert warned == ""


def test_a_program_that_lost_rows_and_ends_without_a_stop_leaves_a_file_that_says_so(tmp_path):
    run(
        "import pulse_widgets.default_session as home\n"
        "pw.log({'x': 1.0}); home.default.session.recorder.tried.wait(20)\n"
        "recorder = home.default.session.recorder\n"
        "recorder.dropped, recorder._why = 3, 'full'\n",
        tmp_path / "home",
    )

    (file,) = (tmp_path / "home" / "recordings").iterdir()
    assert file.name.endswith(".pulse.parquet")
    assert pw.Recording.open(file).problems == ("3 rows were dropped: full.",)


TOGETHER = (
    "from pathlib import Path\n"
    "me, meet = sys.argv[2], Path(sys.argv[3])\n"
    "def together(count):\n"
    "    (meet / f'{count}-{me}').touch()\n"
    "    while len(list(meet.glob(f'{count}-*'))) < 3: time.sleep(0.001)\n"
    "together(1)\n"
    "pw.monitor(record=sys.argv[1], gpus='none', sources='system')\n"
    "for i in range(200): pw.log({'x' + me: i}, step=i)\n"
    "together(2)\n"
    "rec = pw.stop()\n"
    "print(rec.select('x' + me).values()[1].tolist() == list(range(200)), rec.problems)\n"
)


@pytest.mark.parametrize("trial", range(2))
def test_processes_that_record_to_one_path_each_get_all_of_their_own(tmp_path, trial):
    places = [tmp_path / "r.pulse", "{}", tmp_path]
    three = [
        program(TOGETHER, tmp_path / "home", *(str(p).format(me) for p in places))
        for me in range(3)
    ]
    said = [process.communicate(timeout=60) for process in three]

    assert said == [("True ()\n", "")] * 3
    # The last one of them made it one file, whoever that was.
    assert not (tmp_path / "r.pulse").exists()
    whole = pw.Recording.open(tmp_path / "r")
    assert whole.path.is_file()
    for me in range(3):
        assert whole.select(f"x{me}").values()[1].tolist() == list(range(200))


@pytest.mark.slow
def test_processes_that_record_to_one_path_do_so_time_and_again(tmp_path):
    for trial in range(10):
        place = tmp_path / str(trial)
        place.mkdir()
        test_processes_that_record_to_one_path_each_get_all_of_their_own(place, trial)


def test_whoever_finds_another_process_at_it_looks_again(tmp_path):
    bench = Bench(tmp_path / "r.pulse")
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    with shared(bench.directory, alone=True):
        ending = threading.Thread(target=compact_ended, args=(bench.directory,))
        ending.start()
        ending.join(0.1)
        assert ending.is_alive()
    ending.join(20)

    assert not bench.directory.exists()
    assert (tmp_path / "r.pulse.parquet").is_file()


def test_a_directory_that_somebody_writes_to_is_left_to_them(tmp_path):
    bench = Bench(tmp_path / "r.pulse")
    bench.numbers(bench.series(), [START_US], [1.0])
    compact_ended(bench.directory)
    assert bench.directory.exists()
    bench.writer.close()


def test_a_file_that_would_fill_the_disk_is_not_made_and_nothing_is_missing(tmp_path, monkeypatch):
    bench = Bench(tmp_path / "r.pulse")
    bench.numbers(bench.series(), [START_US], [1.0])
    bench.writer.close()
    monkeypatch.setattr("pulse_widgets.storage.disk.Reserve.problem", lambda *_: "hardly any room")
    monkeypatch.setattr("pulse_widgets.storage.disk.END_SHARE", 0.0)
    compact_ended(bench.directory)

    assert pw.Recording.open(bench.directory).path == bench.directory
    monkeypatch.undo()
    compact_ended(bench.directory)
    assert pw.Recording.open(bench.directory).path.is_file()


def begun_by_another(directory):
    """What a directory holds before its first writer has a folder."""
    bench = Bench(directory)
    bench.writer.close()
    (folder,) = directory.glob("w-*")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    ("there", "joined"),
    [
        (lambda place: place.mkdir(), True),
        (begun_by_another, True),
        (lambda place: (begun_by_another(place), (place / ".new-1").mkdir()), True),
        (lambda place: (place.mkdir(), (place / "notes.txt").touch()), False),
        (lambda place: Bench(place).writer.close(), False),
        (lambda place: place.touch(), False),
    ],
)
def test_a_directory_may_be_joined_from_its_first_moment_until_its_last_writer_ends(
    tmp_path, there, joined
):
    there(tmp_path / "r.pulse")
    if joined:
        assert new_directory(tmp_path / "r") == tmp_path / "r.pulse"
    else:
        with pytest.raises(StorageError):
            new_directory(tmp_path / "r")


def test_a_directory_that_another_process_is_just_finishing_is_no_place_to_record_to(tmp_path):
    bench = Bench(tmp_path / "r.pulse")
    bench.writer.close()
    with shared(bench.directory, alone=True), pytest.raises(StorageError, match="just becoming"):
        Claim(bench.directory, "h0", START_US)


@pytest.mark.slow
def test_a_disk_that_hangs_at_the_end_holds_up_no_stop_and_no_exit(tmp_path):
    out, warned = run(
        "import pulse_widgets.default_session as home\n"
        "pw.log({'x': 0}); home.default.session.recorder.tried.wait(20)\n"
        "writer = home.default.session.recorder._writer\n"
        "writer.append = lambda rows: time.sleep(3600)\n"
        "for i in range(1, 100): pw.log({'x': i})\n"
        "rec = pw.stop()\n"
        "print(rec.select('x').values()[1].tolist()[-99:] == list(range(1, 100)))\n"
        "print(*rec.problems, sep='\\n')\n",
        tmp_path / "home",
    )

    whole, *problems = out.splitlines()
    assert whole == "True"
    assert "has not taken the end of the recording yet" in problems[0]
    assert "does not answer" in problems[1]
    assert warned.count("RuntimeWarning") == 2


def test_a_directory_that_vanished_is_named_and_the_rest_is_in_the_recording(tmp_path):
    out, warned = run(
        "import pulse_widgets.default_session as home, shutil\n"
        "pw.monitor('system', gpus='none', record=sys.argv[1])\n"
        "shutil.rmtree(sys.argv[1])\n"
        "while home.default.session.recorder.problem is None: pw.log({'x': -1}); time.sleep(0.05)\n"
        "for i in range(100): pw.log({'x': i})\n"
        "rec = pw.stop()\n"
        "print(rec.select('x').values()[1].tolist()[-100:] == list(range(100)))\n"
        "print(*rec.problems, sep='\\n')\n",
        tmp_path / "home",
        tmp_path / "r.pulse",
    )

    rest, *problems = out.splitlines()
    assert rest == "True"
    assert "has vanished" in problems[0]
    assert "There is no recording at" in problems[1]
    assert "has vanished" in warned


def test_a_monitor_that_was_interrupted_leaves_nothing_and_its_path_is_free(tmp_path):
    out, _ = run(
        "import pulse_widgets.default_session as home\n"
        "from pulse_widgets.run import Run\n"
        "shared = Run.shared\n"
        "def interrupted(run): raise KeyboardInterrupt\n"
        "Run.shared = interrupted\n"
        "try: pw.monitor('system', record=sys.argv[1])\n"
        "except KeyboardInterrupt: print(os.listdir(os.path.dirname(sys.argv[1])))\n"
        "Run.shared = shared\n"
        "pw.monitor('system', record=sys.argv[1]); print(pw.stop().path.name)\n",
        tmp_path / "home",
        tmp_path / "runs" / "r",
    )

    assert out == "[]\nr.pulse.parquet\n"


def test_an_interrupted_call_takes_nothing_away_from_others_who_record_there(tmp_path):
    bench = Bench(tmp_path / "r.pulse")
    bench.numbers(bench.series(), [START_US], [1.0])
    run(
        "from pulse_widgets.run import Run\n"
        "def interrupted(run): raise KeyboardInterrupt\n"
        "Run.shared = interrupted\n"
        "try: pw.monitor('system', record=sys.argv[1])\n"
        "except KeyboardInterrupt: pass\n",
        tmp_path / "home",
        tmp_path / "r",
    )
    bench.writer.close()

    assert len(list(bench.directory.glob("w-*"))) == 1
    assert pw.Recording.open(compact(bench.directory)).series["rows"].tolist() == [1]


def test_a_relative_path_means_the_same_wherever_the_process_goes(tmp_path):
    out, _ = run(
        "os.chdir(sys.argv[1]); os.mkdir('a'); os.mkdir('b'); os.chdir('a')\n"
        "pw.monitor('system', record='r'); os.chdir('../b')\n"
        "for i in range(100): pw.log({'x': i})\n"
        "rec = pw.stop()\n"
        "print(rec.path, len(rec.select('x').values()[1]), os.listdir('.'))\n",
        tmp_path / "home",
        tmp_path,
    )

    assert out == f"{tmp_path / 'a' / 'r.pulse.parquet'} 100 []\n"


def test_only_what_was_not_to_be_recorded_gives_no_recording(tmp_path):
    out, _ = run(
        "print(pw.stop())\n"
        "pw.monitor('system', record=False); print(pw.stop())\n"
        "pw.monitor('system').stop(); print(pw.stop() is None)\n",
        tmp_path / "home",
    )

    assert out == "None\nNone\nFalse\n"
