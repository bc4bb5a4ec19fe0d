"""Rows that the disk refuses wait and are written when there is room, or their loss is said."""

import json
import os
import re
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pulse_widgets as pw
from pulse_widgets.errors import StorageError
from pulse_widgets.series.log import Log
from pulse_widgets.series.registry import Registry
from pulse_widgets.series.rows import Rows
from pulse_widgets.storage import recorder as recorder_module
from pulse_widgets.storage import writer as writer_module
from pulse_widgets.storage.directory import is_running, writer_folders
from pulse_widgets.storage.disk import Reserve
from pulse_widgets.storage.journal import read_journal
from pulse_widgets.storage.place import Local
from pulse_widgets.storage.recorder import Recorder
from pulse_widgets.storage.writer import Writer
from tests.disks import Disk
from tests.programs import program, run
from tests.storage.bench import START_US
from tests.waiting import until

HELPERS = """
import pulse_widgets.default_session as home
def log(first, end):
    for i in range(first, end): pw.log({'x': i}, step=i)
def written(count):
    while True:
        series = home.default._run.recording().series
        if series['rows'][series['metric'] == 'x'].sum() == count: break
        time.sleep(0.01)
def told(word):
    print(word, flush=True); sys.stdin.readline()
place = sys.argv[1] + '/r'
"""


class Talk:
    """A program that stops at each word it tells until it is let go on."""

    def __init__(self, process):
        self.process = process

    def wait_for(self, word):
        line = self.process.stdout.readline()
        if line != f"{word}\n":
            self.process.kill()
            pytest.fail(f"{line}\n{self.process.communicate()[1]}")

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        """Let it go on to its end; return what it printed and what it warned of."""
        out, err = self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0, err
        return out, err


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "disk")
    yield made
    made.close()


@pytest.fixture
def start(disk, tmp_path):
    running = []

    def begin(code):
        head = disk.prelude + HELPERS
        running.append(program(head + code, tmp_path / "home", disk.place))
        return Talk(running[-1])

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def recorded(disk):
    """Return the values that can be read, and what the recording says of the others."""
    recording = pw.Recording.open(disk.place / "r")
    return recording.select("x").values()[1].tolist(), recording.problems


HALF = (
    "pw.monitor(sources='system', gpus='none', record=place)\n"
    "log(0, 200); written(200); told('half')\n"
)


def test_a_disk_that_is_full_at_the_exit_is_told_of_on_stderr_and_in_the_recording(disk, start):
    talk = start(HALF + "log(200, 4000)\n")
    talk.wait_for("half")
    disk.fill()
    _, warned = talk.end()
    disk.empty()

    values, problems = recorded(disk)
    assert values[:200] == list(range(200))
    lost = re.search(r"RuntimeWarning: (\d+) rows were lost when the process ended: ", warned)
    assert int(lost[1]) >= 4000 - len(values) > 0
    assert "record=PATH" in warned
    # The disk had no room for a word of it, and it stands there nevertheless.
    (said,) = problems
    assert said.startswith(f"{lost[1]} rows were lost when the process ended: ")


def test_what_a_stop_could_not_write_is_written_when_there_is_room_and_becomes_one_file(
    disk, start
):
    talk = start(
        HALF + "log(200, 4000)\n"
        "import json, warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    rec = pw.stop()\n"
        "print(json.dumps([\n"
        "    rec.select('x').values()[1].tolist(), rec.problems, str(rec.path),\n"
        "    [str(w.message) for w in caught], [w.filename for w in caught],\n"
        "    home.default.session.state()['recording'],\n"
        "]))\n"
        "told('stopped')\n"
        "while not rec.path.is_file(): time.sleep(0.01)\n"
        "print(rec.path.name, pw.stop() is rec)\n"
    )
    talk.wait_for("half")
    disk.fill()
    talk.go_on()
    values, problems, path, warned, places, state = json.loads(talk.process.stdout.readline())
    talk.wait_for("stopped")
    disk.empty()
    out, err = talk.end()

    # Nothing accepted is missing from what stop() returned, and what is not safe is said.
    assert values == list(range(4000))
    assert path.endswith("r.pulse")
    (said,) = problems
    assert "rows were not on the disk when the session ended" in said
    # At the line that called stop(); perhaps it was warned of before, while it ran.
    assert warned[-1].startswith(said)
    assert places[-1] == "<string>"
    assert state["problem"] == said
    assert "rec.save(PATH)" in state["remedy"]
    assert out == "r.pulse.parquet True\n"
    assert "lost" not in err
    assert recorded(disk) == ([float(n) for n in range(4000)], ())


