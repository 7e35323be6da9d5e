import threading
import time
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import read_image, write_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.train.data.batches import Crops, batches
from esrgan_torch.train.data.pictures import Pair, prepare


@pytest.fixture
def pairs(photos: Path, tmp_path: Path) -> list[Pair]:
    return prepare((str(photos),), (), tmp_path / "cache", 4, 32)


def test_headers_are_read_one_at_a_time(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = threading.Lock()
    load = np.load

    def alone(path: Path, mmap_mode: Literal["r"]) -> np.ndarray:
        assert inside.acquire(blocking=False), "two threads read headers at once"
        time.sleep(0.05)  # so that the other thread has the time to come
        try:
            return load(path, mmap_mode=mmap_mode)
        finally:
            inside.release()

    monkeypatch.setattr(np, "load", alone)
    assert len(prepare((str(photos),), (), tmp_path / "cache", 4, 32)) > 2


def test_the_small_pictures_are_matlabs(pairs: list[Pair], photos: Path) -> None:
    for pair in pairs:
        original = read_image(photos / f"{pair.name}.png").pixels
        large, small = pair.open()
        assert np.array_equal(large, original)
        assert np.array_equal(small, imresize(original, 24, 24))


def test_the_batch_of_a_step_depends_on_seed_and_step_alone(pairs: list[Pair]) -> None:
    one, other = Crops(pairs, 32, 4, 3, seed=1), Crops(pairs, 32, 4, 3, seed=2)
    small, large = one[7]
    assert (small.shape, large.shape) == ((3, 3, 8, 8), (3, 3, 32, 32))
    assert all(torch.equal(*both) for both in zip(one[7], Crops(pairs, 32, 4, 3, seed=1)[7], strict=True))
    assert not torch.equal(small, one[8][0])
    assert not torch.equal(small, other[7][0])


def test_crops_are_places_of_their_pictures(pairs: list[Pair]) -> None:
    crops = Crops(pairs, 32, 4, 8, seed=0)
    opened = {pair.name: pair.open()[0] for pair in pairs}
    _, large = crops[0]
    seen: set[int] = set()
    for crop, name in zip((large * 255).round().to(torch.uint8).numpy(), crops.names(0), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(opened[name], (32, 32), (0, 1))
        for turn in range(8):
            image = crop if not turn & 4 else crop.transpose(0, 2, 1)
            image = image[:, :, ::-1] if turn & 2 else image
            image = image[:, ::-1] if turn & 1 else image
            if any((windows[top] == image).all((1, 2, 3)).any() for top in range(windows.shape[0])):
                seen.add(turn)
                break
        else:
            pytest.fail("a crop is nowhere in its picture")
    assert len(seen) > 2


def test_processes_share_a_batch(pairs: list[Pair]) -> None:
    whole = Crops(pairs, 32, 4, 4, seed=0)[5][1]
    shares = [Crops(pairs, 32, 4, 4, 0, process, 2)[5][1] for process in range(2)]
    assert torch.equal(torch.stack(shares, 1).flatten(0, 1), whole)
    with pytest.raises(ConfigError, match="cannot be shared equally"):
        Crops(pairs, 32, 4, 5, 0, 0, 2)


def test_worker_processes_change_nothing(pairs: list[Pair]) -> None:
    crops = Crops(pairs, 32, 4, 2, seed=0)
    for made, expected in zip(batches(crops, 3, 6, 2), batches(crops, 3, 6, 0), strict=True):
        assert torch.equal(made[0], expected[0])
        assert torch.equal(made[1], expected[1])


def test_degraded_crops_keep_their_originals(pairs: list[Pair]) -> None:
    crops = Crops(pairs, 32, 4, 2, seed=0, degrading=True)
    small, large = crops[0]
    assert (small.shape, large.shape) == ((2, 3, 8, 8), (2, 3, 32, 32))
    assert torch.equal(small, crops[0][0])
    # damaged, and still the same place: the means agree
    assert torch.allclose(small.mean((2, 3)), large.mean((2, 3)), atol=0.15)


def test_some_crops_have_fresh_noise_alone(pairs: list[Pair]) -> None:
    def small(noisy: float) -> torch.Tensor:
        crops = Crops(pairs, 32, 4, 8, seed=0, degrading=True, noisy=noisy)
        return torch.cat([crops[step][0] for step in range(3)])

    never, some, always = small(0), small(0.5), small(1)
    assert torch.equal(never, small(0))
    same = [sum(torch.equal(*both) for both in zip(some, other, strict=True)) for other in (never, always)]
    # which crops are noisy takes a number of its own, so none is that of a run without the choice
    assert same == [0, pytest.approx(12, abs=6)]


def test_pairs_of_folders(photos: Path, tmp_path: Path) -> None:
    for path in photos.iterdir():
        (tmp_path / "small").mkdir(exist_ok=True)
        write_image(tmp_path / "small" / path.name, np.full((24, 24, 3), 7, np.uint8))
    found = prepare((str(photos),), (str(tmp_path / "small"),), tmp_path / "cache", 4, 32)
    assert {int(pair.open()[1].max()) for pair in found} == {7}


def test_files_that_cannot_be_used_are_told_and_left_out(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.png").write_bytes((photos / "photo0.png").read_bytes())
    (folder / "damaged.png").write_bytes(b"no picture")
    write_image(folder / "tiny.png", np.zeros((8, 8, 3), np.uint8))
    write_image(folder / "gray.png", np.zeros((64, 64, 1), np.uint8))
    found = prepare((str(folder),), (), tmp_path / "cache", 4, 32)
    assert [pair.name for pair in found] == ["good", "gray"]
    told = capsys.readouterr().err
    assert told.count("left out: ") == 2
    assert "damaged.png" in told
    assert "smaller than a crop of 32 pixels" in told


def test_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        prepare((str(tmp_path / "nowhere"),), (), tmp_path / "cache", 4, 32)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no pictures of at least 32 pixels"):
        prepare((str(tmp_path / "empty"),), (), tmp_path / "cache", 4, 32)
