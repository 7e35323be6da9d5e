"""How close upscaled pictures come to the originals, over a folder, by the papers' protocol.

Two conventions are in use, and they differ on Set14, one of whose pictures (bridge) is gray:

- `evaluate`, as BasicSR, ESRGAN and SwinIR do it: the picture is upscaled as RGB, rounded to 8 bits, and
  the Y channels are compared. A gray picture counts as RGB, so its values shrink to 16-235, which lifts
  its PSNR by 1.32 dB. Bicubic x4: Set5 28.43 dB / 0.8111, Set14 26.09 dB.
- `evaluate_bicubic_classic`, as in the MATLAB scripts of SRCNN, VDSR and A+: the Y plane alone is shrunk
  and enlarged, and a gray picture stays as it is, 0-255. Bicubic x4: Set5 28.42 dB / 0.810, Set14
  26.00 dB, the numbers that most papers print. Networks for RGB have no result of this kind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError, ImageReadError
from esrgan_torch.images.encode import to_8_bits
from esrgan_torch.images.files import READ_SUFFIXES, Picture, read_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.metrics.psnr_ssim import psnr, rgb_to_y, ssim, without_border

RGB_PROTOCOL = (
    "x{scale}; upscaled as RGB, 8-bit result; {scale} pixels cropped at each border; Y of MATLAB's rgb2ycbcr "
    "(16-235), not rounded; gray pictures count as RGB; PSNR of peak 255; SSIM 11x11, sigma 1.5"
)
LPIPS_PROTOCOL = "; LPIPS 0.1 with AlexNet, RGB, without the border"
CLASSIC_PROTOCOL = (
    "x{scale}; classic (SRCNN, VDSR): only the Y plane (MATLAB's rgb2ycbcr, rounded) is shrunk and enlarged; "
    "{scale} pixels cropped at each border; gray pictures as they are (0-255); PSNR of peak 255; "
    "SSIM 11x11, sigma 1.5"
)

Distance = Callable[[NDArray[np.uint8], NDArray[np.uint8]], float]


@dataclass(frozen=True)
class Score:
    """One picture's numbers: PSNR in dB, SSIM at most 1. Those of RGB are None where only Y exists.

    LPIPS, lower is better, is None where it was not asked for.
    """

    name: str
    psnr_y: float
    ssim_y: float
    psnr_rgb: float | None
    ssim_rgb: float | None
    lpips: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """The scores of a folder; printed, a table with the protocol below."""

    dataset: str
    protocol: str
    scores: tuple[Score, ...]

    @property
    def mean(self) -> Score:
        """The arithmetic means of the pictures' numbers, as papers print them."""
        return Score(
            f"mean of {len(self.scores)}",
            float(np.mean([score.psnr_y for score in self.scores])),
            float(np.mean([score.ssim_y for score in self.scores])),
            _mean([score.psnr_rgb for score in self.scores]),
            _mean([score.ssim_rgb for score in self.scores]),
            _mean([score.lpips for score in self.scores]),
        )

    def __str__(self) -> str:
        rows = (*self.scores, self.mean)
        width = max(len(self.dataset), *(len(row.name) for row in rows))
        distances = any(row.lpips is not None for row in rows)
        title = f"{self.dataset:{width}}  PSNR-Y  SSIM-Y  PSNR-RGB  SSIM-RGB"
        lines = [title + "   LPIPS" * distances]
        for row in rows:
            psnr_rgb = "-" if row.psnr_rgb is None else f"{row.psnr_rgb:.2f}"
            ssim_rgb = "-" if row.ssim_rgb is None else f"{row.ssim_rgb:.4f}"
            y = f"{row.psnr_y:6.2f}  {row.ssim_y:6.4f}"
            lpips = "-" if row.lpips is None else f"{row.lpips:.4f}"
            line = f"{row.name:{width}}  {y}  {psnr_rgb:>8}  {ssim_rgb:>8}"
            lines.append(line + f"  {lpips:>6}" * distances)
        return "\n".join([*lines, f"protocol: {self.protocol}"])


def bicubic(scale: int) -> Callable[[Picture], Picture]:
    """The baseline: a function that enlarges a picture `scale` times by MATLAB's bicubic."""

    def upscale(picture: Picture) -> Picture:
        return picture.with_pixels(imresize(picture.pixels, picture.height * scale, picture.width * scale))

    return upscale


