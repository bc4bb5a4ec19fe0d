"""The machine and the kernel process, from ``/proc`` and ``/sys`` or through psutil."""
