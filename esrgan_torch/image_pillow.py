"""What every picture that Pillow decodes goes through."""

import warnings

from PIL import Image, ImageFile

from esrgan_torch.errors import ImageReadError


def load(image: ImageFile.ImageFile) -> None:
    """Decode; a large picture that `max_pixels` allows must not draw a warning from Pillow's own limit."""
    if Image.MAX_IMAGE_PIXELS is None or image.width * image.height <= Image.MAX_IMAGE_PIXELS:
        image.load()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image.load()


def plain_mode(image: Image.Image) -> str:
    """The mode among L, LA, RGB, RGBA that keeps what the picture has."""
    if image.mode in ("1", "L", "LA"):
        colours = "L"
    elif image.mode in ("P", "PA", "RGB", "RGBX", "RGBA", "YCbCr", "LAB"):
        colours = "RGB"
    else:
        raise ImageReadError(f"its pixels are of Pillow's mode {image.mode}; convert it to RGB or gray")
    return colours + "A" if image.has_transparency_data else colours
