"""Which Vulkan devices there are, what is said where there are none, and that the console stays clean."""

import subprocess
import sys

import pytest

from esrgan_torch.engines import places
from esrgan_torch.engines.ncnn import vulkan
from esrgan_torch.engines.ncnn.vulkan import VulkanDevice
from esrgan_torch.errors import ConfigError


def test_without_ncnn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vulkan, "is_installed", lambda: False)
    assert vulkan.vulkan_devices() == ()
    assert vulkan.best_gpu() is None
    for given, engine in (("vulkan", "auto"), ("auto", "ncnn")):
        with pytest.raises(
            ConfigError, match=r"ncnn is not installed: pip install .*\[ncnn\].*give device cpu"
        ):
            places.resolve_place(given, engine)


def test_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vulkan, "is_installed", lambda: True)
    monkeypatch.setattr(vulkan, "vulkan_devices", lambda: ())
    assert vulkan.best_gpu() is None
    assert "no Vulkan driver" in str(vulkan.missing(0))


def test_an_ncnn_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> object:
        raise ImportError("libgomp is missing")

    monkeypatch.setattr(vulkan, "is_installed", lambda: True)
    monkeypatch.setattr(vulkan, "import_ncnn", fail)
    assert vulkan.best_gpu() is None
    assert vulkan.missing(0) == "ncnn does not start: libgomp is missing"


@pytest.mark.parametrize(
    ("kinds", "default", "best"),
    [
        (["processor"], 0, None),
        (["discrete", "processor"], 0, 0),
        (["integrated", "discrete"], 1, 1),
        (["processor", "integrated"], 0, 1),
    ],
)
def test_the_best_gpu(
    monkeypatch: pytest.MonkeyPatch, kinds: list[str], default: int, best: int | None
) -> None:
    class Ncnn:
        def get_default_gpu_index(self) -> int:
            return default

    devices = tuple(VulkanDevice(number, "some", kind) for number, kind in enumerate(kinds))
    monkeypatch.setattr(vulkan, "vulkan_devices", lambda: devices)
    monkeypatch.setattr(vulkan, "import_ncnn", Ncnn)
    assert vulkan.best_gpu() == best


def test_the_console_stays_clean(device: str) -> None:
    """ncnn greets with four lines for each device; a network on it is still there when the process ends."""
    code = (
        "import torch\nfrom esrgan_torch import CompactNet, Upscaler\n"
        "kept = Upscaler(CompactNet(features=4, convolutions=1, scale=2), 'vulkan:0')\n"
        "from esrgan_torch.engines.ncnn.vulkan import vulkan_devices\nprint(vulkan_devices()[0].number)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
