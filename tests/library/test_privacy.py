"""What leaves the machine: no absolute path, no name of a user or host; titles as they are."""

from __future__ import annotations

import errno
import getpass
import json
import platform
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulse_widgets.errors import StorageError
from pulse_widgets.library.recording import Recording
from pulse_widgets.series.columns import Columns, Packed, SeriesKey
from pulse_widgets.series.registry import SeriesInfo
from pulse_widgets.series.rows import NO_STEP
from pulse_widgets.storage.directory import RunInfo
from pulse_widgets.storage.disk import Reserve, refusal
from pulse_widgets.storage.index import Catalog
from pulse_widgets.storage.privacy import Redaction
from tests.storage.bench import START_US, Bench

EXAMPLES = json.loads(
    (Path(__file__).parent.parent / "data/redact.json").read_text(encoding="utf-8")
)
"""Texts and what is told of them; the browser is held to them, too."""
USER, HOST = "lovelace", EXAMPLES["host"]


@pytest.fixture(autouse=True)
def names(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: USER)
    monkeypatch.setattr(platform, "node", lambda: HOST)


def redaction(include=()) -> Redaction:
    return Redaction(Catalog(hosts={"h0": {"name": HOST}}), include)


@pytest.mark.parametrize(("text", "told"), [*EXAMPLES["paths"].items(), *EXAMPLES["hosts"].items()])
def test_absolute_paths_and_names_of_hosts_are_blotted_out(text, told):
    assert redaction().text(text) == told


@pytest.mark.parametrize(("label", "told"), EXAMPLES["said"].items())
@pytest.mark.parametrize("name", ["config", "defined"])
def test_what_the_user_said_of_a_run_stays_json(name, label, told):
    kept = redaction().labels({name: label, "model": "/home/ada/x"})
    assert kept["model"] == "<path>"
    assert list(json.loads(kept[name]).items()) == list(json.loads(told).items())


@pytest.mark.parametrize("text", EXAMPLES["words"])
def test_what_is_no_path_and_no_name_stays(text):
    assert redaction().text(text) == text


@pytest.mark.parametrize(
    "text",
    [f"{USER}", f"by {USER}.", f"model_{USER}.pt", f"{USER}2", f"x-{USER}-y", f"{USER}@{HOST}",
     f"on {HOST}:8888", "on engine-7", "engine-7_gpu0", "w-engine_7.lab.example.org-12-5/part"],
)  # fmt: skip
def test_names_of_users_and_hosts_are_blotted_out(text):
    told = redaction().text(text)
    assert "<name>" in told
    assert not any(name in told for name in (USER, "engine"))


@pytest.mark.parametrize(
    "title", ["a/b sweep", "/b sweep", "~/x", f"{USER} on {HOST}", "C:/x", "", "é", "user: host"]
)
def test_the_title_is_what_somebody_chose(title):
    run = RunInfo("id", 5, about={"title": title, "note": f"/home/{USER}", "problems": [f"{HOST}"]})
    told = redaction().run(run).about
    assert told == {"title": title, "note": "<path>", "problems": ["<name>"]}
    assert "title" not in redaction().run(RunInfo("id", 5)).about


def test_keys_of_objects_are_cleaned_and_none_is_lost():
    told = redaction().value({"/a": 1, "/b": 2, USER: 3, "x": {"/c d": 4}, "source": 5})
    assert sorted(map(str, (told.pop("x")).values())) == ["4"]
    assert sorted(told.values()) == [1, 2, 3]
    assert not any("/" in key or USER in key for key in told)


def test_a_label_that_is_a_path_goes_whole():
    told = redaction().labels({"mount": "/media/My Disk", "kind": "ext4", "win": "C:\\My Files"})
    assert told == {"mount": "<path>", "kind": "ext4", "win": "<path>"}


ODD = [
    '{"a":' * 5000 + "1" + "}" * 5000,
    "[" * 900 + "]" * 900,
    '{"message": "\\ud800 half", "source": "secret"}',
    '{"source": "secret", "n": 1%s}' % ("0" * 6000),
    '{"source": "secret", "n": NaN, "x": 1e999}',
    '{"source": "secret"',
]  # fmt: skip


