"""Every kernel against its reference in float64."""

import pytest
import torch

from esrgan_torch.engines.cuda.border import launch_border
from esrgan_torch.engines.cuda.conv_rows import launch_rows
from esrgan_torch.engines.cuda.conv_taps import launch_taps
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.steps import ClearBorder, Conv
from esrgan_torch.engines.cuda.tuning import Kind, Launch
from esrgan_torch.engines.cuda.upsample import launch_upsample
from tests.torch.engines.cuda.steps_at_random import CONVOLUTIONS, check, dense_buffer, upsample

# sizes that no tile divides, a single pixel, a single row and column, two pictures
SHAPES = [FlatShape(*sizes) for sizes in ((1, 9, 19), (2, 5, 7), (1, 1, 1), (1, 1, 30), (1, 23, 1))]
DTYPES = [torch.float16, torch.bfloat16]
KINDS: list[Kind] = ["taps", "rows", "rows-descriptor"]


def run_conv(kind: Kind, pixels: int, chunk: int):
    launch = Launch(kind, pixels, chunk, 4, 2)
    return lambda step: (launch_taps if kind == "taps" else launch_rows)(step, launch)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", CONVOLUTIONS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_convolutions(layer: str, kind: Kind, dtype: torch.dtype) -> None:
    dense = dense_buffer(FlatShape(1, 9, 19), dtype)
    check(CONVOLUTIONS[layer](dense), run_conv(kind, 64, 64))


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_sizes(shape: FlatShape, kind: Kind) -> None:
    check(CONVOLUTIONS["pair"](dense_buffer(shape, torch.float16)), run_conv(kind, 32, 32))


@pytest.mark.parametrize("kind", KINDS)
def test_logic_is_exact_in_float32(kind: Kind) -> None:
    """Rounding cannot hide a small mistake."""
    check(CONVOLUTIONS["outer"](dense_buffer(FlatShape(2, 4, 11), torch.float32)), run_conv(kind, 128, 64))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_upsample(shape: FlatShape, dtype: torch.dtype) -> None:
    launch = Launch("taps", 64, 64, 4, 2)
    check(upsample(dense_buffer(shape, dtype)), lambda step: launch_upsample(step, launch))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_border(shape: FlatShape) -> None:
    dense = dense_buffer(shape, torch.float16)
    kept = dense.picture().clone()
    dense.values.fill_(torch.nan)
    dense.before.fill_(torch.nan)
    dense.picture()[:] = kept
    step = ClearBorder("border", dense)
    launch_border(step)
    assert not dense.border().any()
    assert torch.equal(dense.picture(), kept)
    got = dense.values.clone()
    step.reference()
    assert torch.equal(got, dense.values)


def test_a_mistake_is_found() -> None:
    """The check itself fails for a wrong result and for a value written elsewhere."""
    dense = dense_buffer(FlatShape(1, 4, 6), torch.float16)
    step = CONVOLUTIONS["pair"](dense)
    assert isinstance(step, Conv)
    right = run_conv("rows", 64, 64)

    def wrong_value(step: Conv) -> None:
        right(step)
        dense.picture(step.place.at, 1)[0, 2, 3] += 2

    def wrong_place(step: Conv) -> None:
        right(step)
        dense.values[-1, 0] = 1

    for wrong, message in ((wrong_value, "from float64"), (wrong_place, "touched"), (lambda _: None, "nan")):
        with pytest.raises(AssertionError, match=message):
            check(step, wrong)
