import pytest

from pulse_widgets.errors import PulseError
from pulse_widgets.series import log as module
from pulse_widgets.series.log import Registry, SeriesInfo


def test_a_series_announced_while_another_is_announced_gets_an_id_of_its_own(monkeypatch):
    """A signal handler or a finalizer may log something new at any moment, on this thread."""
    registry, nested = Registry(), []

    def interrupted(*fields):
        if not nested:
            nested.append(1)
            nested.append(registry.add("h0", "user", "from a handler"))
        return SeriesInfo(*fields)

    monkeypatch.setattr(module, "SeriesInfo", interrupted)
    outer = registry.add("h0", "user", "loss")

    assert [registry[number].metric for number in (outer, nested[1])] == ["loss", "from a handler"]
    assert [info.id for info in registry.since(0)] == [0, 1]


@pytest.mark.parametrize("name", [7, None, b"gpu", "half a \ud800 pair"])
def test_a_name_that_cannot_be_written_is_refused(name):
    registry = Registry()
    for key in [("h0", name, "x"), ("h0", "host", name)]:
        with pytest.raises(PulseError, match="cannot be a name"):
            registry.add(*key)
    with pytest.raises(PulseError, match="cannot be a name"):
        registry.add("h0", "host", "x", labels={"of": name})
    assert len(registry) == 0
