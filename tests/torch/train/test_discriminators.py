"""Discriminators: parameter counts of the published ones, shapes, and what they refuse."""

import pytest
import torch
from torch import nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.discriminators import UNetDiscriminator, VGGDiscriminator


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("size", "expected"), [(128, 14_499_401), (256, 21_055_049)])
def test_vgg_parameter_counts_are_the_published_ones(size: int, expected: int) -> None:
    with torch.device("meta"):
        assert parameters(VGGDiscriminator(size)) == expected


def test_vgg_has_the_names_of_published_files() -> None:
    names = VGGDiscriminator(128, features=2).state_dict()
    assert {"conv0_0.bias", "conv0_1.weight", "bn0_1.weight", "conv4_1.weight", "bn4_0.bias"} <= set(names)
    assert not {"conv0_1.bias", "bn0_0.weight", "conv5_0.weight", "conv1_0.bias"} & set(names)


def test_vgg_judges_pictures_of_its_size_alone() -> None:
    model = VGGDiscriminator(128, features=2)
    assert model(torch.rand(2, 3, 128, 128)).shape == (2, 1)
    with pytest.raises(ConfigError, match="128"):
        model(torch.rand(2, 3, 64, 128))
    with pytest.raises(ConfigError, match="100"):
        VGGDiscriminator(100)


def test_unet_gives_a_logit_a_pixel_at_any_size() -> None:
    model = UNetDiscriminator(features=4)
    for size in ((32, 32), (17, 41)):
        assert model(torch.rand(1, 3, *size)).shape == (1, 1, *size)


def test_unet_parameter_count_is_that_of_real_esrgan() -> None:
    # the 9 convolutions: 64*3*9+64, then 128*64*16, 256*128*16, 512*256*16, 256*512*9, 128*256*9, 64*128*9,
    # 64*64*9 twice without bias, and 64*9+1
    assert parameters(UNetDiscriminator()) == 4_376_897


def test_unet_is_spectrally_normalised() -> None:
    torch.manual_seed(0)
    model = UNetDiscriminator(features=4).train()
    for _ in range(300):  # power iterations
        model(torch.rand(1, 3, 16, 16))
    model.eval()
    model(torch.rand(1, 3, 16, 16))
    largest = torch.linalg.matrix_norm(model.conv3.weight.flatten(1), ord=2).item()
    assert largest == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("model", "count"), [(VGGDiscriminator(128, features=2), 10), (UNetDiscriminator(features=4), 7)]
)
def test_what_is_judged_on_the_way(model: VGGDiscriminator | UNetDiscriminator, count: int) -> None:
    model.eval()
    batch = torch.rand(2, 3, 128, 128)
    with torch.no_grad():
        logits, maps = model.judged(batch)
        assert torch.equal(logits, model(batch))
    assert len(maps) == count
    assert all(each.shape[0] == 2 for each in maps)
    assert maps[0].shape[2:] == (128, 128)
    sides = {each.shape[2] for each in maps}
    assert min(sides) == (4 if isinstance(model, VGGDiscriminator) else 16)
