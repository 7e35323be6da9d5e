"""The engines of web pages on a GPU, by Dawn in Node; see benchmarks/webgpu.sh.

    python -m esrgan_benchmarks gpu.webgpu make FOLDER    networks, Node, Dawn and the engines, in one archive
    python -m esrgan_benchmarks gpu.webgpu run FOLDER     there: each engine in a process with a time limit

Rows are written as they come, to `webgpu.jsonl`. Running needs a bare Python and a driver of Vulkan.
"""

import argparse
import datetime
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_benchmarks.studies.gpu.main import wait
from esrgan_benchmarks.studies.gpu.vulkan_driver import VULKAN, prepare_vulkan

ROOT = Path(__file__).parents[4]
WEB = ROOT / "web"
ARCHIVE, MANIFEST, ROWS = "webgpu.tar.xz", "manifest.json", "webgpu.jsonl"
LARGEST = 55 * 2**20  # bytes: with the checkout itself it has to stay under 64 MiB
SELF_CONTAINED = 40 * 2**20  # bytes of a Node that has its libraries in it, at least
ORT = ("ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm")
NETWORKS = ("esrgan-lite-x4", "general-x4v3-shaped", "rrdb-6-shaped")
# how an engine ends: well, or with nothing to compute on
WELL = ("ended", "code -15")
NO_ADAPTER = "code 3"
# seconds that each may take; together with unpacking they stay under 4 minutes
ENGINES = {
    "peak": 10,
    "tfjs-esrgan float32": 45,
    "tfjs-esrgan float16": 45,
    "TF.js": 55,
    "onnxruntime-web": 50,
}
ENDING = 5  # seconds that an engine has to end by itself before it is ended
OURS = "tfjs-esrgan float16"

