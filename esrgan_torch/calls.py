"""The ways to call an `Upscaler`: each gives back what it got."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from esrgan_torch.errors import ConfigError, ImageWriteError
from esrgan_torch.images.exchange import take
from esrgan_torch.images.files import read_frames, write_frames, write_image
from esrgan_torch.images.picture import Frame, Picture, Pixels, Samples
from esrgan_torch.watch import Flag, Progress, Watch

Number = TypeVar("Number", bound=np.generic)
AnyPicture = TypeVar("AnyPicture", Picture, Image.Image, Tensor, NDArray[Any])

FilePath = str | os.PathLike[str]


class Calls(ABC):
    """What an `Upscaler` can be called with, on top of what it does with pixels."""

    scale: float

    @abstractmethod
    def _enlarged(self, samples: Samples, watch: Watch) -> Samples:
        """(H, W, C) uint8, uint16, or float32 from 0 to 1 -> the same, enlarged; in memory of its own."""

    @overload
    def __call__(
        self, image: Picture, *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> Picture: ...
    @overload
    def __call__(
        self, image: Image.Image, *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> Image.Image: ...
    @overload
    def __call__(
        self, image: Tensor, *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> Tensor: ...
    @overload
    def __call__(
        self,
        image: FilePath,
        output: FilePath | None = None,
        *,
        progress: Progress | None = None,
        cancel: Flag | None = None,
    ) -> Path: ...
    @overload
    def __call__(
        self, image: NDArray[Number], *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> NDArray[Number]: ...
    def __call__(
        self,
        image: Picture | Image.Image | Tensor | FilePath | NDArray[Any],
        output: FilePath | None = None,
        *,
        progress: Progress | None = None,
        cancel: Flag | None = None,
    ) -> Picture | Image.Image | Tensor | Path | NDArray[Any]:
        """Upscale a picture and give back what was given.

        Args:
            image: one of

                - an array (H, W, C) or (H, W), in any byte order and memory layout: uint8, uint16, or floats
                  from 0 to 1; C = 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha. The result is an array of
                  the same type, contiguous and its own;
                - a `Picture`;
                - an image of Pillow's in gray or RGB, with alpha or without; palettes become RGB. The result
                  has its profile and its EXIF block;
                - a tensor (N, C, H, W) of floats from 0 to 1, C as above. The result is on its device, of its
                  type, cut off at 0 and 1, and has no gradients;
                - the path of a picture file. All its frames or pages are enlarged, and the path of the result
                  is given back.
            output: path of the result of a path; None: beside it, cat-x4.png for cat.jpg, unless such a file
                exists.
            progress: called with the share that is done, from 0 to 1, in the thread of the call. What it
                raises ends the work and comes out as it is.
            cancel: a `threading.Event`; when it is set the work ends.

        Raises:
            ConfigError: it is no picture, or might be several things; the message has the conversion.
            ImageReadError, ImageWriteError: a file cannot be read or written.
            Others: as in `upscale`.
        """
        watch = Watch(progress, cancel)
        if isinstance(image, str | os.PathLike):
            return self._file(Path(image), output, watch)
        if output is not None:
            raise ConfigError("an output goes with the path of a picture; write_image writes other pictures")
        if isinstance(image, Picture):
            return self._picture(image, watch)
        given = take(image)
        watches = [watch.part(number, len(given.pictures)) for number in range(len(given.pictures))]
        large = [self._enlarged(*one) for one in zip(given.pictures, watches, strict=True)]
        return given.give_back(large)

    @overload
    def map(
        self, images: Iterable[FilePath], *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> Iterator[Path]: ...
    @overload
    def map(
        self, images: Iterable[AnyPicture], *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> Iterator[AnyPicture]: ...
    def map(
        self, images: Iterable[Any], *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> Iterator[Any]:
        """Upscale pictures one after the other, each when its result is asked for.

        Where one raises an error, the iterator goes on with the next one when it is asked again, as Python's
        `map` does.

        Args:
            images: as for a call, also of different kinds.
            progress: told of each picture anew, from 0 to 1.
            cancel: as for a call.
        """
        return map(partial(cast(Any, self), progress=progress, cancel=cancel), images)

    def _file(self, path: Path, output: FilePath | None, watch: Watch) -> Path:
        target = path.with_name(f"{path.stem}-x{self.scale:g}.png") if output is None else Path(output)
        if output is None and os.path.lexists(target):
            raise ImageWriteError(f"{target} exists; to replace it, name it as the output")
        frames = read_frames(path)
        if frames.count == 1:
            write_image(target, self._picture(frames.first(), watch))
        else:
            larger = (
                Frame(self._picture(frame.picture, watch.part(number, frames.count)), frame.seconds)
                for number, frame in enumerate(frames)
            )
            write_frames(target, larger, loop=frames.loop)
        return target

    def _picture(self, picture: Picture, watch: Watch) -> Picture:
        return picture.with_pixels(cast(Pixels, self._enlarged(picture.pixels, watch)))
