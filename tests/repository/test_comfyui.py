"""The node for ComfyUI, with stand-ins for ComfyUI's modules: its bar, its button and its device."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from esrgan_torch import Upscaler

FOLDER = Path(__file__).parents[2] / "examples" / "comfyui"


class Interrupted(Exception):
    """What ComfyUI raises when its button was pressed."""


class ComfyUI:
    """What the node sees of it."""

    def __init__(self) -> None:
        self.shown: list[int] = []
        self.total = 0
        self.pressed = False

    def get_torch_device(self) -> torch.device:
        return torch.device("cpu")

    def throw_exception_if_processing_interrupted(self) -> None:
        if self.pressed and self.shown:
            raise Interrupted

    def ProgressBar(self, total: int) -> "ComfyUI":
        self.total = total
        return self

    def update_absolute(self, value: int) -> None:
        self.shown.append(value)


@pytest.fixture
def comfy(monkeypatch: pytest.MonkeyPatch) -> ComfyUI:
    program = ComfyUI()
    package, management, utils = (
        ModuleType(name) for name in ("comfy", "comfy.model_management", "comfy.utils")
    )
    for name in ("get_torch_device", "throw_exception_if_processing_interrupted"):
        setattr(management, name, getattr(program, name))
    utils.ProgressBar = program.ProgressBar  # pyright: ignore
    package.model_management, package.utils = management, utils  # pyright: ignore
    for module in (package, management, utils):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return program


@pytest.fixture
def node(comfy: ComfyUI, monkeypatch: pytest.MonkeyPatch) -> type:
    """As ComfyUI imports a folder of `custom_nodes`: by its path, under a name of its own."""
    spec = importlib.util.spec_from_file_location(
        "custom_nodes_esrgan", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    monkeypatch.delitem(sys.modules, f"{spec.name}.nodes", raising=False)
    spec.loader.exec_module(module)
    assert module.NODE_CLASS_MAPPINGS.keys() == module.NODE_DISPLAY_NAME_MAPPINGS.keys()
    return module.NODE_CLASS_MAPPINGS["EsrganUpscale"]


def test_what_comfyui_asks_of_a_node(node: type) -> None:
    inputs = node.INPUT_TYPES()
    assert inputs["required"]["image"] == ("IMAGE",)
    (names,) = inputs["required"]["model"]
    assert "realesrgan-x4plus" in names
    default = inputs["required"]["scale"][1]
    assert default["min"] <= default["default"] <= default["max"]
    assert callable(getattr(node(), node.FUNCTION))
    assert node.RETURN_TYPES == ("IMAGE",)


def test_images(node: type, comfy: ComfyUI) -> None:
    """Two images of a batch, at a scale that is not the network's; as the library enlarges them."""
    images = torch.rand(2, 7, 9, 3, generator=torch.Generator().manual_seed(0))
    (larger,) = node().upscale(images, "esrgan-lite-x4", 3.0)
    assert larger.shape == (2, 21, 27, 3)
    assert 0 <= larger.min() <= larger.max() <= 1
    expected = Upscaler("esrgan-lite-x4", "cpu", scale=3)(images.movedim(-1, 1)).movedim(1, -1)
    torch.testing.assert_close(larger, expected, rtol=0, atol=1e-6)
    assert comfy.shown == sorted(comfy.shown)
    assert comfy.shown[-1] == comfy.total == 2000


def test_the_button_ends_it(node: type, comfy: ComfyUI) -> None:
    comfy.pressed = True
    with pytest.raises(Interrupted):
        node().upscale(torch.rand(1, 7, 9, 3), "esrgan-lite-x4", 4.0)


def test_a_file_of_ones_own(node: type, tmp_path: Path) -> None:
    from esrgan_torch.networks.compact import CompactNet
    from esrgan_weights import save

    file = save(CompactNet(features=4, convolutions=1, scale=2), tmp_path / "mine.safetensors")
    (larger,) = node().upscale(torch.rand(1, 5, 6, 3), "esrgan-lite-x4", 2.0, str(file))
    assert larger.shape == (1, 10, 12, 3)
