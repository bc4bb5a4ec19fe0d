"""A session says the same fields of itself in every phase."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass

import pytest

from pulse_widgets.series.state import (
    NO_COST,
    NO_KERNEL,
    MissingField,
    RecordingState,
    SourceState,
    State,
    Versions,
)

SOURCE = SourceState("nvml", "", "", "ok", "", "", (MissingField("gpu:0 fan.speed", "no fan"),), 3)
STATE = State(
    phase="running",
    title="run",
    t0=1.0,
    t1=None,
    interval=1.0,
    simulated=False,
    sources=(SOURCE,),
    recording=RecordingState("run.pulse", 7, None, None),
    cost=NO_COST,
    kernel=NO_KERNEL,
    versions=Versions.here(),
)


def test_a_state_is_plain_values_that_json_gives_back():
    plain = STATE.plain()

    assert json.loads(json.dumps(plain)) == plain
    assert plain["sources"] == [
        {
            "name": "nvml",
            "title": "",
            "group": "",
            "state": "ok",
            "problem": "",
            "remedy": "",
            "missing": [{"what": "gpu:0 fan.speed", "why": "no fan"}],
            "rejected": 3,
        }
    ]
    assert plain["cost"]["dropped"] == 0
    assert plain["t1"] is None


def records(value):
    """All records that a record holds, itself too."""
    if is_dataclass(value):
        yield value
        for one in fields(value):
            yield from records(getattr(value, one.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from records(one)


@pytest.mark.parametrize("record", tuple(records(STATE)), ids=lambda record: type(record).__name__)
def test_no_record_of_a_state_can_be_changed(record):
    with pytest.raises(AttributeError):
        setattr(record, fields(record)[0].name, "other")
