"""Each convolution of the halo kernel alone against float64: which one is wrong, and where."""

from collections.abc import Sequence

import torch
from torch import Tensor

from esrgan_benchmarks.studies.gpu.layers import ALLOWED, distance
from esrgan_benchmarks.studies.gpu.report import Report, Row
from esrgan_torch.engines.cuda.flat import FlatShape, allocate
from esrgan_torch.engines.cuda.halo.blocks import HaloBlocks, kind_of
from esrgan_torch.engines.cuda.halo.planes import LANES
from esrgan_torch.engines.cuda.network import PackedNetwork, TrunkBuffers
from esrgan_torch.engines.cuda.steps import Conv
from esrgan_torch.networks.rrdb import RRDBNet

# two tiles across and several down, the last ones not full
SHAPE = FlatShape(1, 67, 203)
ROOM = 20  # a value rounded the other way is not wrong yet
MOST = 12  # rows, columns and outputs that are named


def check_convolutions(report: Report, model: RRDBNet, dtypes: Sequence[torch.dtype]) -> None:
    """The 15 convolutions of the first RRDB, each on what the references before it left."""
    for dtype in dtypes:
        network = PackedNetwork(model, report.device, dtype)
        blocks = HaloBlocks(network.blocks[:1], dtype, report.device)
        blocks.reserve(SHAPE)
        picture = allocate(SHAPE, network.first_inputs, dtype, report.device)
        dense = allocate(SHAPE, network.slots.channels, dtype, report.device)
        dense.picture()[:] = torch.randn_like(dense.picture(), dtype=torch.float32)
        every = blocks.planes.picture(0, network.slots.channels)
        steps = network.block_steps(TrunkBuffers(picture, dense))[:15]
        for number, step in enumerate(steps):
            assert isinstance(step, Conv)
            every.copy_(dense.picture()[0].view(*every.shape[:2], -1, LANES))
            place, convolution = divmod(number, 5)
            blocks.launch(0, place, convolution)
            step.reference()
            # other channels than those written must have stayed, so all are compared
            got, exact = every.flatten(2).double(), dense.picture()[0].double()
            row = compare(got, exact, [step.written[0]], ALLOWED[dtype])
            name = f"{place + 1}.{convolution + 1}"
            report.add("halo check", name=name, kind=kind_of(place, convolution), dtype=str(dtype), **row)
            if not row["right"]:
                report.failed.append(f"halo check {name} {dtype}")


def compare(got: Tensor, exact: Tensor, written: Sequence[tuple[int, int]], allowed: float) -> Row:
    """Whether values (H, W, C) agree, and if not in which rows, columns and channels they are off.

    Args:
        written: first channel and number of channels of what should have changed; the others are equal, but
            for what rounding left of pairs, which follows from these.
        allowed: relative distance of what is written.
    """
    error = max(distance(got[..., at : at + count], exact[..., at : at + count]) for at, count in written)
    off = ~((got - exact).abs() <= ROOM * allowed * (exact.abs() + 1))  # true for a NaN as well
    right = error <= allowed and not bool(off.any())
    row: Row = {"error": error, "right": right}
    if not right:
        for name, others in (("rows", (1, 2)), ("columns", (0, 2)), ("outputs", (0, 1))):
            row[name] = off.sum(others).nonzero()[:, 0][:MOST].tolist()
    return row
