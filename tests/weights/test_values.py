import pytest
import torch

from esrgan_weights.errors import CheckpointError
from esrgan_weights.values import FLOAT8, FLOATS, as_float32, rounded, stored_as


def numbers(count=4096):
    return torch.randn(count, generator=torch.Generator().manual_seed(1)).reshape(64, -1)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_every_float_as_torch_converts_it(dtype):
    tensor = numbers().to(dtype)
    for given in (tensor, tensor.T, tensor[0, 0], tensor.requires_grad_()):
        result = as_float32(given, "x")
        assert torch.equal(result, given.detach().float())
        assert result.is_contiguous()
        assert not result.requires_grad


@pytest.mark.parametrize("dtype", FLOAT8, ids=str)
def test_every_number_of_float8(dtype):
    every = torch.arange(256, dtype=torch.uint8).view(dtype)
    finite = every[torch.isfinite(every.float())]
    assert torch.equal(as_float32(finite, "x"), finite.float())


def test_memory_of_its_own():
    tensor = torch.zeros(3)
    as_float32(tensor, "x").add_(1)
    assert tensor.sum() == 0


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([float("nan")]),
        torch.tensor([float("inf")], dtype=torch.bfloat16),
        torch.tensor([1e300], dtype=torch.float64),
        torch.tensor([1.0]).to_sparse(),
        torch.ones(1, device="meta"),
        torch.ones(1, dtype=torch.complex64),
    ],
)
def test_what_no_network_has(tensor):
    with pytest.raises(CheckpointError, match=r"^conv "):
        as_float32(tensor, "conv")


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_rounding_is_that_of_torch(dtype):
    ties = torch.tensor([1 + 2.0**-8, 1 + 3 * 2.0**-8, 1 + 2.0**-11, 1 + 3 * 2.0**-11, 3e38, 1e-40, -1e-9])
    for tensor in (numbers(), ties if dtype != "float16" else ties[:4]):
        expected = tensor.to(getattr(torch, dtype))
        assert torch.equal(rounded(tensor, dtype), expected.float())
        assert torch.equal(stored_as(rounded(tensor, dtype), dtype), expected)


def test_a_view_with_the_sign_turned_late():
    tensor = torch._neg_view(torch.ones(3))
    assert torch.equal(as_float32(tensor, "x"), torch.full((3,), -1.0))
