"""The default session of this process, for tests of the public functions."""

import pulse_widgets as pw
from pulse_widgets.default_session import default


def fresh():
    """End the session, and forget that there was one."""
    rec = pw.stop()
    default._run = default.run = default.session = None
    return rec
