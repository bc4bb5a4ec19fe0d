"""A real kernel for measuring: code runs in it, every message it publishes is counted."""

import os
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.fakes import nvml


@dataclass
class Kernel:
    """A running kernel and its client."""

    client: object
    messages: Counter = field(default_factory=Counter)
    sent_bytes: int = 0

    def run(self, code, timeout=120):
        """Run code; return what it printed."""
        request = self.client.execute(code)
        printed, deadline = [], time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            kind = message["msg_type"]
            self.messages[kind] += 1
            self.sent_bytes += sum(len(buffer) for buffer in message.get("buffers", []))
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "stream":
                printed.append(message["content"]["text"])
            if kind == "error":
                pytest.fail("\n".join(message["content"]["traceback"]))
            if kind == "status" and message["content"]["execution_state"] == "idle":
                return "".join(printed)


@pytest.fixture
def kernel(tmp_path):
    """Start kernels on fake GPUs; returns a function."""
    from jupyter_client.manager import KernelManager

    managers = []

    def start(gpus=0, **settings):
        environ = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
        if gpus:
            environ |= nvml.environment(tmp_path / "nvml", gpus=gpus, **settings)
        manager = KernelManager()
        manager.start_kernel(env=environ)
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        managers.append((manager, client))
        return Kernel(client)

    yield start
    for manager, client in managers:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
