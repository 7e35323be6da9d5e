"""`esrgan evaluate`: PSNR and SSIM of models over folders of pictures, by the papers' protocol."""

import argparse
import csv
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from esrgan_cli.commands.evaluate_paper import paper_tables, prepare
from esrgan_cli.options import (
    Subparsers,
    add_cache_options,
    add_running_options,
    parse_devices,
    parse_tiling,
)
from esrgan_cli.output.streams import put
from esrgan_torch.errors import ConfigError, EsrganError
from esrgan_torch.storage.atomic import refuse_special
from esrgan_torch.words import cell, harmless, one_line

if TYPE_CHECKING:
    from esrgan_torch.images.picture import Picture
    from esrgan_torch.metrics.protocol import Distance, Evaluation, Failure, Score
    from esrgan_torch.upscaler import Upscaler

    Upscale = Callable[[Picture], Picture]
    Result = tuple[str, str, Evaluation]  # model, how it ran, its scores

BICUBIC = "bicubic"
BICUBIC_SCALE = 4


def add_parser(subparsers: Subparsers) -> None:
    """Add `evaluate`; it sets `run`, a function from the arguments to an exit status."""
    text = "measure PSNR, SSIM and LPIPS over folders of pictures"
    parser = subparsers.add_parser("evaluate", help=text, description=text)
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        help=f"published models, checkpoint files, or {BICUBIC} for bicubic interpolation (default with "
        f"--paper: {BICUBIC}, and those of the papers' own weights that were downloaded)",
    )
    parser.add_argument(
        "--dataset",
        metavar="DIR",
        nargs="+",
        type=Path,
        required=True,
        help="folders with the original pictures, or with a folder HR of originals and, if there is one, "
        "a folder LRbicx4 of small pictures",
    )
    parser.add_argument(
        "--lr",
        metavar="DIR",
        nargs="+",
        type=Path,
        help="folders of the small pictures to enlarge, one for each of --dataset (default: the folder "
        "LRbicx4, LR_bicubic/X4, LR or x4 beside the originals; without one, the originals reduced like "
        "MATLAB's imresize. The table says which)",
    )
    parser.add_argument(
        "--lr-name",
        metavar="TEMPLATE",
        default="",
        help="how the small pictures are named: {}x4 if 0801x4.png belongs to 0801.png (default: the usual "
        "names are tried)",
    )
    parser.add_argument(
        "--scale",
        metavar="N",
        type=int,
        help=f"how many times as large (default: the model's scale; {BICUBIC_SCALE} for {BICUBIC})",
    )
    parser.add_argument(
        "--format",
        choices=("text", "csv", "json"),
        default="text",
        help="format of the results on stdout (default: %(default)s)",
    )
    parser.add_argument(
        "--lpips",
        action="store_true",
        help='also compute LPIPS, a measure of perceived difference; needs pip install "esrgan-torch[lpips]"',
    )
    parser.add_argument(
        "--grid",
        metavar="FILE",
        type=Path,
        help="also write a picture that compares the models: the centres of the first folder's pictures, "
        "and the originals",
    )
    parser.add_argument(
        "--paper",
        action="store_true",
        help="also print a table with the papers' published values, for Set5, Set14, BSD100, Urban100 and "
        "Manga109; --dataset must name these folders, or a folder that contains them",
    )
    add_running_options(parser, "auto, cpu, mps, cuda:0 or vulkan:0 (default: %(default)s)")
    add_cache_options(parser)

    def run_with_models(arguments: argparse.Namespace) -> int:
        if not arguments.models and not arguments.paper:
            parser.error("give a MODEL to measure, or --paper")
        return run(arguments)

    parser.set_defaults(run=run_with_models)


def run(arguments: argparse.Namespace) -> int:
    """Measure every model on every folder; print tables with their protocol, CSV or JSON, and papers' rows.

    What was measured is printed whatever happens afterwards; a picture that fails costs itself and makes the
    exit status 1.
    """
    _check(arguments)
    usual = prepare(arguments) if arguments.paper else {}
    distance = None
    if arguments.lpips:
        from esrgan_torch.metrics.lpips import Lpips

        distance = Lpips()
    found = _Found()
    try:
        for model in arguments.models:
            _measure_model(model, arguments, distance, usual, found)
    finally:
        if found.results or not found.errors:
            if arguments.format == "csv":
                _print_csv(found.results)
            elif arguments.format == "json":
                print(json.dumps([_as_json(*result) for result in found.results], indent=1))
    if not found.results and found.errors:
        raise found.errors[0]
    if found.means:
        print(harmless(paper_tables(found.means, arguments)), flush=True)
    for error in found.errors:
        put(one_line(f"esrgan: {error}"), sys.stderr)
    if arguments.grid is not None:
        _write_grid(found.upscalers, set(found.scales.values()), arguments)
    return 1 if found.errors or any(evaluation.failures for _, _, evaluation in found.results) else 0


class _Found:
    """What is measured so far.

    Attributes:
        means: of models and their scales, by the papers' names of the folders.
        upscalers, scales: of the models that could be loaded.
        results, errors: of models and folders; those that could not be used have no result.
    """

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.means: dict[tuple[str, int], dict[str, Score]] = {}
        self.upscalers: dict[str, Upscale] = {}
        self.scales: dict[str, int] = {}
        self.errors: list[EsrganError] = []


