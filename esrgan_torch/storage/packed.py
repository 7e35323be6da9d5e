"""What the packed members of zip files raise where they are damaged."""

import zipfile
import zlib


def packed_damage() -> tuple[type[Exception], ...]:
    """Each packing has an error of its own; that of bzip2 is OSError, which is not among these."""
    try:
        from lzma import LZMAError
    except ImportError:  # a Python that was built without liblzma, where `zipfile` does without it too
        return zipfile.BadZipFile, zlib.error
    return zipfile.BadZipFile, zlib.error, LZMAError
