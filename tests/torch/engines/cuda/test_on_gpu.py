"""The kernels on the device that is here: at real sizes, in a whole network, from graphs."""

from pathlib import Path

import pytest
import torch

import esrgan_torch.engines.cuda.halo.blocks as halo
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.cuda import choose
from esrgan_torch.engines.cuda.engine import KernelEngine
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.graphed import GraphedEngine
from esrgan_torch.engines.rrdb import RRDBEngine
from esrgan_torch.images.files import read_image
from esrgan_torch.quantise import batch_psnr
from esrgan_torch.upscaler import Upscaler
from tests.torch.networks import small_rrdb

# collected everywhere, run where a device is that the tables know
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
]
CUDA = torch.device("cuda")
PICTURE = Path(__file__).parents[4] / "examples" / "cat.jpg"
OFFICIAL_SIZES = {"features": 64, "growth": 32, "blocks": 1}


def kernel_engine(model, dtype: torch.dtype) -> KernelEngine:
    engine = choose.make_kernel_engine(model, CUDA, dtype)
    assert isinstance(engine, KernelEngine)
    return engine


def run(engine: Engine, batch: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return engine.tail(engine.trunk(batch, lambda _: None))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [FlatShape(1, 253, 317), FlatShape(2, 67, 93), FlatShape(1, 1, 1)], ids=str)
@pytest.mark.parametrize(
    "layer", ["pair", "rest", "inner", "outer", "body", "first", "last", "prelu", "upsample"]
)
def test_layers_against_float64(layer: str, shape: FlatShape, dtype: torch.dtype) -> None:
    from esrgan_torch.engines.cuda.launch import run_step
    from esrgan_torch.engines.cuda.tuning import table_for
    from tests.torch.engines.cuda.steps_at_random import CONVOLUTIONS, check, dense_buffer, upsample

    torch.manual_seed(0)
    table = table_for(torch.cuda.get_device_capability())
    step = {**CONVOLUTIONS, "upsample": upsample}[layer](dense_buffer(shape, dtype, "cuda"))
    check(step, lambda step: run_step(step, table))


@pytest.mark.official
def test_official_weights_against_float32() -> None:
    from esrgan_weights import load

    model = load("realesrgan-x4plus")
    pixels = torch.from_numpy(read_image(PICTURE).pixels[:192, :256, :3].copy())
    batch = pixels.permute(2, 0, 1)[None].float().div(255).to(CUDA)
    exact = run(RRDBEngine(model, CUDA, torch.float32), batch)
    assert batch_psnr(run(kernel_engine(model, torch.float16), batch), exact) >= 57
    assert batch_psnr(run(kernel_engine(model, torch.bfloat16), batch), exact) >= 45


def test_graphs_follow_new_weights() -> None:
    one, other = small_rrdb(**OFFICIAL_SIZES), small_rrdb(seed=1, **OFFICIAL_SIZES)
    engine = kernel_engine(one, torch.float16)
    batch = torch.rand(1, 3, 61, 47, device=CUDA)
    launched, captured, replayed = (run(engine, batch) for _ in range(3))
    assert torch.equal(launched, captured)
    assert torch.equal(launched, replayed)
    engine.load(other)
    assert torch.equal(run(engine, batch), run(kernel_engine(other, torch.float16), batch))


def test_memory_is_what_was_said() -> None:
    engine = kernel_engine(small_rrdb(**OFFICIAL_SIZES), torch.float16)
    batch = torch.rand(1, 3, 400, 300, device=CUDA)
    said = engine.trunk_bytes(400, 300) + engine.tail_bytes(400, 300)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    run(engine, batch)
    assert torch.cuda.max_memory_allocated() - before <= said * 1.05
    assert engine.trunk_bytes(400, 300) < said / 4, "held already"


def test_upscaler_takes_them_and_stays_exact() -> None:
    model = small_rrdb(**OFFICIAL_SIZES)
    image = read_image(PICTURE).pixels[:200, :160]
    whole, cut = (
        Upscaler(model, device="cuda", dtype="float16", tiling=tiling, engine="triton")(image)
        for tiling in ("off", "exact")
    )
    assert (whole.astype(int) - cut).__abs__().max() <= 1


def test_the_halo_kernel_is_right() -> None:
    if torch.cuda.get_device_capability() != (9, 0) or not halo.CUBIN.exists():
        pytest.skip("the halo kernel is for Hopper, and `make cubin` builds it")
    from esrgan_torch.engines.cuda.tuning import table_for

    model = small_rrdb(**OFFICIAL_SIZES)
    batch = torch.rand(1, 3, 67, 203, device=CUDA)
    exact = run(RRDBEngine(model, CUDA, torch.float32), batch)
    for dtype in (torch.float16, torch.bfloat16):
        triton = run(kernel_engine(model, dtype), batch)
        ours = run(KernelEngine(model, CUDA, dtype, table_for((9, 0)), halo=True), batch)
        assert torch.dist(ours, exact) <= 1.2 * torch.dist(triton, exact)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_graphs_of_pytorch_equal_what_they_replay(dtype: torch.dtype) -> None:
    engine = make_engine(small_rrdb(**OFFICIAL_SIZES), CUDA, dtype, "eager")
    assert isinstance(engine, GraphedEngine)
    for seed in range(4):
        batch = torch.rand(1, 3, 61, 47, generator=torch.Generator().manual_seed(seed)).to(CUDA)
        assert torch.equal(run(engine, batch), run(engine.inner, batch))


def test_every_device_of_several() -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("one CUDA device here")
    model = small_rrdb(**OFFICIAL_SIZES)
    image = read_image(PICTURE).pixels[:60, :80]
    one, other = (Upscaler(model, device=f"cuda:{number}", dtype="float16")(image) for number in (0, 1))
    assert (one == other).all()


def test_float32_is_no_tf32() -> None:
    model = small_rrdb(**OFFICIAL_SIZES)
    batch = torch.rand(1, 3, 61, 47)
    with torch.inference_mode():
        exact = model.double()(batch.double())
    ours = run(RRDBEngine(model.float(), CUDA, torch.float32), batch.to(CUDA))
    assert (ours.cpu() - exact).norm() <= 1e-5 * exact.norm()
