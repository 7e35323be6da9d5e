from pathlib import Path

import pytest
import torch

from esrgan_torch.errors import ConfigError, TrainingError
from esrgan_torch.train.state import checkpoints_of, latest, store


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Checkpoints of 10, 20 and 30 steps."""
    for step in (10, 20, 30):
        store(tmp_path, step, {"weights": torch.full((1000,), float(step))}, keep=3)
    return tmp_path


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "flipped":  # in the middle of the weights, where PyTorch does not look
        place = data.index(torch.full((4,), float(int(path.stem[5:]))).numpy().tobytes())
        data = data[: place + 100] + bytes([data[place + 100] ^ 1]) + data[place + 101 :]
    path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "text": b"x" * 99}.get(how, data))


@pytest.mark.parametrize("how", ["flipped", "empty", "cut", "text"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(run: Path, how: str) -> None:
    damage(checkpoints_of(run)[-1], how)
    told: list[str] = []
    assert latest(run, told.append)["step"] == 20
    assert len(told) == 1
    assert "step-00000030.pt is damaged: " in told[0]
    assert told[0].endswith("the run is resumed from the checkpoint before, of step 20")


def test_all_damaged(run: Path) -> None:
    for path in checkpoints_of(run):
        damage(path, "cut")
    with pytest.raises(
        TrainingError, match=r"step-00000030.pt is damaged.*step-00000010.pt is damaged.*start again"
    ):
        latest(run, lambda _: None)


def test_another_s_file_under_a_checkpoint_s_name(run: Path) -> None:
    torch.save({"step": 29}, run / "checkpoints" / "step-00000030.pt")
    assert latest(run, lambda _: None)["step"] == 20
    torch.save([1], run / "checkpoints" / "step-00000030.pt")
    assert latest(run, lambda _: None)["step"] == 20


def test_what_a_killed_run_left_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / ".0123456789abcdef.part.pt").write_bytes(b"half")
    assert checkpoints_of(tmp_path) == []
    with pytest.raises(ConfigError, match=r"contains no checkpoints/step-\*.pt"):
        latest(tmp_path)


def test_more_than_eight_digits_are_the_newest(tmp_path: Path) -> None:
    for step in (99_999_999, 100_000_000):
        store(tmp_path, step, {}, keep=1)
    assert [path.name for path in checkpoints_of(tmp_path)] == ["step-100000000.pt"]


def test_a_checkpoint_that_cannot_be_written_leaves_the_others(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(
        TrainingError, match=r"step-00000040.pt cannot be written: the disk is full; free some"
    ):
        store(run, 40, {}, keep=1)
    assert len(checkpoints_of(run)) == 3
    assert not list((run / "checkpoints").glob(".*"))