@pytest.mark.parametrize("text", ODD[:-1])
def test_odd_events_can_be_saved_and_keep_no_secret(text):
    columns = Columns(*(np.zeros(1, kind) for kind in (int, int, float)), Packed.of_texts([text]))
    (told,) = redaction().columns(SeriesKey("h0", "kernel", "event"), columns).text.texts()
    assert "secret" not in told


def shown(text: str) -> str:
    columns = Columns(*(np.zeros(1, kind) for kind in (int, int, float)), Packed.of_texts([text]))
    return redaction().columns(SeriesKey("h0", "kernel", "event"), columns).text.texts()[0]


harmless = st.recursive(
    st.integers()
    | st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a b", "\u00e9"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b c"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(
    content=harmless,
    indent=st.sampled_from([None, 0, 2]),
    plain=st.booleans(),
    around=st.text(" \n\t", max_size=3),
)
def test_a_text_without_a_secret_is_saved_letter_by_letter(content, indent, plain, around):
    text = around + json.dumps(content, indent=indent, ensure_ascii=plain) + around
    assert shown(text) == text


@pytest.mark.parametrize("form", ['{{"a": {}, "a": 1}}', '[{{"b": {{"a": {}, "a": 1}}}}]'])
def test_a_secret_under_a_name_that_comes_twice_is_left_out(form):
    assert "x.csv" not in shown(form.format('"/home/ada/x.csv"'))
    assert "x.csv" not in shown(form.format('"\\u002fhome/ada/x.csv"'))


def test_many_mounts_and_hosts_are_redacted_in_linear_time():
    entities = [f"fs:/m{k}" for k in range(20_000)]
    keys = [SeriesKey(f"h{k}", e, "disk.used") for k, e in enumerate(entities)]
    catalog = Catalog()
    catalog.add(SeriesInfo(-1, *key) for key in keys)
    catalog.label({key.host: {key.entity: {"a": "b"}} for key in keys})
    catalog.hosts = {key.host: {"name": "x"} for key in keys}
    made = Redaction(catalog)
    renamed = made.keys(keys)
    told = made.catalog(catalog, renamed)
    assert len(told.infos) == len(told.entities) == 20_000
    assert told.entities["h7"] == {"fs:mount-1": {"a": "b"}}


HIDDEN = (USER, "engine-7", "x.csv", "/scratch", "~/", "runs/7")
# Texts of this file are drawn, too; by themselves these are no path and no name.
word = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12).filter(
    lambda text: not any(part in text for part in HIDDEN)
)
secret = st.sampled_from(
    [USER, HOST, "engine-7", f"/home/{USER}/x.csv", "/scratch/job 7/out", "~/runs/7", "/x"]
)
quote = st.sampled_from(["{}", "({})", "'{}'", '"{}"', "at {}: no", "{},", "={}", "{}\n", " {} "])
said = st.builds(lambda before, form, x, after: f"{before} {form.format(x)} {after}",
                 word, quote, secret, word)  # fmt: skip
value = st.recursive(said | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3) |
                     st.dictionaries(said | word, inner, max_size=3), max_leaves=6)  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(event=value, labels=st.dictionaries(word, said, max_size=3), problem=said, title=said)
def test_no_path_and_no_name_is_in_what_is_saved(tmp_path_factory, event, labels, problem, title):
    place = tmp_path_factory.mktemp("p")
    bench = Bench(place / "run.pulse", title=title)
    event_id = bench.series("kernel", "event", kind="text")
    loss = bench.series("user", "loss", labels=labels)
    bench.put([(event_id, START_US, NO_STEP, 0.0, json.dumps({"message": event}), b"")])
    bench.numbers(loss, [START_US + 1], [1.0])
    bench.writer.describe({"h0": {"user": labels}}, problems=[problem], note=event)
    bench.settle()
    path = Recording.open(bench.directory).save(place / "copy")
    bench.writer.close()

    told = everything(path)
    run = json.loads(pq.read_metadata(path).metadata[b"pulse.run"])
    assert run["about"]["title"] == title
    run["about"].pop("title")
    for text in (*told, *strings(run)):
        assert not any(part in text for part in HIDDEN)
    assert Recording.open(path).title == title


def everything(path) -> list[str]:
    """Every text in a file but those of the run: rows, and what is said of series and hosts."""
    rows = pq.read_table(path)["text"].to_pylist()
    marks = pq.read_metadata(path).metadata
    catalog = list(strings(json.loads(marks[b"pulse.catalog"])))
    return [t for row in rows for t in (strings(json.loads(row)) if row else ())] + catalog


