"""Our own records, damaged in every field: always the documented error, or a record that can be used."""

import json
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from esrgan_bridge.artifact import KEY, RECORD, from_json, metadata_of, read_metadata
from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.files.folder import REFERENCE, read_reference, write_reference
from esrgan_bridge.parity.distance import Row
from esrgan_bridge.parity.findings import NotRun, ParityReport, Step
from esrgan_bridge.parity.measure import Question
from esrgan_bridge.parity.probes import Probe
from esrgan_bridge.parity.record import FILE, read_report
from esrgan_bridge.writers.tfjs_model import read_model
from tests.support.mutations import mutated
from tests.torch.networks import small_rrdb

DIGITS = "9" * 5000
ODD: tuple[Any, ...] = (None, -1, 0, 1e300, True, "", "x" * 100, "\0", [], [[]], {}, {"a": {}}, [1, 2, 3, 4])


def report() -> ParityReport:
    row = Row("onnx", "onnxruntime", "noise", "16x16", 1e-6, (1, 2, 0), 1e-7, 90.0, 0, 256, 1e-4, "sums", 0.1)
    made = ParityReport("a", "onnx", "tf", "none", [Step("onnx", 1.0, 100)], [row])
    made.not_run = [NotRun("tensorflow", "", "not installed")]
    made.runtimes = {"onnxruntime": {"precision": "float32"}}
    made.files = {"onnx/model.onnx": "ab"}
    return made


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(deeper for key, each in inner for deeper in places(each, (*way, key)))]


def changed(value: Any, way: tuple[Any, ...], other: Any) -> Any:
    if not way:
        return other
    copy = json.loads(json.dumps(value))
    holder = copy
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = other
    return copy


def test_a_record_with_any_value_changed() -> None:
    whole = metadata_of(small_rrdb()).to_dict()
    refused = 0
    for way in places(whole):
        for other in ODD:
            try:
                record = from_json(json.dumps(changed(whole, way, other)))
            except ArtifactError:
                refused += 1
                continue
            assert json.loads(record.to_json())["scale"] >= 1
    assert refused > 100


@pytest.mark.parametrize(
    "text", ["", "nul", "[" * 100_000, f'{{"format_version": {DIGITS}}}', '{"a": 1e999}']
)
def test_what_is_no_record(text: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        from_json(text)
    for name in (RECORD, "model.json"):
        (tmp_path / name).write_text(text)
        with pytest.raises(ArtifactError):
            read_metadata(tmp_path)
        (tmp_path / name).unlink()
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ArtifactError):
        read_report(tmp_path)


def test_records_that_are_no_text(tmp_path: Path) -> None:
    for name, read in ((RECORD, read_metadata), ("model.json", read_metadata), (FILE, read_report)):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00{")
        with pytest.raises(ArtifactError):
            read(tmp_path)
        (tmp_path / name).unlink()


def test_a_report_with_any_value_changed(tmp_path: Path) -> None:
    whole = json.loads(report().to_json())
    (tmp_path / FILE).write_text(json.dumps(whole))
    assert read_report(tmp_path).rows == report().rows
    refused = 0
    for way in places(whole):
        for other in ODD:
            (tmp_path / FILE).write_text(json.dumps(changed(whole, way, other)))
            try:
                read = read_report(tmp_path)
            except ArtifactError:
                refused += 1
                continue
            assert read.table
            assert read.verdict
    assert refused > 200


def test_a_report_of_an_earlier_release(tmp_path: Path) -> None:
    whole = json.loads(report().to_json())
    for name in ("lowest", "highest", "note"):
        del whole["rows"][0][name]
    (tmp_path / FILE).write_text(json.dumps(whole))
    assert read_report(tmp_path).rows[0].lowest is None


def test_damaged_answers(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    write_reference(tmp_path / REFERENCE, [Question(Probe("noise", pixels), np.zeros((1, 3, 4, 4)))])
    whole = (tmp_path / REFERENCE).read_bytes()
    assert [question.probe.name for question in read_reference(tmp_path / REFERENCE)] == ["noise"]
    for number in range(200):
        (tmp_path / REFERENCE).write_bytes(mutated(whole, random.Random(number)))
        try:
            read_reference(tmp_path / REFERENCE)
        except ArtifactError:
            continue
    (tmp_path / REFERENCE).unlink()
    with pytest.raises(ArtifactError):
        read_reference(tmp_path / REFERENCE)


def test_a_reference_of_more_than_the_memory_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / REFERENCE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("noise.probe.npy", b"\x93NUMPY\x01\x00")
    data = bytearray((tmp_path / REFERENCE).read_bytes())
    place = data.index(b"PK\x01\x02") + 24  # the size that the directory tells, which zipfile goes by
    data[place : place + 4] = b"\xf0\xff\xff\xff"
    (tmp_path / REFERENCE).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("esrgan_bridge.files.folder.free_memory", lambda _: 4 << 30)
        with pytest.raises(ArtifactError, match=r"unpacks to 4,095 MiB, where 4,096 MiB are free"):
            read_reference(tmp_path / REFERENCE)


def test_a_damaged_onnx_file(tmp_path: Path) -> None:
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["a"], ["b"])], "g", [], [])
    model = onnx.helper.make_model(graph)
    model.metadata_props.add(key=KEY, value=metadata_of(small_rrdb()).to_json())
    whole = model.SerializeToString()
    path = tmp_path / "a.onnx"
    path.write_bytes(whole)
    assert read_metadata(path).scale == 4
    for number in range(200):
        path.write_bytes(mutated(whole, random.Random(number)))
        try:
            read_metadata(path)
        except ArtifactError:
            continue


def graph_model(folder: Path, **changes: object) -> Path:
    document: dict[str, object] = {
        "modelTopology": {"node": [], "versions": {}},
        "signature": {},
        "weightsManifest": [
            {"paths": ["a.bin"], "weights": [{"name": "w", "shape": [2], "dtype": "float32"}]}
        ],
    }
    (folder / "a.bin").write_bytes(bytes(8))
    (folder / "model.json").write_text(json.dumps({**document, **changes}))
    return folder


def test_a_graph_model_with_any_value_changed(tmp_path: Path) -> None:
    assert list(read_model(graph_model(tmp_path)).weights) == ["w"]
    whole = json.loads((tmp_path / "model.json").read_text())
    for way in places(whole):
        for other in ODD:
            (tmp_path / "model.json").write_text(json.dumps(changed(whole, way, other)))
            try:
                read_model(tmp_path)
            except ArtifactError:
                continue


@pytest.mark.parametrize("name", ["../a.bin", "/dev/zero", "."])
def test_shards_stay_within_their_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.bin").write_bytes(bytes(8))
    weights = [{"name": "w", "shape": [2], "dtype": "float32"}]
    folder = graph_model(tmp_path / "in", weightsManifest=[{"paths": [name], "weights": weights}])
    with pytest.raises(ArtifactError):
        read_model(folder)