@pytest.mark.slow
def test_rows_wait_and_follow_in_order_when_there_is_room_while_it_runs(disk, start):
    talk = start(
        HALF + "log(200, 4000)\n"
        "while home.default.session.recorder.problem is None: time.sleep(0.01)\n"
        "told('full')\n"
        "log(4000, 4200); written(4200); told('written')\n"
        "pw.stop()\n"
    )
    talk.wait_for("half")
    disk.fill()
    talk.go_on()
    talk.wait_for("full")
    # Said at once, also to whoever looks at the recording from elsewhere.
    assert re.match("Rows from .* UTC on wait for the disk: ", recorded(disk)[1][0])
    disk.empty()
    talk.go_on()
    talk.wait_for("written")
    # The rows come first, and then the word that none waits any more.
    until(lambda: recorded(disk)[1] == ())
    _, warned = talk.end()

    assert recorded(disk) == ([float(n) for n in range(4200)], ())
    assert warned.count("RuntimeWarning") == 1
    assert "wait for the disk" in warned


def test_a_kill_while_rows_wait_is_told_of_by_what_is_left(disk, start):
    talk = start(
        HALF + "log(200, 4000)\n"
        "while home.default.session.recorder.problem is None: time.sleep(0.01)\n"
        "told('full')\n"
    )
    talk.wait_for("half")
    disk.fill()
    talk.go_on()
    talk.wait_for("full")
    talk.process.send_signal(signal.SIGKILL)
    talk.process.communicate()
    disk.empty()

    values, problems = recorded(disk)
    assert values[:200] == list(range(200))
    assert re.match("Rows from .* UTC on wait for the disk: ", problems[0])


def test_a_child_holds_no_lock_of_a_session_that_ended_while_rows_wait(disk, start):
    talk = start(
        HALF + "log(200, 4000)\n"
        "while home.default.session.recorder.problem is None: time.sleep(0.01)\n"
        "pw.stop()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    sys.stdout.close(); time.sleep(60); os._exit(0)\n"
        "told(pid)\n"
    )
    talk.wait_for("half")
    disk.fill()
    talk.go_on()
    child = int(talk.process.stdout.readline())
    talk.process.send_signal(signal.SIGKILL)
    talk.process.wait()
    try:
        (directory,) = disk.place.glob("*.pulse")
        assert not any(map(is_running, writer_folders(Local(directory))))
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_disk_that_is_full_from_the_beginning_is_named_and_the_rows_can_be_saved_elsewhere(
    disk, start, tmp_path
):
    disk.fill()
    talk = start(
        "pw.monitor(sources='system', gpus='none', record=place)\n"
        "log(0, 200)\n"
        "rec = pw.stop(); print(rec.problems, rec.select('x').values()[1].tolist() == list(range(200)))\n"
        f"rec.save({str(tmp_path / 'elsewhere')!r})\n"
    )
    out, warned = talk.end()

    assert "rows were not on the disk when the session ended" in out
    assert out.endswith("True\n")
    assert "Nothing is recorded yet." in warned
    assert "rows were lost when the process ended" in warned
    assert len(pw.Recording.open(tmp_path / "elsewhere").select("x").values()[1]) == 200
    assert not (disk.place / "r.pulse").exists()


LITTLE = (
    "import pulse_widgets.default_session as home\n"
    "import pulse_widgets.storage.disk as disk\n"
    "disk.Reserve.__init__.__defaults__ = (1 << 50, 0.05)\n"
)


def test_below_the_reserve_rows_wait_and_the_few_of_the_end_may_use_it(tmp_path):
    out, warned = run(
        LITTLE + "pw.monitor(sources='system', gpus='none', record=sys.argv[1])\n"
        "for i in range(100): pw.log({'x': i}, step=i)\n"
        "print(home.default.session.recorder.waiting() > 0)\n"
        "rec = pw.stop()\n"
        "print(rec.path.name, rec.problems, rec.select('x').values()[1].tolist() == list(range(100)))\n",
        tmp_path / "home",
        tmp_path / "r",
    )

    assert out == "True\nr.pulse.parquet () True\n"
    # The rule and the way out.
    assert "recording pauses below 1 PiB or 5 %" in warned
    assert "record=PATH" in warned


