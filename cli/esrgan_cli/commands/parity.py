"""`esrgan parity`: measure again what `esrgan convert` made, on this machine."""

import argparse
from pathlib import Path

from esrgan_cli.commands.convert import PARITY_FAILED, Subparsers, fail, runners_option, say, show


def add_parser(subparsers: Subparsers) -> None:
    """Add `parity`; it sets `run`, a function from the arguments to an exit status."""
    text = "measure again the copies that `esrgan convert` made"
    parser = subparsers.add_parser(
        "parity",
        help=text,
        description=f"{text}: every file's sha256, then every runtime; status {PARITY_FAILED} where a copy "
        "is out of tolerance, or no runtime could measure any. Needs neither the PyTorch weights nor the "
        "network",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="as given to `esrgan convert --output`")
    runners_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check; print the table."""
    from esrgan_bridge.chain import recheck
    from esrgan_bridge.errors import ParityError

    try:
        show(recheck(arguments.folder, arguments.runners, progress=say))
    except ParityError as error:
        return fail(error)
    return 0
