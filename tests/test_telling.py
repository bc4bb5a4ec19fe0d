"""What the user says about a run: its configuration, its metrics, and how far it has got."""

import argparse
import dataclasses
import enum
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pulse_widgets as pw
from pulse_widgets.collectors.plain_values import flat_values
from pulse_widgets.default_session import default
from pulse_widgets.errors import ArgumentError
from pulse_widgets.exchange.bundle import redact
from pulse_widgets.library.replay_provider import RecordingProvider
from pulse_widgets.series.said import MOST_LETTERS, Definitions, fitting, joined
from pulse_widgets.series.stream import Stream
from pulse_widgets.series.wire import decode
from pulse_widgets.storage.index import Catalog
from tests.sessions import fresh
from tests.transports import Listed
from tests.waiting import until


@pytest.fixture(autouse=True)
def _alone():
    fresh()
    yield
    fresh()


# progress ------------------------------------------------------------------------------


def test_progress_is_a_share_of_the_kernel_and_one_of_each_name():
    pw.progress(1, 4)
    pw.progress(0.5)
    for done in range(3):
        pw.progress(done, 2, name="epoch 1/train")
    pw.progress(3, 2, name="too far")
    rec = fresh()
    summary = rec.select("progress").summary().set_index("entity")
    assert summary["last"].to_dict() == {
        "kernel": 0.5,
        "kernel/bar:epoch 1/train": 1.0,
        "kernel/bar:too far": 1.5,
    }
    assert set(summary["unit"]) == {"1"}
    _, shares = rec.select("progress", entity="kernel/bar:epoch*").values()
    assert shares.tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((1, 0), "total=0"),
        ((1, -1), "total=-1"),
        ((1, math.nan), "total=nan"),
        ((1, math.inf), "total=inf"),
        ((-1, 2), "done=-1"),
        (("x", 2), "done='x'"),
        ((None,), "done=None"),
        (([1],), "done="),
    ],
)
def test_what_is_no_share_is_the_callers_error(arguments, named):
    with pytest.raises(ArgumentError) as caught:
        pw.progress(*arguments)
    assert named in caught.value.problem


# config --------------------------------------------------------------------------------


@dataclasses.dataclass
class Optimizer:
    lr: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)


class Mode(enum.Enum):
    FAST = 1


class Odd:
    def __repr__(self):
        raise RuntimeError


def test_a_configuration_is_flat_and_the_last_word_on_each_name_counts():
    pw.config({"lr": 1, "model": {"depth": 12, "sizes": [1, 2]}, "seed": None})
    pw.config(argparse.Namespace(lr=0.5, fast=True, data=Path("data/train")))
    pw.config({"opt": Optimizer(), "f32": np.float32(0.5), "n": np.int64(3), "nan": math.nan,
               "mode": Mode.FAST, "odd": Odd(), "long": "x" * 5000, "big": 10**400, 3: "three"})  # fmt: skip
    path = fresh().path
    config = pw.Recording.open(path).config
    assert config["lr"] == 0.5
    assert config["model/depth"] == 12 and config["model/sizes"] == [1, 2]
    assert config["seed"] is None and config["fast"] is True and config["data"] == "data/train"
    assert config["opt/lr"] == 0.1 and config["opt/betas"] == [0.9, 0.99]
    assert config["f32"] == 0.5 and config["n"] == 3 and config["nan"] == "nan"
    assert config["mode"] == "<Mode.FAST: 1>" and config["odd"] == "<Odd>"
    assert len(config["long"]) == 1000 and config["3"] == "three"


def test_what_holds_itself_or_an_array_is_told_shortly():
    cycle, items, array = {}, [], np.zeros(1000)
    cycle |= {"a": cycle, "b": cycle, "list": items}
    items += [items, items, cycle]
    kept = flat_values({"cycle": cycle, "items": items, "array": array, "in": [array]}, "x")
    assert kept["cycle/a"] == kept["cycle/b"] == "..."
    assert kept["items"][:2] == ["...", "..."]
    assert kept["array"].startswith("array(") and kept["in"][0].startswith("array(")
    assert len(json.dumps(kept)) < 10_000


@pytest.mark.parametrize(
    "text", ["Authorization: Bearer s3cr3t-value-0123456789abc", "run --password s3cr3t-value-01",
             "OPENAI_API_KEY=s3cr3t-value-0123456789"],
)  # fmt: skip
def test_a_secret_in_a_text_is_masked_as_in_printed_lines(text):
    kept = flat_values({"cmd": text, "argv": [text], "x": {"y": text}}, "x")
    assert "s3cr3t" not in json.dumps(kept)


