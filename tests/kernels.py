"""Real Jupyter kernels for tests: code runs in one, everything it publishes is kept."""

import os
import time
from contextlib import contextmanager

import pytest

from pulse_widgets.series.wire import decode
from tests.fakes import nvml


class Kernel:
    """A running kernel and its client.

    Attributes
    ----------
    published : list
        Every message on its public channel so far.
    """

    def __init__(self, manager, client):
        self.manager = manager
        self.client = client
        self.published = []

    def run(self, code, timeout=120, *, check=True):
        """Run code; return what it printed."""
        request = self.client.execute(code)
        return self.wait_for(request, timeout, check=check)

    def wait_for(self, request, timeout=120, *, check=True):
        """Wait until a request is done; return what it printed."""
        printed, deadline = [], time.monotonic() + timeout
        while True:
            message = self.next(deadline - time.monotonic())
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                printed.append(content["text"])
            if kind == "error" and check:
                pytest.fail("\n".join(content["traceback"]))
            if kind == "status" and content["execution_state"] == "idle":
                return "".join(printed)

    def next(self, timeout=20):
        """Return the next message, and keep it."""
        message = self.client.get_iopub_msg(timeout=max(0.1, timeout))
        self.published.append(message)
        return message

    def of(self, kind):
        """Return the messages of one type so far."""
        return [message for message in self.published if message["msg_type"] == kind]

    def packets(self, kind=None):
        """Return the packets sent so far, decoded."""
        found = [
            decode(bytes(message["buffers"][0]))
            for message in self.of("comm_msg")
            if message["content"]["data"].get("content", {}).get("kind") == "packet"
        ]
        return [packet for packet in found if kind in {None, packet.header["kind"]}]

    def wait_until(self, true, timeout=20):
        """Take messages until `true()`."""
        deadline = time.monotonic() + timeout
        while not true():
            self.next(deadline - time.monotonic())

    def feed_id(self):
        """Return the comm id of the feed."""
        return next(
            message["content"]["comm_id"]
            for message in self.of("comm_open")
            if "code_hash" in message["content"]["data"].get("state", {})
        )

    def tell_feed(self, **content):
        """Send the feed a message, as a page does."""
        data = {"method": "custom", "content": content}
        body = {"comm_id": self.feed_id(), "data": data}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", body))


@contextmanager
def kernels(directory):
    """Give a function that starts kernels on fake GPUs; end all of them afterwards."""
    from jupyter_client.manager import KernelManager

    started = []

    def start(gpus=0, environ=None, **settings):
        full = {
            **os.environ,
            "IPYTHONDIR": str(directory / "ipython"),
            "PULSE_HOME": str(directory / "pulse-home"),
            **(environ or {}),
        }
        if gpus:
            full |= nvml.environment(directory / "nvml", gpus=gpus, **settings)
        manager = KernelManager()
        manager.start_kernel(env=full)
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        made = Kernel(manager, client)
        started.append(made)
        return made

    try:
        yield start
    finally:
        for made in started:
            made.client.stop_channels()
            made.manager.shutdown_kernel(now=True)
