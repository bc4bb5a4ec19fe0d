"""In a real kernel the notebook shows what it showed without us, and each line is of its cell."""

import json

import pytest

from tests.kernels import kernels


@pytest.fixture(scope="module")
def start_kernel(tmp_path_factory):
    with kernels(tmp_path_factory.mktemp("kernels")) as start:
        yield start


REDIRECTED = """from contextlib import redirect_stdout; import io
with redirect_stdout(io.StringIO()): print('hidden')
print('shown')"""
CELLS = [
    "print('a', 'b'); print('first cell')",
    "import sys; print('to stderr', file=sys.stderr); sys.stdout.write('no end')",
    "for percent in range(3): print(f'\\r{percent}', end='')",
    REDIRECTED,
    "%%capture\nprint('captured by the notebook')",
    "for number in range(3000): print('line', number)",
    "print('after the flood')",
    "1 / 0",
    "import threading; t = threading.Thread(target=print, args=('of a thread',)); t.start(); t.join()",
]
LINES = [
    ["a b", "first cell"],
    ["to stderr", "no end"],
    ["2"],
    ["shown"],
    [],
    [f"line {number}" for number in range(3000)],
    ["after the flood"],
    [],
    ["of a thread"],
]


def shown(kernel, code):
    """Give what a notebook shows of a cell, by its stream."""
    before = len(kernel.published)
    kernel.run(code, check=False)
    texts = {"stdout": "", "stderr": ""}
    for message in kernel.published[before:]:
        if message["msg_type"] == "stream":
            texts[message["content"]["name"]] += message["content"]["text"]
    return texts


def printed(kernel):
    return "".join(message["content"]["text"] for message in kernel.of("stream"))


def told(kernel, code):
    return json.loads(kernel.run(f"import json; print(json.dumps({code}))").splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize(("capture", "watches"), [(True, True), ("fd", True), ("fd", False)])
def test_a_notebook_shows_the_same_and_each_line_is_recorded_within_its_cell(
    start_kernel, monkeypatch, capture, watches
):
    if watches:
        # With it a kernel does not show what comes to its file descriptors.
        monkeypatch.delenv("PYTEST_CURRENT_TEST")
    kernel, without = start_kernel(), start_kernel()
    kernel.run(
        "import pulse_widgets as pw\n"
        f"mon = pw.monitor(sources='system', capture_output={capture!r})\n"
        "print('of the cell that begins it')"
    )
    without.run("1")

    assert [shown(kernel, cell) for cell in CELLS] == [shown(without, cell) for cell in CELLS]

    kernel.run("import subprocess, os; subprocess.run(['echo', 'from a subprocess'])")
    kernel.run("written = os.write(1, b'bytes\\n')")
    if watches:  # by a thread of the kernel, which may be later than the cell
        kernel.wait_until(lambda: "from a subprocess\nbytes\n" in printed(kernel))
    kernel.run(
        "rec = mon.stop(); out = rec.output\n"
        "found = {str(c.line): [line.text for line in out.itertuples() if c.start <= line.time <= c.end]"
        " for c in rec.cells().itertuples()}"
    )
    found = told(kernel, "found")
    assert "of the cell that begins it" in found["import pulse_widgets as pw"]
    texts = told(kernel, "out['text'].tolist()")
    besides = ["of the cell that begins it", "from a subprocess", "bytes"]
    assert sorted(texts) == sorted([*besides, *(text for lines in LINES for text in lines)])
    for cell, lines in zip(CELLS, LINES, strict=True):
        assert sorted(found[cell.splitlines()[0][:200]]) == sorted(lines), cell
    assert told(kernel, "rec.problems") == []
    kernel.run("del sys.stdout.write" if "write" in told(kernel, "list(vars(sys.stdout))") else "1")
    assert kernel.run("print('still here')") == "still here\n"
