import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from esrgan_torch import Tiling, Upscaler
from esrgan_torch.engines.choose import make_engine, resolve_dtype
from esrgan_torch.engines.foreign import ForeignEngine
from esrgan_torch.errors import ConfigError, UpscaleError
from esrgan_torch.networks.foreign import ForeignNetwork

CPU = torch.device("cpu")


class Other(nn.Module):
    """A network whose pixels see two around, and which takes sizes that `multiple` divides alone."""

    def __init__(self, scale: int, multiple: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3 * scale**2, 3, padding=1)
        )
        self.scale, self.multiple = scale, multiple

    def forward(self, batch):
        assert batch.shape[-1] % self.multiple == 0
        assert batch.shape[-2] % self.multiple == 0
        return F.pixel_shuffle(self.layers(batch), self.scale)


def wrapped(network: Other, **more) -> ForeignNetwork:
    model = ForeignNetwork(
        network,
        network,
        architecture="Other",
        runner="a test",
        scale=network.scale,
        in_channels=3,
        out_channels=3,
        multiple=network.multiple,
        **more,
    )
    return model.eval().requires_grad_(False)


@pytest.fixture
def picture(rng):
    return torch.randint(0, 256, (37, 29, 3), generator=rng, dtype=torch.uint8).numpy()


@pytest.mark.parametrize(("scale", "multiple"), [(1, 1), (2, 1), (4, 1), (3, 8), (2, 16)])
def test_the_picture_is_the_networks_own(rng, picture, scale, multiple):
    torch.manual_seed(1)
    network = Other(scale, multiple)
    upscaler = Upscaler(wrapped(network), "cpu")
    assert isinstance(upscaler._engine, ForeignEngine)
    result = upscaler(picture)
    batch = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    height, width = picture.shape[:2]
    padded = F.pad(batch, (0, -width % multiple, 0, -height % multiple), mode="reflect")
    with torch.inference_mode():
        expected = network(padded)[0, :, : height * scale, : width * scale]
    expected = expected.clamp(0, 1).mul(255).round().permute(1, 2, 0).to(torch.uint8).numpy()
    assert result.shape == (height * scale, width * scale, 3)
    assert np.abs(result.astype(int) - expected).max() <= 1  # sums in another order


@pytest.mark.parametrize("multiple", [1, 8])
def test_tiles_are_said_not_to_be_exact(picture, multiple):
    torch.manual_seed(1)
    model = wrapped(Other(2, multiple))
    whole = Upscaler(model, "cpu").upscale(_picture(picture))
    tiled = Upscaler(model, "cpu", tiling=Tiling("overlap", 16, 8)).upscale(_picture(picture))
    assert whole.exact
    assert not tiled.exact
    # these pixels see two around, so tiles with more around are the same all the same
    assert np.abs(whole.picture.pixels.astype(int) - tiled.picture.pixels).max() <= 1


def _picture(pixels):
    from esrgan_torch import Picture

    return Picture(pixels)


def test_tiles_are_as_large_as_memory_allows(monkeypatch):
    model = wrapped(Other(2))
    upscaler = Upscaler(model, "cpu")
    assert len(upscaler.plan(2000, 2000).windows) == 1
    needed = upscaler._engine.trunk_bytes(2000, 2000)
    monkeypatch.setattr(
        "esrgan_torch.upscaler.recent_free_memory", lambda device: needed // 2 + 6 * 2000**2 * 4
    )
    plan = upscaler.plan(2000, 2000)
    assert len(plan.windows) > 1
    assert not plan.exact
    assert plan.overlap == model.overlap
    window = plan.windows[0].window
    assert upscaler._engine.trunk_bytes(window.height, window.width) > needed / 8


def test_memory_is_measured(picture):
    """The network's largest moment: eight channels, twice, beside the result."""
    engine = make_engine(wrapped(Other(2)), CPU, torch.float32)
    small, large = engine.trunk_bytes(256, 256), engine.trunk_bytes(512, 512)
    pixels = 512**2 - 256**2
    assert 8 * 4 < (large - small) / pixels < 1.5 * 8 * 4 * 4


def test_precision(picture):
    model = wrapped(Other(2))
    assert resolve_dtype("auto", model, CPU) == torch.float32
    with pytest.raises(ConfigError, match="Other runs in float32, not in bfloat16"):
        Upscaler(model, "cpu", "bfloat16")
    half = wrapped(Other(2), dtypes=(torch.float32, torch.bfloat16))
    assert Upscaler(half, "cpu", "bfloat16")(picture).shape == (74, 58, 3)


class Failing(Other):
    def forward(self, batch):
        raise ValueError("shapes do not fit\nand more")


def test_a_class_that_fails(picture):
    with pytest.raises(UpscaleError, match=r"^Other fails in a test at \d+x\d+ pixels: shapes do not fit$"):
        Upscaler(wrapped(Failing(2)), "cpu")(picture)


def test_the_given_network_is_not_changed(picture):
    network = Other(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    half = wrapped(network, dtypes=(torch.float32, torch.bfloat16))
    Upscaler(half, "cpu", "bfloat16")(picture)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_notice():
    assert wrapped(Other(2)).notice == (
        "Other, run by a test; licence of the weights: not stated; "
        "exact only where the picture fits into memory whole"
    )
    assert wrapped(Other(2), tiles=False).notice.endswith("; its makers advise against tiles")
