import os
from importlib import util

import pytest

from esrgan_bridge.errors import MissingRuntimeError
from esrgan_bridge.runners import (
    NAMES,
    RUNNERS,
    choose_runners,
    on_kernels,
    on_onnxruntime,
    on_openvino,
    on_tensorflow,
    on_tfjs,
)
from esrgan_bridge.runners.npm_packages import LISTS, NpmPackages
from esrgan_bridge.runners.on_kernels import KernelsChromium, KernelsFirefox, KernelsNode
from esrgan_bridge.runners.on_tfjs import TfjsChromium, TfjsNode, find_browser, missing_node
from esrgan_bridge.runners.tfjs_setup import PACKAGES
from esrgan_torch.errors import ConfigError


def test_names_are_in_the_order_of_the_hops():
    kernels = ("kernels-node", "kernels-wasm", "kernels-wasm-firefox")
    tfjs = ("tfjs-node", "tfjs-wasm", "tfjs-webgl", "tfjs-webgpu", *kernels)
    assert list(NAMES) == ["onnxruntime", "openvino", "tensorflow", "litert", *tfjs]
    assert [runner.reads for runner in RUNNERS] == ["onnx", "onnx", "tf", "tflite", *["tfjs"] * len(tfjs)]


def test_choose():
    assert choose_runners(None) == RUNNERS
    assert [runner.name for runner in choose_runners(["tfjs-node", "torch", "onnxruntime"])] == [
        "onnxruntime",
        "tfjs-node",
    ]
    with pytest.raises(ConfigError, match=r"no runner 'ncnn'; there are onnxruntime, .*kernels-wasm"):
        choose_runners(["ncnn"])


@pytest.mark.parametrize(
    ("module", "runner", "advice"),
    [
        (on_onnxruntime, RUNNERS[0], 'pip install "esrgan-torch[onnx]"'),
        (on_openvino, RUNNERS[1], 'pip install "esrgan-torch[openvino]"'),
        (on_tensorflow, RUNNERS[2], 'pip install "esrgan-torch[bridge]"'),
    ],
)
def test_a_missing_package_is_said(monkeypatch, module, runner, advice):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert advice in runner.available()
    monkeypatch.setattr(module, "find_spec", lambda name: util.find_spec("json"))
    assert runner.available() is None


def test_missing_node_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "node is not installed: install Node 18" in TfjsNode().available()
    assert "node is not installed" in TfjsChromium("webgl").available()


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_an_old_node_is_said(monkeypatch, tmp_path):
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v16.20.0\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert "node is v16.20.0: install Node 18 or newer" in missing_node()
    assert "node is v16.20.0: install Node 20.10 or newer" in KernelsFirefox().available()


def test_missing_packages_are_said(monkeypatch, tmp_path):
    monkeypatch.setattr(on_tfjs, "missing_node", lambda *_: None)
    monkeypatch.setenv("ESRGAN_TFJS", str(tmp_path))
    assert f"TF.js is not in {tmp_path}: python -m esrgan_bridge.runners.tfjs_setup" in TfjsNode().available()


def test_other_versions_of_the_packages_are_said(monkeypatch, tmp_path):
    monkeypatch.setenv("ESRGAN_TFJS", str(tmp_path))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / ".package-lock.json").write_text("{}")
    (tmp_path / "package.json").write_text("{}")
    assert "of other versions" in PACKAGES.missing()
    for name in LISTS:
        (tmp_path / name).write_bytes((PACKAGES.scripts / name).read_bytes())
    assert PACKAGES.missing() is None
    assert PACKAGES.install() == tmp_path  # nothing left to do, so no npm either


def test_missing_npm_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("ESRGAN_TFJS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingRuntimeError, match="npm is not installed"):
        PACKAGES.install()


def test_missing_browser_is_said(monkeypatch):
    monkeypatch.setattr(on_tfjs, "missing_node", lambda *_: None)
    monkeypatch.setattr(NpmPackages, "missing", lambda _: None)
    monkeypatch.setenv("ESRGAN_CHROMIUM", "no-such-browser")
    assert find_browser() is None
    assert "no Chromium was found" in TfjsChromium("wasm").available()
    assert "ESRGAN_CHROMIUM" in TfjsChromium("wasm").available()
    assert TfjsNode().available() is None


def test_missing_firefox_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(on_kernels, "missing_node", lambda *_: None)
    monkeypatch.setattr(on_kernels, "missing_kernels", lambda: None)
    monkeypatch.setenv("ESRGAN_FIREFOX", "no-such-browser")
    said = KernelsFirefox().available()
    assert said == (
        "no Firefox was found: install it (Debian: apt-get install firefox-esr), "
        "or give its path in $ESRGAN_FIREFOX"
    )


def test_kernels_that_are_not_built_are_said(monkeypatch, tmp_path):
    monkeypatch.setattr(on_kernels, "missing_node", lambda *_: None)
    monkeypatch.setattr(on_kernels, "find_firefox", lambda: "firefox")
    monkeypatch.setattr(on_kernels, "PLACES", (tmp_path / "kernels.js",))
    monkeypatch.setattr(TfjsChromium, "available", lambda self: None)
    for runner in (KernelsNode(), KernelsChromium(), KernelsFirefox()):
        assert "tfjs-esrgan is not built: npm install && npm run build" in runner.available()
    (tmp_path / "kernels.js").touch()
    for runner in (KernelsNode(), KernelsChromium(), KernelsFirefox()):
        assert runner.available() is None
