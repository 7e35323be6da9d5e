"""Parity of converted networks, step by step and runtime by runtime, and the sizes of the copies.

    python -m esrgan_benchmarks conversion [--networks NAME...] [--routes tf direct onnx-tf]
                                           [--quantize none float16 uint8] [--runners NAME...]
    python -m esrgan_benchmarks conversion --to onnx [--networks NAME...] [--quantize none float16]
    python -m esrgan_benchmarks conversion --to tflite [--networks NAME...] [--quantize none float16 int8]

Besides the official networks there is one of every other scale, `SEEDED`: small ones with random weights
from a fixed seed, since the package index mirrors no official file of them.
"""

import argparse
import tempfile
from pathlib import Path

import torch
from torch import nn

from esrgan_benchmarks.core.measure import in_child
from esrgan_benchmarks.core.record import Row, append
from esrgan_bridge import ParityReport, convert
from esrgan_bridge.options import Quantize, Route
from esrgan_bridge.parity.probes import PHOTOS, make_probes
from esrgan_bridge.steps import ARTEFACTS
from esrgan_bridge.writers.tf_to_tflite import MODEL
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_torch.networks.span import RGB_RANGE, SPAN

OFFICIAL = ("realesr-animevideov3", "realesrgan-x4plus-anime", "realesrgan-x4plus")
RRDB = {"features": 32, "blocks": 3, "growth": 16}
COMPACT = {"features": 32, "convolutions": 8}
SEEDED: dict[str, tuple[type[Generator], dict[str, int]]] = {
    "RRDBNet x1, unshuffle 4, seeded": (RRDBNet, {**RRDB, "scale": 1, "unshuffle": 4}),
    "RRDBNet x2, unshuffle 2, seeded": (RRDBNet, {**RRDB, "scale": 2, "unshuffle": 2}),
    "RRDBNet x2, seeded": (RRDBNet, {**RRDB, "scale": 2}),
    "RRDBNet x8, seeded": (RRDBNet, {**RRDB, "scale": 8}),
    "RRDBNet x16, seeded": (RRDBNet, {**RRDB, "scale": 16}),
    "CompactNet x2, seeded": (CompactNet, {**COMPACT, "scale": 2}),
    "CompactNet x3, seeded": (CompactNet, {**COMPACT, "scale": 3}),
    "SPAN x2, 24 features, seeded": (SPAN, {"features": 24, "scale": 2}),
    "SPAN x4, 48 features, seeded": (SPAN, {"features": 48, "scale": 4}),
}


def seeded(name: str) -> Generator:
    """A network of `SEEDED`, with weights so large that each layer shows in the picture."""
    kind, sizes = SEEDED[name]
    network = kind(**sizes)
    random = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            gain = 1.2 / (module.in_channels * 9) ** 0.5
            module.weight.data = torch.randn(module.weight.shape, generator=random) * gain
            assert module.bias is not None
            module.bias.data = torch.randn(module.bias.shape, generator=random) * 0.05
        if isinstance(module, nn.PReLU):
            module.weight.data = torch.rand(module.weight.shape, generator=random) * 0.4
    if isinstance(network, SPAN):  # so that what is normalised to ±127 shows in a picture from 0 to 1
        network.conv_1.get_parameter("weight").data /= RGB_RANGE
    return network.eval().requires_grad_(False)


def measure(name: str, route: Route, quantize: Quantize, runners: list[str] | None) -> list[Row]:
    """Convert one network to TF.js, and give its rows."""
    model = seeded(name) if name in SEEDED else name
    with tempfile.TemporaryDirectory() as folder:
        report = convert(
            model, Path(folder) / "made", route=route, quantize=quantize, runners=runners, progress=print
        )
    print(report)
    return rows_of(name, report)


def measure_onnx(name: str, quantize: Quantize, runners: list[str] | None) -> list[Row]:
    """Convert one network to ONNX, trunk and tail too; the bytes are those of the whole alone."""
    model = seeded(name) if name in SEEDED else name
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        report = convert(
            model, made, to="onnx", quantize=quantize, parts=True, runners=runners, progress=print
        )
        size = (made / ARTEFACTS["onnx"]).stat().st_size
    print(report)
    return [{**row, "bytes": size} if row["step"] == "onnx" else row for row in rows_of(name, report)]


def measure_litert(name: str, quantize: Quantize, runners: list[str] | None) -> list[Row]:
    """Convert one network to LiteRT, and give its rows; the bytes are those of the model alone."""
    model = seeded(name) if name in SEEDED else name
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        report = convert(model, made, to="tflite", quantize=quantize, runners=runners, progress=print)
        size = (made / ARTEFACTS["tflite"] / MODEL).stat().st_size
    print(report)
    return [{**row, "bytes": size} if row["step"] == "tflite" else row for row in rows_of(name, report)]


def rows_of(name: str, report: ParityReport) -> list[Row]:
    """One row for each runtime at each step: the largest difference over its probes, the lowest PSNR."""
    steps = {step.name: step for step in report.steps}
    of_all = len(make_probes())
    groups: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(report.rows):
        groups.setdefault((row.step, row.runner), []).append(index)
    rows: list[Row] = []
    for (step, runner), indices in groups.items():
        found = [report.rows[index] for index in indices]
        psnr = [row.psnr for row in found if row.psnr is not None]
        of_photos = [row.psnr for row in found if row.psnr is not None and row.probe in PHOTOS]
        rows.append(
            {
                "network": name,
                "route": report.route,
                "quantize": report.quantize,
                "step": step,
                "runner": runner,
                "precision": report.precision(runner),
                "probes": len(found),
                "of_probes": 1 if step.endswith(" split") else of_all,
                "largest": max(row.largest for row in found),
                "psnr": min(psnr) if psnr else None,
                "photo_psnr": min(of_photos) if of_photos else None,
                "differing": sum(row.differing for row in found),
                "pixels": sum(row.pixels for row in found),
                "tolerance": found[0].tolerance,
                "bytes": steps[step].size if step in steps else None,
                "converted_in": steps[step].seconds if step in steps else None,
                "computed_in": sum(row.seconds for row in found),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=[*OFFICIAL, *SEEDED])
    parser.add_argument("--to", choices=("onnx", "tfjs", "tflite"), default="tfjs")
    parser.add_argument("--routes", nargs="+", default=["tf", "direct"])
    parser.add_argument("--quantize", nargs="+", default=["none"])
    parser.add_argument("--runners", nargs="+")
    options = parser.parse_args()
    for name in options.networks:
        if options.to == "onnx":
            for quantize in options.quantize:
                append("conversion_onnx", in_child(measure_onnx, name, quantize, options.runners))
            continue
        if options.to == "tflite":
            for quantize in options.quantize:
                append("conversion_litert", in_child(measure_litert, name, quantize, options.runners))
            continue
        for route in options.routes:
            for quantize in options.quantize:
                append("conversion", in_child(measure, name, route, quantize, options.runners))
