"""How close upscaled pictures come to the originals, over a folder, by the papers' protocol.

Two conventions are in use, and they differ on Set14, one of whose pictures (bridge) is gray:

- `evaluate`, as BasicSR, ESRGAN and SwinIR do it: the picture is upscaled as RGB, rounded to 8 bits, and
  the Y channels are compared. A gray picture counts as RGB, so its values shrink to 16-235, which lifts
  its PSNR by 1.32 dB. Bicubic x4: Set5 28.43 dB / 0.8111, Set14 26.09 dB.
- `evaluate_bicubic_classic`, as in the MATLAB scripts of SRCNN, VDSR and A+: the Y plane alone is shrunk
  and enlarged, and a gray picture stays as it is, 0-255. Bicubic x4: Set5 28.42 dB / 0.810, Set14
  26.00 dB, the numbers that most papers print. Networks for RGB have no result of this kind.

Files of 16 bits or with transparency are brought to 8 bits of RGB by the rule of
`esrgan_torch.datasets.colour`.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.datasets.colour import as_rgb, read_colour
from esrgan_torch.datasets.sets import MADE, PictureSet, cropped, find_set
from esrgan_torch.errors import CancelledError, ConfigError, EsrganError, ImageReadError
from esrgan_torch.images.encode import to_8_bits
from esrgan_torch.images.files import Picture
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
class Failure:
    """A picture that could not be measured, and why, naming the file."""

    name: str
    cause: str


@dataclass(frozen=True)
class Evaluation:
    """The scores of a folder; printed, a table with the protocol below.

    Args:
        dataset: its name.
        protocol: how the pictures were compared.
        scores: of the pictures that could be measured.
        origin: where the low-resolution pictures came from.
        failures: the pictures that could not be measured; they are in no mean.
    """

    dataset: str
    protocol: str
    scores: tuple[Score, ...]
    origin: str = ""
    failures: tuple[Failure, ...] = ()

    @property
    def mean(self) -> Score:
        """The arithmetic means of the pictures' numbers, as papers print them.

        Raises:
            ConfigError: no picture could be measured.
        """
        if not self.scores:
            raise ConfigError(f"{self.dataset}: no picture could be measured")
        return Score(
            f"mean of {len(self.scores)}",
            float(np.mean([score.psnr_y for score in self.scores])),
            float(np.mean([score.ssim_y for score in self.scores])),
            _mean([score.psnr_rgb for score in self.scores]),
            _mean([score.ssim_rgb for score in self.scores]),
            _mean([score.lpips for score in self.scores]),
        )

    def __str__(self) -> str:
        rows = (*self.scores, self.mean) if self.scores else ()
        width = max(map(len, (self.dataset, *(row.name for row in rows))))
        distances = any(row.lpips is not None for row in rows)
        title = f"{self.dataset:{width}}  PSNR-Y  SSIM-Y  PSNR-RGB  SSIM-RGB"
        lines = [f"low-resolution pictures: {self.origin}"] if self.origin else []
        lines.append(title + "   LPIPS" * distances)
        for row in rows:
            psnr_rgb = "-" if row.psnr_rgb is None else f"{row.psnr_rgb:.2f}"
            ssim_rgb = "-" if row.ssim_rgb is None else f"{row.ssim_rgb:.4f}"
            y = f"{row.psnr_y:6.2f}  {row.ssim_y:6.4f}"
            lpips = "-" if row.lpips is None else f"{row.lpips:.4f}"
            line = f"{row.name:{width}}  {y}  {psnr_rgb:>8}  {ssim_rgb:>8}"
            lines.append(line + f"  {lpips:>6}" * distances)
        lines += [f"not measured: {failure.cause}" for failure in self.failures]
        return "\n".join([*lines, f"protocol: {self.protocol}"])


def bicubic(scale: int) -> Callable[[Picture], Picture]:
    """The baseline: a function that enlarges a picture `scale` times by MATLAB's bicubic."""

    def upscale(picture: Picture) -> Picture:
        return picture.with_pixels(imresize(picture.pixels, picture.height * scale, picture.width * scale))

    return upscale


