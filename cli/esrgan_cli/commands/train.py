"""`esrgan train`: train a network by a recipe."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from esrgan_cli.options import Subparsers, add_cache_options
from esrgan_torch.errors import ConfigError

if TYPE_CHECKING:
    from esrgan_torch.networks.base import Generator

RECIPE = "recipe.toml"
WEIGHTS = "weights.safetensors"
EPILOG = """\
The run's folder holds recipe.toml (all options), log.jsonl (losses, rate, steps a second, PSNR),
validation.png, checkpoints/ and, at the end, weights.safetensors, which every command takes as a MODEL.

Several GPUs or machines: torchrun --nproc-per-node 8 -m esrgan_cli train RECIPE, or accelerate launch.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `train`; it sets `run`, a function from the arguments to an exit status."""
    text = "train a network by a recipe"
    parser = subparsers.add_parser("train", help=text, description=text)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "recipe",
        metavar="RECIPE",
        nargs="?",
        help="psnr-x4, esrgan-x4, realesrgan-x4, lite-x4, esrgan-lite-x4-span, distill-x4, smoke, or a .toml "
        "file",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        dest="settings",
        action="append",
        default=[],
        help="another value for an option, such as data.batch=8; may be repeated",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="folder of the run (default: runs/RECIPE)"
    )
    parser.add_argument(
        "--resume",
        metavar="DIR",
        type=Path,
        help="go on with a run by its own recipe, from its last checkpoint",
    )
    parser.add_argument("--dry-run", action="store_true", help="print all options and stop")
    add_cache_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, and store the moving average of the weights."""
    from esrgan_torch.train.recipe import as_toml, read_recipe

    resume: Path | None = arguments.resume
    if (arguments.recipe is None) == (resume is None):
        raise ConfigError(
            "give a recipe, or a run to go on with: esrgan train RECIPE, esrgan train --resume DIR"
        )
    if resume is not None:
        if arguments.output is not None:
            raise ConfigError("a resumed run stays in its folder: --output does not go with --resume")
        folder, source = resume, str(resume / RECIPE)
    else:
        folder = arguments.output or Path("runs") / Path(arguments.recipe).stem
        source = arguments.recipe
    options = read_recipe(source, arguments.settings)
    if arguments.dry_run:
        print(as_toml(options), end="")
        return 0
    if resume is None and any((folder / "checkpoints").glob("*.pt")):
        raise ConfigError(f"{folder} holds a run; go on with --resume {folder}, or choose another --output")

    from esrgan_torch.networks.base import Provenance
    from esrgan_torch.train.loop import train
    from esrgan_weights.cache import sha256_of
    from esrgan_weights.formats.write import save

    def weights(name: str) -> "Generator | None":
        from esrgan_weights.loading import load

        return load(name, offline=arguments.offline, cache=arguments.cache) if name else None

    network = train(
        options,
        folder,
        # a resumed run has its weights in its checkpoint
        initial=None if resume is not None else weights(options.network.initial),
        teacher=weights(options.losses.teacher),
        resume=resume is not None,
    )
    if int(os.environ.get("RANK", "0")) == 0:  # of several processes one writes
        recipe = folder / RECIPE
        network.provenance = Provenance(
            f"{folder.name} ({options.steps} steps)", "basicsr", sha256_of(recipe)
        )
        print(save(network, folder / WEIGHTS))
    else:
        print(f"process {os.environ['RANK']}: done", file=sys.stderr)
    return 0
