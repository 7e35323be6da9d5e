"""Engines in pages, each in a Chromium of its own: the library's, TF.js and onnxruntime-web.

    python -m esrgan_benchmarks web_engines --work DIR [--network NAME ...] [--size N] [--threads N]
    python -m esrgan_benchmarks web_engines --work DIR --swiftshader ...

The first on WebAssembly, by the kernels; the second on WebGPU as Chromium's SwiftShader emulates it, by the
shaders.

All are open at once and run in turn, so that ratios hold on a machine that others use too; the load of the
processor is recorded with them. Rows go to `results/web-engines.jsonl`, and `results/web-emulated.jsonl`.
"""

import argparse
import os
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from esrgan_benchmarks.core.measure import Spread, interleave, ratio
from esrgan_benchmarks.core.record import Row, append
from esrgan_benchmarks.runtimes.base import Runtime, Session, Setting
from esrgan_benchmarks.runtimes.on_kernels import Kernels, Shaders
from esrgan_benchmarks.runtimes.on_onnxruntime_web import OnnxRuntimeWeb
from esrgan_benchmarks.runtimes.on_tfjs import TfjsChromium
from esrgan_benchmarks.studies.web import PHOTO, crop, prepare
from esrgan_bridge.errors import MissingRuntimeError
from esrgan_bridge.parity.probes import Batch

NETWORKS = ("realesrgan-x4plus-anime", "realesr-animevideov3", "esrgan-lite-x4")
SWIFTSHADER = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
TFJS, ORT = "TF.js", "onnxruntime-web"


def on_wasm(threads: int) -> dict[str, Runtime]:
    """Runtimes by their names in the table, the library's first."""
    threaded = threads > 1
    return {
        "kernels": Kernels(threaded=threaded),
        TFJS: TfjsChromium("wasm", threaded=threaded),
        ORT: OnnxRuntimeWeb(),
    }


def on_swiftshader() -> dict[str, Runtime]:
    """As `on_wasm`, on a GPU that the processor emulates."""
    return {
        "shaders": Shaders(SWIFTSHADER),
        TFJS: TfjsChromium("webgpu", flags=SWIFTSHADER),
        ORT: OnnxRuntimeWeb("webgpu", SWIFTSHADER),
    }


def measure(
    network: str, size: int, threads: int, rounds: int, work: Path, engines: dict[str, Runtime]
) -> list[Row]:
    """One network on a part of a photo.

    Args:
        engines: by their names, the library's first.

    Raises:
        MissingRuntimeError: an engine is not here.
    """
    artefacts = prepare(work, network, "direct").parent
    batch: Batch = crop(PHOTO, size)[None].astype(np.float32) / 255
    ours = next(iter(engines))
    setting = Setting(network, artefacts, threads)
    with ExitStack() as stack:
        sessions: dict[str, Session] = {}
        for name, runtime in engines.items():
            if missing := runtime.missing():
                raise MissingRuntimeError(missing)
            sessions[name] = stack.enter_context(closing(runtime.open(setting)))
            sessions[name].feed(batch)
        runs = {name: session.run for name, session in sessions.items()}
        seconds = interleave(runs, rounds)
        exact = sessions[ORT].answer()
        return [
            {
                "network": network,
                "shape": [size, size],
                "engine": name,
                "facts": session.facts,
                "seconds": Spread.of(seconds[name]).as_dict(),
                "least": round(min(seconds[name]), 5),
                "ours_of_it": ratio(seconds, ours, name),
                "least_of_it": round(min(seconds[ours]) / min(seconds[name]), 4),
                "difference": float(np.abs(session.answer() - exact).max()),
                "load": round(os.getloadavg()[0], 1),
            }
            for name, session in sessions.items()
        ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--network", nargs="+", default=NETWORKS)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--swiftshader", action="store_true", help="WebGPU that the processor emulates")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for network in options.network:
        engines = on_swiftshader() if options.swiftshader else on_wasm(options.threads)
        rows = measure(network, options.size, options.threads, options.rounds, options.work, engines)
        append("web-emulated" if options.swiftshader else "web-engines", rows)
        for row in rows:
            print(
                network,
                options.size,
                options.threads,
                row["engine"],
                row["seconds"],
                row["ours_of_it"],
                row["least_of_it"],
            )
