"""Cells that run until a test lets them end."""

from contextlib import contextmanager

LOOPS = {
    "sleeping": "while not os.path.exists(FLAG): time.sleep(0.01)",
    # Long between two looks: each lets go of the interpreter for a moment too short for others to
    # take it, and puts off the moment at which they may ask for it.
    "computing": "while not os.path.exists(FLAG): sum(range(1_000_000))",
    "awaiting": "import asyncio\nwhile not os.path.exists(FLAG): await asyncio.sleep(0.01)",
}


@contextmanager
def busy(kernel, flag, how, before=""):
    """Run a cell; give a function that says whether it still runs; then let it end."""
    request = kernel.client.execute(
        f"import os, time\nFLAG = {str(flag)!r}\n{before}\n{LOOPS[how]}"
    )
    kernel.wait_until(lambda: _messages(kernel, request, "execute_input"))
    try:
        yield (
            lambda: (
                not any(
                    message["content"]["execution_state"] == "idle"
                    for message in _messages(kernel, request, "status")
                )
            )
        )
    finally:
        flag.touch()
    kernel.wait_for(request)


def _messages(kernel, request, kind):
    return [m for m in kernel.of(kind) if m["parent_header"].get("msg_id") == request]


def printed(kernel, request=None):
    """Return the lines that belong to a cell, or to any message."""
    texts = [
        message["content"]["text"]
        for message in kernel.of("stream")
        if request in {None, message["parent_header"].get("msg_id")}
    ]
    return "".join(texts).split("\n")
