"""`convert --to tflite`: LiteRT files, and what its interpreter computes of them."""

from pathlib import Path

import numpy as np
import pytest

from esrgan_bridge.artifact import verify_shards
from esrgan_bridge.chain import convert, recheck
from esrgan_bridge.errors import ArtifactError, ConversionError, RunnerError
from esrgan_bridge.parity.distance import TOLERANCES
from esrgan_bridge.parity.probes import make_probes
from esrgan_bridge.runners.on_litert import LiteRt
from esrgan_bridge.writers.tf_to_tflite import saved_model_to_tflite
from esrgan_torch.networks.rrdb import RRDBNet
from tests.bridge.conftest import make_lively, make_rrdb

PROBES = len(make_probes())


def rows_of(report, step="tflite"):
    return [row for row in report.rows if row.step == step]


@pytest.fixture(scope="module")
def made(tmp_path_factory, need) -> Path:
    """Each conversion starts tensorflow twice, which takes seconds, so there are few here."""
    need("tensorflow")
    folder = tmp_path_factory.mktemp("litert") / "net"
    convert(make_rrdb(), folder, to="tflite", runners=[])
    return folder


def test_float32(made, need):
    need("litert")
    report = recheck(made, ["litert"])
    rows = rows_of(report)
    assert len(rows) == PROBES
    assert max(row.largest for row in rows) < 1e-5
    assert report.precision("litert") == "float32"
    (split,) = rows_of(report, "tflite split")
    assert split.largest < 1e-5
    assert [step.name for step in report.steps] == ["onnx", "tf", "tflite"]
    assert verify_shards(made / "tflite").layout == "NHWC"


def test_weights_are_stored_once(made):
    """Whole, trunk and tail are three graphs on one set of them."""
    data = (made / "tflite" / "model.tflite").read_bytes()
    for name in ("conv_last", "conv_first"):
        (weight,) = (tensor for tensor in make_rrdb().named_parameters() if tensor[0] == f"{name}.weight")
        stored = weight[1].permute(0, 2, 3, 1).contiguous().numpy().tobytes()
        assert data.count(stored) == 1


def test_float16(made, tmp_path, need):
    need("litert")
    record = verify_shards(made / "tf")
    folder = saved_model_to_tflite(made / "tf", tmp_path / "half", record, "float16")
    assert verify_shards(folder).quantize == "float16"
    sizes = [(place / "model.tflite").stat().st_size for place in (folder, made / "tflite")]
    assert sizes[0] < sizes[1]
    batch = make_probes()[2].batch()
    answers = [LiteRt().run(place, [batch])[0] for place in (folder, made / "tflite")]
    assert 1e-6 < np.abs(answers[0] - answers[1]).max() < TOLERANCES["float16"].largest


def test_int8_for_one_size(tmp_path, need):
    """The converter leaves filters of less than 1024 numbers as they are."""
    need("litert")
    need("tensorflow")
    folder = tmp_path / "net"
    model = RRDBNet(features=16, blocks=1, growth=16, scale=2, unshuffle=2)
    make_lively(model)
    report = convert(model, folder, to="tflite", quantize="int8", shape=(10, 14), runners=["litert"])
    rows = rows_of(report)
    assert len(rows) == PROBES
    assert {row.size for row in rows} == {"10x14"}
    assert 1e-5 < max(row.largest for row in rows) < rows[0].tolerance
    assert "int8" in report.precision("litert")
    assert verify_shards(folder / "tflite").quantize == "int8"
    assert verify_shards(folder / "tflite").fixed_size == (10, 14)


def test_the_console_stays_clean(made, capfd):
    recheck(made, ["litert"])
    assert capfd.readouterr() == ("", "")


def test_a_damaged_file(made, tmp_path):
    folder = tmp_path / "tflite"
    folder.mkdir()
    (folder / "model.tflite").write_bytes((made / "tflite" / "model.tflite").read_bytes()[:100])
    (folder / "esrgan.json").write_bytes((made / "tflite" / "esrgan.json").read_bytes())
    with pytest.raises(RunnerError, match=r"litert: cannot load|litert: the process has ended"):
        LiteRt().open(folder)


def test_no_saved_model(made, tmp_path):
    record = verify_shards(made / "tf")
    with pytest.raises(ArtifactError, match="holds no SavedModel"):
        saved_model_to_tflite(tmp_path, tmp_path / "tflite", record)
    assert not (tmp_path / "tflite").exists()


def test_a_converter_that_fails_is_quoted(made, tmp_path, monkeypatch):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('a library of its own is missing')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ConversionError, match=r"for LiteRT \(status 1\):\n(.*\n)*.*of its own is missing"):
        saved_model_to_tflite(made / "tf", tmp_path / "tflite", verify_shards(made / "tf"))
    assert not (tmp_path / "tflite").exists()
