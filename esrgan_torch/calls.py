"""The ways to call an `Upscaler`: each gives back what it got."""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast, overload

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from esrgan_torch.engines.devices import free_memory
from esrgan_torch.errors import CancelledError, ConfigError
from esrgan_torch.images.picture import Picture, Samples
from esrgan_torch.pieces import File, FilePath, InMemory
from esrgan_torch.pipeline.stages import Piece, Stages
from esrgan_torch.watch import Flag, Progress, Watch

Number = TypeVar("Number", bound=np.generic)
AnyPicture = TypeVar("AnyPicture", Picture, Image.Image, Tensor, NDArray[Any])

_SHARE = 8  # of the memory that is free, one part may be taken by pictures of a `map` that wait


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
        """Upscale a picture, and return the same type.

        Args:
            image: one of

                - an array (H, W, C) or (H, W), in any byte order and memory layout: uint8, uint16, or floats
                  from 0 to 1; C = 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha. The result is a new
                  contiguous array of the same type;
                - a `Picture`;
                - a Pillow image in gray or RGB, with or without alpha; palettes become RGB. The result has
                  its profile and its EXIF block;
                - a tensor (N, C, H, W) of floats from 0 to 1, C as above. The result is on the same device,
                  of the same type, clipped to [0, 1], and has no gradients;
                - the path of a picture file. All its frames or pages are enlarged, and the path of the result
                  is returned.
            output: path of the result, only if `image` is a path; None: beside the input, cat-x4.png for
                cat.jpg, unless that file exists.
            progress: called with the finished share, from 0 to 1, in the thread of the call. An exception in
                it ends the work and reaches the caller unchanged.
            cancel: a `threading.Event`; when it is set, the call raises `CancelledError`.

        Raises:
            ConfigError: it is not a picture, or it is ambiguous; the message shows the conversion.
            ImageReadError, ImageWriteError: a file cannot be read or written.
            Others: as in `upscale`.
        """
        if output is not None and not isinstance(image, str | os.PathLike):
            raise ConfigError("output needs the path of an input file; save other pictures with write_image")
        piece = self._piece(image, output, Watch(progress, cancel))
        return piece.write(piece.compute(piece.read(), 0))

    @overload
    def map(
        self, images: Iterable[FilePath], *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> "Results[Path]": ...
    @overload
    def map(
        self, images: Iterable[AnyPicture], *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> "Results[AnyPicture]": ...
    def map(
        self, images: Iterable[Any], *, progress: Progress | None = None, cancel: Flag | None = None
    ) -> "Results[Any]":
        """Upscale pictures one after the other, and yield the results in order.

        Work starts when the first result is requested. From then on, three threads read, compute and write a
        few pictures ahead, in at most an eighth of the memory that was free, plus one picture. So the network
        is busy while you handle a result, and while your iterable makes the next picture.

        If a picture raises an error, the next call of `next` continues with the next picture, as with
        Python's `map`. Threads may share the iterator: each result is returned once. Leaving it, or its
        `close`, ends the threads.

        Args:
            images: as for a call, also of different types. Another thread iterates over it.
            progress: called for each picture from 0 to 1, in another thread.
            cancel: as for a call; when it is set, each further request raises `CancelledError`.
        """
        stages = Stages(free_memory(torch.device("cpu")) // _SHARE, in_order=True)
        flag = _Either(cancel, stages.stop)
        pieces = (self._piece(image, None, Watch(progress, flag)) for image in images)
        return Results(stages, pieces, cancel)

    def _piece(self, image: Any, output: FilePath | None, watch: Watch) -> Piece[Any, Any, Any]:
        enlarge = self._enlarged
        if isinstance(image, str | os.PathLike):
            return File(Path(cast(FilePath, image)), output, self.scale, enlarge, watch)
        return InMemory(image, self.scale, enlarge, watch)


Result = TypeVar("Result")


class Results(Iterator[Result]):
    """The iterator that `map` returns. Threads may share it."""

    def __init__(
        self, stages: Stages, pieces: Iterable[Piece[Any, Any, Result]], cancel: Flag | None
    ) -> None:
        self._stages, self._cancel = stages, cancel
        self._results = stages.run(pieces)
        self._turn = threading.Lock()

    def __next__(self) -> Result:
        with self._turn:
            result = next(self._results)
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError("the pictures were cancelled: their `cancel` is set")
        return result.result()

    def close(self) -> None:
        """Stop: the current computation is cancelled, and the threads have ended when this returns.

        A thread that waits for the iterable's next picture ends when the iterable returns it, or with the
        program. A thread that waits for a result gets a `CancelledError`, or the end of the results.
        """
        self._stages.give_up()
        with self._turn:
            self._results.close()


class _Either:
    """Set where one of two flags is."""

    def __init__(self, first: Flag | None, second: Flag) -> None:
        self._first, self._second = first, second

    def is_set(self) -> bool:
        return self._second.is_set() or (self._first is not None and self._first.is_set())
