"""Dots and grids that enlarging leaves: how much stands out at the period of the scale.

A network that enlarges s times makes s x s pixels of one, each by weights of their own. Where these do not
go together the result has a pattern of period s, or of a part of it: a grid on what is flat, dots along
edges. In a spectrum that is a peak at a multiple of 1/s, where pictures have none: their spectra are smooth.

Pieces of rows and of columns, 8 periods or at least about 32 pixels long, are looked at one by one. How far a
piece's power P at one frequency stands out is (P - B) / (P + B + Q), B the geometric mean of the powers two
frequencies away on either side, Q that of a wave of 0.3 levels, which nobody sees: about 0 on average without
a pattern, 1 for the pattern alone, and bounded, so that no single edge decides. What stands out in between
too, at odd multiples of 1/2s, is taken off, since the blocks of a JPEG, 8 pixels wide, have peaks at all
multiples of 1/8; and so are two standard errors of the mean, so that a few pieces that happen to have a peak
are no pattern.

A picture's number is the largest of such means, over the frequencies, both axes, and three choices of
pieces: all, those along an edge, where dots sit, and the flat ones, where a grid shows most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_torch.errors import ConfigError
from esrgan_torch.metrics.psnr_ssim import rgb_to_y

LARGEST_SCALE = 8
ALARM = 0.1
"""A peak beyond this is a pattern."""

PERIODS = 8
"""In a piece of a row or a column."""

APART = 2
"""Frequencies to what is compared: a Hann window widens a line to one on either side."""

_SHORTEST = 32  # pixels of a piece, about
_LEAST = 128  # pieces of one kind, else it says nothing
_ALIKE = 4  # pieces of rows beside one another that count as one
_STEEP, _FLAT = 8.0, 2.5  # levels between pixels a period apart, on average over a piece
_QUIET = 0.1  # power of a wave of 0.3 levels

Plane = NDArray[np.float64]


@dataclass(frozen=True)
class Pattern:
    """What stands out most.

    Args:
        peak: below 1; 0 or less where nothing does, see the module.
        period: in pixels.
        place: "everywhere", "along edges" or "flat places".
    """

    peak: float
    period: float
    place: str

    @property
    def found(self) -> bool:
        """Whether it is more than pictures without a pattern have."""
        return self.peak > ALARM


def pattern_of(pixels: NDArray[Any], scale: int) -> Pattern:
    """The pattern of the period of the scale that stands out most in a picture.

    At scale 8, pictures that were JPEGs or that show something of that period have one of their own.

    Args:
        pixels: (H, W, 3) or (H, W, 1), uint8 or uint16.
        scale: how many times it was enlarged, from 2 to 8.

    Raises:
        ConfigError: another scale, or the picture has fewer than 128 pieces of about 32 pixels.
    """
    if not 2 <= scale <= LARGEST_SCALE:
        raise ConfigError(f"patterns have the period of a scale from 2 to {LARGEST_SCALE}, not {scale}")
    luma = rgb_to_y(pixels)
    found = [*_along_rows(luma, scale), *_along_rows(luma.T, scale)]
    if not found:
        raise ConfigError(
            f"a picture of {luma.shape[1]} x {luma.shape[0]} pixels is too small to look for patterns in"
        )
    return max(found, key=lambda pattern: pattern.peak)


def _along_rows(luma: Plane, scale: int) -> Iterator[Pattern]:
    """The peaks along one axis: of each frequency and each choice of pieces that are enough."""
    length = scale * max(PERIODS, _SHORTEST // scale)
    height, count = luma.shape[0] - scale, luma.shape[1] // length
    if height < 1 or not count:
        return
    pieces = luma[:, : count * length].reshape(-1, count, length)
    # pixels a period apart differ by what is in the picture, and not by a pattern
    rise = np.abs(pieces[scale:] - pieces[:-scale]).mean(2)
    pieces = pieces[:height]
    within = np.abs(pieces[:, :, scale:] - pieces[:, :, :-scale]).mean(2)
    places = {
        "everywhere": np.ones_like(rise, bool),
        "along edges": (rise > _STEEP) & (rise > 2 * within),
        "flat places": (rise < _FLAT) & (within < _FLAT),
    }
    window = np.hanning(length + 1)[:-1]
    waves = np.fft.rfft((pieces - pieces.mean(2, keepdims=True)) * window, axis=2)
    # of a wave, the square of its amplitude in levels
    power = np.square(np.abs(waves * 4 / length)).astype(np.float64, copy=False)
    step = length // scale
    for part in range(1, scale // 2 + 1):
        peaks = _peaks(power, part * step)
        between = [_peaks(power, part * step + half) for half in (-step // 2, step // 2)]
        for place, here in places.items():
            if here.sum() >= _LEAST:
                yield Pattern(_surely(peaks[here], [peak[here] for peak in between]), scale / part, place)


def _surely(peaks: Plane, between: list[Plane]) -> float:
    """By how much the mean is above 0 and above those in between, if not by chance."""
    error = float(peaks.std()) * (_ALIKE / len(peaks)) ** 0.5
    return float(peaks.mean()) - max(0.0, *(float(other.mean()) for other in between)) - 2 * error


def _peaks(power: Plane, middle: int) -> Plane:
    """How far each piece's power at a frequency stands out."""
    last = power.shape[2] - 1

    def at(frequency: int) -> Plane:
        # beyond the highest they come again
        return power[:, :, frequency if frequency <= last else 2 * last - frequency]

    around = np.sqrt(at(middle - APART) * at(middle + APART))
    return (at(middle) - around) / (at(middle) + around + _QUIET)
