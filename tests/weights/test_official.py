"""The official weights, through the packages that carry them: sizes, counts, and their pictures."""

import pytest
import torch
from torch.nn import functional as F

from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights import inspect, load, save
from esrgan_weights.sources.fetching import fetch

pytestmark = pytest.mark.official

EXPECTED = {
    "realesrgan-x4plus": (RRDBNetConfig(), 16_697_987),
    "realesrgan-x4plus-anime": (RRDBNetConfig(blocks=6), 4_467_779),
    "realesr-animevideov3": (CompactNetConfig(), 621_424),
    "realesr-general-x4v3": (CompactNetConfig(convolutions=32), 1_213_296),
    "realsr-df2k-x4": (RRDBNetConfig(), 16_697_987),
}


@pytest.fixture(params=EXPECTED)
def name(request) -> str:
    return request.param


def test_sizes(name):
    model = load(name, progress=False)
    config, parameters = EXPECTED[name]
    assert model.config == config
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
    assert model.provenance.name == name
    assert model.provenance.licence == ("Apache-2.0" if name == "realsr-df2k-x4" else "BSD-3-Clause")


def test_enlarged_picture_looks_like_its_input(name):
    """Reduced again, it is the picture that went in; wrong weights give noise, or a flat picture."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 32), torch.linspace(0, 1, 32), indexing="ij")
    disc = ((rows - 0.5) ** 2 + (columns - 0.5) ** 2 < 0.1).float()
    picture = torch.stack((rows, columns, disc))[None] * 0.5 + 0.25  # each channel its own
    with torch.inference_mode():
        large = load(name, progress=False)(picture)
    assert large.shape == (1, 3, 128, 128)
    inner = (..., slice(4, -4), slice(4, -4))
    again, before = F.avg_pool2d(large, 4)[inner], picture[inner]
    assert (again - before).abs().mean() < 0.05
    for channel in range(3):
        pair = torch.stack((again[0, channel].flatten(), before[0, channel].flatten()))
        assert torch.corrcoef(pair)[0, 1] > 0.95


def test_inspect_knows_it(name):
    inspection = inspect(fetch(name, progress=False))
    assert inspection.identity.kind == "official"
    assert inspection.identity.model.name == name


def test_half_ncnn_is_written_as_it_was_read(tmp_path):
    """The official numbers are float16, so our float16 ncnn file holds the very same bytes of weights."""
    name = "realesr-animevideov3"
    official = fetch(name, progress=False)
    if official.suffix != ".param":
        pytest.skip("the cache has the float32 file of this model")
    written = save(load(name), tmp_path / "a.param", "ncnn-float16")
    assert written.with_suffix(".bin").read_bytes() == official.with_suffix(".bin").read_bytes()
