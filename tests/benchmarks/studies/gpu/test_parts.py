"""Parts of a run on a GPU that can be seen right, and wrong, without one."""

import pytest
import torch

pytest.importorskip("triton")

from collections import Counter

from esrgan_benchmarks.studies.gpu.halo import compare
from esrgan_benchmarks.studies.gpu.inputs import photo, seeded
from esrgan_benchmarks.studies.gpu.layers import distance, kind_of, kinds_of, steps_of
from esrgan_benchmarks.studies.gpu.networks import flop_per_pixel
from esrgan_benchmarks.studies.gpu.sweep import candidates, in_order
from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.steps import Conv, Upsample

CPU = torch.device("cpu")
HOPPER = (9, 0)


@pytest.fixture(scope="module")
def steps():
    return steps_of(seeded(1), FlatShape(1, 4, 5), torch.float16, CPU)


def test_the_photo_in_every_size() -> None:
    whole, part, more = (photo(*size, CPU) for size in ((140, 180), (3, 5), (300, 500)))
    assert torch.equal(part, whole[:, :, :3, :5])
    assert torch.equal(more[:, :, :140, :180], whole)
    assert torch.equal(more[:, :, 140], more[:, :, 139]), "mirrored"
    assert more.shape == (1, 3, 300, 500)
    assert more.std() > 0.05


def test_operations_of_a_pixel() -> None:
    model = seeded(1)
    seen: list[float] = []

    def count(module: torch.nn.Conv2d, _: object, output: torch.Tensor) -> None:
        seen.append(2.0 * module.weight.numel() * output.shape[2] * output.shape[3])

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    model(torch.rand(1, 3, 4, 4))
    blocks = sum(torch.tensor(seen[1:16])).item()
    assert flop_per_pixel() == (sum(seen) + 22 * blocks) / 16


def test_nothing_is_computed_on_zeros(steps) -> None:
    trunk = next(step for step in steps if isinstance(step, Conv))
    up = next(step for step in steps if isinstance(step, Upsample))
    for values in (trunk.source.buffer.picture(), up.source.picture()):
        assert values.isfinite().all()
        assert values.float().std() > 0.5
    assert steps[0].target.values.isnan().any(), "what ClearBorder has to clear"


def test_a_value_that_is_no_number_is_no_small_distance() -> None:
    exact = torch.ones(4)
    assert distance(torch.tensor([1, 1, torch.nan, 1]), exact) == float("inf")
    assert distance(exact + 0.01, exact) == pytest.approx(0.01)
    assert distance(torch.full((4,), 0.5), torch.zeros(4)) == 1.0


def test_the_sweep_begins_where_most_is_to_gain(steps) -> None:
    kinds = Counter(map(kind_of, steps))
    names = [step.name for step in in_order(list(kinds_of(steps)), kinds)]
    # conv5 with one residual is in two blocks of three, and has half as many inputs again
    assert set(names[:2]) == {"RRDB 1 block 1 conv5", "RRDB 1 block 1 conv3 and part of conv4"}
    assert set(names[2:4]) == {"RRDB 1 block 3 conv5", "RRDB 1 block 1 conv1 and part of conv2"}
    assert len(names) == 10, "borders compute nothing"


def test_candidates_fit_the_shared_memory(steps) -> None:
    for step in kinds_of(steps):
        if isinstance(step, Conv | Upsample):
            large, small = (candidates(step, HOPPER, large) for large in (True, False))
            assert {launch.pixels for launch in large} == {256}
            assert 0 < len(large) <= len(small) <= 20
            assert not set(large) & set(small)
    deep = next(step for step in steps if isinstance(step, Conv) and step.source.count == 192)
    sizes = [(launch.chunk, launch.stages) for launch in candidates(deep, HOPPER, True)]
    assert (64, 3) in sizes
    assert (64, 4) in sizes, "224 KB of 227"
    assert (64, 3) not in [(launch.chunk, launch.stages) for launch in candidates(deep, (8, 6), True)]


def test_a_wrong_halo_convolution_is_located() -> None:
    exact = torch.randn(9, 11, 16)
    right = compare(exact * (1 + 1e-5), exact, [(8, 8)], 4e-4)
    assert right["right"]
    assert "rows" not in right
    got = exact.clone()
    got[3:5, 7, 8] += 1
    got[4, 7, 15] = torch.nan
    assert compare(got, exact, [(8, 8)], 4e-4) == {
        "error": float("inf"), "right": False, "rows": [3, 4], "columns": [7], "outputs": [8, 15],
    }  # fmt: skip
    other = exact.clone()
    other[2, 2, 0] += 1  # a channel that was not to be written
    assert compare(other, exact, [(8, 8)], 4e-4)["outputs"] == [0]
