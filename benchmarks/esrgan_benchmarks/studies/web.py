"""tfjs-esrgan in Chromium: beside UpscalerJS, our graph beside onnx-tf's, and photos.

    python -m esrgan_benchmarks web convert --work DIR
    python -m esrgan_benchmarks web peer    --work DIR [--network NAME] [--backend NAME] [--plain] [--size N]
    python -m esrgan_benchmarks web graph   --work DIR [--network NAME] [--backend NAME]
    python -m esrgan_benchmarks web photo   --work DIR [--network NAME] [--backend NAME] --photo FILE

DIR keeps the converted models, so that `convert` can be done before a machine is held still. Node and
Chromium are needed, and for `graph` what `make onnx-tf` installs. Each way has a tab of its own; the ways run
in turn, so that their ratios hold on a machine that slows down. `--plain`: without the headers that allow
threads. Rows go to `results/web.jsonl`.
"""

import argparse
import base64
import json
import os
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esrgan_benchmarks.core.measure import Spread, ratio
from esrgan_benchmarks.core.record import Row, append
from esrgan_bridge.chain import convert
from esrgan_bridge.errors import MissingRuntimeError
from esrgan_bridge.options import Route

ROOT = Path(__file__).parents[3]
BENCH = ROOT / "web" / "bench"
PHOTO = ROOT / "examples" / "cat.jpg"
NETWORKS = ("realesr-animevideov3", "realesrgan-x4plus-anime")
SCALE = 4
SHARES = [0.1, 0.3, 0.5, 0.7, 0.9]  # of a run's time, when it is aborted
TILE = 64
PEER: dict[str, Row] = {
    "TF.js, whole picture": {"library": "graph"},
    "tfjs-esrgan": {"library": "ours", "worker": True},
    "tfjs-esrgan, page's thread": {"library": "ours", "worker": False, "aborts": SHARES},
    "UpscalerJS, whole picture": {"library": "upscalerjs"},
    "UpscalerJS, patch 64, padding 8": {"library": "upscalerjs", "patchSize": TILE, "padding": 8},
    "UpscalerJS, patch 64, padding 16": {
        "library": "upscalerjs",
        "patchSize": TILE,
        "padding": 16,
        "aborts": SHARES,
    },
    "UpscalerJS, patch 64, padding 16, awaitNextFrame": {
        "library": "upscalerjs",
        "patchSize": TILE,
        "padding": 16,
        "awaitNextFrame": True,
        "aborts": SHARES,
        "tiles": True,
    },
}
REFERENCE, OURS = "TF.js, whole picture", "tfjs-esrgan"


def prepare(work: Path, name: str, route: Route) -> Path:
    """The folder of a TF.js model, converted unless it is there."""
    folder = work / f"{name}-{route}"
    if not (folder / "parity.json").is_file():
        convert(name, folder, route=route, runners=["onnxruntime"], progress=print)
    return folder / "tfjs"


def carry_out(job: Row, work: Path) -> Row:
    """Run a job of `web/bench/run.js` in Chromium.

    Raises:
        MissingRuntimeError: Node, npm or Chromium is not installed.
    """
    tools = {name: shutil.which(name) for name in ("node", "npm")}
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    missing = [name for name, path in {**tools, "chromium": browser}.items() if path is None]
    if missing:
        raise MissingRuntimeError(f"this benchmark needs {', '.join(missing)}")
    if not (BENCH / "node_modules" / ".package-lock.json").is_file():
        subprocess.run(["npm", "ci", "--silent"], cwd=BENCH, check=True)
    if not (BENCH / "dist" / "index.html").is_file():
        subprocess.run(["npm", "run", "--silent", "build"], cwd=BENCH.parent, check=True)
        build = ["npx", "vite", "build", "--config", "vite.config.js", "--logLevel", "warn"]
        subprocess.run(build, cwd=BENCH, check=True)
    given, result = work / "job.json", work / "result.json"
    given.write_text(json.dumps({**job, "chromium": browser}), encoding="utf-8")
    subprocess.run(["node", "run.js", str(given.resolve()), str(result.resolve())], cwd=BENCH, check=True)
    return json.loads(result.read_text(encoding="utf-8"))


def peer(options: argparse.Namespace) -> list[Row]:
    """Ours, UpscalerJS and plain TF.js: time, error against the whole picture, memory, tensors, abort."""
    pixels = crop(PHOTO, options.size)
    job = job_of(options, {"main": prepare(options.work, options.network, "direct")}, PEER)
    result = carry_out({**job, "picture": picture_of(pixels), "memory": True}, options.work)
    seconds = {name: way["seconds"] for name, way in zip(PEER, result["ways"], strict=True)}
    exact = pixels_of(result["ways"][list(PEER).index(REFERENCE)]["pixels"])
    rows: list[Row] = []
    for (name, asked), way in zip(PEER.items(), result["ways"], strict=True):
        levels = np.abs(pixels_of(way["pixels"]) - exact)
        rows.append(
            {
                **common("peer", options, result),
                "shape": list(pixels.shape[:2]),
                "way": name,
                "facts": way["reason"],
                "seconds": Spread.of(way["seconds"]).as_dict(),
                "of_ours": ratio(seconds, name, OURS),
                "largest": int(levels.max()),
                "mean": round(float(levels.mean()), 5),
                "tensors": max(way["tensors"]),
                "peak": way["peak"],
                "aborts": way["aborts"] if asked.get("aborts") else None,
                "tile_seconds": round(statistics.median(way["tiles"]), 4) if asked.get("tiles") else None,
            }
        )
    return rows


