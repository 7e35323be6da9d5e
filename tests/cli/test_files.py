from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_cli.files import Job, Source, find_sources, name_targets, names_a_file
from esrgan_torch.errors import ConfigError


@pytest.fixture
def touch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes empty files in a folder that the test runs in."""
    monkeypatch.chdir(tmp_path)

    def make(*names: str) -> None:
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(name.encode())

    return make


Touch = Callable[..., None]


def targets(
    sources: list[str], output: str | None, *, scale: float = 4, root: str | None = None
) -> list[str]:
    found = [Source(Path(name), Path(root) if root is not None else None) for name in sources]
    jobs = name_targets(found, Path(output) if output else None, False, scale, "png")
    assert [str(job.source) for job in jobs] == sources
    return [job.target.as_posix() for job in jobs]


def test_folders_are_searched_in_order(touch: Touch) -> None:
    touch("in/b.JPG", "in/a.png", "in/deep/er/c.webp", "in/notes.txt", "in/.hidden.png", "in/.git/d.png")
    search = find_sources([Path("in")], None)
    assert [source.path.as_posix() for source in search.sources] == [
        "in/a.png",
        "in/b.JPG",
        "in/deep/er/c.webp",
    ]
    assert all(source.root == Path("in") for source in search.sources)
    assert search.ignored == (Path("in/notes.txt"),)
    assert search.problems == ()


def test_a_given_file_is_taken_whatever_its_name(touch: Touch) -> None:
    touch("picture", ".hidden.png")
    search = find_sources([Path("picture"), Path(".hidden.png"), Path("missing.png")], None)
    assert [source.path.name for source in search.sources] == ["picture", ".hidden.png"]
    assert all(source.root is None for source in search.sources)
    assert search.problems == ("missing.png does not exist",)


def test_a_file_named_twice_is_taken_once(touch: Touch) -> None:
    touch("in/a.png", "in/b.png")
    Path("in/link.png").symlink_to("a.png")
    search = find_sources([Path("in/a.png"), Path("in"), Path("in/../in/b.png")], None)
    assert [source.path.as_posix() for source in search.sources] == ["in/a.png", "in/b.png"]


def test_results_inside_the_input_are_not_inputs(touch: Touch) -> None:
    touch("in/a.png", "in/out/a-x4.png")
    search = find_sources([Path("in")], Path("in/out"))
    assert [source.path.as_posix() for source in search.sources] == ["in/a.png"]
    with pytest.raises(ConfigError, match="input and the output folder"):
        find_sources([Path("in")], Path("in/../in"))


def test_linked_folders_do_not_lead_in_circles(touch: Touch) -> None:
    touch("in/a.png")
    Path("in/circle").symlink_to(".")
    assert len(find_sources([Path("in")], None).sources) == 1


def test_folders_that_give_nothing_are_problems(touch: Touch, monkeypatch: pytest.MonkeyPatch) -> None:
    touch("empty/notes.txt", "closed/a.png")

    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    [problem] = find_sources([Path("empty")], None).problems
    assert "empty holds no pictures" in problem
    monkeypatch.setattr(Path, "iterdir", refuse)
    problems = find_sources([Path("closed")], None).problems
    assert "closed cannot be listed: Permission denied" in problems[0]


def test_whether_the_output_is_a_file(touch: Touch) -> None:
    touch("a.png", "b.png", "in/c.png", "folder.png/x", "plain")
    one, two, folder = [Path("a.png")], [Path("a.png"), Path("b.png")], [Path("in")]
    assert names_a_file(one, Path("out.PNG"))
    assert not names_a_file(one, None)
    assert not names_a_file(one, Path("out"))
    assert not names_a_file(one, Path("v1.2"))
    assert not names_a_file(two, Path("folder.png"))
    for inputs in (two, folder):
        with pytest.raises(ConfigError, match="give a folder"):
            names_a_file(inputs, Path("out.jpg"))
    with pytest.raises(ConfigError, match="is a file"):
        names_a_file(one, Path("plain"))


def test_names_without_output() -> None:
    assert targets(["p/a.jpg", "b.c.png", "noname"], None) == ["p/a-x4.png", "b.c-x4.png", "noname-x4.png"]
    assert targets(["in/a.png", "in/deep/b.png"], None, root="in") == [
        "in-x4/a-x4.png",
        "in-x4/deep/b-x4.png",
    ]
    assert targets(["up/in/a.png"], None, root="up/in") == ["up/in-x4/a-x4.png"]
    assert targets(["a.png"], None, scale=2.5) == ["a-x2.5.png"]


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
    "sources",
    [["p/a.png", "q/a.png"], ["p/a.png", "q/a.png", "a.jpg"], ["a.jpg", "a.png", "a-jpg.png"]],
)
def test_equal_names_are_refused(sources: list[str]) -> None:
    with pytest.raises(ConfigError, match="would both become"):
        targets(sources, "out")


def test_a_result_never_overwrites_a_source(touch: Touch) -> None:
    touch("a.png", "a-x4.png", "other.png")
    Path("same.png").hardlink_to("a.png")
    with pytest.raises(ConfigError, match=r"result of a\.png would overwrite the input a-x4\.png"):
        targets(["a.png", "a-x4.png"], None)
    for name in ("a.png", "../" + Path.cwd().name + "/a.png", "same.png"):
        with pytest.raises(ConfigError, match="would overwrite the input"):
            name_targets([Source(Path("a.png"))], Path(name), True, 4, "png")
    assert name_targets([Source(Path("a.png"))], Path("other.png"), True, 4, "png") == [
        Job(Path("a.png"), Path("other.png"))
    ]
