"""Checkpoints made to exhaust memory, and damaged ones: every one is a CheckpointError, and costs little."""

import io
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import read_checkpoint, save
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.own import facts_of
from tests.support.mutations import mutated


def repeated(features: int) -> dict[str, torch.Tensor]:
    """The tensors of a CompactNet of so many features, all of them one number."""
    number = torch.zeros(1)
    shapes = {
        "body.0.weight": (features, 3, 3, 3),
        "body.0.bias": (features,),
        "body.1.weight": (features,),
        "body.2.weight": (features, features, 3, 3),
        "body.2.bias": (features,),
        "body.3.weight": (features,),
        "body.4.weight": (12, features, 3, 3),
        "body.4.bias": (12,),
    }
    return {name: number.expand(shape) for name, shape in shapes.items()}


def test_views_that_repeat_a_number_are_judged_by_what_is_stored(tmp_path: Path) -> None:
    """3.5 KB of views took 6.5 GB."""
    path = tmp_path / "a.pth"
    torch.save({"params": repeated(8192)}, path)
    assert path.stat().st_size < 10_000
    with pytest.raises(
        CheckpointError, match=r"a\.pth: its tensors show 2,420,\d+,\d+ bytes of numbers where"
    ):
        read_checkpoint(path)
    torch.save({"params": repeated(8)}, path)  # small ones do no harm
    assert read_checkpoint(path).config.features == 8


def test_arrays_that_share_their_numbers_are_judged_by_what_is_stored(tmp_path: Path) -> None:
    import pickle

    numbers = np.zeros(1 << 20, np.float32)
    path = tmp_path / "a.pth"
    # each array of its own, and the bytes of all of them once
    data = pickle.dumps([np.frombuffer(numbers, np.float32) for _ in range(2)], protocol=5)
    path.write_bytes(data)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)
    from esrgan_weights.recognition.entries import entries_of
    from esrgan_weights.recognition.stand_ins import Array, Kind

    arrays: list[Array] = []
    content = numbers.tobytes()
    for _ in range(40):
        array = Array()
        array.__setstate__((1, (1 << 20,), Kind("f4"), False, content))
        arrays.append(array)
    with pytest.raises(CheckpointError, match="repeat the same numbers"):
        entries_of({str(number): array for number, array in enumerate(arrays)})


def test_a_file_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"params": {"body.0.weight": torch.zeros(1 << 25)}}, path)
    packed = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    path.write_bytes(packed.getvalue())
    assert path.stat().st_size < 1 << 20
    with pytest.raises(CheckpointError, match="it unpacks to 134,"):
        read_checkpoint(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_members_that_are_packed(tmp_path: Path, packing: int) -> None:
    """Each packing raises an error of its own; found by the fuzzer."""
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("archive/data.pkl", bytes(range(256)) * 4)
    content = path.read_bytes()
    start = content.index(b"archive/data.pkl") + len("archive/data.pkl")
    path.write_bytes(content[: start + 4] + b"\xff" * 40 + content[start + 44 :])
    with pytest.raises(CheckpointError, match=r"a\.pth: it is truncated or damaged"):
        read_checkpoint(path)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", ["body.0.weight", "body.2.weight", "body.4.weight"])
def test_convolutions_without_channels(tmp_path: Path, name: str, place: int) -> None:
    tensors = {key: value.clone() for key, value in repeated(4).items()}
    shape = list(tensors[name].shape)
    shape[place] = 0
    tensors[name] = torch.zeros(shape)
    path = tmp_path / "a.safetensors"
    save_file(tensors, path)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


@pytest.fixture
def ncnn(tmp_path: Path) -> Path:
    return save(CompactNet(features=4, convolutions=1, scale=2), tmp_path / "c.param", "ncnn")


def edited(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_a_graph_that_enlarges_without_end(ncnn: Path) -> None:
    with pytest.raises(UnknownArchitectureError, match="makes more than 16,777,216 numbers"):
        read_checkpoint(edited(ncnn, "1=2.000000e+00 2=2.000000e+00", "1=4000 2=4000"))


def test_a_graph_that_doubles_at_every_step(ncnn: Path) -> None:
    lines = ncnn.read_text().splitlines()
    last = lines.pop()
    doubled, before = [], "x"
    lines.append(last.replace(" output ", " x "))
    for step in range(40):
        doubled.append(f"Split s{step} 1 2 {before} a{step} b{step}")
        doubled.append(f"Concat c{step} 2 1 a{step} b{step} d{step}")
        before = f"d{step}"
    lines += doubled
    lines[1] = f"{len(lines) - 2} 200"
    ncnn.write_text("\n".join(lines) + "\n")
    with pytest.raises(UnknownArchitectureError, match="makes more than 16,777,216 numbers"):
        read_checkpoint(ncnn)


@pytest.mark.parametrize("factor", ["0", "-1", "3", "99999999", "1e30", "nan"])
@pytest.mark.parametrize("old", ["1=2.000000e+00 2=2.000000e+00", "shuffle 0=2"])
def test_odd_factors_in_a_graph(ncnn: Path, old: str, factor: str) -> None:
    new = f"1={factor} 2={factor}" if old.startswith("1=") else f"shuffle 0={factor}"
    with pytest.raises(CheckpointError):
        read_checkpoint(edited(ncnn, old, new))


@pytest.mark.parametrize("layout", ["pth", "safetensors", "param", "bin"])
def test_damaged_checkpoints_are_checkpoint_errors(small_compact, tmp_path: Path, layout: str) -> None:
    suffix = "param" if layout == "bin" else layout
    path = save(small_compact, tmp_path / f"a.{suffix}")
    damaged = path.with_suffix(f".{layout}")
    whole = damaged.read_bytes()
    for number in range(150):
        damaged.write_bytes(mutated(whole, random.Random(number)))
        try:
            read_checkpoint(path)
        except CheckpointError:
            continue


def test_damaged_metadata_of_ones_own_models(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata={"scale": "4"})
    whole = path.read_bytes()
    for number in range(150):
        path.write_bytes(mutated(whole, random.Random(number)))
        try:
            facts_of(path)
        except CheckpointError:
            continue
