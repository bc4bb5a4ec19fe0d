"""How a Jupyter server fares beside us and beside a monitor that reads GPUs in the server.

One JupyterLab server, eight GPUs whose PCIe throughput takes 20 ms to ask. A probe in the server
notes how late its event loop comes: everybody who uses the server waits that long.
"""

import asyncio
import json
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from tornado.websocket import websocket_connect

from tests.e2e.conftest import TOKEN, Lab, installed, start_lab, stop_lab
from tests.fakes import nvml

pytestmark = [pytest.mark.slow]

SECONDS = 3
STALL_S = 0.05
UPDATE_MS = 100
"""How often nvdashboard reads if nobody changes its settings; and we, here."""

PROBE = """
import time
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.ioloop import PeriodicCallback

EVERY_S = 0.01
late, due = [], [0.0]

def tick():
    now = time.monotonic()
    late.append(max(0.0, now - due[0]))
    due[0] = now + EVERY_S

class Late(JupyterHandler):
    def get(self):
        self.finish({"late": late[:]})
        late.clear()

def _jupyter_server_extension_points():
    return [{"module": "pulse_probe"}]

def _load_jupyter_server_extension(app):
    app.web_app.add_handlers(".*", [(url_path_join(app.base_url, "pulse-probe"), Late)])
    due[0] = time.monotonic() + EVERY_S
    tick.callback = PeriodicCallback(tick, 1000 * EVERY_S)
    tick.callback.start()
"""

PANELS = ("gpu_utilization", "gpu_usage", "gpu_resource", "pci_stats")
"""What nvdashboard's panels of GPUs ask of the server, each on a connection of its own."""

MONITOR = (
    "import time\nimport pulse_widgets as pw\n"
    f"mon = pw.monitor(interval={UPDATE_MS / 1000})\ndisplay(mon)\ntime.sleep(600)"
)
"""While a cell runs a kernel sends most."""


@dataclass
class Stretch:
    """What happened to the server's event loop in some seconds."""

    stalls: int
    worst_s: float
    messages: int
    slow_calls: int

    def __str__(self):
        return (
            f"{self.stalls} stalls over {1000 * STALL_S:.0f} ms, the worst {1000 * self.worst_s:.0f} "
            f"ms, {self.messages} messages, {self.slow_calls} slow calls of the driver"
        )


@pytest.fixture
def server(tmp_path):
    """A server with the probe and nvdashboard, on the GPUs of ``tmp_path / "nvml"``."""
    peer = installed(tmp_path / "peer", "jupyterlab-nvdashboard==0.15.0")
    (peer / "pulse_probe.py").write_text(PROBE)
    gpus = nvml.environment(
        tmp_path / "nvml",
        gpus=8,
        latency_us=50,
        script="latency nvmlDeviceGetPcieThroughput 20000",
    )
    extensions = {"pulse_probe": True, "jupyterlab_nvdashboard": True}
    lab, process = start_lab(
        tmp_path / "server",
        arguments=[f"--ServerApp.jpserver_extensions={extensions}"],
        PYTHONPATH=f"{peer}:{Path(__file__).parents[2]}",
        **gpus,
    )
    yield lab
    stop_lab(process)


class Line:
    """A connection to the server as a page has it, without the page: what comes is counted."""

    def __init__(self):
        self.heard = 0
        self.has_packet = asyncio.Event()

    async def open(self, lab, path):
        address = f"{lab.url.replace('http:', 'ws:')}/{path}?token={TOKEN}"
        self._connection = await websocket_connect(address, on_message_callback=self._hear)
        return self

    def _hear(self, message):
        self.heard += message is not None
        # Of what a kernel says only packets have buffers.
        if isinstance(message, bytes):
            self.has_packet.set()

    async def say(self, message):
        await self._connection.write_message(json.dumps(message))

    def close(self):
        self._connection.close()


@dataclass
class Bench:
    """The server that is measured, and where its GPUs are."""

    lab: Lab
    gpus: Path

    async def stretch(self, *lines):
        """Let some seconds pass; return what happened to the server meanwhile."""
        calls, heard = self._slow_calls(), sum(line.heard for line in lines)
        await asyncio.to_thread(self._late)
        await asyncio.sleep(SECONDS)
        late = await asyncio.to_thread(self._late)
        stalls = [one for one in late if one > STALL_S]
        return Stretch(
            len(stalls),
            max(late),
            sum(line.heard for line in lines) - heard,
            self._slow_calls() - calls,
        )

    def _late(self):
        request = urllib.request.Request(
            f"{self.lab.url}/pulse-probe", headers={"Authorization": f"token {TOKEN}"}
        )
        return json.loads(urllib.request.urlopen(request, timeout=60).read())["late"]

    def _slow_calls(self):
        return nvml.counts(self.gpus).of("nvmlDeviceGetPcieThroughput")

    async def of_ours(self):
        """A monitor in a kernel, shown in a cell."""
        kernel = self.lab.api("kernels", "POST")["id"]
        line = await Line().open(self.lab, f"api/kernels/{kernel}/channels")
        await line.say(execute(MONITOR))
        await line.has_packet.wait()
        stretch = await self.stretch(line)
        line.close()
        self.lab.api(f"kernels/{kernel}", "DELETE")
        return stretch

    async def of_peer(self):
        """The panels of nvdashboard for GPUs, all open."""
        lines = [await Line().open(self.lab, f"nvdashboard/{panel}") for panel in PANELS]
        for line in lines:
            await line.say({"updateFrequency": UPDATE_MS, "isPaused": False})
        stretch = await self.stretch(*lines)
        for line in lines:
            line.close()
        return stretch


def execute(code):
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
    return {
        "header": {**header, "username": "", "session": uuid.uuid4().hex, "date": ""},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "user_expressions": {}, "allow_stdin": False},
        "channel": "shell",
        "buffers": [],
    }


def test_the_server_does_not_stall_for_us(server, tmp_path, capsys):
    bench = Bench(server, tmp_path / "nvml")

    async def measured():
        return await bench.stretch(), await bench.of_ours(), await bench.of_peer()

    nobody, ours, theirs = asyncio.run(measured())

    with capsys.disabled():
        print(
            f"\nA Jupyter server in {SECONDS} s, 8 GPUs read every {UPDATE_MS} ms, 20 ms for PCIe "
            f"throughput:\n  nobody looks: {nobody}\n  our monitor in a kernel: {ours}\n"
            f"  jupyterlab-nvdashboard: {theirs}"
        )
    assert ours.messages > SECONDS
    assert theirs.messages > 0
    assert ours.slow_calls == 0 < theirs.slow_calls
    assert ours.stalls < theirs.stalls
