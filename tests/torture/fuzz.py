"""A fuzzer that is led by coverage (atheris), for each reader of files: it may refuse, and never fail.

    python -m tests.torture.fuzz READER FOLDER --seconds N

fuzzes one reader in this process; FOLDER keeps what it found. Decoders in C are not followed, only what
surrounds them; where one ends the process, that is found all the same.
"""

import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from esrgan_benchmarks.core import record
from esrgan_benchmarks.studies import reliability

PICTURES = ("png", "jpg", "webp", "tiff", "gif", "avif", "jxl", "bmp", "ppm", "qoi", "tga", "dds", "ico")
MEMORY = 3000  # MB of a process that fuzzes; it holds PyTorch
SLOWEST = 25  # seconds for one file
LARGEST = 1 << 16  # pixels
TURN = 360  # seconds for one reader at a time
FAULT = reliability.FUZZED

Reader = Callable[[bytes], object]


def readers() -> dict[str, tuple[Reader, list[bytes]]]:
    """Each with whole files to begin with."""
    found: dict[str, tuple[Reader, list[bytes]]] = {}
    for kind in PICTURES:
        found[kind] = (_read_picture, [_picture(kind)])
    found["pickle"] = (_checkpoint_reader("pth"), [_checkpoint("pth")])
    found["safetensors"] = (_checkpoint_reader("safetensors"), [_checkpoint("safetensors")])
    found["ncnn"] = (_ncnn_reader(), [_ncnn_graph()])
    found["recipe"] = (_text_reader("recipe.toml", _read_recipe), [_recipe()])
    found["parity.json"] = (_text_reader("parity.json", _read_record), [_record()])
    found["journal"] = (_text_reader(".esrgan.jsonl", _read_journal), [b'{"result": "a", "source": "b"}\n'])
    return found


def _read_picture(data: bytes) -> object:
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

    return _text_reader(f"a.{kind}", read)


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

    return _text_reader("a.param", read)


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


def _text_reader(name: str, read: Callable[[Path], object]) -> Reader:
    """A reader of a path as one of bytes."""
    from tempfile import mkdtemp

    path = Path(mkdtemp(prefix="esrgan-fuzz-")) / name

    def reader(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return reader


def tries(scratch: Path, seed: int, end: float) -> Iterator[tuple[str, str, str]]:
    """Fuzz readers in turn, those first that had the fewest minutes by all rows; tries as it counted them."""
    spent = dict.fromkeys(readers(), 0.0)
    rows = record.read("reliability")
    for row in rows:
        if row["fault"] == FAULT and row["command"] in spent:
            spent[row["command"]] += row.get("minutes", 0.0)
    number = len(rows)  # other chances each time
    while (left := int(end - time.monotonic())) > 0:
        name = min(spent, key=lambda reader: spent[reader])
        seconds = min(TURN, left)
        spent[name] += seconds / 60
        number += 1
        count, found = fuzzed(name, scratch / f"fuzz-{name}-{number}", seconds, seed + number)
        yield from ((FAULT, name, "") for _ in range(count - bool(found)))
        if found:
            yield FAULT, name, found


def fuzzed(name: str, folder: Path, seconds: int, seed: int = 0) -> tuple[int, str]:
    """How many files one reader was given in a process of its own, and what was found, if anything."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.torture.fuzz", name, str(folder), "--seconds", str(seconds)]
    done = subprocess.run(
        [*command, "--seed", str(seed)],
        env={**os.environ, "TMPDIR": str(folder)},  # which goes with all that the readers put there
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    counts = re.findall(r"number_of_executed_units: (\d+)|^#(\d+)", done.stderr, re.MULTILINE)
    count = max((int(one or other) for one, other in counts), default=0)
    if done.returncode == 0:
        return count, ""
    said = [line for line in done.stderr.splitlines() if "Error" in line or "ERROR" in line]
    return max(count, 1), f"status {done.returncode}: {' | '.join(said[:3])[:400]}; the file is in {folder}"


def main() -> None:
    import atheris

    with atheris.instrument_imports(
        include=["esrgan_torch", "esrgan_weights", "esrgan_bridge", "esrgan_cli"]
    ):
        import warnings

        import esrgan_weights.formats.read  # noqa: F401
        from esrgan_torch.errors import EsrganError

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    reader, seeds = readers()[given.reader]
    corpus = given.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(data)
    warnings.simplefilter("ignore")

    def one(data: Any) -> None:
        with contextlib.suppress(EsrganError, MemoryError):  # refused
            reader(bytes(data))

    flags = {
        "max_total_time": given.seconds,
        "rss_limit_mb": MEMORY,
        "timeout": SLOWEST,
        "seed": given.seed + 1,
        "max_len": 1 << 16,
        "print_final_stats": 1,
        "artifact_prefix": f"{given.folder}/found-",
    }
    atheris.Setup([sys.argv[0], *(f"-{name}={value}" for name, value in flags.items()), str(corpus)], one)
    print(json.dumps({"reader": given.reader}), flush=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
