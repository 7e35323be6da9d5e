"""What this project keeps on the disk beside results, by kinds: what each is, where, and how large."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from esrgan_torch.storage.leftovers import END, PREFIX, is_left, leftovers


@dataclass(frozen=True)
class Kind:
    """A kind of things that are kept.

    Args:
        name: what `esrgan cache --clear` takes.
        about: what it is, and what brings it back, for people.
        find: the files and folders, given the cache folder.
        inside: whether they are in that folder; the others are this machine's, whatever folder is meant.
    """

    name: str
    about: str
    find: Callable[[Path], Iterator[Path]]
    inside: bool = True


def size_of(path: Path) -> tuple[int, int]:
    """Files in there, and their bytes; links are not followed. What vanishes meanwhile counts as nothing."""
    files, size = 0, 0
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            for each in path.iterdir():
                more, bytes_more = size_of(each)
                files, size = files + more, size + bytes_more
        else:
            files, size = 1, path.lstat().st_size
    return files, size


def clear(path: Path) -> None:
    """Delete it.

    Raises:
        OSError: it cannot be.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _models(cache: Path) -> Iterator[Path]:
    from esrgan_weights import registry

    for model in registry.models().values():
        for alternative in model.alternatives:
            yield from (cache / model.name / file.name for file in alternative.files if not model.bundled)


def _urls(cache: Path) -> Iterator[Path]:
    from esrgan_weights.sources.remote import FOLDER

    if (cache / FOLDER).is_dir():
        yield from (
            path for path in sorted((cache / FOLDER).rglob("*")) if path.is_file() and END not in path.name
        )


def _partial(cache: Path) -> Iterator[Path]:
    """Downloads that stopped, wherever in the cache; those under way have an owner that runs."""
    if not cache.is_dir():
        return
    for path in sorted(cache.rglob(f"*{END}*")):
        if is_left(path) or (path.name.endswith(END) and not path.name.startswith(".")):
            yield path
    yield from (
        path for path in sorted(cache.glob(".package-*")) if END not in path.name
    )  # of earlier releases


def _pictures(cache: Path) -> Iterator[Path]:
    from esrgan_torch.train.data.cache import FOLDER, kept_pictures

    yield from (kept.path for kept in kept_pictures(cache / FOLDER))


def _native(_: Path) -> Iterator[Path]:
    from esrgan_torch.engines.native.build import library_folder

    yield library_folder()


def _tfjs(_: Path) -> Iterator[Path]:
    from esrgan_bridge.runners.npm_packages import LISTS
    from esrgan_bridge.runners.tfjs_setup import PACKAGES

    yield from (PACKAGES.folder() / name for name in ("node_modules", *LISTS))


def _onnx_tf(_: Path) -> Iterator[Path]:
    from esrgan_bridge.onnx_tf.setup import data_folder

    yield data_folder()


def _temporary(_: Path) -> Iterator[Path]:
    yield from leftovers(Path(gettempdir()), PREFIX)


KINDS = (
    Kind("models", "published weights; fetched again when they are needed", _models),
    Kind("urls", "weights from https:// addresses; fetched again", _urls),
    Kind("partial", "downloads that were interrupted; they would be resumed", _partial),
    Kind("native", "the CPU engine, compiled for this machine; compiled again", _native, inside=False),
    Kind(
        "tfjs",
        "npm packages that measure TensorFlow.js; python -m esrgan_bridge.runners.tfjs_setup",
        _tfjs,
        inside=False,
    ),
    Kind("onnx-tf", "the second converter; python -m esrgan_bridge.onnx_tf.setup", _onnx_tf, inside=False),
    Kind(
        "temporary", "what killed commands left in the folder for temporary files", _temporary, inside=False
    ),
    Kind("pictures", "training pictures and a teacher's answers; decoded and answered again", _pictures),
)


def found(kind: Kind, cache: Path) -> list[Path]:
    """What there is of a kind."""
    paths = dict.fromkeys(kind.find(cache))
    return [path for path in paths if path.exists() or path.is_symlink()]
