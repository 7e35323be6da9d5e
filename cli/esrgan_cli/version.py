"""The version of the installed package."""

from importlib import metadata

PACKAGE = "esrgan-torch"


def project_version() -> str:
    """The version, or a remark where the package runs from a checkout without being installed."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "(not installed: run from a checkout)"