@pytest.mark.parametrize("value", [np.arange(3), np.array([]), np.zeros((2, 2))])
def test_an_array_is_what_it_says_of_itself_and_under_a_secret_name_nothing(value):
    kept = flat_values({"grid": value, "api_key": value, "l": [value]}, "x")
    assert kept == {"grid": repr(value), "api_key": "***", "l": [repr(value)]}


@pytest.mark.parametrize("wrong", [3, None, "lr=1", ["lr"], Optimizer])
def test_what_is_no_configuration_is_the_callers_error(wrong):
    with pytest.raises(ArgumentError, match=r"pw\.config takes a mapping"):
        pw.config(wrong)


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "HF_TOKEN", "hfToken", "api_key", "OPENAI_API_KEY", "apiKey",
     "apikey", "aws/secret_access_key", "secrets", "client-secret", "private_key", "passwd"],
)  # fmt: skip
def test_what_is_called_a_secret_is_never_stored(name):
    kept = flat_values({name: "s3cr3t-value", "a": {name: "s3cr3t-value"}, "l": [{name: "s3cr3t-value"}],
                        "url": "postgres://me:s3cr3t-value@host/db"}, "x")  # fmt: skip
    assert "s3cr3t-value" not in json.dumps(kept)
    assert kept[name] == "***" and kept["url"] == "postgres://***@host/db"


@pytest.mark.parametrize("held", [str, lambda text: [text], Path, lambda text: {"in": text}])
def test_what_looks_like_a_secret_is_not_stored_whatever_it_is_called(held):
    secret = "hf_" + "Ab3" * 12
    for text in (
        secret,
        f"{'x ' * 490}{secret}",
        f"Authorization: Bearer {secret}",
        f"a\n{secret}",
    ):
        kept = json.dumps(flat_values({"command": held(text)}, "x"))
        assert secret[:15] not in kept and secret[-15:] not in kept and "[masked]" in kept


@pytest.mark.parametrize(
    ("name", "value"),
    [("tokenizer", "bpe"), ("max_tokens", 512), ("eos_token_id", 2), ("key", "x"), ("monkey", "x"),
     ("use_token", True), ("password", None), ("compass", "n"), ("secretary", "x")],
)  # fmt: skip
def test_what_only_sounds_like_one_stays(name, value):
    assert flat_values({name: value}, "x") == {name: value}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=5), _JSON, max_size=4))
def test_whatever_is_configured_is_json_that_every_reader_has(values):
    kept = flat_values(values, "x")
    text = joined("", kept)
    assert json.loads(text, parse_constant=pytest.fail) == kept
    assert not any(isinstance(one, dict) and one for one in kept.values())


def test_what_there_is_no_room_for_is_left_out_and_said():
    with pytest.warns(RuntimeWarning, match=r"pw\.config\(\) left \d+ names out"):
        pw.config({f"name{number}": "x" * 900 for number in range(60)} | {"lr": 1})
    config = fresh().config
    assert config["lr"] == 1
    assert 20 < len(config) < 40


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=9000), max_size=8))
def test_a_label_is_bounded_and_says_what_it_leaves_out(facts):
    before = joined("", {"kept": 1})
    text, left = fitting(before, facts)
    assert len(text) <= MOST_LETTERS
    assert json.loads(text).keys() | set(left) == facts.keys() | {"kept"}


def test_several_writers_of_a_run_are_merged():
    catalog = Catalog()
    catalog.label(
        {"h0": {"user": {"config": '{"a": 1, "b": 1}', "defined": '{"m": {"unit": "s"}}'}}}
    )
    catalog.label({"h0": {"user": {"config": '{"b": 2}', "defined": '{"m": {"better": "min"}}'}}})
    assert json.loads(catalog.entities["h0"]["user"]["config"]) == {"a": 1, "b": 2}
    assert json.loads(catalog.entities["h0"]["user"]["defined"]) == {
        "m": {"unit": "s", "better": "min"}
    }


