"""`esrgan weights`: list, show, fetch, verify, add, remove, inspect, convert and interpolate checkpoints."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from esrgan_cli.commands.weights_about import run_inspect, run_list, run_show
from esrgan_cli.options import Subparsers, add_cache_option, add_cache_options
from esrgan_weights import own, registry
from esrgan_weights.cache import cache_folder, difference, model_folder
from esrgan_weights.recognition.layouts import WRITABLE

if TYPE_CHECKING:
    from esrgan_torch.networks.base import Generator


SOURCES = "a name (see: esrgan weights list), a file, https://... or hf://OWNER/REPO/FILE"
NAMES = "a name from esrgan weights list"


def add_parser(subparsers: Subparsers) -> None:
    """Add `weights` and its verbs; each sets `run`, a function from the arguments to an exit status."""
    text = "list, download, inspect and convert models"
    parser = subparsers.add_parser("weights", help=text, description=text)
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    verb = _verb(verbs, "list", "list the published models and those that you added")
    add_cache_option(verb)
    verb.set_defaults(run=run_list)

    verb = _verb(verbs, "show", "show a model's licence, size, files and measurements")
    verb.add_argument("name", metavar="NAME", help=NAMES)
    add_cache_option(verb)
    verb.set_defaults(run=run_show)

    verb = _verb(verbs, "fetch", "download published models and print their paths")
    verb.add_argument("names", metavar="NAME", nargs="+", help=NAMES)
    add_cache_options(verb)
    verb.set_defaults(run=run_fetch)

    verb = _verb(verbs, "verify", "check downloaded files against their published sha256")
    verb.add_argument("names", metavar="NAME", nargs="*", help=f"{NAMES} (default: all that are there)")
    add_cache_option(verb)
    verb.set_defaults(run=run_verify)

    verb = _verb(verbs, "add", "store a model of yours under a name that every command accepts")
    verb.add_argument("source", metavar="FILE", help=SOURCES)
    verb.add_argument("--name", metavar="NAME", required=True, help="name that you choose for the model")
    verb.add_argument(
        "--licence", metavar="SPDX", help="licence of the weights (default: what the file states)"
    )
    verb.add_argument(
        "--source", metavar="TEXT", dest="origin", help="where the model comes from, such as an address"
    )
    add_cache_options(verb)
    verb.set_defaults(run=run_add)

    verb = _verb(verbs, "remove", "delete a model that you added")
    verb.add_argument("name", metavar="NAME", help="the name that you gave it")
    verb.set_defaults(run=run_remove)

    verb = _verb(verbs, "inspect", "show what a checkpoint file contains")
    verb.add_argument("source", metavar="NAME|FILE", help=SOURCES)
    add_cache_options(verb)
    verb.set_defaults(run=run_inspect)

    verb = _verb(verbs, "convert", "write a model to a checkpoint file that another program can read")
    verb.add_argument("model", metavar="NAME|FILE", help=SOURCES)
    verb.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="file to write")
    _layout_option(verb)
    add_cache_options(verb)
    verb.set_defaults(run=run_convert)

    verb = _verb(verbs, "interpolate", "mix the weights of two models: (1 - ALPHA) * A + ALPHA * B")
    verb.add_argument("first", metavar="A", help=SOURCES)
    verb.add_argument("second", metavar="B", help="as A; of the same architecture and sizes")
    verb.add_argument("--alpha", type=float, required=True, help="share of B, from 0 (only A) to 1 (only B)")
    verb.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="file to write")
    _layout_option(verb)
    add_cache_options(verb)
    verb.set_defaults(run=run_interpolate)


def _verb(verbs: Subparsers, name: str, text: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=text, description=text)


def _layout_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to",
        metavar="LAYOUT",
        choices=WRITABLE,
        help=f"names and shapes of the tensors, as this program expects them: {', '.join(WRITABLE)} "
        "(default: by the suffix of FILE; basicsr for .pth)",
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "float16", "bfloat16"),
        help="type in which the numbers are stored (default: float32)",
    )


def run_fetch(arguments: argparse.Namespace) -> int:
    """Fetch models; print the path of each."""
    from esrgan_weights.sources.fetching import fetch

    for name in arguments.names:  # a wrong name is an error before anything is downloaded
        registry.find(name)
    for name in arguments.names:
        print(fetch(name, cache=arguments.cache, offline=arguments.offline))
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    """Compare cached files with their published sha256; 1 if one differs or a named model is absent."""
    named = [registry.find(name) for name in arguments.names]
    status = 0
    count = 0
    for model in named or registry.models().values():
        found = 0
        for alternative in model.alternatives:
            for file in alternative.files:
                path = model_folder(model, arguments.cache) / file.name
                if not path.is_file():
                    continue
                found += 1
                wrong = difference(path, file)
                print(f"{path}: {wrong or 'ok'}")
                status = 1 if wrong else status
        if named and not found:
            print(f"{model.name}: not in the cache")
            status = 1
        count += found
    if not count and not named:
        print(f"nothing in {cache_folder(arguments.cache)}", file=sys.stderr)
    return status


def run_add(arguments: argparse.Namespace) -> int:
    """Keep a model under a name; print the path."""
    path = own.add(
        arguments.source,
        arguments.name,
        licence=arguments.licence,
        origin=arguments.origin,
        offline=arguments.offline,
        cache=arguments.cache,
    )
    print(path)
    return 0


def run_remove(arguments: argparse.Namespace) -> int:
    """Delete a model that was added; print the path that it had."""
    print(own.remove(arguments.name))
    return 0


def run_convert(arguments: argparse.Namespace) -> int:
    """Write a model in another layout; print the path."""
    from esrgan_weights.formats.write import save

    print(save(_load(arguments.model, arguments), arguments.output, arguments.to, dtype=arguments.dtype))
    return 0


def run_interpolate(arguments: argparse.Namespace) -> int:
    """Mix two networks; print the path of the result."""
    from esrgan_weights.formats.write import save
    from esrgan_weights.interpolation import interpolate

    first, second = (_load(name, arguments) for name in (arguments.first, arguments.second))
    print(
        save(
            interpolate(first, second, arguments.alpha), arguments.output, arguments.to, dtype=arguments.dtype
        )
    )
    return 0


def _load(name: str, arguments: argparse.Namespace) -> "Generator":
    from esrgan_weights.loading import load

    return load(name, offline=arguments.offline, cache=arguments.cache)
