"""The engine for any network: the network's own result, in the memory that it states, told step by step."""

import pytest
import torch

from esrgan_torch.engines.footprint import peak_bytes
from esrgan_torch.engines.plain import PlainEngine
from esrgan_torch.networks.span import SPAN
from tests.torch.networks import small_span

CPU = torch.device("cpu")


def ignore(_: float) -> None:
    pass


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("scale", [1, 3, 4])
def test_same_result(scale: int, normalised: bool) -> None:
    model = small_span(scale=scale, normalised=normalised)
    engine = PlainEngine(model, CPU, torch.float32)
    batch = torch.rand(1, 3, 11, 8)
    told: list[float] = []
    with torch.inference_mode():
        expected = model(batch)
        result = engine.tail(engine.trunk(batch, told.append))
    torch.testing.assert_close(result, expected, rtol=0, atol=2e-5 * float(expected.abs().max()))
    assert told == sorted(set(told))  # after each convolution
    assert len(told) == 22
    assert told[-1] == 1


def test_a_wish_to_stop_is_heeded() -> None:
    engine = PlainEngine(small_span(), CPU, torch.float32)
    told: list[float] = []

    def stop(share: float) -> None:
        told.append(share)
        if share > 0.3:
            raise KeyboardInterrupt

    batch = torch.rand(1, 3, 11, 8)
    with torch.inference_mode():
        with pytest.raises(KeyboardInterrupt):
            engine.trunk(batch, stop)
        assert len(told) == 7
        engine.trunk(batch, ignore)
    assert len(told) == 7  # who asked before is not told any more


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_memory_is_what_the_network_states(dtype: torch.dtype, scale: int) -> None:
    engine = PlainEngine(SPAN(24, scale, normalised=False), CPU, dtype)
    batch = torch.rand(1, 3, 64, 48)
    taken = peak_bytes(lambda picture: engine.trunk(picture, ignore), batch)
    assert 0.6 * engine.trunk_bytes(64, 48) < taken <= engine.trunk_bytes(64, 48)
