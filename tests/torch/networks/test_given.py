"""A network, or what it can be loaded from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from esrgan_torch import ConfigError, RRDBNet, Upscaler, WeightsError
from esrgan_weights import load, save
from tests.torch.networks import small_compact
from tests.torch.test_upscaler import photo

PIXELS = photo(9, 11)
MODEL = small_compact()


def test_names_paths_state_dicts_and_open_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    save(MODEL, file)
    expected = Upscaler(MODEL, "cpu", "float32", engine="eager")(PIXELS)
    with file.open("rb") as opened:
        for given in (str(file), file, MODEL.state_dict(), opened):
            upscaler = Upscaler(given, "cpu", "float32", engine="eager")
            np.testing.assert_array_equal(upscaler(PIXELS), expected)
    by_name = Upscaler("esrgan-lite-x4", "cpu", "float32", engine="eager")
    same = Upscaler(load("esrgan-lite-x4"), "cpu", "float32", engine="eager")
    np.testing.assert_array_equal(by_name(PIXELS), same(PIXELS))


@pytest.mark.parametrize("given", ["realesrgan-x4pluss", "none.pth", Path("none.pth")])
def test_what_is_not_there_is_the_loader_s_error(given: Any) -> None:
    with pytest.raises(WeightsError):
        Upscaler(given, "cpu")


def test_wrong_options_are_said_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esrgan_torch.upscaler.network_of", None)
    for options in ({"dtype": "int8"}, {"tiling": "some"}, {"alpha": "keep"}, {"device": "cuda:77"}):
        with pytest.raises(ConfigError):
            Upscaler("realesrgan-x4plus", **{"device": "cpu", **options})


@pytest.mark.parametrize(
    ("wrap", "words"),
    [
        (nn.DataParallel, r"DataParallel; give model\.module"),
        (torch.compile, r"torch\.compile; give the network"),
        (lambda model: torch.jit.trace(model, torch.zeros(1, 3, 4, 4)), "TorchScript"),
        (lambda _: nn.Conv2d(3, 3, 1), r"a Conv2d is another class; give its state dict"),
        (lambda _: RRDBNet, "RRDBNet is a class"),
        (lambda _: 7, "a int is none"),
        (lambda _: None, "a NoneType is none"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_wrappers_are_named(wrap: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Upscaler(wrap(MODEL), "cpu")


def test_ddp_is_named(tmp_path: Path) -> None:
    model = small_compact().requires_grad_(True)
    torch.distributed.init_process_group("gloo", f"file://{tmp_path}/group", rank=0, world_size=1)
    try:
        wrapped = nn.parallel.DistributedDataParallel(model)
        with pytest.raises(ConfigError, match=r"DistributedDataParallel; give model\.module"):
            Upscaler(wrapped, "cpu")
        assert wrapped(torch.rand(1, 3, 5, 7)).shape == (1, 3, 20, 28)
    finally:
        torch.distributed.destroy_process_group()
