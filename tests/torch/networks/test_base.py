"""Networks in other people's hands: trained, traced, compiled, exported; right at every size."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.networks.base import Generator, pad_to_multiple
from tests.torch.networks import small_compact, small_rrdb, small_span

SIZES = [(8, 8), (5, 7), (1, 2), (2, 1), (13, 6), (3, 4)]
MODELS = {
    "rrdb": small_rrdb(blocks=1),
    "unshuffle 2": small_rrdb(blocks=1, scale=2, unshuffle=2),
    "unshuffle 4": small_rrdb(blocks=1, scale=1, unshuffle=4),
    "compact": small_compact(convolutions=1),
    "span": small_span(features=4, scale=2),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Generator:
    return MODELS[request.param]


def assert_right_at_every_size(
    model: Generator, other: Any, sizes: Sequence[tuple[int, int]] = SIZES
) -> None:
    for size in sizes:
        batch = torch.rand(1, 3, *size)
        with torch.inference_mode():
            torch.testing.assert_close(other(batch), model(batch), rtol=0, atol=1e-5)


@pytest.mark.parametrize("multiple", [1, 2, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3), (4, 8), (6, 7), (9, 2)])
def test_padding_reflects_or_replicates_where_it_is_too_short(multiple: int, size: tuple[int, int]) -> None:
    batch = torch.rand(2, 3, *size, requires_grad=True)
    padded = pad_to_multiple(batch, multiple)
    expected: Tensor = batch
    for axis, pad in ((3, (0, -size[1] % multiple, 0, 0)), (2, (0, 0, 0, -size[0] % multiple))):
        if sum(pad):
            mode = "reflect" if sum(pad) < batch.shape[axis] else "replicate"
            expected = F.pad(expected, pad, mode=mode)
    assert torch.equal(padded, expected)
    gradient = torch.autograd.grad(padded.sum(), batch)[0]
    assert torch.equal(gradient, torch.autograd.grad(expected.sum(), batch)[0])


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("error::torch.jit.TracerWarning")
def test_traced(model: Generator) -> None:
    assert_right_at_every_size(model, torch.jit.trace(model, torch.rand(1, 3, 8, 12)))


def test_exported_with_dynamic_sizes(model: Generator) -> None:
    sides = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    program = torch.export.export(model, (torch.rand(1, 3, 13, 11),), dynamic_shapes=(sides,))
    # PyTorch takes a size of 1 for another program, and so a side of one folded pixel
    assert_right_at_every_size(model, program.module(), [(8, 8), (5, 7), (13, 6)])


def test_compiled_without_a_break(model: Generator) -> None:
    torch._dynamo.reset()  # all networks share one `forward`, and how often that is compiled is limited
    compiled = torch.compile(model, backend="eager", dynamic=True, fullgraph=True)
    assert_right_at_every_size(model, compiled, SIZES[:2])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_onnx_by_hand(model: Generator, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    file = tmp_path / "model.onnx"
    torch.onnx.export(
        model,
        (torch.rand(1, 3, 8, 12),),
        str(file),
        dynamo=False,
        opset_version=17,
        input_names=["input"],
        dynamic_axes={"input": {2: "H", 3: "W"}},
    )
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def other(batch: Tensor) -> Tensor:
        (result,) = session.run(None, {"input": batch.numpy().astype(np.float32)})
        return torch.from_numpy(result)

    assert_right_at_every_size(model, other)


def test_data_parallel_and_vmap_of_batches() -> None:
    model = MODELS["unshuffle 2"]
    batch = torch.rand(3, 3, 5, 7)
    with torch.inference_mode():
        torch.testing.assert_close(nn.DataParallel(model)(batch), model(batch))
        one_by_one = torch.cat([model(picture[None]) for picture in batch])
        torch.testing.assert_close(model(batch), one_by_one, rtol=0, atol=1e-5)
