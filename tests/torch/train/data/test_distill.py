"""A teacher's answers, computed once and trained on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from esrgan_torch import CompactNet, Upscaler
from esrgan_torch.errors import ConfigError
from esrgan_torch.train.data.distill import BORDER, make_lessons
from esrgan_torch.train.data.pictures import Pair, prepare
from esrgan_torch.train.loop import train
from esrgan_torch.train.options import Options

MakeOptions = Callable[..., Options]
PATCH = 32


@pytest.fixture
def pairs(photos: Path, tmp_path: Path) -> list[Pair]:
    return prepare((str(photos),), (), tmp_path / "cache", 4, PATCH)


@pytest.fixture
def teacher() -> CompactNet:
    return CompactNet(4, 1).eval()


def lessons_of(
    pairs: list[Pair], teacher: CompactNet, cache: Path, count: int = 3, **others: int
) -> list[Pair]:
    return make_lessons(pairs, teacher, count, patch=PATCH, seed=0, degrading=True, cache=cache, **others)


def test_a_lesson_is_the_teachers_answer(pairs: list[Pair], teacher: CompactNet, tmp_path: Path) -> None:
    large, small = lessons_of(pairs, teacher, tmp_path)[0].open()
    assert large.shape == (4 * small.shape[0], 4 * small.shape[1], 3)
    # this network sees three small pixels around, so the inner part is known from the lesson alone
    answer = np.asarray(Upscaler(teacher, "cpu")(np.array(small)))
    assert np.array_equal(large[12:-12, 12:-12], answer[12:-12, 12:-12])
    # and its border has seen what lay around
    assert not np.array_equal(large, answer)


def test_lessons_are_kept(pairs: list[Pair], teacher: CompactNet, tmp_path: Path) -> None:
    made: list[int] = []
    first = lessons_of(pairs, teacher, tmp_path)
    first[1].small.unlink()
    again = make_lessons(
        pairs,
        teacher,
        4,
        patch=PATCH,
        seed=0,
        degrading=True,
        cache=tmp_path,
        on_made=lambda: made.append(1),
    )
    assert again[:3] == first
    assert len(made) == 2  # the one that was lost and the fourth


def test_another_teacher_gives_other_lessons(pairs: list[Pair], teacher: CompactNet, tmp_path: Path) -> None:
    ours = lessons_of(pairs, teacher, tmp_path, 1)
    other = lessons_of(pairs, CompactNet(4, 1).eval(), tmp_path, 1)
    assert ours[0].large != other[0].large


def test_processes_share_the_work(pairs: list[Pair], teacher: CompactNet, tmp_path: Path) -> None:
    whole = lessons_of(pairs, teacher, tmp_path / "one")
    for process in range(2):
        parts = lessons_of(pairs, teacher, tmp_path / "two", process=process, processes=2)
    for one, two in zip(whole, parts, strict=True):
        assert all(np.array_equal(*both) for both in zip(one.open(), two.open(), strict=True))


def test_pictures_too_small(pairs: list[Pair], teacher: CompactNet, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"need originals of {64 + 8 * BORDER} pixels"):
        make_lessons(pairs, teacher, 1, patch=64, seed=0, degrading=True, cache=tmp_path)


def test_a_run_with_lessons(make_options: MakeOptions, teacher: CompactNet, tmp_path: Path) -> None:
    """White answers: a network that learns from them, and not from the originals, becomes brighter."""
    teacher.body[-1].get_parameter("bias").data.fill_(9.0)
    settings = ("steps=30", "optimiser.rate=2e-2", "optimiser.clip=0", "ema=0")
    options = make_options("data.lessons=2", "losses.teacher=white", *settings)
    network = train(options, tmp_path / "run", teacher=teacher)
    assert len(list((tmp_path / "cache").glob("lesson-*-large.npy"))) == 2
    with torch.no_grad():
        assert network(torch.full((1, 3, 8, 8), 0.5)).mean() > 0.7


def test_lessons_need_a_teacher(make_options: MakeOptions, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the number of crops that losses.teacher computes"):
        make_options("data.lessons=2")
    with pytest.raises(ConfigError, match="needs the teacher 'white'"):
        train(make_options("data.lessons=2", "losses.teacher=white"), tmp_path / "run")
