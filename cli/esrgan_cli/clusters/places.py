"""Folders of pictures anywhere that fsspec reaches: this machine, s3://, gs://, hf:// and more."""

import posixpath
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from esrgan_torch.errors import ConfigError, EsrganError, ImageReadError, ImageWriteError
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.storage.paths import real

FileSystem = Any  # fsspec.AbstractFileSystem, which has no types


@dataclass(frozen=True)
class Place:
    """A folder, or a file, by its address.

    Args:
        address: such as s3://bucket/photos; or a path of this machine, which is then every worker's as well.
    """

    address: str

    @cached_property
    def _opened(self) -> tuple[FileSystem, str]:
        """The file system, and the path in it.

        Raises:
            ConfigError: fsspec does not know such addresses, or a package is missing.
        """
        try:
            url_to_fs: Any = import_module("fsspec.core").url_to_fs
        except ImportError as error:
            raise ConfigError("addresses need fsspec: pip install 'esrgan-torch[ray]'") from error
        try:
            return url_to_fs(self.address)
        except (ImportError, ValueError) as error:  # both say what to install, or which protocols there are
            raise ConfigError(f"{self.address}: {error}") from error

    @property
    def system(self) -> FileSystem:
        return self._opened[0]

    @property
    def path(self) -> str:
        """In its file system."""
        return self._opened[1].rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether it is a path of this machine."""
        protocol = self.system.protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    def same_as(self, other: "Place") -> bool:
        """Whether both are one folder."""
        return self._key == other._key

    def holds(self, folder: "Place", name: str) -> bool:
        """Whether a file of a folder lies in this one, or below it."""
        (system, top), (other, path) = self._key, folder._key
        return system == other and f"{path}/{name}".startswith(f"{top}/")

    @cached_property
    def _key(self) -> tuple[str, str]:
        """The same for every spelling of one folder; asked of the disk once, and not for each picture."""
        if self.is_local:
            return "", str(real(Path(self.path))).rstrip("/")
        return type(self.system).__name__, self.path

    def __reduce__(self) -> tuple[type["Place"], tuple[str]]:
        return type(self), (self.address,)

    def of(self, name: str) -> str:
        """The address of a file in this folder."""
        return f"{self.address.rstrip('/')}/{name}"

    def files(self) -> list[str]:
        """The names of all files below, relative, in their order; the file's own where it is one.

        Raises:
            ConfigError: nothing is there, or it cannot be listed.
        """
        with _explained(f"{self.address} cannot be listed", ConfigError):
            if self.system.isfile(self.path):
                return [posixpath.basename(self.path)]
            if not self.system.exists(self.path):
                raise ConfigError(f"{self.address} is not there")
            return self._found()

    def existing(self) -> set[str]:
        """The names of all files below, where there are any yet; errors as those of `files`."""
        with _explained(f"{self.address} cannot be listed", ConfigError):
            # an object store has no empty folders
            return set(self._found()) if self.system.exists(self.path) else set()

    def fetch(self, name: str, to: Path) -> None:
        """Copy one of its files to this machine.

        Raises:
            ImageReadError: it cannot be.
        """
        with _explained(f"cannot read {self.of(name)}", ImageReadError):
            self.system.get_file(f"{self.path}/{name}", str(to))

    def put(self, name: str, file: Path) -> None:
        """Copy a file of this machine there, under its name at once or not at all.

        Raises:
            ImageWriteError: it cannot be.
        """
        target = f"{self.path}/{name}"
        with _explained(f"cannot write {self.of(name)}", ImageWriteError):
            if not self.is_local:  # stores show an object when all of it has come
                self.system.put_file(str(file), target)
                return
            file_there = Path(target)
            file_there.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(file_there) as temporary:
                shutil.copyfile(file, temporary)

    def _found(self) -> list[str]:
        start = len(self.path) + 1
        return sorted(path[start:] for path in self.system.find(self.path))


@contextmanager
def _explained(what: str, kind: type[EsrganError]) -> Generator[None]:
    """Turn whatever a file system raises into `kind`: each of them has errors of its own."""
    try:
        yield
    except EsrganError:
        raise
    except Exception as error:
        cause = str(error) or type(error).__name__
        raise kind(f"{what}: {cause}") from error
