"""How far a runtime's picture is from the reference's."""

from dataclasses import dataclass

import numpy as np

from esrgan_benchmarks.core.errors import WrongAnswerError
from esrgan_benchmarks.runtimes.base import FLOORS
from esrgan_bridge.parity.probes import Batch
from esrgan_torch.quantise import decibels, to_levels


@dataclass(frozen=True)
class Parity:
    """Of values clipped to [0, 1], as a picture holds them.

    Args:
        largest: absolute difference.
        psnr: of the 8-bit picture in dB, over all channels; None where the pictures are equal.
    """

    largest: float
    psnr: float | None


def check(
    name: str, dtype: str, found: Batch, expected: Batch, border: int = 0, floor: float | None = None
) -> Parity:
    """Compare a result with the reference's, both (N, H, W, C).

    Args:
        name, dtype: of the runtime, and its precision.
        found, expected: the two results.
        border: output pixels at every edge that are not compared.
        floor: least PSNR in dB; None: that of the precision in `FLOORS`.

    Raises:
        WrongAnswerError: another shape, values that are not finite, or a PSNR under the floor.
    """
    if found.shape != expected.shape:
        raise WrongAnswerError(f"{name}: gave the shape {found.shape} where {expected.shape} is expected")
    if not np.isfinite(found).all():
        raise WrongAnswerError(f"{name}: gave values that are NaN or infinite")
    inside = slice(border, -border or None)
    ours, theirs = (values[:, inside, inside].clip(0, 1) for values in (found, expected))
    mean_square = float(np.mean(np.square(to_levels(ours).astype(np.float64) - to_levels(theirs))))
    psnr = decibels(mean_square) if mean_square else None
    least = FLOORS[dtype] if floor is None else floor
    if psnr is not None and psnr < least:
        raise WrongAnswerError(
            f"{name}: another picture than float32 PyTorch's: {psnr:.1f} dB, where {dtype} should "
            f"reach {least:.0f} dB"
        )
    return Parity(float(np.abs(ours - theirs).max()), None if psnr is None else round(psnr, 2))
