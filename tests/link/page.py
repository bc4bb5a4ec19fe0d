"""What the JupyterLab extension says to a kernel and hears of it, without JupyterLab."""

import json
from itertools import count

from pulse_widgets.series.wire import decode

REGISTER = "__import__('pulse_widgets.link', fromlist=['register']).register()"
_numbers = count(1)


class Page:
    """A page of a running kernel.

    Parameters
    ----------
    kernel : tests.kernels.Kernel
    subshell : bool
        Whether it speaks on a subshell, where the kernel has them.
    """

    def __init__(self, kernel, *, subshell=True):
        self.kernel = kernel
        self.client = kernel.client
        self.subshell = self._make_subshell() if subshell else None

    def control(self, kind, **content):
        """Ask on the control channel; return the content of the reply."""
        self.client.control_channel.send(self.client.session.msg(kind, content))
        return self.client.control_channel.get_msg(timeout=20)["content"]

    def _make_subshell(self):
        return self.control("create_subshell_request")["subshell_id"]

    def leave(self):
        """Give the subshell up."""
        self.control("delete_subshell_request", subshell_id=self.subshell)

    def send(self, kind, *, aside=True, **content):
        """Send a message of any type; return its id. Where not `aside`, it waits for cells."""
        message = self.client.session.msg(kind, content)
        if aside and self.subshell is not None:
            message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def reply_to(self, request):
        """Return the content of the reply to a request."""
        while True:
            message = self.client.get_shell_msg(timeout=20)
            if message["parent_header"].get("msg_id") == request:
                return message["content"]

    def ask_to_register(self, *, aside):
        """Have the kernel register, as the extension does; return the id of the request."""
        return self.send(
            "execute_request",
            aside=aside,
            code="",
            silent=True,
            store_history=False,
            user_expressions={"value": REGISTER},
            allow_stdin=False,
            stop_on_error=False,
        )

    def register(self, *, aside=True):
        """Register, and return what became of it."""
        reply = self.reply_to(self.ask_to_register(aside=aside))
        return json.loads(reply["user_expressions"]["value"]["data"]["text/plain"])

    def is_here(self):
        """Return whether the kernel lists that it need not be registered with."""
        return self.is_listed("pulse_widgets.here")

    def is_listed(self, target):
        """Return whether the kernel lists a comm of this target."""
        reply = self.control("comm_info_request", target_name=target)
        return [one["target_name"] for one in reply["comms"].values()] == [target]

    def open(self, replay=None, version=1, *, wait=True):
        """Open a comm, and as a rule wait for the first that is said on it."""
        wire = Wire(self, {"version": version, "replay": replay})
        if wait:
            wire.wait(lambda: wire.said("status"))
        return wire


class Wire:
    """A comm of a page."""

    def __init__(self, page, opening):
        self.page = page
        self.id = f"page-{next(_numbers)}"
        self._requests = count(1)
        page.send("comm_open", comm_id=self.id, target_name="pulse_widgets", data=opening)

    def tell(self, **data):
        """Say something."""
        self.page.send("comm_msg", comm_id=self.id, data=data)

    def close(self):
        """Close it."""
        self.page.send("comm_close", comm_id=self.id, data={})

    def is_closed(self):
        """Return whether the kernel has closed it."""
        closed = self.page.kernel.of("comm_close")
        return self.id in {message["content"]["comm_id"] for message in closed}

    def heard(self, kind=None):
        """Return what the kernel has said so far, of one kind."""
        said = [
            message
            for message in self.page.kernel.of("comm_msg")
            if message["content"]["comm_id"] == self.id
        ]
        return [m for m in said if kind in {None, m["content"]["data"]["kind"]}]

    def said(self, kind):
        """Return the data of what it has said of one kind."""
        return [message["content"]["data"] for message in self.heard(kind)]

    def packets(self, kind=None, stream=None):
        """Return the packets so far, decoded."""
        found = [
            decode(bytes(message["buffers"][0]))
            for message in self.heard("packet")
            if stream in {None, message["content"]["data"]["stream"]}
        ]
        return [packet for packet in found if kind in {None, packet.header["kind"]}]

    def wait(self, true, timeout=30):
        """Take messages until `true()`; return what it gives."""
        self.page.kernel.wait_until(true, timeout)
        return true()

    def status(self):
        """Return the session of the newest status."""
        return self.said("status")[-1]["session"]

    def wait_status(self, true):
        """Wait until the session of the newest status is so."""
        self.wait(lambda: self.said("status") and true(self.status()))
        return self.status()

    def more(self, kind, number=1):
        """Wait for so many more packets of a kind; return the last."""
        wanted = len(self.packets(kind)) + number
        self.wait(lambda: len(self.packets(kind)) >= wanted)
        return self.packets(kind)[-1]

    def do(self, action, **options):
        """Have something done; return the answer."""
        number = next(self._requests)
        self.tell(kind="do", id=number, action=action, options=options)
        answers = lambda: [a for a in self.said("done") + self.said("failed") if a["id"] == number]  # noqa: E731
        return self.wait(answers)[0]
