"""Libraries that only some files need: the others work without them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import tifffile

from esrgan_torch.images.files import write_image

BLOCKED = """
import sys
sys.modules["imagecodecs"] = sys.modules["tifffile"] = None
import numpy as np
from esrgan_torch.errors import ImageError, ImageReadError, ImageWriteError
from esrgan_torch.images.files import read_image, write_image
from pathlib import Path

folder = Path(sys.argv[1])
pixels = np.linspace(0, 255, 12 * 8 * 4).reshape(12, 8, 4).astype(np.uint8)
for channels in (1, 2, 3, 4):
    write_image(folder / "a.png", pixels[:, :, :channels])
    assert (read_image(folder / "a.png").pixels == pixels[:, :, :channels]).all()
write_image(folder / "a.jpg", pixels[:, :, :3])
write_image(folder / "a.webp", pixels, lossless=True)
assert read_image(folder / "a.jpg").width == 8
assert (read_image(folder / "a.webp").pixels == pixels).all()
for suffix in ("png", "tiff"):
    try:
        write_image(folder / f"b.{suffix}", pixels.astype(np.uint16))
    except ImageWriteError as error:
        print(error)
Path(folder / "c.tif").write_bytes(b"II*\\0" + b"\\0" * 40)
try:
    read_image(folder / "c.tif")
except ImageReadError as error:
    print(error)
try:
    read_image(folder / "sixteen.png")
except ImageReadError as error:
    print(error)
del sys.modules["tifffile"]
try:
    read_image(folder / "packed.tif")
except ImageReadError as error:
    print(error)
"""


def test_8_bit_pictures_need_neither_imagecodecs_nor_tifffile(tmp_path: Path) -> None:
    write_image(tmp_path / "sixteen.png", np.zeros((2, 2, 3), np.uint16))
    tifffile.imwrite(
        tmp_path / "packed.tif", np.zeros((9, 9, 3), np.uint8), photometric="rgb", compression="lzw"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert [line.partition(": ")[0].rpartition("b.")[2] for line in lines[:2]] == ["png", "tiff"]
    assert "compression LZW need imagecodecs" in lines.pop()
    for line, need in zip(
        lines,
        (
            "16 bits need imagecodecs",
            "TIFF files need imagecodecs",
            "TIFF files need tifffile",
            "16 bits need imagecodecs",
        ),
        strict=True,
    ):
        assert need in line
        assert "pip install" in line
