from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esrgan_cli.upscaling.files import Source
from esrgan_cli.upscaling.shards import Shard, parse_shard
from esrgan_torch.errors import ConfigError

MakePicture = Callable[..., Path]
Upscale = Callable[..., int]

NAMES = st.lists(st.from_regex(r"[a-zé]{1,6}(/[a-z]{1,4})?\.png", fullmatch=True), unique=True, max_size=30)


@given(NAMES, NAMES, st.integers(1, 9))
def test_parts_are_disjoint_complete_and_stable(names: list[str], more: list[str], count: int) -> None:
    shards = [Shard(number, count) for number in range(1, count + 1)]
    sources = [Source(Path("in", name), Path("in")) for name in names]
    parts = [[source for source in sources if shard.has(source)] for shard in shards]
    assert sorted(source.path for part in parts for source in part) == sorted(each.path for each in sources)
    # the same where other pictures are there too, and the folder is mounted elsewhere
    moved = [Source(Path("/elsewhere", name), Path("/elsewhere")) for name in {*names, *more}]
    for shard, part in zip(shards, parts, strict=True):
        there = {source.path.relative_to("/elsewhere") for source in moved if shard.has(source)}
        assert {source.path.relative_to("in") for source in part} <= there


def test_parts_are_about_even() -> None:
    sizes = [sum(Shard(n, 4).has(Source(Path(f"{i:04}.png"))) for i in range(1000)) for n in range(1, 5)]
    assert sum(sizes) == 1000
    assert min(sizes) > 200


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/", "1/0", "-1/4", "1/4/4", "a/b", "", "1 / 4"])
def test_what_is_no_part(text: str) -> None:
    with pytest.raises(ConfigError, match="from 1/4 to 4/4"):
        parse_shard(text)


def test_the_parts_of_a_run_make_what_the_whole_run_makes(
    upscale: Upscale, make_picture: MakePicture, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "a.jpg", "b.png", "deep/a.png", "deep/c.png", "d.png"):
        make_picture(Path("in") / name, 4, 5)
    assert upscale("in", "-o", "whole") == 0
    capsys.readouterr()
    printed: list[str] = []
    for number in (3, 1, 2):
        assert upscale("in", "-o", "parts", "--shard", f"{number}/3") == 0
        printed += capsys.readouterr().out.splitlines()
    made = {path.relative_to("whole"): path.read_bytes() for path in Path("whole").rglob("*.png")}
    assert {path.relative_to("parts"): path.read_bytes() for path in Path("parts").rglob("*.png")} == made
    assert sorted(printed) == sorted(str(Path("parts") / name) for name in made)  # none was made twice
