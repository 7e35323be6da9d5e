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
        description=f"{text}: check the sha256 of every file, then compare each copy's results, in every "
        "runtime of this machine, with the original's, which are stored in the folder. Neither the PyTorch "
        f"weights nor the internet are needed. Exit status {PARITY_FAILED}: a copy differs by more than the "
        "tolerance, or no runtime could measure any copy.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder that `esrgan convert` made")
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