def _check(arguments: argparse.Namespace) -> None:
    """Raise a ConfigError for options that cannot be, before anything is loaded."""
    devices = parse_devices(arguments.device)
    if len(devices) != 1:
        raise ConfigError("evaluate runs on one device; give one with --device")
    parse_tiling(arguments.tile, arguments.overlap)
    if arguments.scale is not None and arguments.scale < 1:
        raise ConfigError(f"--scale is 1 or more, not {arguments.scale}")
    if arguments.lr is not None and len(arguments.lr) != len(arguments.dataset):
        raise ConfigError(
            f"--lr names one folder for each of --dataset; given {len(arguments.lr)} for "
            f"{len(arguments.dataset)}"
        )
    for option in ("dataset", "lr"):
        for folder in getattr(arguments, option) or ():
            if not folder.is_dir():
                raise ConfigError(f"--{option} {folder} is not a folder")

    from esrgan_torch.datasets.partners import check_template

    check_template(arguments.lr_name)
    if arguments.grid is not None:
        refuse_special(arguments.grid)


def _measure_model(
    model: str,
    arguments: argparse.Namespace,
    distance: "Distance | None",
    usual: dict[Path, str],
    all_found: _Found,
) -> None:
    """Measure a model on every folder; `usual` has the papers' names of folders, with --paper."""
    try:
        upscale, scale, how = _upscaler(model, arguments)
    except EsrganError as error:
        all_found.errors.append(error)
        return
    all_found.upscalers[model], all_found.scales[model] = upscale, scale
    for place, folder in enumerate(arguments.dataset):
        small = arguments.lr[place] if arguments.lr is not None else None
        try:
            found = _measure(model, upscale, folder, small, scale, distance, arguments)
        except EsrganError as error:
            all_found.errors.append(error)
            continue
        all_found.results += [(model, how, evaluation) for evaluation in found]
        if arguments.paper and found[0].scores:
            all_found.means.setdefault((model, scale), {})[usual[folder]] = found[0].mean
        if arguments.format == "text":
            for evaluation in found:
                print(harmless(f"{how}\n{evaluation}\n"), flush=True)


def _measure(
    model: str,
    upscale: "Upscale",
    folder: Path,
    small: Path | None,
    scale: int,
    distance: "Distance | None",
    arguments: argparse.Namespace,
) -> "list[Evaluation]":
    from esrgan_torch.datasets.sets import find_set
    from esrgan_torch.metrics.protocol import evaluate, evaluate_bicubic_classic

    pictures = find_set(folder, scale, small, arguments.lr_name)
    found = [
        evaluate(upscale, pictures, scale=scale, distance=distance, on_score=_tell, on_failure=_tell_failure)
    ]
    if model == BICUBIC:
        # what cannot be read was told already
        found.append(evaluate_bicubic_classic(pictures, scale=scale, on_failure=lambda _: None))
    return found


def _upscaler(model: str, arguments: argparse.Namespace) -> "tuple[Upscale, int, str]":
    """The function that enlarges, its scale, and what to call it."""
    if model == BICUBIC:
        from esrgan_torch.metrics.protocol import bicubic

        scale = arguments.scale or BICUBIC_SCALE
        return bicubic(scale), scale, "bicubic interpolation (MATLAB's imresize)"
    from esrgan_torch.upscaler import Upscaler
    from esrgan_weights.loading import load

    network = load(model, offline=arguments.offline, cache=arguments.cache)
    scale = arguments.scale or network.scale
    [device] = parse_devices(arguments.device)
    tiling = parse_tiling(arguments.tile, arguments.overlap)
    upscaler = Upscaler(network, device, arguments.dtype, tiling, scale=scale, engine=arguments.engine)
    how = f"{model} on {upscaler.device}, {str(upscaler.dtype).removeprefix('torch.')}"
    return _pictures_only(upscaler), scale, how


def _pictures_only(upscaler: "Upscaler") -> "Upscale":
    return lambda picture: upscaler.upscale(picture).picture


def _print_csv(results: "list[Result]") -> None:
    """A line for each picture and one for each mean."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    columns = ["psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "lpips"]
    writer.writerow(["model", "dataset", "protocol", "picture", *columns, "low_resolution", "failure"])
    for model, _, evaluation in results:
        first = [cell(model), cell(evaluation.dataset), evaluation.protocol]
        for score in (*evaluation.scores, *([evaluation.mean] if evaluation.scores else [])):
            name, *values = asdict(score).values()
            writer.writerow([*first, cell(str(name)), *values, cell(evaluation.origin), ""])
        for failure in evaluation.failures:
            words = [cell(failure.name), *[""] * len(columns), cell(evaluation.origin), cell(failure.cause)]
            writer.writerow([*first, *words])


def _as_json(model: str, how: str, evaluation: "Evaluation") -> dict[str, object]:
    mean = asdict(evaluation.mean) if evaluation.scores else None
    return {"model": model, "how": how, **asdict(evaluation), "mean": mean}


def _write_grid(upscalers: "dict[str, Upscale]", scales: set[int], arguments: argparse.Namespace) -> None:
    if len(scales) != 1:
        raise ConfigError(f"--grid needs models of one scale, given {', '.join(map(str, sorted(scales)))}")
    from esrgan_torch.datasets.sets import find_set
    from esrgan_torch.images.files import write_image
    from esrgan_torch.metrics.grid import comparison_grid

    scale, path = scales.pop(), arguments.grid
    small = arguments.lr[0] if arguments.lr is not None else None
    pictures = find_set(arguments.dataset[0], scale, small, arguments.lr_name)
    write_image(path, comparison_grid(upscalers, pictures, scale=scale))
    print(one_line(f"{path}: {', '.join(upscalers)}, original"), file=sys.stderr)


def _tell(score: "Score") -> None:
    put(one_line(f"{score.name}: {score.psnr_y:.2f} dB"), sys.stderr)


def _tell_failure(failure: "Failure") -> None:
    put(one_line(f"failed: {failure.cause}"), sys.stderr)
