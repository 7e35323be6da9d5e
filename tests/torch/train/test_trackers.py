"""What TensorBoard and Weights & Biases get, read back where they can be read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from esrgan_torch.errors import ConfigError
from esrgan_torch.train import loop, trackers
from esrgan_torch.train.log import read_log
from esrgan_torch.train.loop import train
from esrgan_torch.train.options import Options

MakeOptions = Callable[..., Options]


def two_sets(photos: Path, folder: Path) -> str:
    """A setting: the photos, and the same as another set."""
    other = folder / "other"
    other.mkdir()
    for path in photos.iterdir():
        (other / path.name).symlink_to(path)
    return f'data.validation=["{photos}", "{other}"]'


def test_tensorboard_has_every_number_and_pictures_by_step(
    make_options: MakeOptions, photos: Path, tmp_path: Path
) -> None:
    settings = ("tensorboard=true", "steps=4", "log_every=1", "validate_every=2", two_sets(photos, tmp_path))
    train(make_options(*settings, "steps=3"), tmp_path / "run")
    train(make_options(*settings), tmp_path / "run", resume=True)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"), size_guidance={"images": 0})
    events.Reload()
    for name in ("loss", "pixel", "rate", "steps_a_second", "waiting", "crops", "megapixels_a_second"):
        assert [event.step for event in events.Scalars(name)] == [1, 2, 3, 4]
    steps = [2, 3, 4]  # 3 was the last of the first start
    for name in ("psnr", "ssim", "psnr_rgb", "psnr/other", "ssim/other", "psnr_rgb/other"):
        assert [event.step for event in events.Scalars(name)] == steps
    for name in ("validation", "validation/other"):
        pictures = events.Images(name)
        assert [event.step for event in pictures] == steps
        assert (pictures[0].width, pictures[0].height) == (4 * 256, 256)
    logged = {line["step"]: line for line in read_log(tmp_path / "run") if "psnr" in line}
    assert events.Scalars("psnr")[-1].value == pytest.approx(logged[4]["psnr"], abs=1e-4)
    assert logged[4]["psnr/other"] == logged[4]["psnr"]  # the same pictures
    assert (tmp_path / "run" / "validation-other.png").is_file()


class Stand:
    """In the place of Accelerate's tracker of Weights & Biases, with its methods."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, list[str]]] = []

    def log(self, values: dict[str, float], step: int) -> None:
        self.told.append(("numbers", step, sorted(values)))

    def log_images(self, values: dict[str, Any], step: int) -> None:
        assert all(picture.ndim == 3 for pictures in values.values() for picture in pictures)
        self.told.append(("pictures", step, sorted(values)))


def test_a_tracker_of_accelerate_is_one_run_however_often_it_starts(
    make_options: MakeOptions, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand, started, asked = Stand(), [], []
    honest = loop._accelerator

    def accelerator(options: Options) -> Any:
        asked.append(options.tracker)
        made = honest(make_options())
        monkeypatch.setattr(made, "init_trackers", lambda *given, **named: started.append((given, named)))
        monkeypatch.setattr(made, "get_tracker", lambda name: stand)
        return made

    monkeypatch.setattr(loop, "_accelerator", accelerator)
    options = make_options('tracker="wandb"', "steps=2", "log_every=1", f"data.validation={photos}")
    train(options, tmp_path / "run")
    train(options, tmp_path / "run", resume=True)
    assert asked == ["wandb", "wandb"]
    numbers = ["crops", "loss", "megapixels_a_second", "pixel", "rate", "steps_a_second", "waiting"]
    assert ("numbers", 2, numbers) in stand.told
    assert stand.told[-2:] == [("numbers", 2, ["psnr", "psnr_rgb", "ssim"]), ("pictures", 2, ["validation"])]
    (project, first), (_, second) = [(given[0], named) for given, named in started]
    assert project == trackers.PROJECT
    assert first["config"]["network"]["kind"] == "CompactNet"
    own = first["init_kwargs"]["wandb"]
    assert (own["name"], own["resume"]) == ("run", "allow")
    assert own == second["init_kwargs"]["wandb"]


def test_a_tracker_that_is_not_installed(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r'tracker = "wandb" needs its library: pip install wandb'):
        train(make_options('tracker="wandb"'), tmp_path / "run")


def test_a_tracker_that_fails_costs_its_own_curves(
    make_options: MakeOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trackers.TensorBoard, "scalars", full)
    train(make_options("tensorboard=true", "steps=4", "log_every=1"), tmp_path / "run")
    assert len(read_log(tmp_path / "run")) == 4
    told = capsys.readouterr().err
    assert told.count("TensorBoard gets no further values: ") == 1
