"""Which format each result has: the one that is asked for, or that of its source."""

from pathlib import Path

from esrgan_cli.paths import read_head
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.formats import Format, find_format
from esrgan_torch.images.kinds import HEAD, recognise

DEFAULT_FORMAT = "png"
SAME = "same"
_NAMES = {"JPEG XL": ".jxl"}  # of kinds that no suffix is called after


def suffix_like(source: Path) -> tuple[str, str]:
    """The suffix of a result in its source's format, and a remark for people, mostly empty.

    The format is that of the content, whatever the name says; where it cannot be written, png.
    """
    return suffix_for(read_head(source, HEAD), source.suffix)


def suffix_for(head: bytes, suffix: str) -> tuple[str, str]:
    """The same for a file that begins with `head`, and whose name ends with `suffix`."""
    kind = recognise(head, suffix.lower()) or ""
    by_content, by_name = _format_of(_NAMES.get(kind, f".{kind.lower()}")), _format_of(suffix)
    form = by_content or by_name
    if form is None:
        what = kind or suffix.removeprefix(".") or "its format"
        return f".{DEFAULT_FORMAT}", f"{what} cannot be written: {DEFAULT_FORMAT} instead"
    if by_content in (None, by_name):
        return suffix.lower(), ""
    return form.suffixes[0], ""


def _format_of(suffix: str) -> Format | None:
    try:
        return find_format(suffix)
    except ConfigError:
        return None
