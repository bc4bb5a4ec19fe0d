"""What `pulse_widgets.doctor` and `pulse_widgets.snapshot` do."""
