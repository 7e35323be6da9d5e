"""Every reader of files, with whole files to begin with. Nothing is imported before it is needed."""

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

PICTURES = ("bmp", "ppm", "qoi", "tga", "dds", "ico", "gif", "avif", "jxl", "jpg", "png", "webp", "tiff")
LARGEST = 1 << 16  # pixels

Reader = Callable[[bytes], object]


TEXTS: dict[str, Callable[[], tuple[Reader, list[bytes]]]] = {
    "pickle": lambda: (_checkpoint_reader("pth"), [_checkpoint("pth")]),
    "safetensors": lambda: (_checkpoint_reader("safetensors"), [_checkpoint("safetensors")]),
    "ncnn": lambda: (_ncnn_reader(), [_ncnn_graph()]),
    "recipe": lambda: (_path_reader("recipe.toml", _read_recipe), [_recipe()]),
    "parity.json": lambda: (_path_reader("parity.json", _read_record), [_record()]),
    "journal": lambda: (_path_reader(".esrgan.jsonl", _read_journal), [b'{"result": "a", "source": "b"}\n']),
}
NAMES = (*PICTURES[:6], *TEXTS, *PICTURES[6:])


def reader_of(name: str) -> tuple[Reader, list[bytes]]:
    """The reader, and whole files to begin with."""
    if name in TEXTS:
        return TEXTS[name]()
    # TGA is known by its suffix alone
    read = _path_reader("a.tga", _read_picture) if name == "tga" else _read_picture
    return read, [_picture(name), *_more(name)]


def _read_picture(data: bytes | Path) -> object:
    from esrgan_torch.images.files import read_frames

    return [frame.picture.pixels.shape for frame in read_frames(data, max_pixels=LARGEST)]


def _picture(kind: str) -> bytes:
    import numpy as np
    from PIL import Image

    from esrgan_torch.images.files import write_image

    pixels = np.random.default_rng(0).integers(0, 255, (9, 7, 3), np.uint8)
    file = io.BytesIO()
    if kind in ("ppm", "tga", "dds", "ico", "qoi"):
        Image.fromarray(pixels).save(file, kind)
    else:
        write_image(file, pixels, format=kind)
    return file.getvalue()


def _more(kind: str) -> Iterator[bytes]:
    """The same picture in other modes, with facts and as two frames, as far as Pillow writes it so."""
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(1).integers(0, 255, (9, 7, 3), np.uint8)
    picture = Image.fromarray(pixels)
    facts = Image.Exif()
    facts[0x0112], facts[0x010E] = 6, "a"
    variants = [(picture.convert(mode), {}) for mode in ("1", "L", "LA", "P", "RGBA", "CMYK")]
    variants += [(picture, {"exif": facts}), (picture, {"save_all": True, "append_images": [picture]})]
    for variant, options in variants:
        file = io.BytesIO()
        with suppress(OSError, KeyError, ValueError):
            variant.save(file, "jpeg" if kind == "jpg" else kind, **options)
            yield file.getvalue()


def _checkpoint(kind: str) -> bytes:
    import safetensors.torch
    import torch

    from esrgan_torch.networks.compact import CompactNet

    state = CompactNet(features=4, convolutions=1).state_dict()
    if kind == "safetensors":
        return safetensors.torch.save(state)
    file = io.BytesIO()
    torch.save({"params": state}, file)
    return file.getvalue()


def _checkpoint_reader(kind: str) -> Reader:
    from esrgan_weights.formats.read import read_checkpoint

    def read(path: Path) -> object:
        return read_checkpoint(path)

    return _path_reader(f"a.{kind}", read)


def _ncnn_graph() -> bytes:
    from esrgan_torch.engines.ncnn.graph import print_layers
    from esrgan_torch.networks.compact import CompactNet
    from esrgan_weights.formats.ncnn.network import ncnn_graph

    return print_layers(ncnn_graph(CompactNet(features=4, convolutions=1).config)).encode()


def _ncnn_reader() -> Reader:
    from esrgan_weights.formats.read import read_checkpoint

    def read(path: Path) -> object:
        path.with_suffix(".bin").write_bytes(bytes(4096))
        return read_checkpoint(path)

    return _path_reader("a.param", read)


def _recipe() -> bytes:
    from esrgan_torch.train import recipe

    return Path(recipe.__file__).with_name("recipes").joinpath("smoke.toml").read_bytes()


def _read_recipe(path: Path) -> object:
    from esrgan_torch.train.recipe import read_recipe

    return read_recipe(path)


def _record() -> bytes:
    from esrgan_bridge.parity.findings import ParityReport

    return ParityReport("tiny", "tf", "tf", "none", files={"a": "00"}).to_json().encode()


def _read_record(path: Path) -> object:
    from esrgan_bridge.parity.record import read_report

    return read_report(path.parent)


def _read_journal(path: Path) -> object:
    from esrgan_cli.upscaling.journal import Journal

    return Journal(path.parent).names("a")


def _path_reader(name: str, read: Callable[[Path], object]) -> Reader:
    """A reader of a path as one of bytes."""
    from tempfile import mkdtemp

    path = Path(mkdtemp(prefix="esrgan-fuzz-")) / name

    def reader(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return reader
