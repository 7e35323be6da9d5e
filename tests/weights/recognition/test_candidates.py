"""Where a network is found: each file holds the same one, `good`, in the place that is expected."""

import pytest
import torch
from safetensors.torch import save_file

from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights import read_checkpoint
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.recognition.candidates import find
from esrgan_weights.recognition.entries import entries_of


@pytest.fixture
def good(small_rrdb):
    return dict(small_rrdb.state_dict())


@pytest.fixture
def other(make_network):
    return dict(make_network(RRDBNetConfig(features=8, blocks=2, growth=4)).state_dict())


def under(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


def found(content, good):
    """Where `good` was found in the content."""
    candidate, _ = find(content)
    assert {candidate.names[name] for name in candidate.tensors} == set(good)
    assert all(torch.equal(tensor, good[name]) for name, tensor in candidate.tensors.items())
    return candidate.where


@pytest.mark.parametrize(
    "keys",
    [
        "",
        "params",
        "params-ema",
        "state_dict",
        "model_state_dict",
        "model state_dict",
        "net_g",
        "G",
        "a key of nobody",
        "checkpoint model net params",
    ],
)
@pytest.mark.parametrize(
    "prefix", ["", "module.", "_orig_mod.", "netG.module.", "generator.", "model.", "x.y.z."]
)
def test_any_keys_and_any_prefix(good, keys, prefix):
    content = under(prefix, good)
    for key in reversed(keys.split(" ") if keys else []):
        content = {"epoch": 3, key: content}
    assert found(content, good) == f"{keys} {prefix}".strip()


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("params_ema", "params"),
        ("params-ema", "params"),
        ("ema_state_dict", "state_dict"),
        ("model_ema", "model"),
        ("g_ema", "g"),
        ("netG_ema", "netG"),
        ("ema", "generator"),
        ("shadow", "model"),
        ("averaged_model", "model"),
        ("G", "teacher"),
        ("generator", "net"),
        ("net_g", "net_g_old"),
        ("net", "pretrained"),
    ],
)
def test_the_better_of_two(good, other, better, worse):
    for content in ({better: good, worse: other}, {worse: other, better: good}):
        assert found(content, good) == better
    prefixed = {better: under("net_g_ema.", good), worse: under("net_g_ema.", other)}
    assert found(dict(reversed(prefixed.items())), good) == f"{better} net_g_ema."
    # the same names with dots, as safetensors has them
    assert found(under(f"{worse}.", other) | under(f"{better}.", good), good) == f"{better}."


def test_words_that_only_look_alike(good, other):
    assert found({"first": good, "schedule": other}, good) == "first"
    assert found({"first": good, "general": other, "old_school": other}, other) == "general"


def test_a_list_and_nested_names(good):
    assert found([good, {"lr": 1.0}], good) == "0"
    assert found((1, good), good) == "1"
    tree = {}
    for name, tensor in good.items():
        *steps, last = name.split(".")
        branch = tree
        for step in steps:
            branch = branch.setdefault(step, {})
        branch[last] = tensor
    assert found({"params": tree}, good) == "params"


def test_an_empty_or_incomplete_average_is_passed_over(good):
    part = dict(list(good.items())[:-1])
    for average in ({}, part, {"decay": 0.999}):
        assert found({"params": good, "params_ema": average}, good) == "params"


def test_what_is_no_parameter(good):
    counters = {
        "n_averaged": torch.tensor(7),
        "num_updates": torch.zeros(1, dtype=torch.int),
        "decay": torch.tensor(0.999),
    }
    assert found({**counters, **under("module.", good)}, good) == "module."
    assert found({**good, **counters, "_extra_state": {"a": 1}, "note": "x", "none": None}, good) == ""


def test_a_scale_is_a_parameter(good):
    good["conv_first.weight_scale"] = torch.tensor(2.0)
    with pytest.raises(CheckpointError, match=r"1 unexpected: conv_first\.weight_scale"):
        find(good)


