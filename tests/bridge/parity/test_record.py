import json

import numpy as np
import pytest

from esrgan_bridge.errors import ArtifactError, NotMeasuredError
from esrgan_bridge.parity.distance import TOLERANCES, Measurement, compare
from esrgan_bridge.parity.findings import NotRun, ParityReport, Step
from esrgan_bridge.parity.measure import require_measured
from esrgan_bridge.parity.record import FILE, read_report


@pytest.fixture
def report() -> ParityReport:
    random = np.random.default_rng(0)
    original = random.random((1, 8, 8, 3), np.float32)
    report = ParityReport("tiny", "tfjs", "direct", "none", machine={"python": "3"})
    report.steps.append(Step("onnx", 0.5, 1234))
    for runner, copy in (("onnxruntime", original), ("other", original + np.float32(0.01))):
        report.rows.append(
            compare(Measurement("onnx", runner, "noise", "4x4", TOLERANCES["none"], 0.25), original, copy)
        )
    report.not_run.append(NotRun("tfjs-webgpu", "", "no adapter"))
    report.not_run.append(NotRun("tfjs-webgl", "fur", "no time"))
    report.runtimes["onnxruntime"] = {"onnxruntime": "1"}
    report.files["onnx/model.onnx"] = "00ff"
    return report


def test_table(report):
    lines = str(report).splitlines()
    assert " ".join(lines[0].split()) == "STEP RUNNER PROBE SIZE MAX MEAN PSNR PIXELS ALLOWED SECONDS"
    assert " ".join(lines[1].split()) == "onnx onnxruntime noise 4x4 0.0e+00 0.0e+00 same 0/64 1e-04 0.250"
    assert lines[2].endswith("FAILED")
    assert lines[3] == "not run: tfjs-webgpu: no adapter"
    assert lines[4] == "not run: tfjs-webgl on fur: no time"
    assert lines[5:] == ["1 measurement out of tolerance, of 2 measurements of copies in 2 runtimes"]
    assert not report.passed


def test_written_and_read(report, tmp_path):
    (tmp_path / FILE).write_text(report.to_json())
    assert read_report(tmp_path) == report


@pytest.mark.parametrize(
    ("quantize", "probe", "error", "said"),
    [
        ("uint8", "fur", 0.01, "'fur' keeps 42.1 dB"),  # two grey levels
        ("uint8", "fur", 0.0, "'fur' is equal"),  # denser texture would lose more
        ("uint8", "noise", 0.01, None),  # no photo
        ("float16", "fur", 0.01, "'fur' keeps 42.1 dB"),
        ("float16", "fur", 0.0, None),
        ("none", "fur", 0.01, None),
    ],
)
def test_photos_that_lose_too_much(quantize, probe, error, said):
    original = np.full((1, 8, 8, 3), 0.5, np.float32)
    report = ParityReport("tiny", "tfjs", "direct", quantize)
    for step, shift in (("onnx", 0.0), ("tfjs", error)):
        copy = original + np.float32(shift)
        report.rows.append(
            compare(Measurement(step, "a", probe, "4x4", TOLERANCES["uint8"], 0.1), original, copy)
        )
    assert report.passed
    if said is None:
        assert report.warnings == []
    else:
        (text,) = report.warnings
        assert said in text
        assert "not called usable" in text


def test_no_report(tmp_path):
    with pytest.raises(ArtifactError, match="was not made by `esrgan convert`"):
        read_report(tmp_path)


def test_a_copy_beside_itself_in_tiles_is_no_measurement_of_it(report, tmp_path):
    original = np.zeros((1, 8, 8, 3), np.float32)
    split = compare(
        Measurement("onnx split", "onnxruntime", "noise", "4x4", TOLERANCES["split"], 0.1), original, original
    )
    report.rows = [split]
    assert not report.passed
    assert report.verdict == "Nothing was measured: no runtime computed with any copy"
    with pytest.raises(NotMeasuredError, match="nothing was measured of onnx"):
        require_measured(report, tmp_path)


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(ArtifactError, match=r"model\.onnx is a file; give the folder"):
        read_report(tmp_path / "model.onnx")


def test_another_format_version(report, tmp_path):
    record = json.loads(report.to_json()) | {"format_version": 0}
    (tmp_path / FILE).write_text(json.dumps(record))
    with pytest.raises(ArtifactError, match="format version 0, this release reads version 1; convert"):
        read_report(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"format_version": 1}', '{"format_version": 1, "rows": 3}']
)
def test_damaged(text, tmp_path):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ArtifactError, match="convert the network again"):
        read_report(tmp_path)


def test_a_runtime_that_was_asked_for_by_name_and_measured_nothing(report):
    """A gate that names its runtimes must not be silent about one of them."""
    report.rows = report.rows[:1]
    report.asked = ["torch", "onnxruntime", "tfjs-webgpu", "tensorflow"]
    assert report.warnings == [
        "tfjs-webgpu was asked for and measured nothing: no adapter",
        "tensorflow was asked for and measured nothing: it reads none of these copies",
    ]
    assert report.verdict.endswith("all within their tolerance, with 2 warnings")
    report.asked = ["tensorflow"]
    report.rows = []
    assert report.warnings == []  # that is a failure, see `require_measured`


def test_records_of_before_have_no_values(report, tmp_path):
    record = json.loads(report.to_json())
    assert (record["rows"][0]["lowest"], record["rows"][0]["highest"]) != (None, None)
    for row in record["rows"]:
        del row["lowest"], row["highest"]
    del record["asked"]
    (tmp_path / FILE).write_text(json.dumps(record))
    assert read_report(tmp_path).rows[0].lowest is None
