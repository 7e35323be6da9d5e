import os

import pytest
import torch
from safetensors.torch import save_file

from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights import load, read_checkpoint, save
from esrgan_weights.cache import sha256_of
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError, UnknownModelError
from esrgan_weights.formats import read
from esrgan_weights.own import OwnModel, facts_of


def test_content_counts_and_not_the_suffix(small_rrdb, tmp_path):
    path = save(small_rrdb, tmp_path / "a.safetensors").rename(tmp_path / "a.pth")
    assert read_checkpoint(path).container == "safetensors"
    path = save(small_rrdb, tmp_path / "b.pth", "basicsr").rename(tmp_path / "b.bak")
    assert read_checkpoint(path).container == "pickle"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "MODEL.BIN", "a.weights"])
def test_a_bin_is_judged_by_its_content(small_rrdb, tmp_path, name):
    for number, (written, container) in enumerate((("a.safetensors", "safetensors"), ("a.pth", "pickle"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = save(small_rrdb, folder / written).rename(folder / name)
        assert read_checkpoint(path).container == container


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="there is no such file"):
        read_checkpoint(tmp_path / "none.pth")


def test_folder(tmp_path):
    with pytest.raises(CheckpointError, match="it is a folder"):
        read_checkpoint(tmp_path)


def test_truncated_safetensors(small_rrdb, tmp_path):
    path = save(small_rrdb, tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="truncated or damaged safetensors"):
        read_checkpoint(path)


def test_text_named_safetensors(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_text("hello")
    with pytest.raises(CheckpointError, match="truncated or damaged safetensors"):
        read_checkpoint(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_other_float_types_become_float32(small_rrdb, tmp_path, dtype, suffix):
    tensors = {name: tensor.to(dtype) for name, tensor in small_rrdb.state_dict().items()}
    path = tmp_path / f"a{suffix}"
    if suffix == ".pth":
        torch.save(tensors, path)
    else:
        save_file(tensors, path)
    checkpoint = read_checkpoint(path)
    assert checkpoint.stored == (str(dtype).removeprefix("torch."),)
    for name, tensor in tensors.items():
        assert torch.equal(checkpoint.tensors[name], tensor.float())


@pytest.mark.parametrize("name", ["3x_drawings.pth", "drawings_x3.pth", "RRDB-x3plus.pth"])
def test_scale_3_is_refused_by_its_name(make_network, tmp_path, name):
    network = make_network(RRDBNetConfig(8, 1, 4, scale=2))
    path = save(network, tmp_path / "b.pth", "old-arch").rename(tmp_path / name)
    with pytest.raises(UnknownArchitectureError, match="of scale 3, which this project does not support"):
        read_checkpoint(path)


@pytest.mark.parametrize("name", ["2x_drawings.pth", "v3x2.pth", "animev3x.pth", "x32.pth"])
def test_scale_2_and_3_cannot_be_told_apart(make_network, tmp_path, name):
    network = make_network(RRDBNetConfig(8, 1, 4, scale=2))
    checkpoint = read_checkpoint(save(network, tmp_path / name, "old-arch"))
    assert checkpoint.config.scale == 2
    assert "scale 3" in checkpoint.notes[0]


def test_no_note_where_the_scale_is_plain(small_rrdb, tmp_path):
    assert read_checkpoint(save(small_rrdb, tmp_path / "3x.pth", "old-arch")).notes == ()


@pytest.mark.parametrize("suffix", [".safetensors", ".bin", ".onnx", ""])
def test_a_pickle_under_any_suffix(small_rrdb, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    torch.save(small_rrdb.state_dict(), path)
    assert read_checkpoint(path).config == small_rrdb.config


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".bin"])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>Confirm the download</body></html>", "a web page"),
        (b"GGUF\3\0\0\0", "a GGUF file"),
    ],
)
def test_what_it_is_instead_under_any_suffix(tmp_path, suffix, content, what):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=what):
        read_checkpoint(path)


@pytest.mark.parametrize("name", ["a" * 5000, "~no-such-user-here/a.pth"])
def test_names_that_no_file_can_have(name):
    with pytest.raises(CheckpointError, match="there is no such file"):
        read_checkpoint(name)
    with pytest.raises((CheckpointError, UnknownModelError)):
        load(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="a pipe or a device"):
        read_checkpoint(tmp_path / "a.pth")


@pytest.mark.parametrize("stated", ["9" * 5000, "-1", "²", "two"])
def test_sizes_that_are_no_numbers_are_not_believed(small_rrdb, tmp_path, stated):
    path = tmp_path / "a.safetensors"
    save_file(dict(small_rrdb.state_dict()), path, {"unshuffle": stated, "scale": stated})
    assert read_checkpoint(path).config == small_rrdb.config
    assert OwnModel("a", path, facts_of(path)).scale is None


@pytest.mark.parametrize("change", ["replaced", "written", "removed"])
def test_a_file_that_changes_meanwhile(small_rrdb, tmp_path, monkeypatch, change):
    path = save(small_rrdb, tmp_path / "model.safetensors")
    other = save(small_rrdb, tmp_path / "other.safetensors")

    def hash_later(file):
        digest = sha256_of(file)
        if change == "replaced":
            other.replace(path)
        elif change == "written":
            path.write_bytes(path.read_bytes() + b" ")
        else:
            path.unlink()
        return digest

    monkeypatch.setattr(read, "sha256_of", hash_later)
    with pytest.raises(CheckpointError, match="it changed while it was read; try again when it is complete"):
        read_checkpoint(path)


def test_a_neighbour_of_the_same_name_may_change(small_rrdb, tmp_path, monkeypatch):
    path = save(small_rrdb, tmp_path / "model.safetensors")

    def hash_later(file):
        (tmp_path / "model.bin").write_bytes(b"of another program")
        return sha256_of(file)

    monkeypatch.setattr(read, "sha256_of", hash_later)
    assert read_checkpoint(path).container == "safetensors"


def test_an_ncnn_model_whose_other_file_changes(small_rrdb, tmp_path, monkeypatch):
    path = save(small_rrdb, tmp_path / "model.param")

    def hash_later(file):
        param = tmp_path / "model.param"
        param.write_text(param.read_text() + "\n")
        return sha256_of(file)

    monkeypatch.setattr(read, "sha256_of", hash_later)
    with pytest.raises(CheckpointError, match="it changed while it was read"):
        read_checkpoint(path.with_suffix(".bin"))


def test_a_file_that_goes_between_two_looks(small_rrdb, tmp_path, monkeypatch):
    path = save(small_rrdb, tmp_path / "model.safetensors")

    def gone(file):
        raise FileNotFoundError(2, "No such file or directory", str(file))

    monkeypatch.setattr(read, "_state", gone)
    with pytest.raises(CheckpointError, match=r"model.safetensors: cannot be read \(No such file"):
        read_checkpoint(path)
