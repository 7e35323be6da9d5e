"""What pictures hold beside their pixels, for the tests of metadata."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

UPRIGHT = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)


CAMERA = "Camera Obscura"


EXPOSURE = (1, 250)


def exif_block(orientation: int | None = None) -> bytes:
    exif = Image.Exif()
    exif[0x0110] = CAMERA
    if orientation is not None:
        exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0x829A] = EXPOSURE[0] / EXPOSURE[1]  # exposure time, in a directory of its own
    exif[0x8769] = exif.get_ifd(0x8769)
    return exif.tobytes().removeprefix(b"Exif\0\0")


def stored_for(orientation: int, upright: NDArray[np.uint8]) -> Image.Image:
    """The picture as a camera would store it with this orientation, so that Pillow turns it upright."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = Image.fromarray(upright)
    return image.transpose(undo[orientation]) if orientation in undo else image


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" tiff:ImageWidth = '48'
dc:format="image/jpeg"><exif:PixelYDimension>32</exif:PixelYDimension>
<tiff:Orientation>6</tiff:Orientation></rdf:Description></x:xmpmeta>"""


IPTC = b"\x1c\x02\x78\x00\x06a swan"


TEXTS = (("Comment", "a swan"), ("Author", "żółw"), ("parameters", "steps " * 400))