def graph(options: argparse.Namespace) -> list[Row]:
    """Our NHWC graph and onnx-tf's: time of one tile by plain TF.js, without any library."""
    models = {
        "direct": prepare(options.work, options.network, "direct"),
        "onnx-tf": prepare(options.work, options.network, "onnx-tf"),
    }
    ways: dict[str, Row] = {
        "own lowering, NHWC": {"library": "graph", "model": "direct"},
        "onnx-tf, NCHW": {"library": "graph", "model": "onnx-tf", "layout": "NCHW"},
    }
    result = carry_out({**job_of(options, models, ways), "size": TILE}, options.work)
    seconds = {name: way["seconds"] for name, way in zip(ways, result["ways"], strict=True)}
    return [
        {
            **common("graph", options, result),
            "shape": [TILE, TILE],
            "way": name,
            "facts": way["reason"],
            "nodes": way["nodes"],
            "seconds": Spread.of(way["seconds"]).as_dict(),
            "of_ours": ratio(seconds, name, next(iter(ways))),
        }
        for name, way in zip(ways, result["ways"], strict=True)
    ]


def photo(options: argparse.Namespace) -> list[Row]:
    """One photo through the library: time, memory of the page's process, distance from PyTorch's picture."""
    from esrgan_torch import Upscaler, write_image
    from esrgan_torch.metrics.psnr_ssim import psnr
    from esrgan_weights import load

    pixels = crop(options.photo, options.size)
    ways = {OURS: PEER[OURS]}
    models = {"main": prepare(options.work, options.network, "direct")}
    job = {**job_of(options, models, ways), "picture": picture_of(pixels)}
    result = carry_out(job, options.work)
    way = result["ways"][0]
    height, width = (SCALE * side for side in pixels.shape[:2])
    large = pixels_of(way["pixels"]).astype(np.uint8).reshape(height, width, 4)[:, :, :3]
    write_image(options.work / f"photo-{options.network}-{options.backend}.png", large)
    expected = Upscaler(load(options.network), device="cpu", dtype="float32")(pixels)
    found = psnr(large, expected, channel="rgb")
    return [
        {
            **common("photo", options, result),
            "photo": f"{options.photo.parent.name}/{options.photo.name}",
            "shape": list(pixels.shape[:2]),
            "way": OURS,
            "facts": way["reason"],
            "plan": way["plan"],
            "seconds": round(statistics.median(way["seconds"]), 2),
            "runs": len(way["seconds"]),
            "peak": result["peak"],
            "psnr": None if np.isinf(found) else found,
            "largest": int(np.abs(large.astype(int) - expected.astype(int)).max()),
        }
    ]


def crop(path: Path, size: int | None) -> NDArray[np.uint8]:
    """The middle of a photo, `size` pixels a side; the whole of it where that is None."""
    from esrgan_torch import read_image

    pixels = read_image(path).pixels.astype(np.uint8)
    if size is None:
        return pixels
    top, left = ((side - size) // 2 for side in pixels.shape[:2])
    return pixels[top : top + size, left : left + size]


def picture_of(pixels: NDArray[np.uint8]) -> Row:
    rgba = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)
    data = base64.b64encode(rgba.tobytes()).decode()
    return {"height": pixels.shape[0], "width": pixels.shape[1], "data": data}


def pixels_of(text: str) -> NDArray[np.int16]:
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(np.int16)


def job_of(options: argparse.Namespace, models: dict[str, Path], ways: dict[str, Row]) -> Row:
    return {
        "models": {name: str(path.resolve()) for name, path in models.items()},
        "model": "main",
        "scale": SCALE,
        "backend": options.backend,
        "isolated": not options.plain,
        "rounds": options.rounds,
        "ways": list(ways.values()),
    }


def common(kind: str, options: argparse.Namespace, result: Row) -> Row:
    lock = json.loads((BENCH / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return {
        "kind": kind,
        "network": options.network,
        "backend": options.backend,
        "isolated": not options.plain,
        "chromium": result["chromium"],
        "tfjs": lock["node_modules/@tensorflow/tfjs"]["version"],
        "upscaler": lock["node_modules/upscaler"]["version"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=("convert", "peer", "graph", "photo"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    parser.add_argument("--backend", choices=("wasm", "webgl"), default="wasm")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int)
    parser.add_argument("--photo", type=Path, default=PHOTO)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.kind == "convert":
        for name in NETWORKS:
            for route in ("direct", "onnx-tf"):
                prepare(options.work, name, route)
        return
    kinds: dict[str, Any] = {"peer": peer, "graph": graph, "photo": photo}
    append("web", kinds[options.kind](options))
