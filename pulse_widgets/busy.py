"""Keeps a page from showing a kernel as idle while a cell runs, after the kernel served us.

A kernel says ``busy`` and ``idle`` around each message, also around one that it handles on a
subshell, beside the cell that runs. A page shows what was said last. So after the ``idle`` of a
message of ours ``busy`` is said once more, for the message that the main shell handles.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.ipython import kernel_here

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["message_of_main_shell", "stay_busy"]

DISPATCHES: Final = "dispatch_shell"
DISPATCHES_IN: Final = "kernelbase.py"
"""Where a kernel says ``busy``, calls what handles a message, and says ``idle``."""
TOGETHER_S: Final = 0.02
"""What the kernel says of messages that follow each other so closely is put right once."""
TRIES: Final = 100
PAUSE_S: Final = 0.002

_awaited: weakref.WeakSet[AbstractEventLoop] = weakref.WeakSet()


def stay_busy(*, at_once: bool = False) -> None:
    """Have ``busy`` said again after this message, if the main shell handles one.

    Call it while a message is handled; on the main shell it does nothing. It raises nothing.

    Parameters
    ----------
    at_once : bool
        Whether the subshell may end soon after this message.
    """
    if threading.current_thread() is threading.main_thread():
        return
    try:
        kernel = kernel_here()
        if kernel is None:
            return
        import asyncio

        # The kernel says `idle` in the same step of the loop in which it calls what handles a
        # message. Whatever the loop calls afterwards comes later.
        loop = asyncio.get_running_loop()
        if at_once:
            loop.call_soon(_say, kernel)
        elif loop not in _awaited:
            _awaited.add(loop)
            loop.call_later(TOGETHER_S, _say_awaited, loop, kernel)
    except Exception:  # noqa: BLE001  the kernel calls this; at worst it is shown as idle
        return


def _say_awaited(loop: AbstractEventLoop, kernel: Any) -> None:
    _awaited.discard(loop)
    _say(kernel)


def _say(kernel: Any) -> None:
    """Say ``busy`` for the message that the main shell handles, and be right about it."""
    try:
        said = False
        for _ in range(TRIES):
            is_taken, message = _main_shell(kernel)
            if message is not None:
                _publish(kernel, "busy", message)
                if _main_shell(kernel)[1] is message:
                    # The `idle` of that message is still to come.
                    return
                # It may have come before.
                _publish(kernel, "idle", message)
                said = True
            elif not (said and is_taken):
                return
            else:
                # One begins or ends: what we have said may hide what the kernel says of it.
                time.sleep(PAUSE_S)
    except Exception:  # noqa: BLE001  the loop of a subshell calls this
        return


def _publish(kernel: Any, state: str, message: Any) -> None:
    kernel.session.send(
        kernel.iopub_socket,
        "status",
        {"execution_state": state},
        parent=message,
        ident=f"kernel.{kernel.ident}.status".encode(),
    )


def message_of_main_shell() -> Any:
    """Return the message that the main shell handles now; None where it handles none."""
    return _main_shell(kernel_here())[1]


def _main_shell(kernel: Any) -> tuple[bool, Any]:
    """Return whether the main shell has a message in hand, and that message while it is handled.

    Before and after it is handled the kernel says ``busy`` and ``idle``. What IPython tells of
    cells would not do: a cell may run others, and may have begun before anybody listened.
    """
    # A cell that awaits something is on no stack, until it goes on.
    for calls in (_on_stack, _awaiting, _on_stack):
        is_taken, inner = False, ""
        for frame in calls(kernel):
            code = frame.f_code
            if code.co_name == DISPATCHES and code.co_filename.endswith(DISPATCHES_IN):
                seen = frame.f_locals
                # One that is handled beside an awaiting cell is told to nobody.
                if not seen.get("concurrent", False):
                    is_taken = True
                    message = seen.get("msg")
                    if isinstance(message, dict) and message.get("msg_type") == inner:
                        return True, message
            inner = code.co_name
        if is_taken:
            return True, None
    return False, None


def _on_stack(_kernel: Any) -> Iterator[FrameType]:
    """Give the calls of the main thread, the innermost first."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001
    while frame is not None:
        yield frame
        frame = frame.f_back


def _awaiting(kernel: Any) -> Iterator[FrameType]:
    """Give the calls that wait in the loop of the main thread, the innermost of each first."""
    asyncio = sys.modules.get("asyncio")
    loop = getattr(getattr(kernel, "io_loop", None), "asyncio_loop", None)
    if asyncio is None or loop is None:
        return
    for task in asyncio.all_tasks(loop):
        frames, call = [], task.get_coro()
        while getattr(call, "cr_frame", None) is not None:
            frames.append(call.cr_frame)
            call = call.cr_await
        yield from reversed(frames)
