import pytest

from tests.kernels import kernels
from tests.link.page import Page


@pytest.fixture
def kernel(tmp_path):
    with kernels(tmp_path) as start:
        yield start


@pytest.fixture
def page(kernel):
    """A page of an idle kernel, registered."""
    page = Page(kernel())
    assert page.register()["state"] == "ready"
    return page
