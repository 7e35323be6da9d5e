"""Engines on WebAssembly, each in a Chromium of its own: the kernels, TF.js and onnxruntime-web.

    python -m esrgan_benchmarks web_engines --work DIR [--network NAME ...] [--size N] [--threads N]

All are open at once and run in turn, so that ratios hold on a machine that others use too; the load of the
processor is recorded with them. Rows go to `results/web-engines.jsonl`.
"""

import argparse
import os
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from esrgan_benchmarks.core.measure import Spread, interleave, ratio
from esrgan_benchmarks.core.record import Row, append
from esrgan_benchmarks.runtimes import RUNTIMES
from esrgan_benchmarks.runtimes.base import Session, Setting
from esrgan_benchmarks.studies.web import PHOTO, crop, prepare
from esrgan_bridge.errors import MissingRuntimeError
from esrgan_bridge.parity.probes import Batch

NETWORKS = ("realesrgan-x4plus-anime", "realesr-animevideov3", "esrgan-lite-x4")
OURS = "kernels"


def engines(threads: int) -> dict[str, str]:
    """Names in the table, and the runtimes that they are."""
    suffix = "-threads" if threads > 1 else ""
    return {
        OURS: f"kernels-wasm{suffix}",
        "TF.js": f"tfjs-wasm{suffix}",
        "onnxruntime-web": "onnxruntime-web",
    }


def measure(network: str, size: int, threads: int, rounds: int, work: Path) -> list[Row]:
    """One network on a part of a photo.

    Raises:
        MissingRuntimeError: an engine is not here.
    """
    artefacts = prepare(work, network, "direct").parent
    batch: Batch = crop(PHOTO, size)[None].astype(np.float32) / 255
    known = {runtime.name: runtime for runtime in RUNTIMES}
    setting = Setting(network, artefacts, threads)
    with ExitStack() as stack:
        sessions: dict[str, Session] = {}
        for name, runtime in engines(threads).items():
            if missing := known[runtime].missing():
                raise MissingRuntimeError(missing)
            sessions[name] = stack.enter_context(closing(known[runtime].open(setting)))
            sessions[name].feed(batch)
        runs = {name: session.run for name, session in sessions.items()}
        seconds = interleave(runs, rounds)
        exact = sessions["onnxruntime-web"].answer()
        return [
            {
                "network": network,
                "shape": [size, size],
                "engine": name,
                "facts": session.facts,
                "seconds": Spread.of(seconds[name]).as_dict(),
                "least": round(min(seconds[name]), 5),
                "ours_of_it": ratio(seconds, OURS, name),
                "least_of_it": round(min(seconds[OURS]) / min(seconds[name]), 4),
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
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    for network in options.network:
        rows = measure(network, options.size, options.threads, options.rounds, options.work)
        append("web-engines", rows)
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
