"""Pictures of any height: they come and go as bands of rows."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from esrgan_torch.engines.choose_rows import RowEngine
from esrgan_torch.engines.devices import recent_free_memory
from esrgan_torch.errors import ConfigError, OutOfMemoryError
from esrgan_torch.images.files import DEFAULT_MAX_PIXELS
from esrgan_torch.images.picture import Samples
from esrgan_torch.images.read_rows import read_rows
from esrgan_torch.images.write_rows import check_rows_path, write_rows
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling.incoming import enlarge_rows, outside, rows_memory
from esrgan_torch.tiling.plan import SHARE
from esrgan_torch.watch import Flag, Progress, Watch


class ByRows(ABC):
    """What an `Upscaler` does with pictures that are not in memory whole."""

    model: Generator
    device: torch.device
    scale: float
    tta: bool

    @abstractmethod
    def _row_engine(self) -> RowEngine | None:
        """The network by rows, or None where it cannot."""

    def upscale_rows(
        self,
        rows: Iterable[Samples],
        height: int,
        width: int,
        progress: Progress | None = None,
        cancel: Flag | None = None,
    ) -> Iterator[Samples]:
        """Upscale a picture given as bands of rows; neither it nor the result is in memory as a whole.

        The result is that of `upscale`. Memory depends on the width, see `plan_rows`. Transparency is not
        supported, because the colour under it is computed from the whole picture.

        Args:
            rows: the picture from its top, (h, width, C) each, with any h; uint8, uint16, or float32 from 0
                to 1; C = 1 gray, 3 RGB.
            height, width: of the picture.
            progress, cancel: as in `upscale`.

        Yields:
            the larger picture from its top, (h, width * scale, C) each, of the same type.

        Raises:
            ConfigError: the bands are not such a picture, or this Upscaler resizes, averages turned runs
                (`tta`), is on a Vulkan device or has a network of another project.
            OutOfMemoryError: the picture is too wide for the free memory.
            NonFiniteError, CancelledError, ForkedError: as in `upscale`.

        Example:
            >>> upscaler = Upscaler(CompactNet(features=8, convolutions=1), "cpu")
            >>> bands = [np.zeros((5, 12, 3), np.uint8), np.ones((5, 12, 3), np.uint8)]
            >>> sum(len(band) for band in upscaler.upscale_rows(bands, 10, 12))
            40
        """
        engine = self._usable_row_engine()
        needed, free = self.plan_rows(height, width), recent_free_memory(self.device)
        if needed > free * SHARE:
            raise OutOfMemoryError(
                f"a picture of {width} columns by rows needs {needed / SHARE / 2**20:,.0f} MiB, and "
                f"{free / 2**20:,.0f} MiB are free; free memory, turn the picture on its side if it is less "
                "high than wide, or cut it into strips"
            )
        return outside(enlarge_rows(engine, self.model, rows, height, width, Watch(progress, cancel)))

    def plan_rows(self, height: int, width: int) -> int:
        """Bytes that `upscale_rows` takes on the device at its peak for such a picture.

        Raises:
            ConfigError: as in `upscale_rows`.
        """
        if height < 1 or width < 1:
            raise ConfigError(f"a picture has at least one pixel, not {height}x{width}")
        return rows_memory(self._usable_row_engine(), self.model, height, width)

    def upscale_file(
        self,
        source: str | os.PathLike[str],
        target: str | os.PathLike[str],
        *,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        progress: Progress | None = None,
        cancel: Flag | None = None,
    ) -> Path:
        """Upscale a picture file by rows into another, which is written as the rows come.

        TIFF files, plain or packed by deflate, and PNG files are read by rows too, others are decoded whole.

        Args:
            source: gray or RGB, of 8 or 16 bits; of several pictures in it the first.
            target: .png, or .tif for a BigTIFF in tiles of 256x256 pixels. It is whole or not there.
            max_pixels: of the source, as in `read_image`.
            progress, cancel: as in `upscale`.

        Returns:
            the target.

        Raises:
            ImageReadError, ImageWriteError, MissingCodecError: a file cannot be read or written.
            ConfigError: the source has transparency, or the target is of another format; and as in
                `upscale_rows`.
            Others: as in `upscale_rows`.
        """
        source, target = Path(source), Path(target)
        check_rows_path(target)
        self._usable_row_engine()
        file = read_rows(source, max_pixels)
        if file.about.has_alpha:
            raise ConfigError(
                f"{source} has transparency, which cannot be computed by rows; call the Upscaler with it"
            )
        scale = self.model.scale
        larger = self.upscale_rows(file.bands(), file.height, file.width, progress, cancel)
        write_rows(target, larger, file.height * scale, file.width * scale, file.about)
        return target

    def _usable_row_engine(self) -> RowEngine:
        if self.tta or self.scale != self.model.scale:
            raise ConfigError(
                "computing by rows supports neither tta nor a scale other than the network's; use upscale"
            )
        engine = self._row_engine()
        if engine is None:
            raise ConfigError(
                "only this project's networks, with the native engine or PyTorch, can be computed by rows; "
                "use upscale"
            )
        return engine
