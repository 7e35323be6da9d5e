"""Every runtime computes what PyTorch does, on real artefacts; and the same network gives the same bytes."""

import shutil
from pathlib import Path

import pytest

from esrgan_bridge.chain import convert, recheck
from esrgan_bridge.errors import ArtifactError, MissingRuntimeError, NotMeasuredError, RunnerError
from esrgan_bridge.parity import measure
from esrgan_bridge.parity.probes import make_probes
from esrgan_bridge.runners import RUNNERS
from tests.bridge.conftest import lacking, make_compact, make_rrdb, make_span

RUNNER = {runner.name: runner for runner in RUNNERS}
WINOGRAD = 3e-5  # of the tiny networks, by multiplications that are fewer and less exact
KERNELS = ["kernels-node", "kernels-wasm", "kernels-wasm-firefox"]
BROWSERS = ["tfjs-wasm", "tfjs-webgl", "tfjs-webgpu"]


@pytest.fixture(scope="module")
def compact(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compact") / "net"
    convert(make_compact(), folder, route="direct", runners=[])
    return folder


@pytest.mark.parametrize("name", ["tfjs-node", *BROWSERS])
def test_tfjs(name, compact, need, monkeypatch):
    need(name)
    monkeypatch.setattr(measure, "BUDGET", 6.0)  # software GPUs are slow
    report = recheck(compact, ["onnxruntime", name])
    if not any(row.runner == name for row in report.rows):
        lacking(str(report.not_run))
    rows = [row for row in report.rows if (row.runner, row.step) == (name, "tfjs")]
    # what the time did not allow was said
    assert len(rows) + sum(entry.probe.count(",") + 1 for entry in report.not_run) == len(make_probes())
    assert max(row.largest for row in rows) < 1e-5
    assert report.runtimes[name]["tfjs"] == "4.22.0"
    assert report.precision(name) == "float32"
    splits = [row for row in report.rows if row.step == "tfjs split"]
    assert len(splits) == (name == "tfjs-node")


@pytest.fixture(scope="module")
def span(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("span") / "net"
    convert(make_span(), folder, route="direct", runners=[])
    return folder


@pytest.mark.parametrize("network", ["compact", "span"])
@pytest.mark.parametrize("name", KERNELS)
def test_kernels(name, network, need, request):
    need(name)
    report = recheck(request.getfixturevalue(network), ["onnxruntime", name])
    rows = [row for row in report.rows if row.runner == name]
    assert len(rows) == len(make_probes())
    assert max(row.largest for row in rows) < WINOGRAD
    assert "SIMD, threads: " in report.runtimes[name]["device"]


def test_a_firefox_that_does_not_start_is_said(compact, need, monkeypatch):
    need("kernels-wasm-firefox")
    monkeypatch.setenv("ESRGAN_FIREFOX", "false")
    with pytest.raises(MissingRuntimeError, match="firefox does not start: Firefox has ended with status 1"):
        RUNNER["kernels-wasm-firefox"].open(compact / "tfjs")


def test_kernels_compute_what_tensorflowjs_wrote(by_route_tf, need):
    need("kernels-node")
    report = recheck(by_route_tf, ["onnxruntime", "kernels-node"])
    assert [row.runner for row in report.rows].count("kernels-node") == len(make_probes())
    assert max(row.largest for row in report.rows) < WINOGRAD


def test_a_graph_that_the_kernels_do_not_know_is_no_fault(compact, need, tmp_path):
    need("kernels-node")
    folder = tmp_path / "tfjs"
    shutil.copytree(compact / "tfjs", folder)
    file = folder / "model.json"
    file.write_text(file.read_text().replace('"NHWC"', '"NCHW"'))
    with pytest.raises(MissingRuntimeError, match=r"do not compute this graph: .* layout is NCHW"):
        RUNNER["kernels-node"].open(folder)


def test_route_tf(by_route_tf, need, monkeypatch):
    """The same answers in TensorFlow and TF.js, whole and split, whatever variables ask of oneDNN."""
    need("tensorflow")
    need("tfjs-node")
    for name in ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE", "TF_SET_ONEDNN_FPMATH_MODE"):
        monkeypatch.setenv(name, "BF16")
    report = recheck(by_route_tf, ["tensorflow", "tfjs-node"])
    count = len(make_probes())
    assert [row.step for row in report.rows] == ["tf"] * count + ["tf split"] + ["tfjs"] * count + [
        "tfjs split"
    ]
    assert max(row.largest for row in report.rows) < 1e-5
    assert {report.precision(name) for name in ("tensorflow", "tfjs-node")} == {"float32"}
    assert all(row.largest < 1e-6 for row in report.rows if "split" in row.step)


def test_unshuffle(need, tmp_path):
    """x2 as Real-ESRGAN has it: the picture is folded first, and sizes are multiples of two."""
    need("tfjs-node")
    network = make_rrdb(scale=2, unshuffle=2)
    report = convert(network, tmp_path / "net", route="direct", runners=["onnxruntime", "tfjs-node"])
    assert [row.size for row in report.rows if row.probe == "odd"] == ["16x22"] * 3
    assert [row.step for row in report.rows][-1] == "tfjs split"
    assert report.passed


@pytest.mark.parametrize("quantize", ["none", "float16", "uint8"])
def test_route_direct_gives_the_same_bytes_again(quantize, tmp_path):
    texts = []
    for name in ("one", "two"):
        convert(make_rrdb(), tmp_path / name, route="direct", quantize=quantize, runners=[])
        texts.append({file.name: file.read_bytes() for file in (tmp_path / name / "tfjs").iterdir()})
    assert len(texts[0]) == 2
    assert texts[0] == texts[1]


def test_route_tf_gives_the_same_bytes_again(by_route_tf, tmp_path):
    convert(make_rrdb(), tmp_path / "net", runners=[])
    for step in ("onnx", "tf", "tfjs"):
        files = {file.name: file.read_bytes() for file in (by_route_tf / step).iterdir()}
        assert files == {file.name: file.read_bytes() for file in (tmp_path / "net" / step).iterdir()}


@pytest.mark.parametrize("quantize", ["float16", "uint8"])
def test_quantized(quantize, need, tmp_path):
    need("tfjs-node")
    report = convert(
        make_rrdb(), tmp_path / "net", route="direct", quantize=quantize, runners=["onnxruntime", "tfjs-node"]
    )
    rows = [row for row in report.rows if row.step == "tfjs"]
    assert 1e-5 < max(row.largest for row in rows) < rows[0].tolerance
    assert "weights" in rows[0].reason
    assert all(row.tolerance == 1e-4 for row in report.rows if row.step == "onnx")


@pytest.mark.parametrize("name", ["tensorflow", "tfjs-node", "tfjs-wasm"])
def test_what_is_no_artefact_is_said(name, need, tmp_path):
    need(name)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(RunnerError, match=f"{name}: cannot load"):
        RUNNER[name].open(tmp_path)


def test_no_node_of_that_name(compact, need):
    need("tfjs-node")
    with (
        RUNNER["tfjs-node"].open(compact / "tfjs") as session,
        pytest.raises(RunnerError, match=r"tfjs-node: .*'nothing'"),
    ):
        session.run(make_probes()[0].batch(), fetch="nothing")


def test_a_flipped_byte_in_a_shard(compact):
    shard = compact / "tfjs" / "group1-shard1of1.bin"
    good = shard.read_bytes()
    try:
        shard.write_bytes(good[:99] + bytes([good[99] ^ 4]) + good[100:])
        with pytest.raises(ArtifactError, match=r"group1-shard1of1\.bin is damaged: its sha256 is"):
            recheck(compact)
        shard.unlink()
        with pytest.raises(ArtifactError, match=r"group1-shard1of1\.bin is missing"):
            recheck(compact)
    finally:
        shard.write_bytes(good)


def test_a_step_that_was_removed_is_said(compact, tmp_path):
    (compact / "onnx").rename(tmp_path / "onnx")
    try:
        with pytest.raises(NotMeasuredError, match="onnxruntime: the folder onnx was removed") as caught:
            recheck(compact, ["onnxruntime"])
    finally:
        (tmp_path / "onnx").rename(compact / "onnx")
    assert "not run: onnxruntime: the folder onnx was removed" in str(caught.value.report)
