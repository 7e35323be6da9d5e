"""stdin, stdout and stderr as they are found: closed, narrow, or with a reader that goes away."""

import codecs
import io
import os
import sys
from typing import BinaryIO, TextIO, cast

from esrgan_torch.errors import ConfigError

NAMES_AS_THEY_ARE = "esrgan_names"


def prepare_streams() -> None:
    """Make the three streams of this process safe to use; for `main`, before anything else.

    A stream that was closed, as by `>&-`, becomes the null device: else the next file that is opened would
    get its number, and whatever a library prints would land in a picture. Nor is a name ever too odd to
    print: on stdout, bytes that are no text are written as they are, so that programs get the very name, and
    a character that the encoding lacks as its number (\\u732b).
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # takes the lowest number that is free, which is this one; children must find it too
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    codecs.register_error(NAMES_AS_THEY_ARE, _spell)
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]  # so it is where it was closed
        sys.stdout = _null()
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stderr = _null()  # print(file=None) would print to stdout
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stdin = _null("r")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=NAMES_AS_THEY_ARE)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


def put(text: str, stream: TextIO) -> OSError | ValueError | None:
    """Print a line at once. Where that cannot be, the stream is silenced, and the error returned."""
    try:
        print(text, file=stream, flush=True)
    except (OSError, ValueError) as error:  # ValueError: the stream was closed in this process
        silence(stream)
        return error
    return None


def read_stdin(what: str) -> bytes:
    """All that comes from stdin; `what` it is, is the beginning of a sentence.

    Raises:
        ConfigError: it is a keyboard.
    """
    if sys.stdin.isatty():
        raise ConfigError(f"{what} from stdin, and stdin is the keyboard here; send it a file")
    return sys.stdin.buffer.read()


def take_stdout() -> BinaryIO:
    """stdout for the bytes of a picture; what libraries print there otherwise goes to stderr then.

    Raises:
        ConfigError: it is a terminal, or closed.
    """
    if getattr(sys.stdout, "name", "") == os.devnull:  # what `prepare_streams` has put there
        raise ConfigError(
            "the result is the picture itself, and stdout is closed; send it to a file, or give -o"
        )
    if sys.stdout.isatty():
        raise ConfigError(
            "the result is the picture itself, and stdout is a terminal; send it to a file, or give -o"
        )
    sys.stdout.flush()
    try:
        taken = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    except (OSError, ValueError):  # no file of the system, as in a test
        return sys.stdout.buffer
    raw = io.FileIO(taken, "wb")
    raw.name = "stdout"  # for messages
    return io.BufferedWriter(raw)


def flush_streams() -> bool:
    """Write what stdout and stderr still hold; False where stdout cannot be written."""
    put_all = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            silence(stream)
            if stream is sys.stdout:
                put_all = False
                if not isinstance(error, BrokenPipeError):
                    put(f"esrgan: stdout cannot be written: {error}", sys.stderr)
    return put_all


def silence(stream: TextIO) -> None:
    """Send what is still to come to the null device, what waits in the buffer included.

    Else Python would complain at exit, and the exit status would be its own.
    """
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # no file of the system, as in a test
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, number)
    finally:
        os.close(null)


def _null(mode: str = "w") -> TextIO:
    return cast(TextIO, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123  # it lives as long as the process


def _spell(error: UnicodeError) -> tuple[bytes, int]:
    """An error handler of `codecs`: characters that the encoding lacks, as bytes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    spelled = bytearray()
    for character in error.object[error.start : error.end]:
        if "\udc80" <= character <= "\udcff":  # how Python holds a byte of a name that is no text
            spelled.append(ord(character) - 0xDC00)
        else:
            spelled += character.encode("ascii", "backslashreplace")
    return bytes(spelled), error.end
