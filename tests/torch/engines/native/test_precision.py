"""How near official weights stay to float64: docs/cpu.md has the numbers of every network."""

import pytest
import torch

from esrgan_torch import read_image
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.native.engine import NativeCompactEngine, NativeRRDBEngine, NativeSPANEngine
from esrgan_torch.networks.span import SPAN
from esrgan_torch.quantise import batch_psnr
from esrgan_weights import load
from tests.conftest import ROOT
from tests.torch.engines.native.levels import levels, needs_native

pytestmark = needs_native
CPU = torch.device("cpu")
MOST = 20  # times the distance of direct convolutions in float32
MOST_OF_SPAN = (
    8  # its official sizes, 40 untrained networks on noise: up to 4; through the points 1 and 2 up to 18
)
LEAST = 70  # dB of the 8-bit picture


@pytest.mark.parametrize(
    "name",
    [
        "esrgan-lite-x4",
        pytest.param("realesr-animevideov3", marks=pytest.mark.official),
        pytest.param("realesrgan-x4plus-anime", marks=pytest.mark.official),
    ],
)
def test_official_weights(name: str) -> None:
    pixels = read_image(ROOT / "examples" / "cat.jpg").pixels
    top, left = pixels.shape[0] // 2, pixels.shape[1] // 2
    batch = torch.from_numpy(pixels[top : top + 32, left : left + 32].copy()).permute(2, 0, 1)[None] / 255
    model = load(name)
    with torch.inference_mode():
        direct = model(batch)
        kind = type(make_engine(model, CPU, torch.float32, "native"))
        assert kind in (NativeCompactEngine, NativeRRDBEngine)
        engines = [kind(model, CPU, torch.float32, level) for level in levels()]
        results = [made.tail(made.trunk(batch, lambda share: None)) for made in engines]
        exact = model.double()(batch.double())
    for result in results:
        assert (result - exact).abs().max() <= MOST * (direct - exact).abs().max()
        assert batch_psnr(result.double(), exact) >= LEAST


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("seed", range(3))
def test_span(seed: int, level: str) -> None:
    """The picture that it normalises is large, so its first maps are."""
    torch.manual_seed(seed)
    model = SPAN().eval().requires_grad_(requires_grad=False)
    batch = torch.rand(1, 3, 20, 20)
    made = NativeSPANEngine(model, CPU, torch.float32, level)
    with torch.inference_mode():
        result, direct = made.tail(made.trunk(batch, lambda share: None)), model(batch)
        exact = model.double()(batch.double())
    assert (result - exact).abs().max() <= MOST_OF_SPAN * (direct - exact).abs().max()
