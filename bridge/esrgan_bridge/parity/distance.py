"""How far a copy is from the original: numbers first, then the decision.

The original is the PyTorch network computed in float64. Its answers to the probes are what every runner's
answers are compared with, the float32 network's own among them: that row shows what rounding alone does.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from esrgan_bridge.parity.probes import Answer, Batch
from esrgan_torch.quantise import decibels, to_levels


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
    "int8": Tolerance(
        0.6,
        "weights rounded to 255 levels a channel, and each layer's input to 256 of each picture; 0.47 is the "
        "worst that was measured, on the checkerboard, and 0.14 on a photo: for small files, not for exact "
        "pictures",
    ),
    "split": Tolerance(
        2e-5,
        "trunk whole, tail in tiles: the same sums as untiled, in another order at most",
    ),
    "split float16": Tolerance(
        2e-3,
        "trunk whole, tail in tiles: the same sums in another order at most, each layer's rounded to 11 bits",
    ),
    "split int8": Tolerance(
        0.6,
        "trunk whole, tail in tiles: each layer's input is rounded by its own least and largest value, which "
        "a tile does not share with the whole",
    ),
}


def tolerance_of(step: str, to: str, quantize: str) -> Tolerance:
    """What is accepted of a copy.

    Args:
        step: of the copy.
        to, quantize: the last step of the conversion, and how its weights are stored.
    """
    if step != to:
        return TOLERANCES["none"]
    return TOLERANCES["float16 arithmetic" if (step, quantize) == ("onnx", "float16") else quantize]


@dataclass(frozen=True)
class Measurement:
    """What is compared with what is expected, before the numbers.

    Args:
        step: "torch", "onnx", "tf", "tflite", "tfjs"; with " split" after it, a runtime is compared with
            itself.
        runner: which runtime computed it.
        probe, size: name of the probe, height and width.
        tolerance: what is accepted.
        seconds: of the computation.
    """

    step: str
    runner: str
    probe: str
    size: str
    tolerance: Tolerance
    seconds: float

    def row(self, **numbers: Any) -> "Row":
        """With the numbers that were found."""
        return Row(
            step=self.step,
            runner=self.runner,
            probe=self.probe,
            size=self.size,
            tolerance=self.tolerance.largest,
            reason=self.tolerance.reason,
            seconds=self.seconds,
            **numbers,
        )


@dataclass(frozen=True)
class Row:
    """One runner's answer to one probe, beside the original's.

    Args:
        step, runner, probe, size, seconds: see `Measurement`.
        largest: maximum absolute difference; infinite where the copy gave NaN, or another shape.
        at: (y, x, channel) of it in the output.
        mean: mean absolute difference.
        psnr: of the 8-bit pictures in dB over all channels; None where they are equal.
        differing, pixels: 8-bit pixels that differ in any channel, and all.
        tolerance, reason: what is accepted for `largest`, and why.
        note: what else is to be said, or "".
        lowest, highest: values of the copy's answer, as it gave them; None where it gave none to compare, and
            in records of earlier releases.
    """

    step: str
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
            return f"step {self.step}, runner {self.runner}, probe {self.probe} ({self.size}): {self.note}"
        return (
            f"step {self.step}, runner {self.runner}, probe {self.probe} ({self.size}): differs by "
            f"{self.largest:.2e} at y={y}, x={x}, channel {channel} of the output; "
            f"accepted is {self.tolerance:.0e} ({self.reason})"
        )


def compare(measurement: Measurement, expected: Answer, found: Batch) -> Row:
    """Measure one answer.

    Args:
        measurement: what it is.
        expected, found: (1, H, W, C), the original's answer in float64, and the copy's.
    """
    pixels = expected.shape[1] * expected.shape[2]
    if found.shape != expected.shape:
        note = f"gave the shape {found.shape} where {expected.shape} is expected"
    elif not np.isfinite(found).all():
        note = f"gave {int((~np.isfinite(found)).sum())} values that are NaN or infinite"
    else:
        note = ""
    if note:
        return measurement.row(
            largest=math.inf,
            at=(0, 0, 0),
            mean=math.inf,
            psnr=0.0,
            differing=pixels,
            pixels=pixels,
            note=note,
        )
    difference = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    _, y, x, channel = np.unravel_index(int(difference.argmax()), difference.shape)
    first, second = to_levels(expected), to_levels(found)
    error = float(np.mean(np.square(first.astype(np.float64) - second)))
    return measurement.row(
        largest=float(difference.max()),
        at=(int(y), int(x), int(channel)),
        mean=float(difference.mean()),
        psnr=decibels(error) if error else None,
        differing=int((first != second).any(axis=-1).sum()),
        pixels=pixels,
        lowest=float(found.min()),
        highest=float(found.max()),
    )
