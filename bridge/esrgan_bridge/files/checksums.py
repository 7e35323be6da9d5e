"""The sha256 of every file of a folder: taken when it is made, compared before it is used."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from esrgan_bridge.errors import ArtifactError


def sha256_of(file: Path) -> str:
    """In hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_files(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder, by its path there."""
    return {
        file.relative_to(folder).as_posix(): sha256_of(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Compare files with the sha256 that they were made with, by their path in the folder.

    Raises:
        ArtifactError: a file is missing or differs; the message names the first.
    """
    for name, expected in files.items():
        file = folder / name
        if not file.is_file():
            raise ArtifactError(f"{file} is missing; fetch it again, or convert the network again")
        found = sha256_of(file)
        if found != expected:
            raise ArtifactError(
                f"{file} is damaged: its sha256 is {found}, it should be {expected}; fetch it again, or "
                "convert the network again"
            )
