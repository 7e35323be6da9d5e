"""What the chip can do at most: a large matrix product and a large copy."""

import time
from collections.abc import Callable
from typing import Any

from esrgan_benchmarks.core.record import Row

SIDE = {"cpu": 2048, "cuda": 8192}
COPY_BYTES = 2**30  # far above every cache
RUNS = 7


def ceiling(threads: int, device: str = "cpu") -> list[Row]:
    """The best of several runs of each, as rows: multiply-adds counted twice, a copy as read and written.

    Run it in a process of its own: it allocates 2 GB.
    """
    import torch

    from esrgan_torch.engines.devices import computes_bfloat16_fast

    torch.set_num_threads(threads)
    place = torch.device(device)
    rows: list[Row] = []
    dtypes = ["float32"]
    if computes_bfloat16_fast(place):
        dtypes.append("bfloat16")
    if device == "cuda":
        dtypes.append("float16")
    side = SIDE[device]
    for dtype in dtypes:
        left, right = (torch.rand(side, side, device=place).to(getattr(torch, dtype)) for _ in range(2))
        seconds = _best(lambda left=left, right=right: left @ right, torch, device)
        rows.append(
            {"kind": "matrix product", "dtype": dtype, "gflops": round(2 * side**3 / seconds / 1e9, 1)}
        )
    source = torch.ones(COPY_BYTES // 4, device=place)
    target = torch.empty_like(source)
    seconds = _best(lambda: target.copy_(source), torch, device)
    rows.append({"kind": "copy", "dtype": "float32", "gbytes": round(2 * COPY_BYTES / seconds / 1e9, 1)})
    return [{**row, "device": device, "threads_asked": threads} for row in rows]


def _best(function: Callable[[], Any], torch: Any, device: str) -> float:
    function()
    found: list[float] = []
    for _ in range(RUNS):
        if device == "cuda":
            torch.cuda.synchronize()
        started = time.perf_counter()
        function()
        if device == "cuda":
            torch.cuda.synchronize()
        found.append(time.perf_counter() - started)
    return min(found)