def strings(content):
    if isinstance(content, dict):
        for key, inner in content.items():
            yield key
            yield from strings(inner)
    elif isinstance(content, list):
        for inner in content:
            yield from strings(inner)
    elif isinstance(content, str):
        yield content


@pytest.mark.parametrize("place", ["/data/Florence Nightingale/client Acme", "/srv/runs", "/x y"])
def test_our_own_sentences_give_no_part_of_a_path_away(place):
    path = f"{place}/run of today.pulse"
    said = [
        refusal(
            OSError(errno.ENOSPC, "No space left"), Path(f"{path}/w-h-1/journal-000001.arrows")
        ),
        refusal(OSError(errno.EACCES, "Permission denied"), Path(path)),
        StorageError(Reserve(1 << 60).problem(Path(path))),
    ]
    for error in said:
        clean = redaction().text(error.problem)
        assert "<path>" in clean
        assert not any(
            word in clean for word in ("Nightingale", "Acme", "today", "runs", "journal")
        )


machines = st.sampled_from(["node-a.corp", "node-b.corp", "10.2.3.4", "vm", "h1", "h2", "7"])


@settings(max_examples=25, deadline=None)
@given(hosts=st.sets(machines, min_size=1), selected=machines | st.none())
def test_a_copy_numbers_the_machines_that_a_reader_names(tmp_path_factory, hosts, selected):
    place = tmp_path_factory.mktemp("p")
    bench = Bench(place / "run.pulse")
    for number, host in enumerate(sorted(hosts)):
        power = bench.registry.add(host, "gpu:0", "gpu.power", unit="W", kind="gauge")
        bench.numbers(power, [START_US + number], [float(number)])
        bench.writer.describe({host: {"gpu:0": {"name": f"of {host}"}}})
        mark = bench.registry.add(host, "kernel", "mark", unit="", kind="text")
        said = json.dumps({"label": f"begun on {host}, 5 of 7"})
        bench.put([(mark, START_US + number, NO_STEP, 0.0, said, b"")])
    bench.settle()
    recording = Recording.open(bench.directory)
    path = recording.save(place / "copy")
    bench.writer.close()

    content = path.read_bytes()
    told = everything(path)
    secret = {host for host in hosts if not host[1:].isdigit() and host != "7"}
    assert not any(host in text for host in secret for text in told)
    assert not any(host.encode() in content for host in secret - {"vm"})
    assert any("5 of 7" in text for text in told)
    copy = Recording.open(path)
    names = {key.host for key in copy._stored.extents}
    assert all(name[0] == "h" and name[1:].isdigit() for name in names)
    assert names >= {host for host in hosts if host[0] == "h"}
    values = [copy.select("gpu.power", host=name).values()[1].tolist() for name in sorted(names)]
    assert sorted(values) == [[float(number)] for number in range(len(hosts))]


THINGS = {
    "fs:/": "fs:/", "fs:/home/ada": "fs:mount-1", "fs:/mnt/My Disk": "fs:mount-2",
    "gpu:0/mig:1": "gpu:0/mig:1", "user": "user", "pulse/log": "pulse/log", "net:eth0": "net:eth0",
    "job:/home/ada/train.py": "job:name-1", f"job:of {USER}": "job:name-2",
    f"node:{HOST}": "node:name-1", "job:7": "job:7",
}  # fmt: skip


def test_a_thing_whose_id_has_a_path_or_a_name_is_numbered():
    made = redaction()
    assert {entity: made.entity("h0", entity) for entity in THINGS} == THINGS
    assert {entity: made.entity("h0", entity) for entity in THINGS} == THINGS
    assert made.entity("h1", "fs:/mnt/My Disk") == "fs:mount-1"


ids = st.lists(st.sampled_from(["1@0", f"/home/{USER}/a.py-1", f"/home/{USER}/a.py-2", f"{USER}7"]))


@given(begun=ids)
def test_ids_of_spans_are_cleaned_and_stay_different(begun):
    made = redaction()
    told = [made.value({"id": name, "label": name})["id"] for name in begun]
    assert not any(USER in name or "a.py" in name for name in told)
    assert len(set(zip(begun, told, strict=True))) == len(set(begun)) == len(set(told))
    assert all(new == "1@0" for old, new in zip(begun, told, strict=True) if old == "1@0")
