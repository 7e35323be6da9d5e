"""SPAN's files as people have them: read as our own network, written as the official program reads them."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from esrgan_torch.metrics.torchvision_import import import_torchvision
from esrgan_torch.networks.span import SPAN, SPANConfig
from esrgan_weights import load, read_checkpoint, save
from esrgan_weights.canonical import canonical_hash
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.interpolation import interpolate


@pytest.fixture(scope="module")
def peer() -> Any:
    """spandrel's network, x2 with 8 features, in evaluation mode."""
    import_torchvision()
    pytest.importorskip("spandrel")
    module: Any = import_module("spandrel.architectures.SPAN.__arch.span")
    torch.manual_seed(0)
    return module.SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).eval()


def evaluation_alone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if ".sk." not in name and ".conv." not in name}


FILES = {
    "bare": lambda state: dict(state),
    "params": lambda state: {"params": dict(state)},
    "params_ema": lambda state: {
        "params": {name: value * 0 for name, value in state.items()},
        "params_ema": dict(state),
    },
    "wrapped": lambda state: {"state_dict": {f"module.{name}": value for name, value in state.items()}},
    "stale": lambda state: {name: value + ("eval_conv" in name) for name, value in state.items()},
    "branches alone": lambda state: {name: value for name, value in state.items() if "eval_conv" not in name},
    "evaluation alone": evaluation_alone,
}


def same_picture(model: Any, peer: Any, tolerance: float = 2e-5) -> None:
    batch = torch.rand(1, 3, 9, 7)
    with torch.no_grad():
        expected = peer(batch)
        torch.testing.assert_close(
            model(batch), expected, rtol=0, atol=tolerance * float(expected.abs().max())
        )


@pytest.mark.parametrize("file", FILES)
def test_every_way_that_files_are_made(file: str, peer: Any, tmp_path: Path) -> None:
    path = tmp_path / "spanx2.pth"
    torch.save(FILES[file](peer.state_dict()), path)
    checkpoint = read_checkpoint(path)
    assert checkpoint.config == SPANConfig(8, 2)
    assert checkpoint.architecture == "SPAN"
    assert checkpoint.wrapper == {
        "params_ema": "params_ema",
        "params": "params",
        "wrapped": "state_dict module.",
    }.get(file, "")
    model = load(path)
    assert isinstance(model, SPAN)
    assert not model.training
    same_picture(model, peer)