def evaluate(
    upscale: Callable[[Picture], Picture],
    dataset: Path | PictureSet,
    *,
    scale: int = 4,
    distance: Distance | None = None,
    on_score: Callable[[Score], None] | None = None,
    on_failure: Callable[[Failure], None] | None = None,
) -> Evaluation:
    """Upscale the low-resolution pictures of a folder and compare them with the originals.

    Args:
        upscale: from an RGB picture of 8 bits to one `scale` times as large. A gray picture comes to it
            as RGB.
        dataset: a folder as `esrgan_torch.datasets.sets` knows it, with the subfolders `HR` and
            `LRbicx{scale}` for example, or with the originals alone: then the low-resolution ones are made by
            `imresize`; or what `find_set` found. Originals are cropped to a multiple of `scale`.
        scale: 1 or more.
        distance: such as `esrgan_torch.metrics.lpips.Lpips()`; given the result and the original without the
            border, (H, W, 3) uint8.
        on_score: called after each picture.
        on_failure: called with each picture that cannot be read, paired, enlarged or compared; the other
            pictures are still measured. None: it raises.

    Raises:
        ConfigError: no pictures, or `upscale` returned another size.
        PairError: no partner of the same name, or sizes that do not go together.
        ImageReadError: a picture cannot be read.
    """
    found = dataset if isinstance(dataset, PictureSet) else find_set(dataset, scale)
    record = _Record(on_score, on_failure)
    for problem in found.problems:
        record.fail(problem.path.name, ImageReadError(str(problem)))
    for couple in found.couples:
        with record.trying(couple.name):
            original, small = found.read(couple)
            result = upscale(Picture(small))
            if (result.height, result.width) != original.shape[:2]:
                raise _OtherScaleError(
                    f"{couple.name}: the upscaler returned {result.width} x {result.height} pixels, the "
                    f"original has {original.shape[1]} x {original.shape[0]}; give the model's own scale, "
                    f"not {scale}"
                )
            # what was given to it had no alpha, so one in the result means nothing
            colours = to_8_bits(result.pixels)[:, :, : result.channels - result.has_alpha].astype(np.uint8)
            record.add(_score(couple.name, as_rgb(colours), original, scale, distance))
    protocol = RGB_PROTOCOL + LPIPS_PROTOCOL * (distance is not None)
    return record.evaluation(found, protocol.format(scale=scale))


def evaluate_bicubic_classic(
    dataset: Path | PictureSet, *, scale: int = 4, on_failure: Callable[[Failure], None] | None = None
) -> Evaluation:
    """Bicubic interpolation by the classic protocol (see the top of this module).

    Args:
        dataset, scale, on_failure: as for `evaluate`; the low-resolution pictures are not used.

    Raises:
        ConfigError, ImageReadError: as for `evaluate`.
    """
    found = dataset if isinstance(dataset, PictureSet) else find_set(dataset, scale)
    record = _Record(None, on_failure)
    for couple in found.couples:
        with record.trying(couple.name):
            original = cropped(read_colour(couple.original), scale)
            if original.shape[2] == 1:
                plane = original[:, :, 0].astype(np.float64)
            else:
                plane = np.floor(rgb_to_y(original) + 0.5)
            height, width = plane.shape
            small = imresize(plane, height // scale, width // scale)
            result = np.clip(np.floor(imresize(small, height, width) + 0.5), 0, 255)
            numbers = psnr(result, plane, scale), ssim(result, plane, scale)
            record.add(Score(couple.name, *numbers, None, None))
    return record.evaluation(replace(found, origin=MADE), CLASSIC_PROTOCOL.format(scale=scale))


def pairs(dataset: Path, scale: int) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Name, original (H, W, 3) and low-resolution picture (H / scale, W / scale, 3), both uint8.

    Args:
        dataset, scale: as for `evaluate`, which raises the same errors.
    """
    found = find_set(dataset, scale)
    for couple in found.couples:
        yield couple.name, *found.read(couple)


class _OtherScaleError(ConfigError):
    """The upscaler's scale is not the data set's, whatever the picture."""


class _Record:
    """What a folder's pictures came to."""

    def __init__(
        self, on_score: Callable[[Score], None] | None, on_failure: Callable[[Failure], None] | None
    ) -> None:
        self.on_score, self.on_failure = on_score, on_failure
        self.scores: list[Score] = []
        self.failures: list[Failure] = []

    @contextmanager
    def trying(self, name: str) -> Generator[None]:
        """Make what goes wrong with one picture a failure of that picture."""
        try:
            yield
        except (_OtherScaleError, CancelledError):
            raise
        except (EsrganError, MemoryError) as error:
            self.fail(name, error)

    def add(self, score: Score) -> None:
        self.scores.append(score)
        if self.on_score is not None:
            self.on_score(score)

    def fail(self, name: str, error: Exception) -> None:
        if self.on_failure is None:
            raise error
        cause = str(error) or "there is not enough memory"
        failure = Failure(name, cause if name in cause else f"{name}: {cause}")
        self.failures.append(failure)
        self.on_failure(failure)

    def evaluation(self, found: PictureSet, protocol: str) -> Evaluation:
        return Evaluation(found.name, protocol, tuple(self.scores), found.origin, tuple(self.failures))


def _score(
    name: str, result: NDArray[np.uint8], original: NDArray[np.uint8], scale: int, distance: Distance | None
) -> Score:
    """Both pictures (H, W, 3)."""
    return Score(
        name,
        psnr(result, original, scale),
        ssim(result, original, scale),
        psnr(result, original, scale, channel="rgb"),
        ssim(result, original, scale, channel="rgb"),
        distance(without_border(result, scale), without_border(original, scale))
        if distance is not None
        else None,
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
