from pathlib import Path

import pytest
import torch

from esrgan_weights import load, read_checkpoint, save
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError


@pytest.fixture
def param(small_rrdb, tmp_path) -> Path:
    return save(small_rrdb, tmp_path / "a.param", "ncnn")


@pytest.fixture
def compact_param(small_compact, tmp_path) -> Path:
    return save(small_compact, tmp_path / "c.param", "ncnn")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_either_path(param, small_rrdb):
    assert read_checkpoint(param).config == small_rrdb.config
    assert read_checkpoint(param.with_suffix(".bin")).config == small_rrdb.config


@pytest.mark.parametrize("suffix", [".param", ".bin"])
def test_half_of_the_pair(param, suffix):
    param.with_suffix(suffix).unlink()
    other = {".param": ".bin", ".bin": ".param"}[suffix]
    with pytest.raises(CheckpointError, match=f"a{suffix} is not beside a{other}"):
        read_checkpoint(param.with_suffix(other))


def test_truncated_bin(param):
    weights = param.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match=r"truncated, or .*: it ends within conv_last"):
        read_checkpoint(param)


def test_longer_bin(param):
    weights = param.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes() + bytes(8))
    with pytest.raises(CheckpointError, match="8 bytes more"):
        read_checkpoint(param)


@pytest.mark.parametrize(("tag", "name"), [(0x000D4B38, "int8"), (0x0002C056, "0x0002C056")])
def test_other_storage(param, tag, name):
    weights = param.with_suffix(".bin")
    weights.write_bytes(tag.to_bytes(4, "little") + weights.read_bytes()[4:])
    with pytest.raises(UnknownArchitectureError, match=f"conv_first stores its weights as .*{name}"):
        read_checkpoint(param)


def test_truncated_param(param):
    lines = param.read_text().splitlines()
    param.write_text("\n".join(lines[:-3]))
    with pytest.raises(CheckpointError, match="layers where"):
        read_checkpoint(param)


def test_damaged_param(param):
    edit(param, "Interp ", "Interp x")
    with pytest.raises(CheckpointError, match="does not read as an ncnn layer"):
        read_checkpoint(param)


def test_text_named_param(param):
    param.write_text("hello")
    with pytest.raises(CheckpointError, match="first line is 7767517"):
        read_checkpoint(param.with_suffix(".bin"))


def test_two_layers_of_one_name(param):
    edit(param, "conv_hr  ", "conv_last")
    with pytest.raises(CheckpointError, match="same name"):
        read_checkpoint(param)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-23310=1,2.000000e-01", "-23310=1,1.000000e-01"),  # a slope
        (" 9=2 -23310=1,2.000000e-01", ""),  # an activation
        ("-23301=2,2.000000e-01,1.000000e+00", "-23301=2,1.000000e+00,1.000000e+00"),  # a residual's factor
    ],
)
def test_graph_that_computes_something_else(param, old, new):
    edit(param, old, new)
    with pytest.raises(
        UnknownArchitectureError, match=r"ESRGAN \(RRDBNet\), but its graph computes something else"
    ):
        read_checkpoint(param)


def test_compact_graph_without_its_skip(compact_param):
    edit(compact_param, "1=4.000000e+00 2=4.000000e+00", "1=2.000000e+00 2=2.000000e+00")
    with pytest.raises(UnknownArchitectureError, match="its graph cannot be computed"):
        read_checkpoint(compact_param)


def test_strided_convolution(param):
    edit(param, "1=3 4=1", "1=3 3=2 4=1")
    with pytest.raises(UnknownArchitectureError, match="not a 3x3 convolution with stride 1"):
        read_checkpoint(param)


def test_bicubic_reduction(compact_param):
    with_a_last_layer(compact_param, "Interp last 1 1 larger output 0=3 1=5.000000e-01 2=5.000000e-01")
    with pytest.raises(UnknownArchitectureError, match="ends with a bicubic resize"):
        read_checkpoint(compact_param)


def with_a_last_layer(path: Path, line: str) -> None:
    lines = path.read_text().replace(" output ", " larger ").splitlines()
    lines[-1] = lines[-1].replace(" output", " larger")
    layers, blobs = map(int, lines[1].split())
    lines[1] = f"{layers + 1} {blobs + 1}"
    path.write_text("\n".join([*lines, line]))


@pytest.mark.parametrize("options", ["0=0.000000e+00 1=1.000000e+00", "1=1.0", "0=-1.0", ""])
def test_a_final_clip(param, compact_param, options, small_rrdb, small_compact):
    for path, network in ((param, small_rrdb), (compact_param, small_compact)):
        with_a_last_layer(path, f"Clip clip 1 1 larger output {options}")
        assert read_checkpoint(path).config == network.config


def test_a_clip_that_cuts_more(param):
    with_a_last_layer(param, "Clip clip 1 1 larger output 0=0.0 1=0.5")
    with pytest.raises(UnknownArchitectureError, match="a layer of kind Clip"):
        read_checkpoint(param)


def test_unknown_layer(param):
    edit(param, "BinaryOp ", "Softmax  ")
    with pytest.raises(UnknownArchitectureError, match="a layer of kind Softmax"):
        read_checkpoint(param)


def test_other_ways_to_write_the_same_graph(small_rrdb, param):
    """Converters differ: a factor as BinaryOp, an activation as a layer of its own."""
    lines: list[str] = []
    for line in param.read_text().splitlines():
        words = line.split()
        if words[0] == "Eltwise":
            name, value, identity, output = words[1], *words[4:7]
            lines.append(f"BinaryOp {name}_factor 1 1 {value} {name}_scaled 0=2 1=1 2=2.000000e-01")
            lines.append(f"BinaryOp {name} 2 1 {name}_scaled {identity} {output} 0=0")
        elif words[0] == "Convolution" and words[-2] == "9=2":
            name, value, output = words[1], *words[4:6]
            lines.append(f"Convolution {name} 1 1 {value} {output}_linear {' '.join(words[6:-2])}")
            lines.append(f"ReLU {name}_relu 1 1 {output}_linear {output} 0=2.000000e-01")
        else:
            lines.append(line)
    lines[1] = f"{len(lines) - 2} 0"
    param.write_text("\n".join(lines))
    again = load(param).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in small_rrdb.state_dict().items())