def test_below_the_reserve_what_is_not_little_stays_out_of_it(tmp_path):
    out, warned = run(
        LITTLE + "disk.END_SHARE = 0.0\n"
        "pw.log({'x': 1.0}); rec = pw.stop()\n"
        "print(rec.path.suffix, len(rec.problems), rec.select('x').values()[1].tolist())\n",
        tmp_path / "home",
    )

    assert out == ".pulse 1 [1.0]\n"
    assert "lost when the process ended" in warned


def test_what_was_dropped_is_in_the_recording_and_a_warning(tmp_path):
    refuses = tmp_path / "refuses"
    refuses.touch()
    out, warned = run(
        "import pulse_widgets.default_session as home\n"
        "import pulse_widgets.storage.disk as disk, pulse_widgets.storage.recorder as recorder\n"
        f"disk.Reserve.problem = lambda self, place: 'full' if os.path.exists({str(refuses)!r}) else ''\n"
        "recorder.HELD_BYTES, recorder.AGAIN_S = 20_000, 0.0\n"
        "for i in range(4000): pw.log({'x': i}, step=i)\n"
        "recorder = home.default.session.recorder\n"
        "while not recorder.dropped: time.sleep(0.01)\n"
        f"os.remove({str(refuses)!r})\n"
        "rec = pw.stop()\n"
        "print(recorder.dropped + sum(rec.series['rows']) >= 4000, rec.path.name.endswith('parquet'))\n"
        "print(rec.problems[0] == pw.Recording.open(rec.path).problems[0], rec.problems[0])\n",
        tmp_path / "home",
    )

    first, second = out.splitlines()
    assert first == "True True"
    assert re.fullmatch(r"True \d+ rows were dropped: full\.", second)
    assert "rows were dropped" in warned


@pytest.mark.parametrize(
    "start",
    ["pw.monitor(sources='system', gpus='none')", "pw.log({'x': -1})"],
)
def test_a_default_place_that_cannot_be_written_stops_nothing_and_is_named(start, tmp_path):
    out, warned = run(
        "import pulse_widgets.default_session as home\n"
        f"{start}\n"
        "for i in range(100): pw.log({'x': i}, step=i)\n"
        "home.default.session.recorder.tried.wait(20)\n"
        "print(home.default.session.state()['recording'])\n"
        "rec = pw.stop(); print(rec.select('x').values()[1].tolist()[-100:] == list(range(100)))\n",
        "/dev/null/home",
    )

    state, whole = out.splitlines()
    assert "/dev/null/home" in state
    assert "record=PATH" in state
    assert whole == "True"
    assert "record=PATH" in warned
    assert "rows were lost when the process ended" in warned


@pytest.mark.parametrize("name", ["/proc/no/such", "/dev/null/x", "/proc/x"])
def test_a_path_that_cannot_be_written_is_the_callers_error_and_leaves_nothing(name, tmp_path):
    out, warned = run(
        "import pulse_widgets.default_session as home\n"
        f"try: pw.monitor(sources='system', record={name!r})\n"
        "except pw.PulseError as error: print(type(error).__name__, 'record=PATH' in error.remedy)\n"
        "ends = time.monotonic() + 5\n"
        "while len(threading.enumerate()) > 1 and time.monotonic() < ends: time.sleep(0.01)\n"
        "print(home.default.session, [t.name for t in threading.enumerate()])\n"
        "pw.log({'x': 1.0}); print(pw.stop().select('x').values()[1].tolist())\n",
        tmp_path / "home",
    )

    assert out == "StorageError True\nNone ['MainThread']\n[1.0]\n"
    assert warned == ""


def test_a_program_that_makes_errors_of_warnings_gets_its_recording_at_the_second_call(tmp_path):
    out, _ = run(
        LITTLE + "disk.END_SHARE = 0.0\n"
        "pw.log({'x': 1.0})\n"
        "import warnings; warnings.simplefilter('error')\n"
        "try: pw.stop()\n"
        "except RuntimeWarning as warning: print('warned')\n"
        "print(pw.stop().select('x').values()[1].tolist())\n",
        tmp_path / "home",
    )

    assert out == "warned\n[1.0]\n"


