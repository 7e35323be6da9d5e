import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from esrgan_torch import CompactNet
from esrgan_torch.errors import ConfigError, TrainingError
from esrgan_torch.train import keeper, moves, preflight
from esrgan_torch.train.log import read_log
from esrgan_torch.train.loop import train
from esrgan_torch.train.options import Options
from esrgan_torch.train.state import checkpoints_of, latest
from tests.torch.train.settings import JUDGED, SPAN_SETTINGS

MakeOptions = Callable[..., Options]


def test_a_loss_that_is_not_finite_stops_the_run(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = moves.generator_step
    calls: list[int] = []

    def broken(*given: Any) -> Any:
        calls.append(1)
        made = honest(*given)
        if len(calls) == 3:
            made.loss.data.fill_(float("nan"))
        return made

    monkeypatch.setattr(moves, "generator_step", broken)
    with pytest.raises(TrainingError, match=r"step 2: loss is nan; its batch, of photo\d, photo\d") as caught:
        train(make_options("steps=4"), tmp_path / "run")
    kept = torch.load(tmp_path / "run" / "stopped-at-step-2.pt", weights_only=True)
    assert kept["small"].shape == (4, 3, 8, 8)
    assert str(tmp_path / "run" / "stopped-at-step-2.pt") in str(caught.value)


def test_runs_that_cannot_be(make_options: MakeOptions, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no checkpoints/step"):
        train(make_options(), tmp_path / "new", resume=True)
    with pytest.raises(
        ConfigError, match="is a CompactNet with features 4, convolutions 2, scale 4, and the rec"
    ):
        train(make_options(), tmp_path / "new", initial=CompactNet(4, 2))
    with pytest.raises(
        ConfigError, match=r"CompactNet with features 4.* the recipe's is a SPAN with features"
    ):
        train(make_options(*SPAN_SETTINGS), tmp_path / "new", initial=CompactNet(4, 2))
    with pytest.raises(ConfigError, match=r"network.init of SPAN is enlargement, not .scaled"):
        make_options("network.kind=SPAN", "network.init=scaled")
    with pytest.raises(ConfigError, match="the teacher enlarges 2 times"):
        train(make_options(), tmp_path / "new", teacher=CompactNet(4, 2, scale=2))
    with pytest.raises(ConfigError, match=r"judges crops of 128 or 256 pixels, and data.patch is 32"):
        make_options("losses.adversarial=1")
    train(make_options("steps=1"), tmp_path / "run")
    with pytest.raises(ConfigError, match=r"fit these options \(size mismatch [^\n]*, and \d+ more\); st"):
        train(make_options("network.features=4", "steps=2"), tmp_path / "run", resume=True)


def test_a_loss_that_grows_without_bound_stops_the_run(make_options: MakeOptions, tmp_path: Path) -> None:
    options = make_options("steps=200", "optimiser.rate=90", "optimiser.clip=0", "optimiser.warm_up=0")
    with pytest.raises(
        TrainingError, match=r"step \d+: .*; its batch, of photo.* with a lower optimiser.rate"
    ):
        train(options, tmp_path / "run")
    [kept] = (tmp_path / "run").glob("stopped-at-step-*.pt")
    assert int(kept.stem.rpartition("-")[2]) < 20


def test_results_far_from_pictures_stop_the_run(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = moves.generator_step

    def far(*given: Any) -> Any:
        made = honest(*given)
        return replace(made, output=made.output + 1e3)

    monkeypatch.setattr(moves, "generator_step", far)
    words = r"step 0: the results' mean absolute value is 1e\+03, where pictures lie from 0 to 1"
    with pytest.raises(TrainingError, match=words):
        train(make_options(), tmp_path / "run")


def test_a_discriminator_without_bound_stops_the_run(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves, "discriminator_step", lambda *_: torch.tensor(1.5e27, requires_grad=True))
    with pytest.raises(TrainingError, match=r"step 0: the discriminator's loss is 1.5e\+27; its batch"):
        train(make_options(*JUDGED), tmp_path / "run")


def test_weights_that_are_no_numbers_are_not_stored(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = moves.Mover.step

    def broken(self: moves.Mover, step: int, *given: Any) -> Any:
        values = honest(self, step, *given)
        if step == 3:
            next(self.parts.generator.parameters()).data.fill_(float("nan"))
        return values

    monkeypatch.setattr(moves.Mover, "step", broken)
    with pytest.raises(
        TrainingError, match="after step 4 weights are not finite, so no checkpoint is written"
    ):
        train(make_options("checkpoint_every=2", "steps=4"), tmp_path / "run")
    assert latest(tmp_path / "run")["step"] == 2


def test_a_checkpoint_is_stored_before_it_is_validated(
    make_options: MakeOptions, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Exception):
        pass

    def broken(*_: Any, **__: Any) -> None:
        raise Broken

    options = make_options("steps=2", f"data.validation={photos}")
    with monkeypatch.context() as patch:
        patch.setattr(keeper, "validate", broken)
        with pytest.raises(Broken):
            train(options, tmp_path / "run")
    assert latest(tmp_path / "run")["step"] == 2
    # and the validation that is missing is made when the run goes on
    assert not any("psnr" in line for line in read_log(tmp_path / "run"))
    train(options, tmp_path / "run", resume=True)
    assert [line["step"] for line in read_log(tmp_path / "run") if "psnr" in line] == [2]


def test_a_disk_that_is_full_for_a_while_does_not_end_the_run(
    make_options: MakeOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    honest = torch.save
    calls: list[int] = []

    def full(*given: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        honest(*given)

    monkeypatch.setattr(torch, "save", full)
    train(make_options("steps=6", "checkpoint_every=3", "log_every=2"), tmp_path / "run")
    assert "step-00000003.pt cannot be written: the disk is full" in capsys.readouterr().err
    names = [path.name for path in checkpoints_of(tmp_path / "run")]
    assert names == [
        "step-00000004.pt",
        "step-00000006.pt",
    ]  # it was tried again after the next line of the log


def test_what_a_run_will_need_is_missed_before_its_first_step(
    make_options: MakeOptions, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(words: str, *settings: str) -> None:
        with pytest.raises(ConfigError, match=words):
            train(make_options(*settings), tmp_path / "run")
        assert not (tmp_path / "run" / "recipe.toml").exists()

    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "a.png").write_bytes(b"no picture")
    refused("data.validation: .* is not a folder", "data.validation=nowhere")
    refused("data.validation: no picture of .*damaged can be used", f"data.validation={tmp_path / 'damaged'}")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"folder .*file/run cannot be written"):
        train(make_options(), tmp_path / "file" / "run")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        patch.setenv("CXX", "")
        refused(r"compiled = true needs a C\+\+ compiler", "compiled=true")

    class Usage:
        free = 1000

    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda _: Usage)
    refused(
        r"a checkpoint takes \d+ kB, and 2 are kept beside .* has 1 kB; free some space", "data.workers=0"
    )


def test_one_bad_picture_of_a_validation_costs_itself(
    make_options: MakeOptions, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    shutil.copytree(photos, folder)
    (folder / "damaged.png").write_bytes(b"no picture")
    train(make_options("steps=2", f"data.validation={folder}"), tmp_path / "run")
    told = capsys.readouterr().err
    assert told.count("validation leaves out: ") == 2  # when it is checked, and when it is measured
    assert "damaged.png" in told
    assert "psnr" in read_log(tmp_path / "run")[-1]
