"""Loading this registers with the kernel; the package does it once a public name is used."""

from __future__ import annotations

from pulse_widgets.link import register
from pulse_widgets.link.running import follow

register()
follow()
