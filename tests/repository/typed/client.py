"""A program as others write it; `tests/repository/test_typing.py` has it checked by mypy and pyright."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import assert_type

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

import esrgan_torch
from esrgan_torch import CancelledError, EsrganError, Picture, Tiling, Upscaler, read_image, write_image
from esrgan_torch.upscaled import Upscaled
from esrgan_weights import load


def bar(share: float) -> None:
    print(f"{share:.0%}")


def enlarge(small: NDArray[np.uint8], deep: NDArray[np.uint16], unit: NDArray[np.float32]) -> None:
    with Upscaler("realesrgan-x4plus", device=0, dtype="fp16", tiling=128) as upscaler:
        assert_type(upscaler(small), NDArray[np.uint8])
        assert_type(upscaler(deep, progress=bar), NDArray[np.uint16])
        assert_type(upscaler(unit), NDArray[np.float32])
        assert_type(upscaler(read_image("cat.jpg")), Picture)
        assert_type(upscaler("cat.jpg", "large.png"), Path)
        assert_type(upscaler.scale, float)


def others(image: Image.Image, batch: Tensor, paths: list[Path], pictures: Iterator[Picture]) -> str:
    model = load("realesrgan-x4plus", trainable=True)
    upscaler = Upscaler(model, "cpu", tiling=Tiling("exact"), alpha="resize", engine="eager", tta=True)
    assert_type(upscaler(image), Image.Image)
    assert_type(upscaler(batch, cancel=threading.Event()), Tensor)
    for path in upscaler.map(paths):
        assert_type(path, Path)
    for picture in upscaler.map(pictures, progress=bar):
        write_image("large.png", picture)
    assert_type(upscaler.upscale(read_image(b"...")), Upscaled)
    module: nn.Module = model
    try:
        return f"{module} {upscaler.upscale(np.zeros((3, 4, 3), np.uint8)).seconds}"
    except (CancelledError, EsrganError) as error:
        return f"{error} {esrgan_torch.__version__}"
