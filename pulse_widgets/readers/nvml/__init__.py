"""NVIDIA GPUs, through the library that comes with the driver."""
