"""VGG19 with random weights: ImageNet's file is not needed to see that the stack is torchvision's."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from esrgan_torch.errors import ConfigError, WeightsError
from esrgan_torch.train.vgg import RANDOM, VGG19Features, layer_indices


def test_the_stack_is_that_of_torchvision() -> None:
    indices = layer_indices()
    # BasicSR's names at torchvision's indices
    assert (indices["conv1_2"], indices["conv2_2"], indices["conv3_4"]) == (2, 7, 16)
    assert (indices["conv4_4"], indices["conv5_4"]) == (25, 34)
    network = VGG19Features(["conv5_4"], RANDOM)
    # torchvision's vgg19 has 143,667,240 parameters, 123,642,856 of them in its classifier
    assert sum(parameter.numel() for parameter in network.parameters()) == 20_024_384
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_features_are_taken_before_the_activation(rng: torch.Generator) -> None:
    network = VGG19Features(["conv1_2", "conv2_2"], RANDOM)
    batch = torch.rand(2, 3, 8, 8, generator=rng)
    found = network(batch)
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "conv1_2": (2, 64, 8, 8),
        "conv2_2": (2, 128, 4, 4),
    }
    # ImageNet's statistics, as torchvision's documentation gives them
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    state = network.features.state_dict()
    first = F.relu(F.conv2d((batch - mean) / deviation, state["0.weight"], state["0.bias"], padding=1))
    second = F.conv2d(first, state["2.weight"], state["2.bias"], padding=1)
    assert (second < 0).any()
    assert torch.allclose(found["conv1_2"], second, atol=1e-6)


@pytest.mark.parametrize("prefix", ["features.", ""])
def test_torchvisions_file_loads(prefix: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    source = VGG19Features(["conv5_4"], RANDOM)
    state = {f"{prefix}{name}": value.half() for name, value in source.features.state_dict().items()}
    if prefix:
        state["classifier.0.weight"] = torch.zeros(2, 2)
    torch.save(state, tmp_path / "vgg19.pth")
    loaded = VGG19Features(["conv5_4"], str(tmp_path / "vgg19.pth"))
    for name, value in loaded.features.state_dict().items():
        assert torch.equal(value, source.features.state_dict()[name].half().float())


def test_files_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no such file"):
        VGG19Features(["conv5_4"], str(tmp_path / "vgg19.pth"))
    (tmp_path / "vgg19.pth").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="cannot be read"):
        VGG19Features(["conv5_4"], str(tmp_path / "vgg19.pth"))
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "vgg19.pth")
    with pytest.raises(WeightsError, match="another network than VGG19"):
        VGG19Features(["conv5_4"], str(tmp_path / "vgg19.pth"))


def test_unknown_layers() -> None:
    with pytest.raises(ConfigError, match="given: conv6_1"):
        VGG19Features(["conv6_1"], RANDOM)
    with pytest.raises(ConfigError, match="given: none"):
        VGG19Features([], RANDOM)
