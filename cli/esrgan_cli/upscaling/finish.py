"""What becomes of the network's result before it is written: its size, its background, its metadata."""

from dataclasses import dataclass

from esrgan_cli.upscaling.background import Colour, on_background
from esrgan_cli.upscaling.target_size import TargetSize
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

    def sides(self, original: Picture, scale: float) -> tuple[int, int]:
        """(height, width) of the result, before it is computed; errors as above."""
        if self.size is not None:
            return self.size.of(original.height, original.width)
        return round(original.height * scale), round(original.width * scale)
