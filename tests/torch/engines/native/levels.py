"""What the tests of the native engine need: the library, and the levels of instructions that are here."""

import pytest

from esrgan_torch.engines.native import build
from esrgan_torch.engines.native.library import Library


def levels() -> list[str]:
    """Levels of this processor; none where the library does not run, which is then a skip."""
    found = build.library()
    return [] if found is None else list(found.levels())


def library() -> Library:
    found = build.library()
    if found is None:
        pytest.skip(build.reason())
    return found


needs_native = pytest.mark.skipif(build.library() is None, reason=f"no native engine: {build.reason()}")
