"""A real kernel for measuring."""

import pytest

from tests.kernels import kernels


@pytest.fixture
def kernel(tmp_path):
    """Give a function that starts kernels on fake GPUs."""
    with kernels(tmp_path) as start:
        yield start
