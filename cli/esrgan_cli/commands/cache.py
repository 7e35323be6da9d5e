"""`esrgan cache`: what is kept on the disk, and how to be rid of it."""

import argparse
import sys

from esrgan_cli.kept import KINDS, clear, found, size_of
from esrgan_cli.options import Subparsers, add_cache_option
from esrgan_torch.errors import ConfigError

ALL = "all"


def add_parser(subparsers: Subparsers) -> None:
    """Add `cache`; it sets `run`, a function from the arguments to an exit status."""
    text = "show what is kept on the disk, and delete it"
    parser = subparsers.add_parser(
        "cache",
        help=text,
        description=f"{text}: fetched weights, stopped downloads, compiled and fetched programs. "
        "Models that you added are yours and stay, see: esrgan weights remove. A command that is at work "
        "keeps what it is writing. With --cache, only what is in that folder.",
    )
    names = [kind.name for kind in KINDS]
    parser.add_argument(
        "--clear",
        metavar="KIND",
        action="append",
        choices=(*names, ALL),
        default=[],
        help=f"delete {', '.join(names)}, or {ALL}; may be repeated",
    )
    add_cache_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show, or delete and say what; 1 if something could not be deleted."""
    from esrgan_torch.storage.paths import line, trouble
    from esrgan_weights.cache import cache_folder

    cache = cache_folder(arguments.cache)
    # a folder that is given is all that is meant: what others on this machine use is not in it
    kinds = [kind for kind in KINDS if kind.inside or arguments.cache is None]
    wanted = {kind.name for kind in kinds} if ALL in arguments.clear else set(arguments.clear)
    if outside := wanted - {kind.name for kind in kinds}:
        raise ConfigError(f"{', '.join(sorted(outside))}: not in the folder that --cache names; leave it out")
    status = total = 0
    rows = [("KIND", "FILES", "MB", "WHAT")]
    for kind in kinds:
        if wanted and kind.name not in wanted:
            continue
        paths = found(kind, cache)
        sizes = [size_of(path) for path in paths]
        if wanted:
            for path in paths:
                try:
                    clear(path)
                except OSError as error:
                    status = 1
                    print(f"esrgan: {line(trouble(error, path) or error)}", file=sys.stderr)
        files, size = (sum(numbers) for numbers in zip(*sizes, strict=True)) if sizes else (0, 0)
        total += size
        rows.append((kind.name, str(files), f"{size / 1e6:.1f}", kind.about))
    _print_table(rows)
    print(f"{'deleted' if wanted else 'in all'}: {total / 1e6:.1f} MB; fetched weights are in {cache}")
    return status


def _print_table(rows: list[tuple[str, str, str, str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, files, size, what in rows:
        print(f"{name:<{widths[0]}}  {files:>{widths[1]}}  {size:>{widths[2]}}  {what}")
