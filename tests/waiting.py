"""Waits for what another thread or process is about to do."""

import time


def until(condition, seconds=5.0):
    """Wait until the condition holds; fail where it does not come to that."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)
