"""Files of /proc that are kept open."""

import os
import sys
from pathlib import Path

import pytest

from pulse_widgets.readers.host.proc_files import ProcFiles

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")


def held():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_is_opened_once_and_read_anew_each_time():
    files = ProcFiles("/proc")
    before = held()

    contents = [files.keep("self/stat") for _ in range(5)]

    assert held() == before + 1
    assert all(content.startswith(str(os.getpid()).encode()) for content in contents)
    files.close()
    assert held() == before


def test_a_long_list_is_read_whole():
    files = ProcFiles("/proc")

    content = files.keep("kallsyms")

    assert len(content) > 1 << 17
    assert content.count(b"\n") == Path("/proc/kallsyms").read_bytes().count(b"\n")
    files.close()


def test_a_file_that_fails_is_opened_anew():
    files = ProcFiles("/proc")
    child = os.fork()
    if not child:
        os._exit(0)
    files.keep(f"{child}/stat")
    os.waitpid(child, 0)

    with pytest.raises(ProcessLookupError):
        files.keep(f"{child}/stat")

    assert files._open == {}


def test_a_forked_child_holds_none_of_them():
    files = ProcFiles("/proc")
    before = held()
    files.keep("stat")
    reader, writer = os.pipe()

    child = os.fork()
    if not child:
        os.write(writer, bytes([held()]))
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 1)[0] == before + 2
    files.close()


def test_a_captured_tree_is_opened_each_time(tmp_path):
    (tmp_path / "stat").write_text("one")
    files = ProcFiles(str(tmp_path))
    first = files.keep("stat")

    (tmp_path / "stat").unlink()
    (tmp_path / "stat").write_text("two")

    assert (first, files.keep("stat")) == (b"one", b"two")
