import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_cli.upscaling.files import Source
from esrgan_cli.upscaling.targets import Journals, LeftOut, Targets, target_file, target_names
from esrgan_torch.errors import ConfigError


@pytest.fixture
def touch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes empty files in a folder that the test runs in."""
    monkeypatch.chdir(tmp_path)

    def make(*names: str) -> None:
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).touch()

    return make


Touch = Callable[..., None]


def name(sources: list[str], output: str | None, ending: str = "-x4", root: str | None = None) -> Targets:
    found = [Source(Path(name), Path(root) if root is not None else None) for name in sources]
    return target_names(found, Path(output) if output else None, ending, lambda _: (".png", ""), Journals())


def targets(
    sources: list[str], output: str | None, ending: str = "-x4", root: str | None = None
) -> list[str]:
    jobs = name(sources, output, ending, root).jobs
    assert [str(job.source) for job in jobs] == sources
    return [job.target.as_posix() for job in jobs]


def test_names_without_output() -> None:
    assert targets(["p/a.jpg", "b.c.png", "noname"], None) == ["p/a-x4.png", "b.c-x4.png", "noname-x4.png"]
    assert targets(["in/a.png", "in/deep/b.png"], None, root="in") == [
        "in-x4/a-x4.png",
        "in-x4/deep/b-x4.png",
    ]
    assert targets(["up/in/a.png"], None, root="up/in") == ["up/in-x4/a-x4.png"]
    assert targets(["a.png"], None, "-big") == ["a-big.png"]


def test_names_without_output_in_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert targets(["a.png"], None, root=".") == [(tmp_path / "here-x4" / "a-x4.png").as_posix()]
    with pytest.raises(ConfigError, match="no folder beside it"):
        targets(["/a.png"], None, root="/")


def test_names_in_an_output_folder() -> None:
    assert targets(["p/a.jpg", "b.png"], "out") == ["out/a-x4.png", "out/b-x4.png"]
    assert targets(["in/a.png", "in/deep/b.png"], "out", root="in") == ["out/a-x4.png", "out/deep/b-x4.png"]


def test_names_that_differ_in_the_suffix_alone() -> None:
    assert targets(["a.jpg", "a.png", "b.png"], "out") == [
        "out/a-jpg-x4.png",
        "out/a-png-x4.png",
        "out/b-x4.png",
    ]
    assert targets(["a", "a.png"], "out") == ["out/a-x4.png", "out/a-png-x4.png"]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["p/a.png", "q/a.png"], ["a-x4", "a-2-x4"]),
        (["p/a.png", "q/a.png", "a.jpg"], ["a-png-x4", "a-png-2-x4", "a-jpg-x4"]),
        (["a.jpg", "a.png", "a-jpg.png"], ["a-jpg-2-x4", "a-png-x4", "a-jpg-x4"]),
        (["A.png", "a.png"], ["A-x4", "a-2-x4"]),
        (["a.JPG", "a.jpg"], ["a-x4", "a-2-x4"]),
        (["caf\u00e9.png", "cafe\u0301.png"], ["caf\u00e9-x4", "cafe\u0301-2-x4"]),
    ],
)
def test_equal_names_are_kept_apart(sources: list[str], expected: list[str]) -> None:
    assert targets(sources, "out") == [f"out/{name}.png" for name in expected]


def test_one_folder_by_two_names(touch: Touch) -> None:
    touch("p/a.jpg", "p/a.png")
    assert targets(["p/a.jpg", "p/../p/a.png"], None) == ["p/a-jpg-x4.png", "p/../p/a-png-x4.png"]


def test_a_name_that_would_be_too_long_is_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept, long, other = "a" * 248 + ".png", "a" * 249 + ".png", "a" * 249 + "b.png"
    jobs = name([kept, long, other, "猫" * 83 + ".png"], "out").jobs
    assert [len(os.fsencode(job.target.name)) for job in jobs] == [255, 255, 255, 253]
    assert len({job.target for job in jobs}) == 4
    assert jobs[0].note == ""
    assert all(f"shortened to {job.target.name}" in job.note for job in jobs[1:])
    for job in jobs:
        assert job.target.name.endswith("-x4.png")
        job.target.parent.mkdir(exist_ok=True)
        job.target.touch()
    assert [job.target for job in name([other, long], "out").jobs] == [jobs[2].target, jobs[1].target]


def test_a_result_given_as_an_input_is_left_out(touch: Touch) -> None:
    touch("a.png", "a-x4.png", "a-x4-x4.png", "b.png")
    naming = name(["a.png", "a-x4.png", "a-x4-x4.png", "b.png"], None)
    assert [job.source.name for job in naming.jobs] == ["a.png", "b.png"]
    assert naming.left_out == (
        LeftOut(Path("a-x4.png"), Path("a.png"), known=False),
        LeftOut(Path("a-x4-x4.png"), Path("a-x4.png"), known=False),
    )
    assert targets(["a-x4.png"], None) == ["a-x4-x4.png"]  # given alone, it is meant
    assert targets(["a.png", "a-x4.png"], "out") == ["out/a-x4.png", "out/a-x4-x4.png"]


def test_a_result_never_overwrites_its_source(touch: Touch) -> None:
    touch("a.png", "b.jpg", "other.png")
    Path("same.png").hardlink_to("a.png")
    for target in ("a.png", "../" + Path.cwd().name + "/a.png", "same.png"):
        with pytest.raises(ConfigError, match="would overwrite the input"):
            target_file([Source(Path("a.png"))], Path(target), Journals())
    [job] = target_file([Source(Path("a.png"))], Path("other.png"), Journals()).jobs
    assert (job.source, job.target) == (Path("a.png"), Path("other.png"))
    naming = name(["a.png", "b.jpg"], None, "")
    assert [(job.source, job.target) for job in naming.jobs] == [(Path("b.jpg"), Path("b.png"))]
    [problem] = naming.problems
    assert problem.path == Path("a.png")
    assert problem.text == "a.png: its result would overwrite it; give --suffix, or another folder with -o"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_name_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [job] = name([os.fsdecode(b"\xff" * 251 + b".png")], None).jobs
    assert len(os.fsencode(job.target.name)) == 255


def test_a_name_once_given_stays(touch: Touch) -> None:
    touch("in/a.png", "out/x")

    def run(*sources: str, ending: str = "-x4") -> list[str]:
        """The names of the results of a run, noted as such."""
        jobs = name([f"in/{source}" for source in sources], "out", ending).jobs
        for job in jobs:
            assert job.journal is not None
            assert job.journal.claim(job.target, job.key)
        return [job.target.name for job in jobs]

    assert run("a.png") == ["a-x4.png"]
    touch("in/a.jpg", "in/a-jpg.png", "other/a.png")
    assert run("a-jpg.png", "a.jpg", "a.png") == ["a-jpg-x4.png", "a-2-x4.png", "a-x4.png"]
    assert run("a.jpg") == run("a.jpg")
    before = run("a.jpg", "a-jpg.png")
    assert run("../other/a.png") == ["a-png-x4.png"]
    Path("in/a.png").unlink()
    assert run("a.jpg", "a-jpg.png") == before
    assert run("a.jpg", ending="") == ["a.png"]  # another ending, another name
    assert run("a.jpg", "a-jpg.png") == before


def test_what_was_moved_keeps_the_names_of_its_results(touch: Touch) -> None:
    touch("in/a.png", "out/x")
    [job] = name(["in/a.png"], "out").jobs
    assert job.journal is not None
    assert job.journal.claim(job.target, job.key)
    Path("in").rename("elsewhere")
    assert targets(["elsewhere/a.png"], "out") == ["out/a-x4.png"]


def test_a_name_that_another_process_took(touch: Touch) -> None:
    touch("a.png", "a.jpg", "out/x")
    mine, theirs = name(["a.png"], "out"), name(["a.jpg"], "out")
    [job], [other] = mine.jobs, theirs.jobs
    assert job.journal is not None
    assert other.journal is not None
    assert other.journal.claim(other.target, other.key)
    assert not job.journal.claim(job.target, job.key)
    renamed = mine.renamed(job)
    assert renamed.target == Path("out/a-png-x4.png")
    assert "another process took a-x4.png" in renamed.note
    assert renamed.journal is job.journal
    assert targets(["a.png"], "out") == ["out/a-png-x4.png"]