def test_half_precision_and_safetensors(peer: Any, tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    save_file({name: value.half() for name, value in peer.state_dict().items()}, path)
    checkpoint = read_checkpoint(path)
    assert checkpoint.stored == ("float16",)
    same_picture(checkpoint.build(), peer, 0.02)


def test_a_picture_that_is_not_normalised(peer: Any, tmp_path: Path) -> None:
    path = tmp_path / "plain.pth"
    torch.save({"params": {**peer.state_dict(), "no_norm": torch.zeros(1)}}, path)
    assert read_checkpoint(path).config == SPANConfig(8, 2, normalised=False)
    for suffix in ("pth", "safetensors"):
        again = save(load(path), tmp_path / f"again.{suffix}")
        assert read_checkpoint(again).config == SPANConfig(8, 2, normalised=False)


@pytest.mark.parametrize("layout", ["basicsr", "safetensors", "neosr"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_written_and_read_again(layout: str, dtype: str, peer: Any, tmp_path: Path) -> None:
    torch.save(peer.state_dict(), tmp_path / "spanx2.pth")
    model = load(tmp_path / "spanx2.pth")
    path = tmp_path / ("copy.safetensors" if layout == "safetensors" else "copy.pth")
    save(model, path, layout, dtype)
    again = read_checkpoint(path)
    assert again.config == model.config
    assert canonical_hash(again, dtype) == canonical_hash(model, dtype)
    if layout == "safetensors":
        assert again.metadata["architecture"] == "SPAN"


def test_the_official_program_reads_what_is_written(peer: Any, tmp_path: Path) -> None:
    torch.save(peer.state_dict(), tmp_path / "spanx2.pth")
    model = load(tmp_path / "spanx2.pth")
    path = save(model, tmp_path / "copy.pth", "basicsr")
    theirs: Any = import_module("spandrel").ModelLoader("cpu").load_from_file(path)
    assert theirs.architecture.id == "SPAN"
    same_picture(model, theirs.model)
    assert set(peer.state_dict()) == set(torch.load(path, weights_only=True)["params"])


def test_a_layout_without_names_for_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="SPAN"):
        save(SPAN(4, 2), tmp_path / "copy.pth", "old-arch")


@pytest.mark.parametrize("normalised", [True, False])
def test_ncnn_files(tmp_path: Path, normalised: bool) -> None:
    torch.manual_seed(0)
    model = SPAN(4, 2, normalised=normalised)
    read = load(save(model, tmp_path / "copy.param"))
    assert read.config == model.config
    same_picture(model, read)
    text = (tmp_path / "copy.param").read_text()
    changes = (("0=1 1=1 2=5.0", "0=1 1=1 2=6.0"), ("Swish  ", "Sigmoid"), ("1=1 4=0 5=1", "1=1 4=1 5=1"))
    for old, new in changes:
        assert old in text
        (tmp_path / "copy.param").write_text(text.replace(old, new, 1))
        with pytest.raises(CheckpointError, match=r"computes something else|nor a 1x1 one"):
            read_checkpoint(tmp_path / "copy.param")


def test_incomplete_files_are_named(peer: Any, tmp_path: Path) -> None:
    state = peer.state_dict()
    del state["block_4.c2_r.conv.1.bias"]
    torch.save(state, tmp_path / "cut.pth")
    with pytest.raises(CheckpointError, match=r"SPAN.* 1 missing: block_4\.c2_r\.conv\.1\.bias"):
        read_checkpoint(tmp_path / "cut.pth")


def test_a_relative_with_more_blocks_is_refused(peer: Any, tmp_path: Path) -> None:
    longer = {**peer.state_dict(), "block_7.c1_r.sk.weight": torch.zeros(8, 8, 1, 1)}
    torch.save(longer, tmp_path / "longer.pth")
    with pytest.raises(CheckpointError, match=r"1 unexpected: block_7\.c1_r\.sk\.weight"):
        read_checkpoint(tmp_path / "longer.pth")


def test_spanplus_is_another_network(peer: Any, tmp_path: Path) -> None:
    inner = {
        f"feats.1.{name}": value
        for name, value in peer.state_dict().items()
        if not name.startswith(("conv_1", "upsampler"))
    }
    outer = {
        "feats.0.sk.weight": torch.zeros(8, 3, 1, 1),
        "upsampler.end_conv.weight": torch.zeros(3, 8, 1, 1),
    }
    torch.save({"params": {**inner, **outer}}, tmp_path / "plus.pth")
    with pytest.raises(UnknownArchitectureError, match=r"it is SPANPlus.*; this project reads .*SPAN"):
        load(tmp_path / "plus.pth")


def test_two_are_mixed() -> None:
    first, second = SPAN(4, 2), SPAN(4, 2)
    mixed = interpolate(first, second, 0.25)
    expected = 0.75 * first.conv_cat.weight + 0.25 * second.conv_cat.weight
    assert isinstance(mixed, SPAN)
    torch.testing.assert_close(mixed.conv_cat.weight, expected.detach())


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("conv_1", (8,)),
        ("conv_1", ()),
        ("conv_1", (8, 0, 3, 3)),
        ("upsampler.0", ()),
        ("upsampler.0", (12, 8)),
    ],
)
def test_what_is_no_convolution_is_named(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    state = {**SPAN(8, 2).state_dict(), f"{name}.weight": torch.ones(shape)}
    torch.save(state, tmp_path / "strange.pth")
    with pytest.raises(CheckpointError, match=rf"strange\.pth: {name}\.weight has the shape \["):
        read_checkpoint(tmp_path / "strange.pth")


def test_the_numbers_of_channels_that_it_can_end_with(tmp_path: Path) -> None:
    last = {"upsampler.0.weight": torch.ones(13, 8, 3, 3), "upsampler.0.bias": torch.ones(13)}
    torch.save({**SPAN(8, 2).state_dict(), **last}, tmp_path / "thirteen.pth")
    with pytest.raises(UnknownArchitectureError, match=r"ends with 1, 3 or 4 times a square .* not 13"):
        read_checkpoint(tmp_path / "thirteen.pth")


@pytest.mark.parametrize("wrapper", ["", "params"])
def test_the_entry_for_a_picture_as_it_is_may_be_no_tensor(wrapper: str, tmp_path: Path) -> None:
    state = {f"module.{name}": value for name, value in SPAN(8, 2).state_dict().items()}
    torch.save({wrapper: {**state, "module.no_norm": True}} if wrapper else state, tmp_path / "x2.pth")
    assert read_checkpoint(tmp_path / "x2.pth").config == SPANConfig(8, 2, normalised=not wrapper)
