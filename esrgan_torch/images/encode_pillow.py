"""What Pillow writes: JPEG, WebP, AVIF and BMP files, and what they hold beside the pixels."""

import io
import warnings
from typing import Any

import numpy as np
from PIL import Image

from esrgan_torch.images.exif import JPEG_PREFIX, without_orientation
from esrgan_torch.images.formats import Coding
from esrgan_torch.images.iptc import jpeg_segment
from esrgan_torch.images.picture import Picture

# what fits into one segment of a JPEG file: 65533 bytes, less what stands before it
_JPEG_ROOM = {"EXIF block": 65_500, "XMP packet": 65_504, "comment": 65_533, "IPTC block": 65_500}


def encode_one_by_pillow(picture: Picture, coding: Coding) -> bytes:
    """A whole jpg, webp, avif or bmp file. The picture fits the format, its profile too."""
    name = coding.form.name
    pixels = np.ascontiguousarray(picture.pixels[:, :, 0] if picture.channels == 1 else picture.pixels)
    image = Image.fromarray(pixels)
    # webp has no gray, neither has gray with alpha
    if picture.channels == 2 or (picture.channels == 1 and name == "webp"):
        image = image.convert("RGBA" if picture.channels == 2 else "RGB")
    stream = io.BytesIO()
    options = pillow_options(picture, coding)
    image.save(stream, {"jpg": "JPEG"}.get(name, name.upper()), **options)
    return stream.getvalue()


def pillow_options(picture: Picture, coding: Coding) -> dict[str, Any]:
    """The options of Pillow's `save` for the picture's metadata and for how it is coded."""
    options: dict[str, Any] = {}
    name = coding.form.name
    if name == "bmp":
        return {"dpi": picture.density} if picture.density is not None else {}
    if not coding.lossless:
        options["quality"] = coding.quality
    exif, xmp = picture.exif, picture.xmp
    if name == "jpg":
        options["subsampling"] = 0  # 4:4:4: a chroma plane of half the size would undo the upscaling
        exif, xmp = _fits_jpeg("EXIF block", exif), _fits_jpeg("XMP packet", xmp)
        comment = next((text.encode() for key, text in picture.texts if key == "Comment"), None)
        if picture.density is not None:
            options["dpi"] = picture.density
        if (comment := _fits_jpeg("comment", comment)) is not None:
            options["comment"] = comment
        if (iptc := _fits_jpeg("IPTC block", picture.iptc)) is not None:
            options["extra"] = jpeg_segment(iptc)
    elif name == "avif":
        if picture.channels > 1:
            options["subsampling"] = "4:4:4"
        # for its sake Pillow would write the block anew, which fails where a tag has an odd type
        exif = None if exif is None else without_orientation(exif)
    elif name == "webp":
        options["method"] = 4
        if coding.lossless:  # quality is the effort here; exact keeps the colours under full transparency
            options |= {"lossless": True, "quality": 75, "exact": True}
    options |= {"icc_profile": picture.icc_profile, "exif": b"" if exif is None else JPEG_PREFIX + exif}
    return options | ({"xmp": xmp} if xmp is not None else {})


def _fits_jpeg(what: str, data: bytes | None) -> bytes | None:
    if data is not None and len(data) > _JPEG_ROOM[what]:
        warnings.warn(
            f"the {what} has {len(data)} bytes, more than a jpg can hold; it is left out", stacklevel=2
        )
        return None
    return data
