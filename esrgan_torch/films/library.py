"""PyAV, which holds FFmpeg's libraries: imported when a film is met; its words as ours."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from esrgan_torch.errors import FilmError
from esrgan_torch.images.optional import codec
from esrgan_torch.storage.paths import line, trouble


def pyav() -> ModuleType:
    """The module `av`.

    Raises:
        MissingCodecError: it is not installed.
    """
    return codec("av", "films", "esrgan-torch[video]")


def url(path: Path) -> str:
    """A path as FFmpeg takes it for nothing else: a name may look like an address, such as concat:a.mp4."""
    return f"file:{path}"


def open_to_read(source: Any, form: str | None = None) -> Any:
    """A container, by its path or from an open file on, of which `read` will do.

    A playlist in it leads to files here alone.
    """
    if isinstance(source, Path):
        options = {"protocol_whitelist": "file"}
        return pyav().open(url(source), format=form, options=options, metadata_errors="replace")
    return pyav().open(source, format=form, metadata_errors="replace")


@contextmanager
def told(error: type[FilmError], what: str) -> Generator[None]:
    """Let what FFmpeg and the system say in this block come out as `error`, behind `what` and a colon."""
    failure = pyav().error.FFmpegError
    try:
        yield
    except BrokenPipeError:  # whoever reads what we write has gone, which is no fault
        raise
    except failure as raised:
        words = (getattr(raised, "strerror", None) or str(raised)).strip()
        raise error(f"{what}: {words[:1].lower()}{words[1:]}") from raised
    except OSError as raised:
        found = trouble(raised)
        raise error(f"{what}: {found.strerror if found is not None else line(raised)}") from raised
