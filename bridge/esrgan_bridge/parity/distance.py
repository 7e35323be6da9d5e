"""How far a copy is from the original: numbers first, then the decision.

The original is the PyTorch network computed in float64. Its answers to the probes are what every runner's
answers are compared with, the float32 network's own among them: that row shows what rounding alone does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_bridge.errors import ParityError
from esrgan_bridge.parity.probes import Answer, Batch


@dataclass(frozen=True)
class Tolerance:
    """The largest absolute difference that is accepted, of values in [0, 1], and why."""

    largest: float
    reason: str


TOLERANCES = {
    "none": Tolerance(
        1e-4,
        "float32 sums in another order; 1/39 of an 8-bit level, so hardly a pixel changes. "
        "2e-5 is the worst that was measured with official weights",
    ),
    "float16": Tolerance(
        1e-2,
        "weights rounded to 11 bits; measured are 3e-3 and 63 dB at worst, and nothing at all for official "
        "weights whose files hold float16 already",
    ),
    "float16 arithmetic": Tolerance(
        2e-2,
        "weights, and each layer's results, rounded to 11 bits; 7e-3 and 55 dB are the worst that was "
        "measured with official weights",
    ),
    "uint8": Tolerance(
        0.1,
        "weights rounded to 256 levels; 4e-2 is the worst that was measured, on noise: for small files, not "
        "for exact pictures",
    ),
    "split": Tolerance(
        2e-5,
        "trunk whole, tail in tiles: the same sums as untiled, in another order at most",
    ),
    "split float16": Tolerance(
        2e-3,
        "trunk whole, tail in tiles: the same sums in another order at most, each layer's rounded to 11 bits",
    ),
}


def tolerance_of(hop: str, to: str, quantize: str) -> Tolerance:
    """What is accepted of a copy.

    Args:
        hop: of the copy.
        to, quantize: the last hop of the conversion, and how its weights are stored.
    """
    if hop != to:
        return TOLERANCES["none"]
    return TOLERANCES["float16 arithmetic" if (hop, quantize) == ("onnx", "float16") else quantize]


@dataclass(frozen=True)
class Row:
    """One runner's answer to one probe, beside the original's.

    Args:
        hop: "torch", "onnx", "tf", "tfjs"; with " split" after it, they compare a runtime with itself.
        runner: which runtime computed it.
        probe, size: name of the probe, height and width.
        largest: maximum absolute difference; infinite where the copy gave NaN, or another shape.
        at: (y, x, channel) of it in the output.
        mean: mean absolute difference.
        psnr: of the 8-bit pictures in dB over all channels; None where they are equal.
        differing, pixels: 8-bit pixels that differ in any channel, and all.
        tolerance, reason: what is accepted for `largest`, and why.
        seconds: of the computation.
        note: what else is to be said, or "".
        lowest, highest: values of the copy's answer, as it gave them; None where it gave none to compare, and
            in records of earlier releases.
    """

    hop: str
    runner: str
    probe: str
    size: str
    largest: float
    at: tuple[int, int, int]
    mean: float
    psnr: float | None
    differing: int
    pixels: int
    tolerance: float
    reason: str
    seconds: float
    note: str = ""
    lowest: float | None = None
    highest: float | None = None

    @property
    def passed(self) -> bool:
        return self.largest <= self.tolerance

    def fault(self) -> str:
        """For the message of an error: where and how far."""
        y, x, channel = self.at
        if self.note:
            return f"hop {self.hop}, runner {self.runner}, probe {self.probe} ({self.size}): {self.note}"
        return (
            f"hop {self.hop}, runner {self.runner}, probe {self.probe} ({self.size}): differs by "
            f"{self.largest:.2e} at y={y}, x={x}, channel {channel} of the output; "
            f"accepted is {self.tolerance:.0e} ({self.reason})"
        )


def compare(
    hop: str,
    runner: str,
    probe: str,
    size: str,
    expected: Answer,
    found: Batch,
    tolerance: Tolerance,
    seconds: float,
) -> Row:
    """Measure one answer.

    Args:
        hop, runner, probe, size, seconds: see `Row`.
        expected, found: (1, H, W, C), the original's answer in float64, and the copy's.
        tolerance: what is accepted.
    """
    if found.shape != expected.shape:
        note = f"gave the shape {found.shape} where {expected.shape} is expected"
        return _hopeless(hop, runner, probe, size, expected, tolerance, seconds, note)
    if not np.isfinite(found).all():
        note = f"gave {int((~np.isfinite(found)).sum())} values that are NaN or infinite"
        return _hopeless(hop, runner, probe, size, expected, tolerance, seconds, note)
    difference = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    position = np.unravel_index(int(difference.argmax()), difference.shape)
    first, second = to_levels(expected), to_levels(found)
    error = float(np.mean(np.square(first.astype(np.float64) - second)))
    return Row(
        hop=hop,
        runner=runner,
        probe=probe,
        size=size,
        largest=float(difference.max()),
        at=(int(position[1]), int(position[2]), int(position[3])),
        mean=float(difference.mean()),
        psnr=10 * math.log10(255**2 / error) if error else None,
        differing=int((first != second).any(axis=-1).sum()),
        pixels=first.shape[1] * first.shape[2],
        tolerance=tolerance.largest,
        reason=tolerance.reason,
        seconds=seconds,
        lowest=float(found.min()),
        highest=float(found.max()),
    )


def _hopeless(
    hop: str,
    runner: str,
    probe: str,
    size: str,
    expected: Answer,
    tolerance: Tolerance,
    seconds: float,
    note: str,
) -> Row:
    pixels = expected.shape[1] * expected.shape[2]
    return Row(
        hop=hop,
        runner=runner,
        probe=probe,
        size=size,
        largest=math.inf,
        at=(0, 0, 0),
        mean=math.inf,
        psnr=0.0,
        differing=pixels,
        pixels=pixels,
        tolerance=tolerance.largest,
        reason=tolerance.reason,
        seconds=seconds,
        note=note,
    )


def to_levels(batch: Answer) -> NDArray[Any]:
    """Values in [0, 1] as 8-bit levels, clamped; the same shape, uint8."""
    return np.rint(np.clip(batch, 0, 1) * np.float32(255)).astype(np.uint8)


def require(rows: Sequence[Row], precision: str = "float32") -> None:
    """Stop at the first row that is out of tolerance.

    Args:
        rows: of one runner.
        precision: what it computes in.

    Raises:
        ParityError: one is; the message names hop, runner, probe and pixel, and counts the others.
    """
    failed = [row for row in rows if not row.passed]
    if failed:
        others = f"; {len(failed) - 1} more rows of this runner fail as well" if len(failed) > 1 else ""
        computed = "" if precision == "float32" else f"; this runtime computes in {precision}"
        raise ParityError(f"parity: {failed[0].fault()}{others}{computed}")
