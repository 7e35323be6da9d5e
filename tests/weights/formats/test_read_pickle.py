import os
import pickle
import zipfile

import pytest
import torch

from esrgan_weights import read_checkpoint, save
from esrgan_weights.errors import CheckpointError, UnsafeCheckpointError


class Payload:
    """Pickled, it runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("zipped", [True, False])
def test_malicious_pickle_does_not_run(tmp_path, zipped):
    trace = tmp_path / "trace"
    path = tmp_path / "model.pth"
    content = {"params_ema": {"conv_first.weight": torch.zeros(1)}, "x": Payload(f"touch {trace}")}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeCheckpointError, match=r"asks for `\w+\.system`.*nothing was run.*safetensors"):
        read_checkpoint(path)
    assert not trace.exists()


def test_plain_malicious_pickle_does_not_run(tmp_path):
    trace = tmp_path / "trace"
    path = tmp_path / "model.ckpt"
    path.write_bytes(pickle.dumps(Payload(f"touch {trace}")))
    with pytest.raises(CheckpointError, match=r"model\.ckpt"):
        read_checkpoint(path)
    assert not trace.exists()


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("zipped", [True, False])
def test_truncated(small_rrdb, tmp_path, share, zipped):
    path = tmp_path / "model.pth"
    torch.save(dict(small_rrdb.state_dict()), path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        read_checkpoint(path)


def test_damaged_pickle_inside_a_whole_archive(small_rrdb, tmp_path):
    good, bad = save(small_rrdb, tmp_path / "good.pth", "basicsr"), tmp_path / "bad.pth"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, b"\x80\x02garbage" if name.endswith("data.pkl") else content)
    with pytest.raises(CheckpointError, match=r"bad\.pth"):
        read_checkpoint(bad)


def test_legacy_format(small_rrdb, tmp_path):
    path = tmp_path / "legacy.pth"
    torch.save({"params": small_rrdb.state_dict()}, path, _use_new_zipfile_serialization=False)
    assert read_checkpoint(path).config == small_rrdb.config


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_torchscript(tmp_path):
    path = tmp_path / "model.pt"
    torch.jit.script(torch.nn.Conv2d(1, 1, 1)).save(path)
    with pytest.raises(UnsafeCheckpointError, match="TorchScript program"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"Hello, this is not a model.\n", "it is a text file"),
        (b"<!DOCTYPE html><html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"\x89PNG\r\n\x1a\n", "it is a picture"),
        (b"\x00\x01\x02\x03" * 9, "no known format"),
        (b"\x08\x08\x12\x07pytorch", "an ONNX file"),
        (b"\x08\x01\x12\x9a\x01", "a TensorFlow SavedModel"),
        (b"GGUF\x03\x00", "a GGUF file"),
        (b"\x89HDF\r\n\x1a\n\x00", "an HDF5 file"),
        (b"\x1c\x00\x00\x00TFL3\x00", "a TensorFlow Lite model"),
        (b"7z\xbc\xaf\x27\x1c\x00", "a 7z archive; unpack it"),
        (b"Rar!\x1a\x07\x01", "a RAR archive; unpack it"),
        (b"\x1f\x8b\x08", "a gzip archive; unpack it"),
        (bytes(257) + b"ustar\x00", "a tar archive; unpack it"),
        (b"\x93NUMPY\x01", "a single NumPy array"),
    ],
)
def test_other_files(tmp_path, content, message):
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["model.txt"], "torch did not write"),
        (["readme.txt", "models/a.pth"], r"unpack it and give the file inside \(models/a\.pth\)"),
        (["a.npy", "b.npy"], r"NumPy arrays \(\.npz\)"),
        (["config.json", "model.weights.h5"], "a Keras model"),
    ],
)
def test_other_zip_files(tmp_path, names, message):
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "?")
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {"params": {}}, {"state_dict": {"x": "y"}}])
def test_no_tensors(tmp_path, content):
    path = tmp_path / "model.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="holds"):
        read_checkpoint(path)