def test_a_copy_has_the_configuration_without_paths_and_names(tmp_path):
    given_ = {"data": "/home/ada/My Data/x", "say": 'open "/home/ada/x" "now"', "line": "stays",
              "user": "stays", "deep": [["/home/ada/y"]], "rate": "rows/s", "d": Path("C:\\x\\y")}  # fmt: skip
    pw.config(given_)
    pw.define("loss", better="min")
    rec = fresh()
    copy = pw.Recording.open(rec.save(tmp_path / "copy"))
    assert copy.config == {
        "data": "<path>", "say": 'open "<path>" "now"', "line": "stays", "user": "stays",
        "deep": [["<path>"]], "rate": "rows/s", "d": "<path>",
    }  # fmt: skip
    assert rec.config["data"] == "/home/ada/My Data/x"
    entities = rec.stored.catalog.entities
    header = {"series": [], "state": {},
              "entities": [{"host": "h0", "entity": "user", "labels": entities["h0"]["user"]}]}  # fmt: skip
    (one,) = redact(header)["entities"]
    assert json.loads(one["labels"]["config"]) == copy.config


# define --------------------------------------------------------------------------------


def test_what_a_metric_is_may_be_said_before_or_after_it_is_logged():
    pw.define("val/*", unit="s", better="min")
    pw.log({"val/time": 3.0, "speed": 2.0, "val/loss": 1.0})
    pw.define("speed", unit="samples/s")
    pw.define("val/loss", unit="nats")
    rec = fresh()
    for one in (rec, pw.Recording.open(rec.path)):
        units = one.select(entity="user").series.set_index("metric")["unit"]
        assert units.to_dict() == {"val/time": "s", "speed": "samples/s", "val/loss": "nats"}
    assert rec.select("val/time").summary()["unit"].tolist() == ["s"]


def test_a_name_counts_more_than_a_pattern_and_the_last_word_more_than_one_before():
    said = joined("", {"loss": {"unit": "a", "x": "epoch"}})
    said = joined(said, {"*": {"unit": "b", "title": "all"}})
    said = joined(said, {"lo*": {"title": "lo"}})
    said = joined(said, {"loss": {"unit": "c"}})
    defined = Definitions(json.loads(said))
    assert defined.of("loss") == {"unit": "c", "x": "epoch", "title": "lo"}
    assert defined.of("acc") == {"unit": "b", "title": "all"}
    assert Definitions({"a": 3, "b": None}).of("a") == {}


@pytest.mark.parametrize(
    ("metric", "said"),
    [("loss", {}), ("", {"unit": "s"}), (3, {"unit": "s"}), ("loss", {"better": "less"}),
     ("loss", {"unit": 3}), ("loss", {"x": ""}), ("loss", {"title": "x" * 201})],
)  # fmt: skip
def test_what_says_nothing_is_the_callers_error(metric, said):
    with pytest.raises(ArgumentError):
        pw.define(metric, **said)


# Where it goes -------------------------------------------------------------------------


def test_what_is_said_reaches_the_disk_and_open_pages_at_once_without_any_row():
    pw.log({"x": 1})
    page = Listed()
    default.run.stream().attach(page)
    until(lambda: page.delivered)
    until(lambda: default.session.path)
    place = default.session.path
    pw.config({"lr": 1})
    pw.define("loss", better="min")
    until(lambda: pw.Recording.open(place).config == {"lr": 1})

    def labels():
        headers = [decode(packet).header for packet in list(page.delivered)]
        return [e["labels"] for header in headers for e in header.get("entities", [])]

    until(lambda: any("defined" in one and "config" in one for one in labels()))


def test_a_run_that_only_says_something_is_a_recording_of_it(tmp_path):
    pw.config({"lr": 1})
    rec = fresh()
    assert rec.config == {"lr": 1}
    assert pw.Recording.open(rec.path).config == {"lr": 1}
    assert pw.Recording.open(rec.save(tmp_path / "copy")).config == {"lr": 1}


def test_all_that_was_said_is_in_a_replay_and_in_what_a_notebook_keeps():
    pw.config({"lr": 1, "data": "/home/ada/x"})
    pw.define("loss", x="epoch")
    pw.log({"loss": 1, "epoch": 1})
    rec = fresh()
    replayed = RecordingProvider(rec)
    (user,) = [one for one in replayed.entities() if one["entity"] == "user"]
    assert json.loads(user["labels"]["config"]) == {"lr": 1, "data": "/home/ada/x"}
    kept = decode(Stream(replayed, redact=redact).snapshot()).header
    (user,) = [one for one in kept["entities"] if one["entity"] == "user"]
    assert json.loads(user["labels"]["config"]) == {"lr": 1, "data": "<path>"}
    assert json.loads(user["labels"]["defined"]) == {"loss": {"x": "epoch"}}