def evaluate(
    upscale: Callable[[Picture], Picture],
    dataset: Path,
    *,
    scale: int = 4,
    distance: Distance | None = None,
    on_score: Callable[[Score], None] | None = None,
) -> Evaluation:
    """Upscale the low-resolution pictures of a folder and compare them with the originals.

    Args:
        upscale: from an RGB picture of 8 bits to one `scale` times as large. A gray picture comes to it
            as RGB.
        dataset: a folder with the subfolders `HR` and `LRbicx{scale}` that hold pictures of equal names
            (suffixes may differ); or with `HR` alone, or with the originals themselves: then the
            low-resolution ones are made by `imresize`. Originals are cropped to a multiple of `scale`.
        scale: 1 or more.
        distance: such as `esrgan_torch.metrics.lpips.Lpips()`; given the result and the original without the
            border, (H, W, 3) uint8.
        on_score: called after each picture.

    Raises:
        ConfigError: no pictures, no partner of the same name, sizes that do not go together, or `upscale`
            returned another size.
        ImageReadError: a picture cannot be read.
    """
    scores: list[Score] = []
    for name, original, small in pairs(dataset, scale):
        result = upscale(Picture(small))
        if (result.height, result.width) != original.shape[:2]:
            raise ConfigError(
                f"{name}: the upscaler returned {result.width} x {result.height} pixels, the original has "
                f"{original.shape[1]} x {original.shape[0]}; give the model's own scale, not {scale}"
            )
        pixels = to_8_bits(result.pixels)
        pixels = _as_rgb(pixels[:, :, : result.channels - result.has_alpha])
        score = Score(
            name,
            psnr(pixels, original, scale),
            ssim(pixels, original, scale),
            psnr(pixels, original, scale, channel="rgb"),
            ssim(pixels, original, scale, channel="rgb"),
            distance(without_border(pixels, scale), without_border(original, scale))
            if distance is not None
            else None,
        )
        scores.append(score)
        if on_score is not None:
            on_score(score)
    protocol = RGB_PROTOCOL + LPIPS_PROTOCOL * (distance is not None)
    return Evaluation(dataset.name, protocol.format(scale=scale), tuple(scores))


def evaluate_bicubic_classic(dataset: Path, *, scale: int = 4) -> Evaluation:
    """Bicubic interpolation by the classic protocol (see the top of this module).

    Args:
        dataset, scale: as for `evaluate`; the low-resolution pictures are not used.

    Raises:
        ConfigError, ImageReadError: as for `evaluate`.
    """
    scores: list[Score] = []
    for path in _pictures(_originals(dataset)):
        original = _crop(_read_colour(path), scale)
        if original.shape[2] == 1:
            plane = original[:, :, 0].astype(np.float64)
        else:
            plane = np.floor(rgb_to_y(original) + 0.5)
        height, width = plane.shape
        small = imresize(plane, height // scale, width // scale)
        result = np.clip(np.floor(imresize(small, height, width) + 0.5), 0, 255)
        scores.append(Score(path.stem, psnr(result, plane, scale), ssim(result, plane, scale), None, None))
    return Evaluation(dataset.name, CLASSIC_PROTOCOL.format(scale=scale), tuple(scores))


def pairs(dataset: Path, scale: int) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
    """Name, original (H, W, 3) and low-resolution picture (H / scale, W / scale, 3), both uint8.

    Args:
        dataset, scale: as for `evaluate`, which raises the same errors.
    """
    folder = _originals(dataset)
    originals = _pictures(folder)
    small_folder = dataset / f"LRbicx{scale}"
    small_paths: dict[str, Path] | None = None
    if folder != dataset and small_folder.is_dir():
        small_paths = {path.stem: path for path in _pictures(small_folder)}
    for path in originals:
        original = _crop(_read_colour(path), scale)
        height, width = original.shape[0] // scale, original.shape[1] // scale
        if small_paths is None:
            small = imresize(original, height, width)
        else:
            if path.stem not in small_paths:
                raise ConfigError(f"{path} has no partner of the same name in {small_folder}")
            small = _read_colour(small_paths[path.stem])
            if small.shape[:2] != (height, width):
                raise ConfigError(
                    f"{small_paths[path.stem]} has {small.shape[1]} x {small.shape[0]} pixels; for x{scale} "
                    f"and the original {path} it must have {width} x {height}"
                )
        yield path.stem, _as_rgb(original), _as_rgb(small)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _originals(dataset: Path) -> Path:
    if not dataset.is_dir():
        raise ConfigError(f"{dataset} is not a folder; give one with pictures, or with a subfolder HR")
    return dataset / "HR" if (dataset / "HR").is_dir() else dataset


def _pictures(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in READ_SUFFIXES)
    if not paths:
        raise ConfigError(f"{folder} holds no pictures")
    return paths


def _read_colour(path: Path) -> NDArray[Any]:
    """(H, W, 1) or (H, W, 3) uint8."""
    picture = read_image(path)
    if picture.has_alpha or picture.bits != 8:
        raise ImageReadError(f"{path}: the protocol is defined for 8-bit pictures without alpha")
    return picture.pixels


def _crop(image: NDArray[Any], scale: int) -> NDArray[Any]:
    height, width = (side - side % scale for side in image.shape[:2])
    return image[:height, :width]


def _as_rgb(image: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