Row = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Args:
        sides: of square pictures, in pixels.
        rounds: how often a picture is computed again after its first time.
        patience: every engine has so many times its seconds.
    """

    sides: tuple[int, ...]
    rounds: int
    patience: int = 1


WHOLE = Sizes((64, 128, 256, 512), 5)
# every engine and network once: an emulated GPU takes minutes to compile onnxruntime-web's shaders
DRY = Sizes((8,), 0, 6)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where an engine failed. Errors as `make_bundle` and `run`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("make", "run"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the rows; to run")
    parser.add_argument("--dry", action="store_true", help="tiny pictures: does it run?")
    parser.add_argument(
        "--driver", type=Path, help="Vulkan's description of a driver, in place of the system's"
    )
    options = parser.parse_args(arguments)
    if options.action == "make":
        make_bundle(options.folder)
        return 0
    return int(not run(options.folder, options.out, DRY if options.dry else WHOLE, options.driver))


def make_bundle(folder: Path) -> None:
    """Make the folder anew, and print what its archive holds.

    Raises:
        BenchmarkError: something is not on this machine, or the archive is too large to be carried.
    """
    from esrgan_benchmarks.core.record import machine

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        content = Path(scratch)
        for file, name in _programs().items():
            (content / name).parent.mkdir(exist_ok=True)
            shutil.copy(file, content / name)
        build = ["npx", "tsup", "--silent", "--config", "bench/tsup.gpu.ts", "--out-dir", str(content)]
        if subprocess.run(build, cwd=WEB, check=False).returncode:
            raise BenchmarkError("the measurement was not built, see above")
        for name in NETWORKS:
            _write_network(name, content / "models" / name)
        for path in sorted(content.rglob("*")):
            if path.is_file():
                print(f"{path.stat().st_size / 2**20:8.2f} MiB  {path.relative_to(content)}")
        with tarfile.open(folder / ARCHIVE, "w:xz", preset=6) as archive:
            archive.add(content, ".")
    (folder / MANIFEST).write_text(json.dumps({"commit": machine()["commit"]}), encoding="utf-8")
    total = (folder / ARCHIVE).stat().st_size
    print(f"{total / 2**20:8.2f} MiB  packed, of at most {LARGEST / 2**20:.0f}")
    if total > LARGEST:
        raise BenchmarkError(f"{folder} has {total} bytes, {LARGEST} at most can be carried")


def run(folder: Path, out: Path, sizes: Sizes, driver: Path | None = None) -> bool:
    """Measure every engine, one after the other; whether all ended well. Without an adapter it ends at once.

    Raises:
        BenchmarkError: the folder is not one of `make_bundle`.
    """
    if not (folder / ARCHIVE).is_file():
        raise BenchmarkError(f"{folder} has no {ARCHIVE}: make it with `make webgpu-bundle`")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    rows = out.resolve() / ROWS
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory() as scratch:
        content = Path(scratch)
        with tarfile.open(folder / ARCHIVE) as archive:
            archive.extractall(content, filter="data")
        facts = prepare_vulkan(content, driver)
        _add(rows, {"case": "machine", "run": now, "commit": manifest["commit"], **facts})
        right = True
        for engine, limit in ENGINES.items():
            seconds = limit * sizes.patience
            job = content / "job.json"
            fields = {
                "engine": engine,
                "folder": str(content),
                "rows": str(rows),
                "networks": NETWORKS,
                "sides": sizes.sides,
                "rounds": sizes.rounds,
                "seconds": seconds - ENDING,
            }
            job.write_text(json.dumps(fields), encoding="utf-8")
            print(f"== {engine}, {seconds} s", flush=True)
            state = wait([str(content / "node"), str(content / "gpu.cjs"), str(job)], seconds)
            if state not in WELL:
                right = False
                _add(rows, {"case": "failure", "engine": engine, "error": state})
            if state == NO_ADAPTER:
                break
    print(summary([json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]))
    return right


def summary(rows: Sequence[Row]) -> str:
    """The last run's times, and what the shaders need of each other engine's; failures last."""
    last = max((at for at, row in enumerate(rows) if row["case"] == "machine"), default=0)
    rows = rows[last:]
    least = {
        (row["network"], row["side"], row["engine"]): min(row["seconds"] or [row["first"]])
        for row in rows
        if row["case"] == "time"
    }
    peaks = {row["type"]: row["flops"] for row in rows if row["case"] == "peak" and row.get("flops")}
    lines = [f"peak of {kind}: {flops / 1e12:.2f} TFLOPS" for kind, flops in peaks.items()]
    for row in rows:
        if row["case"] != "time":
            continue
        network, side, engine = row["network"], row["side"], row["engine"]
        seconds = least[network, side, engine]
        line = f"{network:20} {side:4}  {engine:20} {1000 * seconds:9.2f} ms"
        ours = least.get((network, side, OURS)) or least.get((network, side, "tfjs-esrgan float32"))
        if ours and not engine.startswith("tfjs-esrgan"):
            line += f"  {seconds / ours:.2f} times ours"
        if trunk := row.get("trunk_seconds"):
            flops = 2 * row["trunk_macs"] * side**2 / min(trunk)
            peak = peaks.get("f16" if engine.endswith("16") else "f32")
            line += f"  trunk {flops / 1e12:.3f} TFLOPS" + (
                f", {flops / peak:.0%} of the peak" if peak else ""
            )
        if row.get("difference") is not None:
            line += f"  differs by {row['difference']:.1e}"
        lines.append(line)
    failures = [row for row in rows if row.get("error")]
    lines += [f"! {row.get('engine')} {row.get('network', '')}: {row['error']}" for row in failures]
    return "\n".join(lines)


def _programs() -> dict[Path, str]:
    """Files of this machine, and what they are called in the bundle."""
    from esrgan_benchmarks.runtimes.web_packages import PACKAGES

    if (found := shutil.which("node")) is None:
        raise BenchmarkError("node is not installed")
    node = Path(found).resolve()
    if node.stat().st_size < SELF_CONTAINED:
        raise BenchmarkError(f"{node} needs libraries beside it: put a Node of nodejs.org first on the path")
    if missing := PACKAGES.missing():
        raise BenchmarkError(missing)
    ort = PACKAGES.folder() / "node_modules" / "onnxruntime-web" / "dist"
    dawn = WEB / "node_modules" / "webgpu" / "dist" / "linux-x64" / "dawn.node"
    files = {node: "node", dawn: "dawn.node", **{ort / name: f"ort/{name}" for name in ORT}}
    loader = next((path for path in Path("/usr/lib").rglob(VULKAN)), None)
    if loader is None:
        raise BenchmarkError(f"{VULKAN} is not on this machine (Debian: apt-get install libvulkan1)")
    files[loader.resolve()] = f"lib/{VULKAN}"
    if absent := [str(path) for path in files if not path.is_file()]:
        raise BenchmarkError(f"not on this machine: {', '.join(absent)}")
    return files


def _write_network(name: str, folder: Path) -> None:
    """A network as TF.js's files and as ONNX: lite with its own weights, the others with random ones.

    Random weights are of few different values, so that they pack well.
    """
    import torch

    from esrgan_bridge.chain import convert
    from esrgan_torch import CompactNet, RRDBNet
    from esrgan_weights import load

    if name == NETWORKS[0]:
        model = load(name)
    else:
        torch.manual_seed(0)
        model = CompactNet(convolutions=32) if name == NETWORKS[1] else RRDBNet(blocks=6)
        with torch.no_grad():
            for value in model.parameters():
                step = value.abs().max() / 4
                if step > 0:
                    value.copy_((value / step).round() * step)
    with tempfile.TemporaryDirectory() as scratch:
        convert(model, Path(scratch) / "made", route="direct", runners=[])
        for kind in ("tfjs", "onnx"):
            shutil.copytree(Path(scratch) / "made" / kind, folder / kind)


def _add(path: Path, row: Row) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
