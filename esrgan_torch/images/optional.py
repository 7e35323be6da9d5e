"""Libraries that only some picture files need, imported when one of those is met."""

from importlib import import_module
from typing import Any

from esrgan_torch.errors import MissingCodecError


def codec(library: str, purpose: str, package: str | None = None) -> Any:
    """The module `library`, which `purpose` needs (a plural, such as "PNG files of 16 bits").

    Args:
        package: what to install, where it is called otherwise than the module.

    Raises:
        MissingCodecError: it is not installed, or does not load.
    """
    try:
        return import_module(library)
    except ImportError as error:
        name = package or library
        raise MissingCodecError(
            f"{purpose} need {name}, which cannot be imported ({error}); install it: pip install '{name}'"
        ) from error
