"""What C code and subprocesses print is heard on request, and arrives as it would without us."""

import pytest

from pulse_widgets.library.recording import Recording
from tests.programs import program, run

PRINTS = """
import ctypes, subprocess
libc = ctypes.CDLL(None)
if sys.argv[1] != "without":
    mon = pw.monitor(sources="system", record=sys.argv[2], capture_output="fd")
print("python", flush=True)
libc.puts(b"from C")
libc.fflush(None)
subprocess.run(["sh", "-c", "echo from a shell; echo its error >&2"])
os.write(1, "bytes \\u20ac\\n".encode() + b"\\xff no text\\n")
os.write(2, b"token=abcdef ")
os.write(2, b"end\\n")
print("no end", end="")
if sys.argv[1] != "without":
    rec = mon.stop()
    assert "write" not in vars(sys.stdout)
    os.write(1, b"\\nafter\\n")
"""

OUT = ["python", "from C", "from a shell", "bytes \u20ac", "\ufffd no text", "no end"]


def test_all_that_comes_to_the_descriptors_is_recorded_once_and_arrives(tmp_path):
    process = program(PRINTS.replace("no end", "no end "), tmp_path, "with", tmp_path / "run")
    process.stdout.reconfigure(errors="replace")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err

    table = Recording.open(tmp_path / "run.pulse.parquet").output
    lines = table.groupby("stream")["text"].apply(list)
    assert [line.strip() for line in lines["stdout"]] == OUT
    assert lines["stderr"] == ["its error", "token=[masked] end"]
    assert out.splitlines() == [*OUT[:-1], "no end ", "after"]
    assert err == "its error\ntoken=abcdef end\n"


HELD = """
import subprocess
mon = pw.monitor(sources="system", record=False, capture_output="fd")
before = os.fstat(1)
child = subprocess.Popen(["sh", "-c", "echo one; read wait; echo two"], stdin=subprocess.PIPE)
begun = time.monotonic()
mon.stop()
assert os.fstat(1).st_ino != before.st_ino
print("stopped", time.monotonic() - begun < 10, flush=True)
child.communicate(b"go\\n")
while True:
    names = [thread.name for thread in threading.enumerate()]
    if "pulse-fd-1" not in names:
        break
    time.sleep(0.01)
print("end")
"""


def test_a_subprocess_that_keeps_the_pipe_holds_nobody_up_and_can_go_on_printing(tmp_path):
    out, _ = run(HELD, tmp_path)

    assert sorted(out.splitlines()) == ["end", "one", "stopped True", "two"]


FULL = """
mon = pw.monitor(sources="system", record=False, capture_output="fd")
block = b"x" * 1023 + b"\\n"
for _ in range(8192):
    os.write(1, block)
mon.stop()
"""


def test_more_than_a_pipe_holds_goes_through_to_a_slow_reader(tmp_path):
    process = program(FULL, tmp_path)
    got = 0
    while block := process.stdout.read(1 << 16):
        got += len(block)

    assert got == 8192 * 1024
    assert process.wait(60) == 0


TWICE = """
first = os.fstat(1)
for _ in range(3):
    mon = pw.monitor(sources="system", record=False, capture_output="fd")
    pw.monitor(capture_output="fd")
    mon.stop()
    assert os.path.sameopenfile(1, 1) and os.fstat(1).st_ino == first.st_ino
mon = pw.monitor(sources="system", record=False)
hooked = "write" in vars(sys.stdout)
pw.monitor(capture_output="fd")
assert hooked and "write" not in vars(sys.stdout)
saved = os.dup(1)
other = os.open(os.devnull, os.O_WRONLY)
os.dup2(other, 1)
mon.stop()
assert os.fstat(1).st_ino == os.fstat(other).st_ino, "not ours to put back"
os.dup2(saved, 1)
os.write(1, b"through\\n")
os.close(saved); os.close(other)
os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), 1)
while "pulse-fd-1" in [thread.name for thread in threading.enumerate()]:
    time.sleep(0.01)
"""


def test_the_descriptor_is_given_back_and_what_others_put_there_stays(tmp_path):
    out, _ = run(TWICE, tmp_path, tmp_path / "last")

    assert out == "through\n"


def test_who_prints_learns_that_nobody_reads_any_more(tmp_path):
    code = """
mon = pw.monitor(sources="system", record=False, capture_output="fd")
try:
    while True:
        os.write(1, b"x" * 4096)
except BrokenPipeError:
    mon.stop()
    os.write(2, b"broken")
    os._exit(0)
"""
    process = program(code, tmp_path)
    process.stdout.read(10)
    process.stdout.close()

    code = process.wait(60)
    assert (code, process.stderr.read()) == (0, "broken")


@pytest.mark.parametrize("closed", [1, 2])
def test_a_descriptor_that_is_closed_is_left_alone(tmp_path, closed):
    code = f"""
os.close({closed})
mon = pw.monitor(sources="system", record=False, capture_output="fd")
mon.stop()
os._exit(0)
"""
    run(code, tmp_path)


STANDS_IN = """
import io, tempfile
class Passing:
    def __init__(self, below): self.below = below
    def write(self, text): return self.below.write(text)
    def flush(self): self.below.flush()
class Asking(Passing):
    def __getattr__(self, name): return getattr(self.below, name)
before = sys.stdout
sys.stdout = eval(sys.argv[2])
mon = pw.monitor(sources="system", record=sys.argv[1], capture_output="fd")
pw.monitor()
print("printed", flush=True)
os.write(1, b"raw\\n")
mine, sys.stdout = sys.stdout, before
rec = mon.stop()
assert "write" not in vars(mine)
print(sorted(rec.output["text"]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "stream",
    [
        "before",
        "Passing(before)",
        "Passing(Passing(before))",
        "Asking(before)",
        "tempfile.TemporaryFile('w+')",
        "Passing(tempfile.TemporaryFile('w+'))",
        "io.TextIOWrapper(io.BytesIO())",
        "io.TextIOWrapper(io.FileIO(os.dup(2), 'w'))",
    ],
)
def test_what_python_prints_is_recorded_once_wherever_it_goes(tmp_path, stream):
    _, err = run(STANDS_IN, tmp_path / "home", tmp_path / "run", stream)

    assert err.splitlines()[-1] == "['printed', 'raw']"
