"""`esrgan train`: train a network by a recipe."""

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from esrgan_cli.options import Subparsers, add_cache_options
from esrgan_cli.output.streams import put
from esrgan_torch.errors import ConfigError, StoppedError, TrainingError, WeightsError
from esrgan_torch.storage.paths import expanded

if TYPE_CHECKING:
    from esrgan_torch.networks.base import Generator
    from esrgan_torch.train.options import Options
    from esrgan_torch.train.state import State

WEIGHTS = "weights.safetensors"
EPILOG = """\
The run's folder holds recipe.toml (all options), log.jsonl (losses, rate, steps a second, PSNR),
validation.png, checkpoints/ and, at the end, weights.safetensors, which every command takes as a MODEL.
Ctrl-C and SIGTERM store a checkpoint and print the command that resumes the run; a second Ctrl-C ends it at
once.

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
        help="set an option, such as data.batch=8; may be repeated",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="folder of the run (default: runs/RECIPE)"
    )
    parser.add_argument(
        "--resume",
        metavar="DIR",
        nargs="?",
        const="",
        help="resume the run in DIR from its last checkpoint; without DIR, that of RECIPE or --output, "
        "else the one in this folder, or the only one in runs/",
    )
    parser.add_argument(
        "--pack",
        metavar="DIR",
        type=Path,
        help="store the weights of the run in DIR in a small file, --output, to resume it elsewhere; the "
        "optimiser's state is left out",
    )
    parser.add_argument(
        "--from",
        metavar="FILE",
        dest="carried",
        type=Path,
        help="begin RECIPE with a file that --pack has written",
    )
    parser.add_argument("--dry-run", action="store_true", help="print all options and stop")
    add_cache_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, and store the moving average of the weights."""
    from esrgan_torch.train.carried import unpack
    from esrgan_torch.train.recipe import as_toml, read_recipe
    from esrgan_torch.train.runs import RECIPE, find_run, folder_of, steps_done

    recipe: str | None = arguments.recipe
    given: str | None = arguments.resume
    output: Path | None = arguments.output
    if arguments.pack is not None:
        return _pack(arguments)
    if recipe is None and given is None:
        raise ConfigError("give a recipe, or a run to resume: esrgan train RECIPE, esrgan train --resume DIR")
    if given and (recipe is not None or output is not None):
        other = "--output" if recipe is None else f"the recipe {recipe}"
        raise ConfigError(
            f"a run resumes in its folder with its own recipe: {other} cannot be combined with "
            f"--resume {given}"
        )
    if given is not None and arguments.carried is not None:
        raise ConfigError(
            "--resume resumes a run of this machine, --from a packed run from elsewhere; give one of them"
        )
    carried = unpack(arguments.carried) if arguments.carried is not None else None
    initial = _Initial(arguments)
    if given is not None:
        folder = find_run(given, recipe, output)
        options = read_recipe(folder / RECIPE, arguments.settings)
    else:
        assert recipe is not None
        folder = folder_of(recipe, output)
        read = _dry if arguments.dry_run else _read
        options = read(recipe, arguments.settings, initial)
    done = steps_done(folder)
    if arguments.dry_run:
        print(as_toml(options), end="")
        return 0
    again = f"esrgan train --resume {shlex.quote(str(folder))}"
    if given is None and done is not None:
        raise ConfigError(
            f"{folder} holds a run of {done:,} steps; resume it with: {again}, or choose another --output"
        )
    if given is not None and done is None:
        put(f"{folder} holds no checkpoint yet; the run begins with its first step", sys.stderr)
    return _train(options, folder, done is not None, carried, initial, again)


def _pack(arguments: argparse.Namespace) -> int:
    """Write the file that --from takes."""
    from esrgan_torch.train.carried import pack

    file: Path | None = arguments.output
    others = (arguments.recipe, arguments.resume, arguments.carried)
    if file is None or any(other is not None for other in others):
        raise ConfigError("esrgan train --pack DIR -o FILE, and nothing else")
    steps = pack(arguments.pack, file)
    print(file)
    put(f"{steps:,} steps; resume with: esrgan train RECIPE --from {shlex.quote(str(file))}", sys.stderr)
    return 0


def _train(
    options: "Options",
    folder: Path,
    resume: bool,
    carried: "State | None",
    initial: "_Initial",
    again: str,
) -> int:
    from esrgan_torch.networks.base import Provenance
    from esrgan_torch.train.loop import train
    from esrgan_torch.train.runs import RECIPE, steps_done
    from esrgan_weights.cache import sha256_of
    from esrgan_weights.formats.write import save

    main = os.environ.get("RANK", "0") == "0"  # of several processes one writes
    try:
        network = train(
            options,
            folder,
            # a resumed run has its weights in its checkpoint
            initial=None
            if resume or carried or not options.network.initial
            else initial.load(options.network.initial),
            teacher=initial.load(options.losses.teacher) if options.losses.teacher else None,
            resume=resume,
            carried=carried,
        )
    except StoppedError as error:
        if main:
            goes_on = (
                f"resume with: {again}" if steps_done(folder) is not None else "the same command starts again"
            )
            put(f"esrgan: {error}; {goes_on}", sys.stderr)
        return 128 + error.signal
    except TrainingError as error:
        if steps_done(folder) is None:
            raise
        raise TrainingError(f"{error}; resume with: {again}") from error
    if not main:
        print(f"process {os.environ['RANK']}: done", file=sys.stderr)
        return 0
    network.provenance = Provenance(
        f"{folder.resolve().name} ({options.steps} steps)", "basicsr", sha256_of(folder / RECIPE)
    )
    print(save(network, folder / WEIGHTS))
    return 0


def _read(recipe: str, settings: list[str], initial: "_Initial") -> "Options":
    from esrgan_torch.train.recipe import read_recipe

    return read_recipe(recipe, settings, load=initial.load)


def _dry(recipe: str, settings: list[str], initial: "_Initial") -> "Options":
    """The options, with the sizes of `network.initial` where it is at hand without the network."""
    from esrgan_torch.train.recipe import read_recipe

    initial.offline = True
    try:
        return _read(recipe, settings, initial)
    except WeightsError as error:
        put(
            f"sizes that are not given will be those of network.initial, which is not at hand: {error}",
            sys.stderr,
        )
        return read_recipe(recipe, settings)


class _Initial:
    """Networks to start from or to learn from, each loaded once."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.offline: bool = arguments.offline
        self.cache: Path | None = arguments.cache
        self._loaded: dict[str, Generator] = {}

    def load(self, name: str) -> "Generator":
        """A published model or a file.

        Raises:
            WeightsError: there is none.
        """
        from esrgan_weights.loading import load

        name = str(expanded(name)) if name.startswith("~") else name
        if name not in self._loaded:
            self._loaded[name] = load(name, offline=self.offline, cache=self.cache)
        return self._loaded[name]
