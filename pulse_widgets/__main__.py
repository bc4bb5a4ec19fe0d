"""``python -m pulse_widgets`` is ``pulse-widgets``."""

from pulse_widgets.cli import main

raise SystemExit(main())
