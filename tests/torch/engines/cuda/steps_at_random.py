"""Steps on random buffers, to compare a kernel with its reference: the same step twice, on equal memory."""

from collections.abc import Callable

import torch

from esrgan_torch.engines.cuda.flat import Flat, FlatShape, allocate, inner_pixels
from esrgan_torch.engines.cuda.steps import Channels, Conv, Place, Step, Upsample, Weights

# relative distance to float64 that rounding the result explains, with some room: half a unit in the last
# place of the result, for sums in float32
ALLOWED = {torch.float32: 2e-6, torch.float16: 4e-4, torch.bfloat16: 3e-3}
ALLOWED_PAIR = 1e-5

STREAM, GROWN, CHANNELS = 64, 5 * 64, 5 * 64 + 4 * 32


def dense_buffer(shape: FlatShape, dtype: torch.dtype, device: str = "cpu", channels: int = CHANNELS) -> Flat:
    """Random values, zeros around."""
    buffer = allocate(shape, channels, dtype, torch.device(device))
    buffer.picture()[:] = torch.randn_like(buffer.picture(), dtype=torch.float32)
    return buffer


def weights(rows: int, outputs: int, dtype: torch.dtype, device: str = "cpu") -> Weights:
    """Random, of the size that leaves values as large as they were."""
    matrix = torch.randn(rows, outputs, device=device) / rows**0.5
    return Weights(matrix.to(dtype), torch.randn(outputs, device=device) / 4)


def pair(dense: Flat) -> Step:
    """conv3 with its part of conv4: two pieces of inputs, half of the outputs active."""
    source = Channels(dense, 0, 128, rest=GROWN, split=64)
    return Conv("pair", source, weights(9 * 128, 64, *_kind(dense)), dense, Place(GROWN + 64), active=32)


def rest(dense: Flat) -> Step:
    """The rest of conv4: added to what is there."""
    source = Channels(dense, GROWN + 64, 32)
    target = Place(GROWN + 96)
    packed = weights(9 * 32, 32, *_kind(dense))
    return Conv("rest", source, packed, dense, target, active=32, accumulate=True)


def inner(dense: Flat) -> Step:
    """conv5 of a first block."""
    source = Channels(dense, 0, 192, rest=GROWN, split=64)
    target, stream = Place(64, 4 * 64), (Place(0, 3 * 64),)
    packed = weights(9 * 192, 64, *_kind(dense))
    return Conv("inner", source, packed, dense, target, residual_buffer=dense, residuals=stream, scale=0.2)


def outer(dense: Flat) -> Step:
    """conv5 of a third block: over the start of the RRDB, which it adds."""
    source = Channels(dense, 128, 192, rest=GROWN, split=64)
    target, streams = Place(0, 3 * 64), (Place(128, 4 * 64), Place(0, 3 * 64))
    packed = weights(9 * 192, 64, *_kind(dense))
    return Conv("outer", source, packed, dense, target, residual_buffer=dense, residuals=streams, scale=0.2)


def body(dense: Flat) -> Step:
    """The body's last convolution: one residual, 64 inputs, no pair."""
    source, stream = Channels(dense, 0, 64), (Place(64, 4 * 64),)
    packed = weights(9 * 64, 64, *_kind(dense))
    return Conv("body", source, packed, dense, Place(128), residual_buffer=dense, residuals=stream)


def first(dense: Flat) -> Step:
    """16 inputs of another buffer."""
    picture = dense_buffer(dense.shape, *_kind(dense), channels=16)
    return Conv(
        "first", Channels(picture, 0, 16), weights(9 * 16, 64, *_kind(dense)), dense, Place(0, 3 * 64)
    )


def last(dense: Flat) -> Step:
    """3 of 16 outputs, in float32."""
    large = allocate(dense.shape, 4, torch.float32, dense.values.device)
    return Conv("last", Channels(dense, 0, 64), weights(9 * 64, 16, *_kind(dense)), large, Place(0), stored=3)


def prelu(dense: Flat) -> Step:
    """A convolution of a CompactNet; slopes of both signs."""
    packed = weights(9 * 64, 64, *_kind(dense))
    slopes = torch.linspace(-1.5, 1.5, 64, device=dense.values.device)
    return Conv(
        "prelu", Channels(dense, 0, 64), Weights(packed.matrix, packed.bias, slopes), dense, Place(128)
    )


def upsample(dense: Flat) -> Step:
    """To twice the size."""
    source = dense_buffer(dense.shape, *_kind(dense), channels=64)
    target = allocate(dense.shape.doubled(), 64, dense.values.dtype, dense.values.device)
    return Upsample("upsample", source, weights(16 * 64, 64, *_kind(dense)), target)


CONVOLUTIONS: dict[str, Callable[[Flat], Step]] = {
    step.__name__: step for step in (pair, rest, inner, outer, body, first, last, prelu)
}


def check(step: Conv | Upsample, run: Callable[[Step], None]) -> None:
    """The kernel's result is whole and near that in float64, and nothing else was touched.

    What is written and not read is NaN before. The halves of pairs are added up: those are precise.
    """
    target, parts = step.target, step.written
    before = target.values.clone()
    step.reference()
    expected = target.values.clone()
    target.values.copy_(before)
    if isinstance(step, Upsample) or not (step.accumulate or step.place in step.residuals):
        for at, count in parts:
            target.picture(at, count)[:] = torch.nan
    run(step)
    others = torch.ones_like(before, dtype=torch.bool)
    for at, count in parts:
        inner_pixels(others, target.shape)[..., at : at + count] = False
    assert torch.equal(target.values[others], before[others]), f"{step.name}: other values were touched"
    got, want = (
        sum(inner_pixels(values, target.shape)[..., at : at + count].double() for at, count in parts)
        for values in (target.values, expected)
    )
    distance = ((got - want).norm() / want.norm()).item()
    allowed = ALLOWED_PAIR if len(parts) == 2 else ALLOWED[before.dtype]
    assert distance <= allowed, f"{step.name}: {distance:.1e} from float64"


def _kind(buffer: Flat) -> tuple[torch.dtype, str]:
    return buffer.values.dtype, str(buffer.values.device)
