import argparse
import html

import pytest
import torch

from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.export import torch_to_onnx
from esrgan_bridge.parity import distance as parity
from esrgan_cli.commands import convert as convert_command
from esrgan_cli.commands import parity as parity_command
from esrgan_torch.errors import ConfigError
from esrgan_weights import save


@pytest.fixture
def run(capsys):
    """Run the two commands as the main program does; (status, standard output, standard error)."""
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    for command in (convert_command, parity_command):
        command.add_parser(subparsers)

    def call(*words: object) -> tuple[int, str, str]:
        arguments = parser.parse_args([*map(str, words)])
        capsys.readouterr()
        status = arguments.run(arguments)
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.fixture
def file(tiny_compact, tmp_path):
    return save(tiny_compact, tmp_path / "mine.safetensors")


def test_convert_and_parity(run, file, tmp_path):
    folder = tmp_path / "net"
    status, out, err = run("convert", file, "--to", "onnx", "-o", folder, "--runners", "onnxruntime")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].startswith("STEP")
    assert sum("onnxruntime" in line for line in lines) == 7
    counts = "7 measurements of copies in 1 runtime, and 7 of the original's own float32"
    verdict = f"{counts}: all within their tolerance"
    assert lines[-3] == verdict
    assert verdict in html.unescape((folder / "parity.html").read_text())
    assert lines[-2].startswith(f"{folder / 'onnx'}: 0.0")
    assert lines[-1] == str(folder / "parity.html")
    assert err.splitlines() == ["torch: the original in float64", "onnx: converting", "onnx: onnxruntime"]

    status, out, _ = run("parity", folder, "--runners", "onnxruntime")
    assert status == 0
    assert sum("onnxruntime" in line for line in out.splitlines()) == 7


def test_parity_failure_is_status_3(run, file, tmp_path, monkeypatch):
    folder = tmp_path / "net"
    assert run("convert", file, "--to", "onnx", "-o", folder)[0] == 0
    strict = {name: parity.Tolerance(1e-12, "none at all") for name in parity.TOLERANCES}
    monkeypatch.setattr("esrgan_bridge.parity.distance.TOLERANCES", strict)
    status, out, err = run("parity", folder)
    assert status == 3
    assert "FAILED" in out
    assert err.splitlines()[-1].startswith("esrgan: parity: step onnx, runner onnxruntime, probe ")


def test_convert_failure_is_status_3(run, file, tmp_path, monkeypatch):
    export = torch_to_onnx.export_onnx

    def broken(model, path, **options):
        with torch.no_grad():
            model.body[0].bias[0] += 1e-2
            export(model, path, **options)
            model.body[0].bias[0] -= 1e-2

    monkeypatch.setattr(torch_to_onnx, "export_onnx", broken)
    status, out, err = run("convert", file, "--to", "onnx", "-o", tmp_path / "net")
    assert status == 3
    assert "FAILED" in out
    assert "step onnx, runner onnxruntime" in err
    assert not (tmp_path / "net").exists()


def test_no_measurement_is_status_3(run, file, tmp_path):
    folder = tmp_path / "net"
    status, out, err = run("convert", file, "--to", "onnx", "-o", folder, "--runners", "tensorflow")
    assert status == 3
    assert out.splitlines()[-1] == "Nothing was measured: no runtime computed with any copy"
    assert err.splitlines()[-1].startswith(f"esrgan: nothing was measured of onnx in {folder}; choose with")
    status, out, err = run("parity", folder, "--runners", "tensorflow")
    assert status == 3
    assert out.splitlines()[-1] == "Nothing was measured: no runtime computed with any copy"
    assert "choose with --runners" in err
    assert run("parity", folder, "--runners", "onnxruntime")[0] == 0


def test_a_copy_that_nothing_measured_is_a_warning(run, file, tmp_path):
    folder, runners = tmp_path / "net", ("--runners", "onnxruntime")
    for words in (
        ("convert", file, "-o", folder, "--to", "tfjs", "--route", "direct", *runners),
        ("parity", folder, *runners),
    ):
        status, out, err = run(*words)
        assert status == 0
        assert "7 measurements of copies in 1 runtime" in out
        assert "all within their tolerance, with 1 warning" in out
        assert "warning: no runtime measured tfjs: nothing is known of how close it is" in err
    page = (tmp_path / "net" / "parity.html").read_text()
    assert "no runtime measured tfjs" in page
    assert 'class="good"' not in page


def test_runners_are_chosen(run, file, tmp_path):
    assert run("convert", file, "--to", "onnx", "-o", tmp_path / "net", "--runners", "onnxruntime")[0] == 0
    with pytest.raises(ConfigError, match="no runner 'mxnet'"):
        run("parity", tmp_path / "net", "--runners", "onnxruntime, mxnet")


def test_not_a_conversion(run, tmp_path):
    with pytest.raises(ArtifactError, match="not made by `esrgan convert`"):
        run("parity", tmp_path)


def test_wrong_usage(run, file, tmp_path):
    for words in (
        ("--to", "coreml"),
        ("--to", "onnx", "--shape", "64"),
        ("--to", "onnx", "--shape", "64x-1"),
        ("--to", "tfjs", "--route", "nhwc"),
        ("--to", "tfjs", "--quantize", "int4"),
        ("--to", "tfjs", "--runners", " , "),
        (),
    ):
        with pytest.raises(SystemExit) as caught:
            run("convert", file, "-o", tmp_path / "net", *words)
        assert caught.value.code == 2