def test_a_generator_among_others(good):
    discriminator = {"conv0.weight": torch.zeros(8, 3, 3, 3), "conv9.weight": torch.zeros(1)}
    assert found({"G": good, "D": discriminator, "epoch": 3}, good) == "G"
    assert found({**good, **under("netD.", discriminator)}, good) == ""
    content = (
        under("generator_ema.", good) | under("generator.", good) | under("discriminator.", discriminator)
    )
    assert found({"state_dict": content, "meta": {"iter": 1}}, good) == "state_dict generator_ema."
    recogniser = {"features.0.weight": torch.zeros(8, 3, 3, 3), "classifier.6.weight": torch.zeros(1)}
    assert found({**under("netG.", good), **recogniser}, good) == "netG."
    moments = {0: {"exp_avg": torch.zeros(8, 3, 3, 3), "step": torch.tensor(1.0)}}
    assert (
        found({"model": good, "optimizer": {"state": moments, "param_groups": [{"lr": 1}]}}, good) == "model"
    )


def test_the_others_are_named(good, other, tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"params": other, "params_ema": good, "teacher": other}, path)
    checkpoint = read_checkpoint(path)
    assert checkpoint.wrapper == "params_ema"
    assert checkpoint.others == ("params", "teacher")
    assert "under params_ema was read; there are others under params, teacher" in checkpoint.notes[0]


def test_one_file_for_each_container(good, tmp_path):
    content = under("params_ema.", good)
    torch.save({"params_ema": good}, tmp_path / "a.pth")
    torch.save(content, tmp_path / "a.ckpt")
    save_file(content, tmp_path / "a.safetensors")
    read = [read_checkpoint(path) for path in tmp_path.iterdir()]
    assert {checkpoint.wrapper for checkpoint in read} == {"params_ema", "params_ema."}
    for checkpoint in read:
        assert all(torch.equal(checkpoint.tensors[name], tensor) for name, tensor in good.items())


@pytest.mark.parametrize(
    ("extra", "name"),
    [("am_list.0.fc.0.weight", "MM-RealSR"), ("stylegan_decoder.style_mlp.1.weight", "GFPGAN")],
)
def test_a_part_of_another_network_is_not_taken_for_the_network(good, extra, name):
    part = good if name == "MM-RealSR" else under("upsampler.", good)
    with pytest.raises(UnknownArchitectureError, match=name):
        find({"params": {**part, extra: torch.zeros(4)}})


def test_missing_tensors_of_a_generator_beside_a_discriminator(good):
    del good["conv_last.bias"]
    content = {"G": good, "D": {"conv0_0.weight": torch.zeros(1), "linear1.weight": torch.zeros(1)}}
    with pytest.raises(
        CheckpointError, match=r"ESRGAN \(RRDBNet, basicsr names\).* 1 missing: conv_last\.bias"
    ):
        find(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"epoch": 1, "lr": 2}, r"no tensors \(but: epoch, lr\)"),
        ({"params": {}}, r"no tensors \(but: params\)"),
        ({}, r"no tensors \(but: nothing\)"),
        (7, "it holds a int, not named tensors"),
    ],
)
def test_no_tensors(content, message):
    with pytest.raises(CheckpointError, match=message):
        find(content)


def test_what_is_there_is_named():
    with pytest.raises(UnknownArchitectureError, match=r"its tensors are x\.a, x\.b$"):
        find({"x": {"a": torch.zeros(1), "b": torch.zeros(1)}})


def test_a_list_that_holds_itself_ends():
    content = [torch.zeros(1)]
    content.append(content)
    assert 1 < len(entries_of(content)) < 20


def test_a_list_in_a_billion_places_is_refused():
    content = [0]
    for _ in range(9):
        content = [content] * 10
    with pytest.raises(CheckpointError, match="more than 500,000 entries"):
        entries_of(content)


@pytest.mark.parametrize(
    "keys", ["exp_avg", "exp_avg_sq", "optimizer state exp_avg", "momentum_buffer", "gradients", "grads"]
)
def test_what_training_keeps_of_each_parameter_is_no_network(good, keys):
    content = {name: torch.zeros_like(tensor) for name, tensor in good.items()}
    for key in reversed(keys.split(" ")):
        content = {key: content}
    assert found({**content, "model": good}, good) == "model"
    assert found({**content, **good}, good) == ""


def test_empty_tensors_are_no_parameters(good):
    assert found({**good, "device_indicator": torch.zeros(0)}, good) == ""
