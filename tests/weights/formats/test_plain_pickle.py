"""Pickles of every protocol, and what else people's checkpoints hold; nothing of a file is ever run."""

import argparse
import collections
import datetime
import io
import os
import pathlib
import pickle
import random
import types

import numpy as np
import pytest
import torch

from esrgan_weights import read_checkpoint
from esrgan_weights.errors import CheckpointError, UnsafeCheckpointError
from esrgan_weights.formats.plain_pickle import plainer
from esrgan_weights.formats.read_pickle import read_pickle
from esrgan_weights.recognition.stand_ins import Array, Kind

PROTOCOLS = (2, 3, 4, 5)


@pytest.fixture(params=["zip", "legacy", "plain"])
def dump(request, tmp_path):
    """Write an object as torch does, as it did formerly, or as `pickle.dump` does."""

    def write(content, protocol):
        path = tmp_path / "a.pth"
        if request.param == "plain":
            path.write_bytes(pickle.dumps(content, protocol))
        else:
            zipped = request.param == "zip"
            torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
        return path

    return write


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol(small_rrdb, dump, protocol):
    checkpoint = read_checkpoint(dump({"params": small_rrdb.state_dict(), "epoch": 3}, protocol))
    assert all(
        torch.equal(checkpoint.tensors[name], tensor) for name, tensor in small_rrdb.state_dict().items()
    )


def options():
    return {
        "psnr": np.float64(31.5),
        "steps": np.int64(7),
        "name": np.str_("x"),
        "flag": np.bool_(True),
        "path": pathlib.Path("a/b"),
        "windows": pathlib.PureWindowsPath("c:/a"),
        "losses": collections.defaultdict(list, {"a": [1.0]}),
        "counts": collections.Counter("aab"),
        "queue": collections.deque([1, 2], maxlen=3),
        "size": torch.Size([1, 2]),
        "dtype": torch.float16,
        "device": torch.device("cpu"),
        "version": torch.__version__,
        "options": argparse.Namespace(lr=1e-4, folder=pathlib.Path("x")),
        "simple": types.SimpleNamespace(a=1),
        "when": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        "set": {1, 2},
        "frozen": frozenset("ab"),
        "bytes": bytes(range(256)),
        "bytearray": bytearray(b"abc"),
        "large": 10**40,
        "negative": -(2**40),
        "text": "猫 " * 600,
        "complex": 1 + 2j,
        "random": np.random.RandomState(0).get_state(),
        "range": [True, False, None, (), 255, 65535, -1],
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_stands_beside_the_tensors(small_rrdb, dump, protocol):
    content = {"options": options(), "again": options(), "params": small_rrdb.state_dict()}
    assert read_checkpoint(dump(content, protocol)).wrapper == "params"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_stay_what_they_are(dump, protocol):
    names = ("bytes", "large", "negative", "text", "range", "losses", "size", "device")
    path = dump({name: options()[name] for name in names} | {"array": np.zeros(3)}, protocol)
    content = read_pickle(path)
    assert all(content[name] == options()[name] for name in names)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64, ">f4"])
def test_arrays_for_tensors(small_rrdb, dump, protocol, dtype):
    arrays = {name: tensor.numpy().astype(dtype) for name, tensor in small_rrdb.state_dict().items()}
    arrays["conv_hr.weight"] = np.asfortranarray(arrays["conv_hr.weight"])
    checkpoint = read_checkpoint(dump({"state_dict": arrays}, protocol))
    for name, array in arrays.items():
        assert np.array_equal(checkpoint.tensors[name].numpy(), array.astype(np.float32))


class Payload:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("depth", ["alone", "beside an array", "as a default"])
def test_code_is_refused_and_not_run(dump, tmp_path, protocol, depth):
    trace = tmp_path / "trace"
    bad = Payload(os.system, f"touch {trace}")
    content = {
        "alone": bad,
        "beside an array": {"a": np.zeros(3), "b": [bad]},
        "as a default": collections.defaultdict(list, {"a": bad}),
    }[depth]
    with pytest.raises(UnsafeCheckpointError, match=r"asks for `\w+\.system`.*nothing was run"):
        read_checkpoint(dump(content, protocol))
    assert not trace.exists()


@pytest.mark.parametrize("function", [eval, exec, getattr, __import__, pathlib.Path.unlink, open])
def test_no_function_is_harmless(tmp_path, dump, function):
    path = dump({"a": Payload(function, "x"), "b": np.float64(1)}, 4)
    with pytest.raises(UnsafeCheckpointError, match="nothing was run"):
        read_checkpoint(path)


def test_a_stand_in_imports_nothing(tmp_path):
    # a class of a package that is not installed, and one whose import would be noticed
    text = b"\x80\x02}X\x01\x00\x00\x00acomegaconf.never\nClass\n)R}X\x01\x00\x00\x00bK\x01sbs."
    (tmp_path / "a.pth").write_bytes(text)
    assert list(read_pickle(tmp_path / "a.pth")) == ["a"]


def test_a_whole_network_object(tmp_path):
    path = tmp_path / "a.pth"
    torch.save(torch.nn.Conv2d(1, 1, 1), path)
    with pytest.raises(
        UnsafeCheckpointError, match=r"a whole network object \(of the class `torch\.nn\.modules\.conv"
    ):
        read_checkpoint(path)


def test_other_peoples_settings_stay(small_rrdb, dump):
    before = set(map(str, torch.serialization.get_safe_globals()))
    read_checkpoint(dump({"params": small_rrdb.state_dict(), "a": np.float64(1)}, 4))
    assert set(map(str, torch.serialization.get_safe_globals())) == before


def test_a_long_text_is_said_once():
    text = "x" * 5000
    assert len(plainer(io.BytesIO(pickle.dumps([text] * 1000, 4)))) < 20_000


@pytest.mark.parametrize("plain", [False, True])
def test_what_torch_itself_cannot_read_is_not_called_damaged(tmp_path, plain):
    path = tmp_path / "a.pth"
    content = {"conv_first.weight": torch.zeros(8, 3, 3, 3).to(torch.float8_e4m3fn)}
    if plain:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match="float8 numbers in torch's older format"):
        read_checkpoint(path)


def test_an_array_whose_numbers_are_a_size_allocates_nothing():
    array = Array()
    array.__setstate__((1, (10**15,), Kind("f4"), False, 10**15))
    assert array.tensor() is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_damage_anywhere_is_told_as_such(dump, tmp_path, protocol):
    whole = dump(
        {"params": {"conv_first.weight": torch.zeros(4, 3, 3, 3)}, "a": np.zeros(3)}, protocol
    ).read_bytes()
    chance = random.Random(protocol)
    path = tmp_path / "damaged.pth"
    for _ in range(25):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 3))):
            damaged[chance.randrange(min(len(damaged), 1500))] = chance.randrange(256)
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            read_checkpoint(path)
