"""SPAN's engine: the network's own result, in the memory that it states, and told step by step."""

import pytest
import torch

from esrgan_torch.engines.span import SPANEngine
from esrgan_torch.footprint import peak_bytes
from esrgan_torch.networks.span import SPAN
from tests.torch.networks import small_span

CPU = torch.device("cpu")


def ignore(_: float) -> None:
    pass


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("scale", [1, 3, 4])
def test_same_result(scale: int, normalised: bool) -> None:
    model = small_span(scale=scale, normalised=normalised)
    engine = SPANEngine(model, CPU, torch.float32)
    batch = torch.rand(1, 3, 11, 8)
    told: list[float] = []
    with torch.inference_mode():
        expected = model(batch)
        features = engine.trunk(batch, told.append)
        result = engine.tail(features)
    torch.testing.assert_close(result, expected, rtol=0, atol=2e-5 * float(expected.abs().max()))
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize("size", [1.0, 0.02])
def test_attention_is_fine_in_half_precision(size: float) -> None:
    # attention computed from small numbers is small: as a difference of sigmoids bfloat16 would lose it
    model = small_span(features=24)
    block = model.blocks()[0]
    for parameter in block.c3_r.parameters():
        parameter.mul_(size)
    features = torch.randn(1, 24, 12, 12)
    engine = SPANEngine(model, CPU, torch.bfloat16)
    with torch.inference_mode():
        expected, _ = block.double()(features.double())
        result = engine._block(engine._network.blocks()[0], features.bfloat16(), None)
    assert (result.double() - expected).norm() < 0.01 * expected.norm()


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_memory_is_what_it_says(dtype: torch.dtype, scale: int) -> None:
    engine = SPANEngine(SPAN(24, scale), CPU, dtype)
    batch = torch.rand(1, 3, 64, 48)
    taken = peak_bytes(lambda picture: engine.trunk(picture, ignore), batch)
    assert 0.6 * engine.trunk_bytes(64, 48) < taken <= engine.trunk_bytes(64, 48)
