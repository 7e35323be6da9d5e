"""What becomes of the network's result before it is written: its size, its background, its metadata."""

from dataclasses import dataclass

from esrgan_cli.upscaling.background import Colour, on_background
from esrgan_cli.upscaling.target_size import TargetSize
from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.images.formats import Format
from esrgan_torch.images.picture import Picture
from esrgan_torch.images.resample import imresize


@dataclass(frozen=True)
class Finish:
    """What is done to every result.

    Args:
        size: to resize it to, by MATLAB's bicubic; None: as it comes.
        background: laid under transparent pictures; None: they stay transparent.
        strip: whether all metadata goes that does not change how it looks.
    """

    size: TargetSize | None = None
    background: Colour | None = None
    strip: bool = False

    def __call__(self, large: Picture, original: Picture) -> Picture:
        """The picture to write, of the enlarged and the original one.

        Raises:
            ConfigError: `size` would enlarge it too far.
        """
        if self.size is not None:
            size = self.size.of(original.height, original.width)
            if size != (large.height, large.width):
                large = large.with_pixels(imresize(large.pixels, *size))
        if self.background is not None:
            large = on_background(large, self.background)
        return large.without_metadata() if self.strip else large

    def check(self, original: Picture, form: Format, scale: float, *, drops_alpha: bool) -> None:
        """Raise, before the work is done, what would be raised after it.

        Raises:
            ConfigError: transparency that the format cannot keep, or a size that cannot be.
            ImageWriteError: the result is too large for the format.
        """
        transparent = original.has_alpha and not drops_alpha and self.background is None
        if transparent and not form.alpha:
            raise ConfigError(
                f"the picture has transparency, which {form.name} cannot keep; give --format png, "
                "--background white, or --alpha drop"
            )
        size = original.height, original.width
        side = max(self.size.of(*size)) if self.size is not None else round(max(size) * scale)
        if side > form.max_side:
            raise ImageWriteError(
                f"the result would be {side} pixels long, and {form.name} allows {form.max_side}; "
                "give --format png or tiff"
            )
