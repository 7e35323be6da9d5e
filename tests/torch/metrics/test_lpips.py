"""LPIPS through torchmetrics. Its own weights come with it; AlexNet's cannot be had here and are random."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import Picture, write_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.metrics.lpips import Lpips
from esrgan_torch.metrics.protocol import bicubic, evaluate
from esrgan_torch.metrics.torchvision_import import import_torchvision

import_torchvision()
ORIGINAL = np.random.default_rng(0).integers(0, 256, (10, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
LAYERS = (1, 4, 7, 9, 11)  # the activations that LPIPS compares
SHIFT = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
SCALE = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)


@pytest.fixture
def alexnet(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """What torchvision's download gives: an AlexNet with other weights than the published ones."""
    from torchvision import models

    torch.manual_seed(0)
    network = models.alexnet(weights=None)
    state = network.state_dict()
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url", lambda *_, **__: dict(state), raising=True
    )
    return network.eval()


def by_the_paper(network: nn.Module, image: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """Equation 1: differences of normalised activations, weighted, averaged over pixels, summed."""
    from torchmetrics.functional.image import lpips

    folder = Path(lpips.__file__).parent / "lpips_models"
    weights = torch.load(folder / "alex.pth", map_location="cpu", weights_only=True)
    values = [
        (torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1 - SHIFT) / SCALE
        for pixels in (image, original)
    ]
    total = 0.0
    with torch.no_grad():
        for place, layer in enumerate(network.get_submodule("features").children()):
            values = [layer(value) for value in values]
            if place in LAYERS:
                one, two = (value / (value.square().sum(1, keepdim=True).sqrt() + 1e-10) for value in values)
                weight = weights[f"lin{LAYERS.index(place)}.model.1.weight"]
                total += ((one - two).square() * weight).sum(1).mean().item()
    return total


def test_the_distance_is_that_of_the_paper(alexnet: nn.Module) -> None:
    distance = Lpips()
    image = bicubic(4)(Picture(imresize(ORIGINAL, 20, 24))).pixels.astype(np.uint8)
    assert distance(ORIGINAL, ORIGINAL) == 0
    expected = by_the_paper(alexnet, image, ORIGINAL)
    assert expected > 1e-4
    assert distance(image, ORIGINAL) == pytest.approx(expected, rel=1e-3)
    assert distance(image, ORIGINAL) == distance(image, ORIGINAL)  # one pair does not move the next


def test_evaluate_shows_it(alexnet: nn.Module, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", ORIGINAL)
    result = evaluate(bicubic(4), tmp_path, distance=Lpips())
    assert result.mean.lpips is not None
    assert result.mean.lpips > 0
    assert "LPIPS 0.1 with AlexNet, RGB, without the border" in result.protocol
    lines = str(result).splitlines()
    assert lines[1].split()[-1] == "LPIPS"
    assert lines[2].split()[-1] == f"{result.mean.lpips:.4f}"
    assert len({len(line) for line in lines[1:4]}) == 1


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics.image.lpip", None)
    with pytest.raises(ConfigError, match=r'pip install "esrgan-torch\[lpips\]"'):
        Lpips()


def test_without_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fails)
    with pytest.raises(ConfigError, match=r"AlexNet's weights could not be downloaded \(no route to host\)"):
        Lpips()
