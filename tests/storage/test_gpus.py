"""GPUs of several processes on a machine are told apart by their UUIDs, and joined by them."""

from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.library.recording import Recording
from pulse_widgets.library.shelf import finish
from pulse_widgets.storage.gpus import entity_called, name_gpus
from tests.storage.bench import Bench

SEEN = st.lists(  # by each process: which GPUs, in its order; None has no UUID
    st.lists(st.sampled_from([*"abcdef", None]), max_size=4, unique_by=lambda one: one or id(one)),
    max_size=6,
)


@given(SEEN, st.booleans())
def test_one_name_is_one_gpu_and_one_gpu_has_one_name(seen, also_elsewhere):
    told = [
        {"h0": {f"gpu:{n}": {"uuid": uuid} if uuid else {} for n, uuid in enumerate(uuids)}}
        for uuids in seen
    ]
    hosts = [{"h0": "h1"} if also_elsewhere and k % 2 else {} for k in range(len(seen))]

    names, owners = {}, {}
    for k, (uuids, rename) in enumerate(zip(seen, name_gpus(told, hosts), strict=True)):
        host = hosts[k].get("h0", "h0")
        called = [rename.get(("h0", f"gpu:{n}"), f"gpu:{n}") for n in range(len(uuids))]
        assert len(set(called)) == len(called) or None in uuids
        for uuid, name in zip(uuids, called, strict=True):
            if uuid:
                assert names.setdefault((host, uuid), name) == name
                assert owners.setdefault((host, name), uuid) == uuid
        if k == 0:
            assert not rename


def test_parts_of_a_gpu_are_called_by_its_name_and_nothing_else_is():
    gpus = {("h0", "gpu:0"): "gpu:2", ("h0", "gpu:2"): "gpu:0"}
    called = [
        entity_called(one, "h0", gpus)
        for one in ["gpu:0", "gpu:2/mig:1/ci:0", "pid:7/gpu:0", "gpu:02", "fs:/gpu:0/x", "host"]
    ]
    assert called == ["gpu:2", "gpu:0/mig:1/ci:0", "pid:7/gpu:2", "gpu:02", "fs:/gpu:0/x", "host"]
    assert entity_called("gpu:0", "h1", gpus) == "gpu:0"


def test_rows_of_two_gpus_with_one_number_never_mix_whatever_is_written_already(tmp_path):
    place = tmp_path / "run.pulse"
    benches = [Bench(place) for _ in range(3)]
    start = 1_790_000_000_000_000
    for k, (bench, uuid) in enumerate(zip(benches, ["GPU-a", "GPU-b", "GPU-a"], strict=True)):
        bench.writer.describe({"h0": {"gpu:0": {"uuid": uuid, "name": f"card {uuid}"}}})
        power = bench.series("gpu:0", "gpu.power", unit="W")
        used = bench.series("pid:7/gpu:0", "process.gpu.memory", unit="B")
        for metric in (power, used):
            bench.numbers(metric, [start + k + 10 * i for i in range(3)], [float(k)] * 3)
        if k:
            bench.minute()  # a part; the others' rows are in journals
            bench.numbers(power, [start + 100 + k], [float(k)])

    def found(recording, metric):
        frame = recording.select(metric).to_pandas()
        return {entity: sorted(set(part["value"])) for entity, part in frame.groupby("entity")}

    def check(recording):
        assert found(recording, "gpu.power") == {"gpu:0": [0.0, 2.0], "gpu:1": [1.0]}
        both = {"pid:7/gpu:0": [0.0, 2.0], "pid:7/gpu:1": [1.0]}
        assert found(recording, "process.gpu.memory") == both
        labelled = recording.select("gpu.power", labels={"uuid": "GPU-b"}).series
        assert list(labelled["entity"]) == ["gpu:1"]

    check(Recording.open(place))
    for bench in benches:
        bench.writer.close()
    check(finish(place))
    assert not place.exists()
    check(Recording.open(place))
