"""Training measured: speed and memory of the smoke recipe, quality of models, the curve of a run.

    python -m esrgan_benchmarks training smoke
    python -m esrgan_benchmarks training models MODEL... --dataset DIR...
    python -m esrgan_benchmarks training run RUN [--output FILE.png]

`models` is the table of the notes in docs/notes; RUN is a folder of `esrgan train`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esrgan_benchmarks.core.measure import in_child, peak_memory
from esrgan_benchmarks.core.record import Row, append
from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.atomic import atomic_path

if TYPE_CHECKING:
    from esrgan_torch.images.picture import Picture

BICUBIC = "bicubic"
SCALE = 4


def smoke(pictures: str) -> Row:
    """One run of the smoke recipe, from nothing to its last checkpoint, in a process of its own.

    Args:
        pictures: folder of originals.
    """
    from esrgan_torch.train.loop import train
    from esrgan_torch.train.recipe import read_recipe

    before = peak_memory()
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        options = read_recipe("smoke", (f'data.folders=["{pictures}"]', f"data.cache={cache}"))
        started = time.perf_counter()
        train(options, Path(folder) / "run", progress=False)
        seconds = time.perf_counter() - started
        lines = _read_log(Path(folder) / "run")
    # the first line holds what is done once
    steady = [line for line in lines if "loss" in line][1:]
    return {
        "recipe": "smoke",
        "steps": options.steps,
        "seconds": round(seconds, 2),
        "steps_a_second": round(len(steady) / sum(1 / line["steps_a_second"] for line in steady), 2),
        "waiting": round(sum(line["waiting"] for line in steady) / len(steady), 4),
        "peak": peak_memory(),
        "before": before,
    }


def upscaling(name: str, scale: int = SCALE) -> "tuple[Callable[[Picture], Picture], int | None]":
    """What a model, or bicubic interpolation, makes of a picture in float32 and untiled; its parameters.

    Args:
        name: a model, or `bicubic`.
        scale: how many times it has to enlarge.

    Raises:
        ConfigError: the model has another scale.
    """
    from esrgan_torch.metrics.protocol import bicubic
    from esrgan_torch.upscaler import Upscaler
    from esrgan_weights.loading import load

    if name == BICUBIC:
        return bicubic(scale), None
    network = load(name)
    if network.scale != scale:
        raise ConfigError(f"{name} enlarges {network.scale} times, where {scale} are asked for")
    upscaler = Upscaler(network, "auto", "float32", "off")

    def upscale(picture: "Picture") -> "Picture":
        return upscaler.upscale(picture).picture

    return upscale, sum(values.numel() for values in network.parameters())


def model(name: str, dataset: Path, scale: int = SCALE) -> Row:
    """One model on one folder: untiled, float32, by the protocol of ESRGAN."""
    from esrgan_torch.metrics.protocol import evaluate

    upscale, parameters = upscaling(name, scale)
    mean = evaluate(upscale, dataset, scale=scale).mean
    return {
        "network": Path(name).stem,  # of a file; a published name stays
        "scale": scale,
        "dataset": dataset.name,
        "parameters": parameters,
        "psnr_y": round(mean.psnr_y, 3),
        "ssim_y": round(mean.ssim_y, 4),
        "psnr_rgb": None if mean.psnr_rgb is None else round(mean.psnr_rgb, 3),
    }


def run_rows(run: Path) -> list[Row]:
    """A run's validations as rows, with its recipe."""
    recipe = (run / "recipe.toml").read_text(encoding="utf-8")
    return [
        {"run": run.name, "step": line["step"], "psnr_y": round(line["psnr"], 3), "recipe": recipe}
        for line in _read_log(run)
        if "psnr" in line
    ]


def plot(run: Path, output: Path) -> None:
    """Loss and validation of a run over its steps, as a picture.

    Args:
        run: folder of `esrgan train`.
        output: a `.png` file.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    lines = _read_log(run)
    losses = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    quality = [(line["step"], line["psnr"]) for line in lines if "psnr" in line]
    pyplot_any: Any = pyplot
    figure, (left, right) = pyplot_any.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    window = max(1, len(losses) // 60)
    smooth = [
        sum(loss for _, loss in losses[place : place + window]) / window
        for place in range(len(losses) - window + 1)
    ]
    left.plot(*zip(*losses, strict=True), color="#bbbbbb", linewidth=0.8)
    left.plot([step for step, _ in losses[window - 1 :]], smooth, color="#1f4e9c")
    left.set(xlabel="steps", ylabel="loss on the batches")
    right.plot(*zip(*quality, strict=True), color="#1f4e9c", marker=".")
    right.set(xlabel="steps", ylabel="PSNR of the moving average, Set5, dB")
    for axes in (left, right):
        axes.grid(visible=True, color="#eeeeee")
    with atomic_path(output) as temporary:
        figure.savefig(temporary, dpi=110)
    pyplot_any.close(figure)


def _read_log(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("smoke")
    verb.add_argument("--pictures", default="examples")
    verb = verbs.add_parser("models")
    verb.add_argument("names", nargs="+")
    verb.add_argument("--dataset", nargs="+", type=Path, required=True)
    verb.add_argument("--scale", type=int, default=SCALE, help="of all models (default: %(default)s)")
    verb = verbs.add_parser("run")
    verb.add_argument("folder", type=Path)
    verb.add_argument("--output", type=Path, help="also draw the curve")
    options = parser.parse_args()
    if options.verb == "smoke":
        print(append("training", [in_child(smoke, options.pictures)]))
    elif options.verb == "models":
        for name in options.names:
            for dataset in options.dataset:
                row = model(name, dataset, options.scale)
                print(f"{name}, {dataset.name}: {row['psnr_y']:.2f} dB, {row['ssim_y']:.4f}", flush=True)
                append("models", [row])
    else:
        print(append("run", run_rows(options.folder)))
        if options.output is not None:
            plot(options.folder, options.output)
