"""Networks by ncnn on Vulkan: their pictures are PyTorch's, in tiles too; a wrong device is found at once."""

import logging

import numpy as np
import pytest
import torch

from esrgan_torch import Tiling, Upscaler
from esrgan_torch.engines import places
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.ncnn import vulkan
from esrgan_torch.engines.ncnn.net import NO_MEMORY, Net
from esrgan_torch.errors import ConfigError, EngineError
from esrgan_torch.networks.base import Generator
from tests.torch.networks import small_compact, small_rrdb, small_span

NETWORKS = {
    "rrdb": small_rrdb(blocks=1),
    "rrdb, unshuffle": small_rrdb(blocks=1, scale=2, unshuffle=2),
    "compact": small_compact(scale=3),
    "span": small_span(scale=2),
}


def nothing(_: float) -> None:
    """No progress wanted."""


@pytest.mark.parametrize("model", NETWORKS.values(), ids=NETWORKS.keys())
def test_values_are_those_of_pytorch(device: str, model: Generator) -> None:
    """At sizes whose rows and planes are at no multiple of anything, and of a single pixel."""
    engine = make_engine(model, torch.device(device), torch.float32)
    assert engine.choice.key == "ncnn"
    told: list[float] = []
    with torch.inference_mode():
        for height, width in ((1, 1), (5, 7), (19, 3)):
            batch = torch.rand(1, 3, height * model.unshuffle, width * model.unshuffle)
            found = engine.tail(engine.trunk(batch, told.append))
            torch.testing.assert_close(found, model(batch), rtol=0, atol=2e-5)
    assert told[-1] == 1
    assert engine.trunk_bytes(64, 64) > 64 * 64 * 4


def test_tiles_are_exact(device: str) -> None:
    """Trunk whole and tail in tiles; then windows that reach as far as the network sees."""
    picture = np.random.default_rng(0).integers(0, 256, (41, 37, 3), np.uint8)
    model = NETWORKS["rrdb"]
    with Upscaler(model, device) as upscaler:
        whole = upscaler.upscale(picture)
        assert (whole.engine, whole.dtype, whole.exact) == ("ncnn", "float32", True)
        assert "vulkan:0" in whole.device
        assert "ncnn by Vulkan" in upscaler.describe()
        upscaler.tiling = Tiling("auto", 16)
        np.testing.assert_array_equal(upscaler(picture), whole.picture.pixels)
    expected = Upscaler(model, "cpu", "float32", engine="eager")(picture)
    difference = np.abs(whole.picture.pixels.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "vulkan:7"}, "no device vulkan:7: there is no Vulkan device 7, but vulkan:0"),
        ({"device": "vulkan:x"}, "'vulkan:x' is not a device"),
        ({"device": "vulkan", "engine": "native"}, "native does not compute on vulkan"),
        ({"device": "cpu", "engine": "ncnn"}, "on Vulkan devices, not on cpu: give device vulkan"),
        ({"device": "vulkan", "dtype": "bfloat16"}, "in float32, not in bfloat16"),
        ({"engine": "ncnn", "dtype": "float16"}, "in float32, not in float16"),
    ],
)
def test_what_cannot_be(device: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Upscaler(NETWORKS["compact"], **options)  # pyright: ignore[reportArgumentType]


def test_a_device_that_computes_wrongly(
    device: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Named, it is an error; by itself, the CPU computes. The fault: another number in one corner."""
    compute = Net.__call__

    def wrong(self: Net, values: np.ndarray) -> np.ndarray:
        found = compute(self, values)
        found[0, -1, -1] += 0.01
        return found

    monkeypatch.setattr(Net, "__call__", wrong)
    for options in ({"device": device}, {"engine": "ncnn"}):
        with pytest.raises(EngineError, match=r"vulkan:0\) gives another result .* update its driver"):
            Upscaler(NETWORKS["compact"], **options)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(vulkan, "best_gpu", lambda: 0)
    monkeypatch.setattr(places, "resolve_device", lambda given: torch.device("cpu"))
    with caplog.at_level(logging.WARNING):
        upscaler = Upscaler(NETWORKS["compact"])
    assert upscaler.device.type == "cpu"
    assert "update its driver, or give another device: the CPU computes instead" in caplog.text


def test_it_is_taken_by_itself_where_there_is_a_gpu(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "resolve_device", lambda given: torch.device("cpu"))
    assert Upscaler(NETWORKS["compact"], engine="eager").device.type == "cpu"
    if all(found.kind == "processor" for found in vulkan.vulkan_devices()):
        assert Upscaler(NETWORKS["compact"]).device.type == "cpu"  # lavapipe is no GPU
    monkeypatch.setattr(vulkan, "best_gpu", lambda: 0)
    upscaler = Upscaler(NETWORKS["compact"])
    assert upscaler.device == torch.device(device)
    assert "the only engine for this device" in upscaler.describe()
    monkeypatch.setattr(places, "resolve_device", lambda given: torch.device("cuda", 0))
    assert places.resolve_place("auto", "auto").type == "cuda"


def test_memory_that_runs_out_divides_the_picture(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on any other device: what ncnn reports is taken for that."""
    model = NETWORKS["span"]
    picture = np.random.default_rng(0).integers(0, 256, (40, 90, 3), np.uint8)
    upscaler = Upscaler(model, device)
    expected = upscaler(picture)
    compute = Net.__call__

    def small(self: Net, values: np.ndarray) -> np.ndarray:
        if values.shape[2] > 80:
            raise RuntimeError("ncnn: out of memory on the Vulkan device")
        return compute(self, values)

    monkeypatch.setattr(Net, "__call__", small)
    result = upscaler.upscale(picture)
    assert result.divided > 0
    np.testing.assert_array_equal(result.picture.pixels, expected)


@pytest.mark.parametrize(("status", "error"), [(NO_MEMORY, RuntimeError), (-1, EngineError)])
def test_what_ncnn_returns(device: str, status: int, error: type[Exception]) -> None:
    engine = make_engine(NETWORKS["compact"], torch.device(device), torch.float32)
    net = engine._run  # pyright: ignore

    class Extractor:
        def input(self, name: str, values: object) -> None:
            """Taken."""

        def extract(self, name: str) -> tuple[int, object]:
            return status, None

    class Broken:
        def create_extractor(self) -> Extractor:
            return Extractor()

    net._net = Broken()
    with pytest.raises(error, match="Vulkan device"):
        engine.trunk(torch.zeros(1, 3, 4, 4), nothing)