def test_in_a_kernel_the_recording_says_it_and_nothing_is_warned_of(tmp_path):
    out, warned = run(
        LITTLE + "disk.END_SHARE = 0.0\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().kernel = 'one'\n"
        "pw.log({'x': 1.0}); print(len(pw.stop().problems))\n",
        tmp_path / "home",
    )

    assert out == "1\n"
    assert "RuntimeWarning" not in warned


class Disks:
    """A writer whose disk takes and refuses as it is told."""

    problem = ""
    bytes_written = 0

    def __init__(self):
        self.rows = []
        self.said = []
        self.room = 0
        self.closed = False

    def append(self, rows):
        if self.room < 1:
            raise StorageError("full", remedy="Free some space.")
        self.room -= 1
        self.rows += rows.value.tolist()

    def beat(self):
        pass

    def describe(self, entities):
        pass

    def write_problems(self, problems):
        self.said = list(problems)

    def close(self):
        self.closed = True


@given(
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), max_size=20),
    held=st.integers(0, 3000),
    ends=st.integers(0, 3),
)
def test_every_row_is_written_once_and_in_order_or_its_loss_is_counted_and_said(steps, held, ends):
    log, disk, number = Log(), Disks(), 0
    recorder = Recorder(log, "h0", labelled=lambda: 0, labels=dict)
    recorder.make_writer = lambda: disk
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder_module, "HELD_BYTES", held)
        patch.setattr(recorder_module, "AGAIN_S", 0.0)
        patch.setattr(recorder_module, "BATCH_ROWS", 7)
        for rows, room in steps:
            disk.room = room
            for _ in range(rows):
                log.append(Rows.of([0], [number], [float(number)]))
                number += 1
            recorder.take()
            assert len(disk.rows) + recorder.dropped + recorder.waiting() == number
        disk.room = ends
        recorder.close()
        early = recorder.sealed
        recorder.close(last=True)

    lost = recorder.waiting()
    assert disk.rows == sorted(set(disk.rows))
    assert len(disk.rows) + recorder.dropped + lost == number
    assert recorder.sealed and disk.closed
    assert not early or not lost
    said = " ".join(disk.said)
    assert bool(recorder.dropped) == ("dropped" in said)
    assert bool(lost) == ("lost when the process ended" in said)


@pytest.fixture
def full(tmp_path, monkeypatch):
    """A recorder whose disk has just become full, its log and its writer."""
    room = Reserve(0, 0.0)
    log, registry = Log(), Registry()
    registry.add("h0", "host", "words", kind="text")
    writer = Writer(tmp_path / "r.pulse", registry, host_name="h", start_us=START_US, reserve=room)
    recorder = Recorder(log, "h0", labelled=lambda: 0, labels=dict)
    recorder.make_writer = lambda: writer
    monkeypatch.setattr(recorder_module, "AGAIN_S", 0.0)
    monkeypatch.setattr(writer_module, "ROOM_S", 0.0)
    monkeypatch.setattr(Reserve, "problem", lambda self, place: "full")
    yield recorder, log, writer
    recorder.close(last=True)


def test_a_writer_shows_that_it_lives_while_the_disk_is_full(full, monkeypatch):
    recorder, log, writer = full
    monkeypatch.setattr(writer_module, "HEARTBEAT_S", 0.0)
    log.append(Rows.of([0], [START_US], [1.0]))
    recorder.take()
    os.utime(writer.folder / "lock", (1, 1))

    recorder.take()

    assert recorder.waiting() == 1
    assert (writer.folder / "lock").stat().st_mtime > 1


@pytest.mark.slow
def test_what_waited_is_written_in_batches_that_every_reader_takes(full, monkeypatch):
    recorder, log, writer = full
    recorder.take()
    monkeypatch.setattr(Reserve, "problem", lambda self, place: "")
    monkeypatch.setattr(writer_module, "PART_BYTES", 1 << 40)
    for moment in range(18):
        text = ["\N{LATIN SMALL LETTER E WITH ACUTE}" * 64_000] * 125
        log.append(Rows.of([0] * 125, [START_US + moment] * 125, [1.0] * 125, text=text))

    recorder.take()

    assert recorder.waiting() == 0
    content = read_journal(Local(writer.folder / "journal-000000.arrows"))
    assert (len(content.series), content.dropped_bytes) == (18 * 125, 0)
