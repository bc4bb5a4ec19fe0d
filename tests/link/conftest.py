import pytest

from tests.kernels import kernels
from tests.link.page import Page


@pytest.fixture
def kernel(tmp_path):
    with kernels(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One kernel for the tests of a file."""
    with kernels(tmp_path_factory.mktemp("shared")) as start:
        yield start()


@pytest.fixture
def page(shared):
    """A page of an idle kernel in which nothing is monitored, registered."""
    page = Page(shared)
    assert page.register()["state"] == "ready"
    shared.run(FORGET)
    shared.published.clear()
    yield page
    page.leave()


FORGET = """
import pulse_widgets as pw, pulse_widgets.link.line as line, pulse_widgets.link.links as links
from pulse_widgets.default_session import default
pw.stop()
for link in list(links._links):
    link.end()
default.session = default.run = default._run = None
line.SILENT_S = 60.0
"""
