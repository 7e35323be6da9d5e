"""PSNR and SSIM of a network on folders of pictures while it trains, by the papers' protocol."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from esrgan_torch.datasets.sets import PictureSet, find_set
from esrgan_torch.errors import CancelledError, ConfigError, ImageError, OutOfMemoryError
from esrgan_torch.images.picture import Picture
from esrgan_torch.metrics.protocol import Failure, evaluate
from esrgan_torch.networks.base import Generator
from esrgan_torch.quantise import rounded_levels


@dataclass(frozen=True)
class Validation:
    """What one data set came to.

    Args:
        name: of the set.
        psnr, ssim: means over its pictures: dB and at most 1, of Y; 0 where none could be measured.
        psnr_rgb: that of all three colours: what is won in luma should not be lost there.
        pictures: what the network made of the first ones, (H, W, 3), in order of name.
        failures: pictures that are in no mean.
    """

    name: str
    psnr: float
    ssim: float
    psnr_rgb: float
    pictures: list[NDArray[np.uint8]]
    failures: tuple[Failure, ...]


def find_sets(
    folders: Sequence[str], scale: int, tell: Callable[[str], object], say: Callable[[str], object]
) -> dict[str, PictureSet]:
    """The data sets that a run is validated on, by names that differ; every picture is read once.

    Args:
        folders: see `DataOptions.validation`.
        scale: of the network.
        tell: is given a sentence for each picture that is left out.
        say: is given a sentence about each set, and where its small pictures come from.

    Raises:
        ConfigError: a folder is missing, or none of its pictures can be used.
    """
    sets: dict[str, PictureSet] = {}
    for folder in folders:
        path = Path(folder)
        try:
            found = find_set(path, scale)
        except ConfigError as error:
            raise ConfigError(f"data.validation: {error}") from error
        good = 0
        for couple in found.couples:
            try:
                found.read(couple)
            except ImageError as error:
                tell(f"validation leaves out: {error}")
            else:
                good += 1
        if not good:
            raise ConfigError(f"data.validation: no picture of {path} can be used")
        # "Set5/HR" and "Set14/HR" are two sets
        names = [path.name, "-".join(path.resolve().parts[-2:]), f"{path.name}-{len(sets) + 1}"]
        name = next(name for name in names if name and name not in sets)
        say(f"validation: {name}, {good} pictures, low-resolution ones {found.origin}")
        sets[name] = found
    return sets


def validate(
    network: Generator,
    folder: Path | PictureSet,
    *,
    name: str = "",
    most: int = 8,
    cancelled: Callable[[], bool] = lambda: False,
) -> Validation:
    """Means of Y over the folder, and the first enlarged pictures.

    Args:
        network: in any precision, on any device; it is put into evaluation mode and back.
        folder: as `esrgan_torch.metrics.protocol.evaluate` takes it.
        name: of the set; empty: the folder's.
        most: how many pictures are kept.
        cancelled: asked before each picture whether to give up.

    Raises:
        CancelledError: `cancelled` said so.
        ConfigError: there are no pictures.
    """
    pictures: list[NDArray[np.uint8]] = []
    failures: list[Failure] = []

    def upscale(picture: Picture) -> Picture:
        if cancelled():
            raise CancelledError("the validation was given up")
        pixels = enlarge(network, picture.pixels)
        if len(pictures) < most:
            pictures.append(pixels)
        return picture.with_pixels(pixels)

    was_training = network.training
    network.eval()
    try:
        evaluation = evaluate(upscale, folder, scale=network.scale, on_failure=failures.append)
    finally:
        network.train(was_training)
    measured = bool(evaluation.scores)
    return Validation(
        name or evaluation.dataset,
        evaluation.mean.psnr_y if measured else 0.0,
        evaluation.mean.ssim_y if measured else 0.0,
        (evaluation.mean.psnr_rgb or 0.0) if measured else 0.0,
        pictures if measured else [],
        tuple(failures),
    )


@torch.inference_mode()
def enlarge(network: Generator, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 -> (H * scale, W * scale, 3) uint8, the bare network on the whole picture.

    Raises:
        OutOfMemoryError: it does not fit.
    """
    device = next(network.parameters()).device
    try:
        batch = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].to(device).float() / 255
        levels: Any = rounded_levels(network(batch)[0].float()).to(torch.uint8)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        raise OutOfMemoryError(
            f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels needs more memory than there is"
        ) from error
    return levels.permute(1, 2, 0).cpu().contiguous().numpy()
