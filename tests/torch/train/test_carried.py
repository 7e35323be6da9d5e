"""A run that goes on elsewhere: its weights, average, step and validations, and an optimiser that begins."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.carried import pack, unpack
from esrgan_torch.train.log import append, read_log
from esrgan_torch.train.loop import train
from esrgan_torch.train.options import Options
from esrgan_torch.train.state import latest

MakeOptions = Callable[..., Options]


def test_a_run_goes_on_elsewhere(make_options: MakeOptions, tmp_path: Path) -> None:
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "run.pt"
    settings = ("checkpoint_every=1", "optimiser.warm_up=3")
    train(make_options("steps=4", *settings), here, progress=False)
    append(here, {"step": 4, "psnr": 30.0, "ssim": 0.9})
    assert pack(here, file) == 4
    carried = unpack(file)
    known = latest(here)
    for name, weight in known["generator"].items():
        distance = (weight - known["ema"][name]).abs().max()
        assert (carried["generator"][name] - weight).abs().max() <= distance / 1000 + 1e-8
        assert torch.equal(carried["ema"][name], known["ema"][name])

    train(make_options("steps=6", *settings), there, carried=carried, progress=False)
    assert [line["step"] for line in read_log(there) if "psnr" in line] == [4]
    append(there, {"step": 6, "psnr": 31.0, "ssim": 0.9})
    pack(there, file)
    # each says where its stretch began, unless at the first step
    assert [(line["step"], line.get("began")) for line in unpack(file)["validations"]] == [(4, None), (6, 4)]
    went_on = latest(there)
    assert (went_on["step"], went_on["since"]) == (6, 4)
    rates = {line["step"]: line["rate"] for line in read_log(there) if "rate" in line}
    whole = {line["step"]: line["rate"] for line in read_log(here) if "rate" in line}
    assert rates[6] < whole[4]  # the warm-up begins anew


def test_it_goes_on_there_as_any_run(make_options: MakeOptions, tmp_path: Path) -> None:
    file = tmp_path / "run.pt"
    train(make_options("steps=2"), tmp_path / "here", progress=False)
    pack(tmp_path / "here", file)
    settings = ("optimiser.warm_up=3", "optimiser.schedule=steps", "checkpoint_every=1")
    whole = train(
        make_options("steps=5", *settings), tmp_path / "whole", carried=unpack(file), progress=False
    )
    train(make_options("steps=4", *settings), tmp_path / "cut", carried=unpack(file), progress=False)
    (tmp_path / "cut" / "checkpoints" / "step-00000004.pt").unlink()
    cut = train(make_options("steps=5", *settings), tmp_path / "cut", resume=True, progress=False)
    for one, other in zip(whole.parameters(), cut.parameters(), strict=True):
        assert torch.equal(one, other)


def test_of_another_network(make_options: MakeOptions, tmp_path: Path) -> None:
    train(make_options("steps=2"), tmp_path / "here", progress=False)
    pack(tmp_path / "here", tmp_path / "run.pt")
    with pytest.raises(ConfigError, match="does not fit these options"):
        train(make_options("network.features=4"), tmp_path / "there", carried=unpack(tmp_path / "run.pt"))
    with pytest.raises(ConfigError, match=r"has done 2 steps, and steps = 1"):
        train(make_options("steps=1"), tmp_path / "there", carried=unpack(tmp_path / "run.pt"))


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_no_such_file(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "run.pt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.pt"):
        unpack(file)


def test_another_file_of_tensors(tmp_path: Path) -> None:
    torch.save({"step": 3, "ema": {}}, tmp_path / "step.pt")
    with pytest.raises(ConfigError, match="is not what `esrgan train --pack` writes"):
        unpack(tmp_path / "step.pt")
