"""Quality beside cost: PSNR and SSIM on a set of pictures, and the time that a megapixel takes.

By `esrgan bench --dataset DIR`, with this library's defaults, by the papers' protocol (see
`esrgan_torch.metrics.protocol`).
"""

import time
from pathlib import Path

from esrgan_benchmarks.core.measure import peak_memory
from esrgan_benchmarks.core.record import Row

SCALE = 4


def networks() -> list[str]:
    """Every published network of that scale, in the registry's order."""
    from esrgan_weights import models

    return [model.name for model in models().values() if model.scale == SCALE]


def measure_quality(network: str, dataset: Path, threads: int, device: str = "auto") -> Row:
    """One network over one folder; run it in a process of its own.

    Args:
        network: published name, or a checkpoint's path, of scale 4.
        dataset: folder with the subfolders HR and LRbicx4, or with originals.
        threads: of PyTorch.
        device: as for `Upscaler`.

    Raises:
        WeightsError: the network cannot be had here.
        ConfigError: no such pictures, or a network of another scale.
    """
    import torch

    from esrgan_torch import Picture, Upscaler
    from esrgan_torch.errors import ConfigError
    from esrgan_torch.metrics.protocol import evaluate
    from esrgan_weights import load

    torch.set_num_threads(threads)
    model = load(network, progress=False)
    if model.scale != SCALE:
        raise ConfigError(f"it enlarges {model.scale} times, quality is measured at {SCALE} times")
    upscaler = Upscaler(model, device)
    seconds = 0.0
    pixels = 0

    def upscale(picture: Picture) -> Picture:
        nonlocal seconds, pixels
        upscaler.upscale(picture)  # what OpenVINO compiles for a size is no cost of its pixels
        started = time.perf_counter()
        result = upscaler.upscale(picture).picture
        seconds += time.perf_counter() - started
        pixels += result.height * result.width
        return result

    mean = evaluate(upscale, dataset, scale=SCALE).mean
    return {
        "network": network,
        "dataset": dataset.name,
        "psnr_y": round(mean.psnr_y, 3),
        "ssim_y": round(mean.ssim_y, 4),
        "seconds_a_megapixel": round(seconds / pixels * 1e6, 3),
        "parameters": sum(values.numel() for values in model.parameters()),
        "dtype": str(upscaler.dtype).removeprefix("torch."),
        "device": upscaler.device.type,
        "peak": peak_memory(),
        "threads_asked": threads,
    }


def measure_bicubic(dataset: Path) -> Row:
    """The baseline that every network is compared with; its time is not a network's and is left out."""
    from esrgan_torch.metrics.protocol import bicubic, evaluate

    mean = evaluate(bicubic(SCALE), dataset, scale=SCALE).mean
    return {
        "network": "bicubic",
        "dataset": dataset.name,
        "psnr_y": round(mean.psnr_y, 3),
        "ssim_y": round(mean.ssim_y, 4),
        "seconds_a_megapixel": None,
        "parameters": 0,
        "dtype": "float64",
        "device": "cpu",
        "peak": None,
        "threads_asked": 1,
    }
