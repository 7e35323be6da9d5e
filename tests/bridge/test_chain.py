"""The chain up to ONNX, which is quick: what is made, what is kept, and what is not."""

import errno
import json
import re
import shutil
import sys
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from esrgan_bridge.artifact import read_metadata
from esrgan_bridge.chain import convert, recheck
from esrgan_bridge.errors import (
    ArtifactError,
    ConversionError,
    MissingRuntimeError,
    NotMeasuredError,
    ParityError,
    RunnerError,
)
from esrgan_bridge.export import torch_to_onnx
from esrgan_bridge.runners import RUNNERS
from esrgan_torch.errors import ConfigError
from esrgan_weights.errors import WeightsError
from tests.bridge.conftest import make_rrdb

PROBES = ["flat", "checkerboard", "odd", "ramp", "noise", "eye", "fur"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "below" / "net"
    convert(make_rrdb(), folder, to="onnx", runners=["onnxruntime"])
    return folder


@pytest.fixture
def copy(made, tmp_path) -> Path:
    return shutil.copytree(made, tmp_path / "copy")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_what_is_made(made):
    assert sorted(contents(made)) == ["onnx/model.onnx", "parity.html", "parity.json", "reference.npz"]
    assert list(made.parent.iterdir()) == [made]
    record = json.loads((made / "parity.json").read_text())
    assert [(row["step"], row["runner"], row["probe"]) for row in record["rows"]] == [
        *(("torch", "torch", probe) for probe in PROBES),
        *(("onnx", "onnxruntime", probe) for probe in PROBES),
    ]
    assert all(row["largest"] < 1e-5 for row in record["rows"])
    assert all(row["reason"] for row in record["rows"])
    assert record["machine"]["torch"] == torch.__version__
    assert "GB" in record["machine"]["peak memory"]
    assert record["runtimes"]["onnxruntime"]["onnxruntime"]
    assert sorted(record["files"]) == ["onnx/model.onnx", "reference.npz"]
    assert [step["name"] for step in record["steps"]] == ["onnx"]
    assert made.stat().st_mode & 0o755 == 0o755  # not only for its owner, as temporary folders are


def test_float16(tiny_rrdb, tmp_path):
    report = convert(tiny_rrdb, tmp_path / "half", to="onnx", quantize="float16", runners=["onnxruntime"])
    assert read_metadata(tmp_path / "half" / "onnx" / "model.onnx").quantize == "float16"
    rows = [row for row in report.rows if row.step == "onnx"]
    assert len(rows) == len(PROBES)
    assert 1e-5 < max(row.largest for row in rows) < rows[0].tolerance


def test_references_are_float64(made):
    """A small difference is the copy's own: rounding the reference to float32 would change it."""
    model = make_rrdb().double()
    (step,) = (entry for entry in RUNNERS if entry.name == "onnxruntime")
    rows = {row.probe: row for row in recheck(made, ["onnxruntime"]).rows}
    with np.load(made / "reference.npz") as arrays, step.open(made / "onnx" / "model.onnx") as session:
        for probe in PROBES:
            answer, batch = arrays[f"{probe}.answer"], (arrays[f"{probe}.probe"] / np.float32(255))[None]
            assert answer.dtype == np.float64
            expected = model(torch.from_numpy(batch.transpose(0, 3, 1, 2)).double())
            np.testing.assert_allclose(answer, expected.numpy().transpose(0, 2, 3, 1), rtol=0, atol=1e-12)
            difference = np.abs(answer - session.run(batch)).max()
            assert rows[probe].largest == pytest.approx(difference, rel=1e-9)
            assert np.abs(answer.astype(np.float32) - session.run(batch)).max() != rows[probe].largest


def test_recheck(made, monkeypatch):
    before = contents(made)
    report = recheck(made)
    runners = ("onnxruntime", "openvino")
    assert [(row.runner, row.probe) for row in report.rows] == [*product(runners, PROBES)]
    assert report.passed
    assert contents(made) == before


def test_an_earlier_conversion_is_replaced_and_nothing_else(copy, tiny_compact):
    """A user's notes beside it and inside of it, and another target by hand, stay and are named."""
    own = {"notes.txt": b"mine", "onnx/slim.onnx": b"mine too", "tflite/model.tflite": b"another target"}
    for name, data in own.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_bytes(data)
    said: list[str] = []
    report = convert(tiny_compact, copy, to="onnx", progress=said.append)
    made = contents(copy)
    assert {name: made.pop(name) for name in own} == own
    assert sorted(made) == ["onnx/model.onnx", "parity.html", "parity.json", "reference.npz"]
    assert said[-1] == f"left as they are in {copy}: {', '.join(own)}"
    assert read_metadata(copy / "onnx" / "model.onnx").architecture == "CompactNet"
    assert report.passed
    assert recheck(copy).passed
    assert list(copy.parent.iterdir()) == [copy]


def test_another_target_is_replaced_only_when_told_to(copy, tiny_compact):
    (copy / "notes.txt").write_text("mine")
    before = contents(copy)
    options = {"to": "tfjs", "route": "direct", "runners": ["onnxruntime"]}
    with pytest.raises(ArtifactError, match="to onnx, not to tfjs; choose another folder, or replace"):
        convert(tiny_compact, copy, **options)
    assert contents(copy) == before
    convert(tiny_compact, copy, overwrite=True, **options)
    assert (copy / "notes.txt").read_text() == "mine"
    assert (copy / "tfjs" / "model.json").is_file()
    # and back: what the record lists goes, with the folder that it leaves empty
    convert(tiny_compact, copy, to="onnx", overwrite=True)
    assert sorted(contents(copy)) == sorted(before)
    assert not (copy / "tfjs").exists()


def test_an_empty_folder_is_used(tiny_rrdb, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    convert(tiny_rrdb, folder, to="onnx")
    assert (folder / "parity.json").is_file()


def test_foreign_folders_are_left_alone(tiny_rrdb, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(b"cat")
    with pytest.raises(ArtifactError, match=r"no parity.json: not made by `esrgan convert`, so left alone"):
        convert(tiny_rrdb, folder, to="onnx")
    with pytest.raises(ArtifactError, match="is a file"):
        convert(tiny_rrdb, folder / "cat.jpg", to="onnx")
    with pytest.raises(ArtifactError, match="left alone; choose another folder"):
        convert(tiny_rrdb, folder, to="onnx", overwrite=True)
    assert contents(tmp_path) == {"photos/cat.jpg": b"cat"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"route": "nhwc"}, "route must be one of"),
        ({"quantize": "int4"}, "quantize must be one of"),
        ({"to": "tf", "route": "direct"}, "route direct makes TF.js files alone"),
        ({"to": "tf", "quantize": "uint8"}, "goes with --to tfjs"),
        ({"to": "onnx", "quantize": "uint8"}, "float32 or float16"),
        ({"runners": ["ncnn"]}, "no runner 'ncnn'"),
    ],
)
def test_options_that_cannot_be(tiny_rrdb, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        convert(tiny_rrdb, tmp_path / "net", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("to", ["onnx", "tf", "tfjs", "tflite"])
def test_the_documentation_tells_which_target_takes_which_weights(to, tmp_path):
    """Each is taken or refused before there is a network to convert."""
    text = (Path(__file__).parents[2] / "docs" / "conversion.md").read_text()
    (listed,) = re.findall(rf"^\| `{to}` \| (`none`.*?) \|", text, re.M)
    for quantize in ("none", "float16", "uint8", "int8"):
        refused = f"`{quantize}`" not in listed
        with pytest.raises(ConfigError if refused else WeightsError):
            convert(tmp_path / "absent.pth", tmp_path / "net", to=to, quantize=quantize)


@pytest.mark.parametrize("missing", ["tensorflow", "tensorflowjs"])
def test_without_tensorflow_the_direct_route_is_taken(tiny_compact, tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    said: list[str] = []
    report = convert(tiny_compact, tmp_path / "net", runners=["onnxruntime"], progress=said.append)
    assert report.route == "direct"
    assert said[0] == f"{missing} missing: by the route direct, which makes the same graph without"
    assert (tmp_path / "net" / "tfjs" / "model.json").is_file()
    assert not (tmp_path / "net" / "tf").exists()


def test_a_route_that_was_asked_for_is_taken(tiny_compact, tmp_path, monkeypatch):
    for name in ("tensorflow", "tensorflow.core.framework.graph_pb2"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingRuntimeError, match="tensorflow is not installed"):
        convert(tiny_compact, tmp_path / "net", route="tf", runners=[])
    with pytest.raises(MissingRuntimeError, match="tensorflow is not installed"):
        convert(tiny_compact, tmp_path / "net", to="tf", runners=[])
    assert not (tmp_path / "net").exists()


def test_a_full_disk(tiny_rrdb, copy, monkeypatch):
    def full(model, path, **options):
        path.write_bytes(b"the beginning")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    before = contents(copy)
    monkeypatch.setattr(torch_to_onnx, "export_onnx", full)
    with pytest.raises(ConversionError, match="No space left on device; nothing was kept"):
        convert(tiny_rrdb, copy, to="onnx")
    assert contents(copy) == before
    assert list(copy.parent.iterdir()) == [copy]


def test_a_stop_leaves_nothing(tiny_rrdb, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch_to_onnx, "export_onnx", stop)
    with pytest.raises(KeyboardInterrupt):
        convert(tiny_rrdb, tmp_path / "net", to="onnx")
    assert not list(tmp_path.iterdir())


def test_a_network_that_is_not_finite(tiny_rrdb, tmp_path):
    tiny_rrdb.conv_last.bias[0] = np.nan
    with pytest.raises(ConversionError, match="NaN"):
        convert(tiny_rrdb, tmp_path / "net", to="onnx")
    assert not list(tmp_path.iterdir())


def test_recheck_of_a_changed_file(copy):
    file = copy / "onnx" / "model.onnx"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(
        ArtifactError, match=r"model\.onnx is damaged: its sha256 is [0-9a-f]{64}, it should be"
    ):
        recheck(copy)


def test_recheck_of_a_missing_file(copy):
    (copy / "onnx" / "model.onnx").unlink()
    with pytest.raises(ArtifactError, match=r"model\.onnx is missing"):
        recheck(copy)


def test_recheck_without_artefacts(copy):
    shutil.rmtree(copy / "onnx")
    with pytest.raises(ArtifactError, match="contains no converted files any more"):
        recheck(copy)


def test_recheck_of_another_version(copy):
    """As a later release finds what an earlier one made."""
    file = copy / "onnx" / "model.onnx"
    document = onnx.load(str(file))
    (entry,) = (entry for entry in document.metadata_props if entry.key == "esrgan")
    entry.value = json.dumps(json.loads(entry.value) | {"format_version": 0})
    onnx.save(document, str(file))
    record = json.loads((copy / "parity.json").read_text())
    record["files"].pop("onnx/model.onnx")
    (copy / "parity.json").write_text(json.dumps(record))
    with pytest.raises(ArtifactError, match="format version 0, this release reads version 1"):
        recheck(copy)


def test_recheck_finds_what_drifted(copy, monkeypatch):
    """Whole files, and yet other answers: a runtime that computes wrongly."""
    with np.load(copy / "reference.npz") as arrays:
        changed = {name: values + (0.5 if name == "ramp.answer" else 0) for name, values in arrays.items()}
    np.savez_compressed(copy / "reference.npz", **changed)
    record = json.loads((copy / "parity.json").read_text())
    record["files"].pop("reference.npz")
    (copy / "parity.json").write_text(json.dumps(record))
    with pytest.raises(ParityError, match="step onnx, runner onnxruntime, probe ramp") as caught:
        recheck(copy)
    assert [row.passed for row in caught.value.report.rows] == [True, True, True, False, True, True, True]


@pytest.mark.parametrize("runners", [None, ["onnxruntime"], ["tensorflow"], ["torch"]])
def test_no_measurement_is_a_failure(made, tiny_rrdb, tmp_path, monkeypatch, runners):
    """The runtime is missing, reads another step, or is the original's own."""
    if runners in (None, ["onnxruntime"]):
        for runner in RUNNERS:
            monkeypatch.setattr(type(runner), "available", lambda self: "not there: pip install it")
    with pytest.raises(
        NotMeasuredError, match=r"nothing was measured of onnx in .*; choose with --runners"
    ) as err:
        recheck(made, runners)
    assert not err.value.report.passed
    assert ("onnxruntime: not there: pip install it" in str(err.value)) == (
        runners in (None, ["onnxruntime"])
    )
    if runners != ["torch"]:
        return
    with pytest.raises(NotMeasuredError):
        convert(tiny_rrdb, tmp_path / "net", to="onnx", runners=runners)
    page = (tmp_path / "net" / "parity.html").read_text()
    assert '<p class="bad">Nothing was measured' in page
    assert 'class="good"' not in page
    before = contents(tmp_path)
    with pytest.raises(NotMeasuredError):  # and no earlier result is given for that
        convert(tiny_rrdb, tmp_path / "net", to="onnx", runners=runners)
    assert contents(tmp_path) == before


def test_a_runtime_that_fails_is_named(tiny_rrdb, tmp_path, monkeypatch):
    def fail(self, artefact):
        raise RunnerError(f"{self.name}: out of memory")

    monkeypatch.setattr(type(RUNNERS[0]), "open", fail)
    with pytest.raises(RunnerError, match=r"step onnx, runner onnxruntime: out of memory.*--runners"):
        convert(tiny_rrdb, tmp_path / "net", to="onnx")
    assert not list(tmp_path.iterdir())
