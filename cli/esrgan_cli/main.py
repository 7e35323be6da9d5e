"""The `esrgan` command.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 a converted network out of tolerance, 130 stopped by Ctrl-C,
129 and 143 by SIGHUP and SIGTERM. Results go to stdout, everything else to stderr; either may be closed.
Errors that the project raises on purpose, and what the system says of files and memory, are one line;
anything else is a defect and keeps its traceback.
"""

import argparse
import sys
from collections.abc import Sequence

from esrgan_cli.commands import bench, cache, convert, demo, doctor, evaluate, parity, train, upscale, weights
from esrgan_cli.output.streams import flush_streams, prepare_streams, put
from esrgan_cli.processors import heed_limits
from esrgan_cli.signals import Ended, heed_endings
from esrgan_cli.version import PACKAGE, project_version
from esrgan_torch.engines.strict import keep_float32
from esrgan_torch.errors import ConfigError, EsrganError
from esrgan_torch.storage.paths import line, trouble
from esrgan_torch.words import harmless

FAILED = 1
WRONG_USAGE = 2
STOPPED = 130  # what shells report for a process that SIGINT ended
ENDED = 128  # and this with the signal's number for another


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments; None: those of the process.

    Returns:
        The exit status.

    Raises:
        SystemExit: argparse has answered itself (--help, --version, wrong usage).
    """
    prepare_streams()
    keep_float32()
    arguments = make_parser().parse_args(argv)
    heed_limits()
    try:
        with heed_endings():
            status: int = arguments.run(arguments)
    except EsrganError as error:
        put(harmless(f"esrgan: {error}"), sys.stderr)
        status = WRONG_USAGE if isinstance(error, ConfigError) else FAILED
    except Ended as ended:
        put(f"esrgan: stopped by {ended}", sys.stderr)
        return ENDED + ended.number
    except KeyboardInterrupt:
        put("esrgan: stopped", sys.stderr)
        return STOPPED
    except BrokenPipeError:  # the reader has gone, as in `esrgan ... | head`
        status = FAILED
    except MemoryError:
        put("esrgan: not enough memory", sys.stderr)
        status = FAILED
    except (OSError, UnicodeError, RuntimeError) as error:
        found = trouble(error)
        if found is None:
            raise
        put(f"esrgan: {line(found)}", sys.stderr)
        status = FAILED
    return status if flush_streams() else max(status, FAILED)


def make_parser() -> argparse.ArgumentParser:
    """The parser of every command; each sets `run`, a function from the arguments to an exit status."""
    parser = argparse.ArgumentParser(
        prog="esrgan",
        description="Enlarge pictures with ESRGAN and Real-ESRGAN networks.",
        epilog="esrgan COMMAND --help says more about a command.",
    )
    parser.add_argument("--version", action="version", version=f"{PACKAGE} {project_version()}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (upscale, weights, convert, parity, train, evaluate, bench, demo, cache, doctor):
        command.add_parser(subparsers)
    return parser
