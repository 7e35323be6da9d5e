"""HEIF files (HEIC), by pillow-heif, which is an extra."""

from typing import Any

import numpy as np

from esrgan_torch.errors import ImageReadError
from esrgan_torch.images.colour import profile_of_cicp
from esrgan_torch.images.optional import codec
from esrgan_torch.images.picture import Picture, Pixels


class HeifFile:
    """The main picture of a HEIF file, its pixels not yet decoded.

    Attributes: height, width; count, of pictures in the file.

    Raises:
        MissingCodecError: pillow-heif is not installed.
    """

    def __init__(self, data: bytes) -> None:
        library = codec("pillow_heif", "HEIF files", "esrgan-torch[heif]")
        file = library.open_heif(data, convert_hdr_to_8bit=False)
        self.count = len(file)
        self._image: Any = file[file.primary_index]
        self.width, self.height = self._image.size

    def picture(self) -> Picture:
        """Decode it. It is upright: the file says apart from EXIF how it is to be turned."""
        image = self._image
        pixels: Pixels = np.asarray(image)
        pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        if pixels.dtype == np.uint16:
            pixels = _to_full_range(pixels, int(image.info.get("bit_depth", 16)))
        if image.premultiplied_alpha:
            raise ImageReadError("its colours are multiplied by its alpha; convert it to PNG")
        profile: bytes | None = image.info.get("icc_profile")
        nclx = image.info.get("nclx_profile")
        if profile is None and nclx:
            numbers = (nclx["color_primaries"], nclx["transfer_characteristics"], 0, 1)
            profile = profile_of_cicp(bytes(int(number) & 255 for number in numbers), pixels.shape[2])
        return Picture(pixels, profile, image.info.get("exif"), xmp=image.info.get("xmp"))


def _to_full_range(pixels: Pixels, bits: int) -> Pixels:
    """Numbers of 10 or 12 bits, which stand in the upper ones of 16, with white at 65535."""
    white = (1 << bits) - 1
    values = (pixels >> (16 - bits)).astype(np.uint32)
    return ((values * 65535 + white // 2) // white).astype(np.uint16)
