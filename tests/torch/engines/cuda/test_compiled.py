"""Kernels compiled for devices that need not be here: tensor cores used, nothing spilled, memory enough."""

import pytest
import torch

pytest.importorskip("triton")

from esrgan_torch.engines.cuda.flat import FlatShape
from esrgan_torch.engines.cuda.launch import conv_launch
from esrgan_torch.engines.cuda.steps import Conv
from esrgan_torch.engines.cuda.tuning import CAPABILITIES, SHARED_MEMORY, table_for
from tests.torch.engines.cuda.compiling import compile_step
from tests.torch.engines.cuda.steps_at_random import CONVOLUTIONS, dense_buffer, upsample

STEPS = {**CONVOLUTIONS, "upsample": upsample}
# each kernel for Hopper, and what differs in its table for small pictures; elsewhere, where the tables agree
# but for the device, the largest ones
CASES = [((9, 0), 0, name) for name in STEPS]
CASES += [((9, 0), 1, name) for name in ("pair", "inner")]
CASES += [
    (capability, 0, name)
    for capability in sorted(CAPABILITIES - {(9, 0), (8, 6)})
    for name in ("pair", "outer", "upsample")
]


@pytest.mark.parametrize(("capability", "place", "name"), CASES, ids=str)
def test_kernels_fit_the_device(capability: tuple[int, int], place: int, name: str) -> None:
    step = STEPS[name](dense_buffer(FlatShape(1, 3, 3), torch.float16))
    table = table_for(capability).all_sizes()[place]
    launch = conv_launch(step, table) if isinstance(step, Conv) else table.upsample
    compiled = compile_step(step, launch, capability)
    assert compiled.count("HGMMA" if capability == (9, 0) else "HMMA") > 0
    assert compiled.spilled == 0
    assert compiled.shared <= SHARED_MEMORY[capability]
    if launch.kind == "rows-descriptor":
        assert compiled.count("UTMALDG") > 0
    else:
        assert compiled.count("LDGSTS.*128") > 0, "loads of 16 bytes straight to shared memory"


def test_the_reader_sees_spills() -> None:
    """A tile that cannot fit the registers is reported as such."""
    step = CONVOLUTIONS["outer"](dense_buffer(FlatShape(1, 3, 3), torch.float16))
    from esrgan_torch.engines.cuda.tuning import Launch

    assert compile_step(step, Launch("rows", 256, 32, 4, 2), (8, 0)).spilled > 0
