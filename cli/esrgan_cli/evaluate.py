"""`esrgan evaluate`: PSNR and SSIM of a model over folders of pictures, by the papers' protocol."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from esrgan_cli.options import (
    Subparsers,
    add_cache_options,
    add_running_options,
    parse_devices,
    parse_tiling,
)
from esrgan_torch.errors import ConfigError

if TYPE_CHECKING:
    from esrgan_torch.evaluate import Score
    from esrgan_torch.picture import Picture
    from esrgan_torch.upscale import Upscaler

BICUBIC = "bicubic"
BICUBIC_SCALE = 4


def add_parser(subparsers: Subparsers) -> None:
    """Add `evaluate`; it sets `run`, a function from the arguments to an exit status."""
    text = "measure PSNR and SSIM over folders of pictures"
    parser = subparsers.add_parser("evaluate", help=text, description=text)
    parser.add_argument(
        "model", metavar="MODEL", help=f"published model, checkpoint file, or {BICUBIC} for the baseline"
    )
    parser.add_argument(
        "--dataset",
        metavar="DIR",
        nargs="+",
        type=Path,
        required=True,
        help="folders with HR and LRbicx4 in them, or with HR alone, or with the originals themselves",
    )
    parser.add_argument(
        "--scale", metavar="N", type=int, help=f"default: the model's own ({BICUBIC_SCALE} for {BICUBIC})"
    )
    add_running_options(parser, "auto, cpu, mps or cuda:0 (default: %(default)s)")
    add_cache_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a table with its protocol for every folder."""
    devices = parse_devices(arguments.device)
    if len(devices) != 1:
        raise ConfigError("evaluate runs on one device; give one with --device")
    [device] = devices
    tiling = parse_tiling(arguments.tile, arguments.overlap)
    if arguments.scale is not None and arguments.scale < 1:
        raise ConfigError(f"--scale is 1 or more, not {arguments.scale}")
    for folder in arguments.dataset:
        if not folder.is_dir():
            raise ConfigError(f"--dataset {folder} is not a folder")

    from esrgan_torch.evaluate import bicubic, evaluate, evaluate_bicubic_classic
    from esrgan_torch.upscale import Upscaler
    from esrgan_weights.loading import load

    upscale: Callable[[Picture], Picture]
    if arguments.model == BICUBIC:
        scale = arguments.scale or BICUBIC_SCALE
        upscale = bicubic(scale)
        how = "bicubic interpolation (MATLAB's imresize)"
    else:
        network = load(arguments.model, offline=arguments.offline, cache=arguments.cache)
        scale = arguments.scale or network.scale
        upscaler = Upscaler(network, device, arguments.dtype, tiling, scale=scale)
        upscale = _pictures_only(upscaler)
        how = f"{arguments.model} on {upscaler.device}, {str(upscaler.dtype).removeprefix('torch.')}"
    for folder in arguments.dataset:
        print(f"{how}\n{evaluate(upscale, folder, scale=scale, on_score=_tell)}\n", flush=True)
        if arguments.model == BICUBIC:
            print(f"{how}\n{evaluate_bicubic_classic(folder, scale=scale)}\n", flush=True)
    return 0


def _pictures_only(upscaler: "Upscaler") -> "Callable[[Picture], Picture]":
    return lambda picture: upscaler.upscale(picture).picture


def _tell(score: "Score") -> None:
    print(f"{score.name}: {score.psnr_y:.2f} dB", file=sys.stderr)
