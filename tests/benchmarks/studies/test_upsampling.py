"""Four 2x2 convolutions are one 3x3 convolution of the enlarged picture, borders included."""

import numpy as np
import torch
from torch.nn import functional as F

from esrgan_benchmarks.studies.upsampling import CHANNELS, on_onnxruntime, pads, phase_kernels


def test_phases_are_exact() -> None:
    random = np.random.default_rng(0)
    kernel = random.standard_normal((3, 3, 5, 4)).astype(np.float32)
    batch = torch.from_numpy(random.random((1, 5, 3, 4), np.float32))
    large = F.interpolate(batch, scale_factor=2, mode="nearest")
    expected = F.conv2d(large, torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), padding=1)
    for phase, part in enumerate(phase_kernels(kernel)):
        (top, bottom), (left, right) = pads(phase)
        weight = torch.from_numpy(part.transpose(3, 2, 0, 1).copy())
        found = F.conv2d(F.pad(batch, (left, right, top, bottom)), weight)
        down, across = divmod(phase, 2)
        torch.testing.assert_close(found, expected[:, :, down::2, across::2], rtol=0, atol=1e-5)


def test_both_onnx_models_compute_the_same() -> None:
    random = np.random.default_rng(0)
    kernel = random.standard_normal((3, 3, CHANNELS, CHANNELS)).astype(np.float32) / 24
    batch = random.random((1, 4, 5, CHANNELS), np.float32)
    one, phases = (run(batch) for run in on_onnxruntime(kernel).values())
    assert one.shape == (1, 8, 10, CHANNELS)
    np.testing.assert_allclose(phases, one, rtol=0, atol=1e-5)
