"""Which GPUs are meant: words of a user, and what CUDA, containers and schedulers leave behind."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_widgets.errors import ArgumentError, NoDeviceError
from pulse_widgets.readers.select import Gpu, Mig, choose, numbers, words_of

UUIDS = (
    "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
    "GPU-bb1afc50-0000-4000-8000-477131afaf01",
    "GPU-bb1c0000-0000-4000-8000-0000000000c1",
    "GPU-0452e92f-1111-4000-8000-000000000003",
)
MIG_A = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd"
MIG_B = "MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d"
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "SLURM_STEP_GPUS",
    "SLURM_JOB_GPUS",
)
HERE = [
    Gpu(0, UUIDS[0], "00000000:07:00.0", 0),
    Gpu(1, UUIDS[1], "00000000:0B:00.0", 1),
    Gpu(2, UUIDS[2], "00000000:48:00.0", 2),
    Gpu(3, UUIDS[3], "00000001:07:00.0", 3, (Mig(MIG_A, 1, 0), Mig(MIG_B, 2, 0))),
]
# What a job sees of a node of eight: its own two, counted from 0, under the node's minors.
JOB = [Gpu(0, UUIDS[1], minor=5), Gpu(1, UUIDS[2], minor=6)]


@pytest.mark.parametrize(
    ("wish", "indices"),
    [
        ("all", (0, 1, 2, 3)),
        ("none", ()),
        (2, (2,)),
        ("2", (2,)),
        ("0,2-3", (0, 2, 3)),
        ("3-2", (2, 3)),
        ([0, "gpu:3"], (0, 3)),
        ((1,), (1,)),
        ("gpu1", (1,)),
        ("gpu-1", (1,)),
        (UUIDS[1], (1,)),
        (UUIDS[1].lower(), (1,)),
        ("GPU-bb1a", (1,)),
        ("GPU-0", (3,)),
        ("8932f937", (0,)),
        ("00000000:48:00.0", (2,)),
        ("0000:48:00.0", (2,)),
        ("48:00.0", (2,)),
        ("0001:07:00.0", (3,)),
        ("07:00.0", (0,)),
        (["GPU-8932", "48:00.0"], (0, 2)),
    ],
)
def test_a_user_names_gpus_by_index_uuid_or_bus_id(wish, indices):
    assert choose(wish, HERE, {"CUDA_VISIBLE_DEVICES": "1"}).gpus == indices


def test_a_mig_instance_is_named_by_uuid_or_by_its_place(tmp_path):
    for word in (MIG_B, "MIG-a28a", "gpu:3/mig:2", f"MIG-{UUIDS[3]}/2/0"):
        found = choose(word, HERE, {})
        assert (found.gpus, found.migs) == ((3,), {3: frozenset({MIG_B})}), word
    assert choose([MIG_A, 3], HERE, {}).migs == {}, "the whole GPU includes the instance"


@pytest.mark.parametrize("wish", ["", "0,,1", "-1", [True], [1.5], None, {}, "x", "nonsense"])
def test_what_is_no_choice_is_refused_with_the_forms(wish):
    with pytest.raises(ArgumentError) as caught:
        words_of(wish)
    assert "UUID" in caught.value.remedy


DIGITS = st.integers(1, 6000).map(lambda n: "7" * n)
LONG = st.lists(
    DIGITS
    | st.sampled_from(["0", "1", "-", ",", ":", "/", "gpu", "mig", "GPU-", "MIG-", "[", "]"]),
    min_size=1,
    max_size=6,
).map("".join)


@given(LONG)
def test_numbers_of_thousands_of_digits_are_no_gpus_and_break_nothing(text):
    with contextlib.suppress(ArgumentError, NoDeviceError):
        assert set(choose(text, HERE, {}).gpus) <= {0, 1, 2, 3}
    for variable in VARIABLES:
        said = choose("mine", HERE, {variable: text}).ignored
        assert all(len(why) < 400 for why in said.values())


HUGE = {
    "digits": "7" * 5000,
    "thirteen": ["7" * 13],
    "range": f"0-{'7' * 5000}",
    "ranges": f"0,{'7' * 5000}-3",
    "number": 10**5000,
    "negative": [0, -(10**5000)],
    "instance": f"gpu:{'7' * 5000}/mig:0",
    "old": f"MIG-GPU-1/{'7' * 5000}/0",
}


@pytest.mark.parametrize("name", HUGE)
def test_a_number_that_no_gpu_can_have_is_no_choice(name):
    with pytest.raises(ArgumentError) as caught:
        words_of(HUGE[name])
    assert len(caught.value.problem) < 300 and "UUID" in caught.value.remedy


@pytest.mark.parametrize("value", ["7" * 5000, f"0-{'7' * 5000}", f"node[0-{'7' * 5000}]"])
def test_a_scheduler_that_names_no_possible_gpu_is_said_to_be_ignored(value):
    for variable in VARIABLES[1:]:
        found = choose("mine", HERE, {variable: value})
        assert found.gpus == (0, 1, 2, 3)
        assert "names no GPU" in found.ignored[variable]


def test_a_word_that_fits_several_or_none_is_refused_with_what_is_there():
    with pytest.raises(ArgumentError, match="1, 2") as several:
        choose("GPU-bb1", HERE, {})
    assert "more" in several.value.remedy
    for word in ("9", "GPU-ffff", "99:00.0"):
        with pytest.raises(NoDeviceError, match=word) as none:
            choose(word, HERE, {})
        assert UUIDS[2] in none.value.remedy


@pytest.mark.parametrize(
    ("environ", "indices", "reason"),
    [
        ({}, (0, 1, 2, 3), "all"),
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, (0, 2), "CUDA_VISIBLE_DEVICES"),
        (
            {"CUDA_VISIBLE_DEVICES": "1", "NVIDIA_VISIBLE_DEVICES": "0"},
            (1,),
            "CUDA_VISIBLE_DEVICES",
        ),
        ({"CUDA_VISIBLE_DEVICES": ""}, (), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, (), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, (), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,2"}, (1,), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "0,9,2"}, (0,), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": UUIDS[1]}, (1,), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": UUIDS[2]}, (2,), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bb1c,GPU-893"}, (0, 2), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": MIG_A}, (3,), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "9", "SLURM_JOB_GPUS": "1"}, (), "CUDA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, (0, 1, 2, 3), "NVIDIA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": "1,3"}, (1, 3), "NVIDIA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": f"{UUIDS[0]},{UUIDS[3]}"}, (0, 3), "NVIDIA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": "3:1"}, (3,), "NVIDIA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": "void", "SLURM_JOB_GPUS": "2"}, (2,), "SLURM_JOB_GPUS"),
        ({"SLURM_STEP_GPUS": "0-1", "SLURM_JOB_GPUS": "0-3"}, (0, 1), "SLURM_STEP_GPUS"),
        ({"SLURM_JOB_GPUS": "7"}, (0, 1, 2, 3), "all"),
    ],
)
def test_mine_follows_cuda_then_the_container_then_the_scheduler(environ, indices, reason):
    found = choose("mine", HERE, environ)
    assert (found.gpus, found.reason) == (indices, reason)


def test_a_note_has_the_value_and_not_the_name_of_the_variable_that_it_stands_under():
    for variable, value in (("CUDA_VISIBLE_DEVICES", "1,foo"), ("SLURM_JOB_GPUS", "9")):
        (note,) = choose("mine", HERE, {variable: value}).ignored.values()
        assert note.startswith(f"'{value}'") and variable not in note


def test_a_variable_that_names_nothing_here_is_said_to_be_ignored():
    environ = {"NVIDIA_VISIBLE_DEVICES": "GPU-ffffffff", "SLURM_JOB_GPUS": "9"}
    found = choose("mine", HERE, environ)
    assert found.gpus == (0, 1, 2, 3)
    assert "GPU-ffffffff" in found.ignored["NVIDIA_VISIBLE_DEVICES"]
    assert set(found.ignored) == set(environ)


@pytest.mark.parametrize(
    ("value", "indices", "note"),
    [
        # The first entry is no GPU: CUDA has none.
        ("none", (), ""),
        ("void", (), ""),
        ("all", (), ""),
        ("foo", (), ""),
        ("9", (), ""),
        ("9,0,1", (), ""),
        (",0", (), ""),
        (" ", (), ""),
        ("-1,0", (), ""),
        ("-0", (), ""),
        ("99999999999999999999", (), ""),
        ("GPU-doesnotexist", (), ""),
        ("GPU-bb1", (), ""),
        ("8932f937", (), ""),
        ("MIG-ffff", (), ""),
        # The same GPU twice: none either.
        ("0,0", (), "named before"),
        ("0,1,00", (), "named before"),
        (f"{UUIDS[0]},GPU-893", (), "named before"),
        # Up to the first that is no GPU.
        ("1,9,2", (1,), "'9' is no GPU"),
        ("1,foo,2", (1,), "'foo' is no GPU"),
        ("1,", (1,), ""),
        ("1,GPU-8932", (1,), "'GPU-8932' is no GPU"),
        ("GPU-8932,1", (0,), "'1' is no GPU"),
        ("2,-1,0", (2,), ""),
        # Digits that come first are the number.
        ("1gpu,2b", (1, 2), ""),
        ("+1, 03", (1, 3), ""),
        ("0000:0B:00.0", (0,), ""),
        ("3 ,1", (1, 3), ""),
    ],
)
def test_the_value_for_cuda_is_read_as_cuda_reads_it(value, indices, note):
    found = choose("mine", HERE, {"CUDA_VISIBLE_DEVICES": value, "SLURM_JOB_GPUS": "1"})
    assert (found.gpus, found.reason) == (indices, "CUDA_VISIBLE_DEVICES")
    said = found.ignored.get("CUDA_VISIBLE_DEVICES", "")
    assert note in said and bool(note) == bool(said)


LOST = "the GPU is lost"


def places(*minors):
    """Return GPUs with these minors; None is one that cannot be opened."""
    return [
        Gpu(i, "", refused=LOST) if minor is None else Gpu(i, f"GPU-0000000{i}", minor=minor)
        for i, minor in enumerate(minors)
    ]


@pytest.mark.parametrize(
    ("value", "minors", "indices"),
    [
        # Places and the node's numbers are never mixed.
        ("1,3", (2, 3), (1,)),
        ("0,5", (5, 6), (0,)),
        ("5,0", (5, 6), ()),
        ("2,3", (2, 3), (0, 1)),
        ("1,2", (1, 2), (0, 1)),
        ("6,-1,0", (5, 6), (1,)),
        ("6,x,5", (5, 6), (1,)),
        ("5,5", (5, 6), ()),
        # What cannot be opened keeps its place.
        ("0,1,2,3", (None, 1, 2, 3), (0, 1, 2, 3)),
        ("1", (None, 1), (1,)),
        ("0,1", (None, 0), (0, 1)),
        ("2,3", (2, None), (0, 1)),
        ("3,2", (2, None), (0, 1)),
        ("7,8", (2, None), ()),
        ("GPU-00000001,GPU-ffff", (None, 1), (0, 1)),
        ("GPU-ffff,GPU-00000001", (None, 1), (0, 1)),
        ("GPU-ffff,GPU-eeee,GPU-00000001", (None, 1), (0,)),
        ("MIG-ffff", (None, 1), (0,)),
    ],
)
def test_a_list_for_cuda_is_read_as_places_or_as_the_nodes_numbers(value, minors, indices):
    assert choose("mine", places(*minors), {"CUDA_VISIBLE_DEVICES": value}).gpus == indices


@given(
    st.lists(st.sampled_from("0123"), min_size=1, max_size=4, unique=True),
    st.sets(st.integers(0, 3), max_size=3),
    st.booleans(),
)
def test_a_gpu_that_cannot_be_opened_changes_nothing_of_the_others(words, lost, known):
    here = places(0, 1, 2, 3)
    some = [
        (Gpu(gpu.index, gpu.uuid if known else "", refused=LOST) if gpu.index in lost else gpu)
        for gpu in here
    ]
    wanted = tuple(sorted(map(int, words)))
    for variable in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        assert choose("mine", some, {variable: ",".join(words)}).gpus == wanted
    assert choose(words, some, {}).gpus == wanted


def test_a_gpu_of_unknown_model_makes_no_others_unlike():
    here = [Gpu(0, "", refused=LOST), Gpu(1, UUIDS[1], model="A"), Gpu(2, UUIDS[2], model="A")]
    assert not choose("mine", here, {"CUDA_VISIBLE_DEVICES": "0,1"}).ignored


def test_numbers_of_the_node_are_taken_with_a_note_that_cuda_may_see_it_otherwise():
    (note,) = choose("mine", JOB, {"CUDA_VISIBLE_DEVICES": "5,6"}).ignored.values()
    assert "node's numbers" in note and "counts the 2 GPUs" in note
    assert not choose("mine", JOB, {"CUDA_VISIBLE_DEVICES": "0,1"}).ignored


@pytest.mark.parametrize(
    ("value", "environ", "told"),
    [
        ("0", {}, True),
        ("2,1", {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, True),
        ("0", {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, False),
        ("2,0,1", {}, False),
        (UUIDS[0], {}, False),
    ],
)
def test_numbers_among_unlike_gpus_are_told_to_depend_on_cudas_order(value, environ, told):
    unlike = [
        Gpu(0, UUIDS[0], minor=0, model="NVIDIA GeForce GTX 1650 (7, 5)"),
        Gpu(1, UUIDS[1], minor=1, model="NVIDIA GeForce RTX 4090 (8, 9)"),
        Gpu(2, UUIDS[2], minor=2, model="NVIDIA GeForce RTX 4090 (8, 9)"),
    ]
    found = choose("mine", unlike, {"CUDA_VISIBLE_DEVICES": value, **environ})
    assert len(found.gpus) == len(value.split(","))
    note = found.ignored.get("CUDA_VISIBLE_DEVICES", "")
    assert ("CUDA_DEVICE_ORDER=PCI_BUS_ID" in note) is told


@pytest.mark.parametrize(
    "environ",
    [
        {"CUDA_VISIBLE_DEVICES": "0,1"},
        {"CUDA_VISIBLE_DEVICES": "5,6"},
        {"SLURM_JOB_GPUS": "5,6"},
        {"SLURM_JOB_GPUS": "1,2"},
        {"NVIDIA_VISIBLE_DEVICES": "5,6"},
    ],
)
def test_a_job_that_reaches_two_gpus_of_a_node_gets_both_whatever_they_are_called(environ):
    assert choose("mine", JOB, environ).gpus == (0, 1)


def test_numbers_of_the_node_are_not_numbers_of_the_job():
    assert choose("mine", JOB, {"SLURM_STEP_GPUS": "6"}).gpus == (1,)
    assert choose("mine", JOB, {"CUDA_VISIBLE_DEVICES": "1"}).gpus == (1,)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0,1,2", {0, 1, 2}),
        ("0-3", {0, 1, 2, 3}),
        ("3-1", {1, 2, 3}),
        ("0,2-4,7", {0, 2, 3, 4, 7}),
        ("node[0-2]", {0, 1, 2}),
        ("gpu2", {2}),
        ("GPU 2", {2}),
        ("gpu-7", {7}),
        ("0000:17:00.0/gpu3", {3}),
        ("all", set()),
        ("none", set()),
        ("", set()),
        ("-1", set()),
        ("2-", set()),
        ("0x1", set()),
        ("nvidia0", set()),
        ("GPU-bb1afc50-0000-4000-8000-477131afaf01", set()),
        ("GPU-8932f937-d72c-4106-c12f-20bd9fafc50", set()),
        ("MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/0", set()),
    ],
)
def test_a_schedulers_list_gives_numbers_and_a_uuid_gives_none(text, found):
    assert numbers(text) == found


@given(st.sets(st.integers(0, 63), min_size=1), st.randoms())
def test_a_list_of_indices_gives_exactly_those_in_any_order(wanted, random):
    here = [Gpu(i, f"GPU-{i:08x}-0000-4000-8000-00000000{i:04x}", minor=i) for i in range(64)]
    words = sorted(wanted)
    random.shuffle(words)
    assert choose(words, here, {}).gpus == tuple(sorted(wanted))
    text = ",".join(map(str, words))
    assert choose("mine", here, {"CUDA_VISIBLE_DEVICES": text}).gpus == tuple(sorted(wanted))
    uuids = ",".join(here[i].uuid for i in words)
    assert choose("mine", here, {"SLURM_JOB_GPUS": uuids}).gpus == tuple(sorted(wanted))


WORDS = st.sampled_from(
    ["0", "1", "5", "9", "-1", "", " 2", "all", "none", "GPU-", "GPU-bb1", "MIG-", MIG_A, *UUIDS]
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "CUDA_VISIBLE_DEVICES",
                "CUDA_DEVICE_ORDER",
                "NVIDIA_VISIBLE_DEVICES",
                "SLURM_STEP_GPUS",
                "SLURM_JOB_GPUS",
            ]
        ),
        st.text(max_size=40) | st.lists(WORDS, max_size=5).map(",".join),
    ),
    st.sampled_from([HERE, JOB, places(None, 1), places(5, None), []]),
)
def test_no_environment_is_too_strange_and_what_is_chosen_is_here(environ, here):
    found = choose("mine", here, environ)
    assert set(found.gpus) <= {gpu.index for gpu in here}
    assert list(found.gpus) == sorted(set(found.gpus))
    migs = {gpu.index: {mig.uuid for mig in gpu.migs} for gpu in here}
    assert all(chosen <= migs[index] for index, chosen in found.migs.items())
    assert all(len(why) < 400 for why in found.ignored.values())
    if not found.gpus and here:
        assert found.reason == "CUDA_VISIBLE_DEVICES"
