import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from esrgan_cli.upscaling.files import Problem, Search, find_sources, names_a_file
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


def texts(search: Search) -> list[str]:
    return [problem.text for problem in search.problems]


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
    assert search.problems == (Problem(Path("missing.png"), "missing.png does not exist"),)


def test_a_file_named_twice_is_taken_once(touch: Touch) -> None:
    touch("in/a.png", "in/b.png")
    Path("in/link.png").symlink_to("a.png")
    search = find_sources([Path("in/a.png"), Path("in"), Path("in/../in/b.png")], None)
    assert [source.path.as_posix() for source in search.sources] == ["in/a.png", "in/b.png"]
    os.link("in/b.png", "in/hard.png")
    search = find_sources([Path("in")], None)
    assert [source.path.as_posix() for source in search.sources] == ["in/a.png", "in/b.png"]
    assert [left.text.replace("\\", "/") for left in search.left_out] == [
        "in/hard.png is another name of in/b.png",
        "in/link.png is another name of in/a.png",
    ]


def test_results_inside_the_input_are_not_inputs(touch: Touch) -> None:
    touch("in/a.png", "in/out/a-x4.png")
    search = find_sources([Path("in")], Path("in/out"))
    assert [source.path.as_posix() for source in search.sources] == ["in/a.png"]
    with pytest.raises(ConfigError, match="input and the output folder"):
        find_sources([Path("in")], Path("in/../in"))


def test_linked_folders_are_named_and_do_not_lead_in_circles(touch: Touch) -> None:
    touch("in/a.png", "in/sub/b.png", "else/c.png")
    Path("in/circle").symlink_to(".")
    Path("in/sub/up").symlink_to("../..")
    Path("in/sub/again").symlink_to("../sub")
    Path("in/other").symlink_to("../else")
    search = find_sources([Path("in")], None)
    assert len(search.sources) == 2
    assert [left.text for left in search.left_out] == [
        f"{Path('in/other')} is a link to a folder; to enlarge what is in there, give it too"
    ]
    assert len(find_sources([Path("in"), Path("in/other")], None).sources) == 3


def test_a_picture_with_the_name_of_a_film(touch: Touch) -> None:
    touch("in/film.mov")
    Path("in/picture.mov").write_bytes(b"\xff\xd8\xff\xe0")
    search = find_sources([Path("in")], None)
    assert [source.path.name for source in search.sources] == ["picture.mov"]
    assert [source.path.name for source in search.films] == ["film.mov"]


def test_folders_that_give_nothing_are_problems(touch: Touch, monkeypatch: pytest.MonkeyPatch) -> None:
    touch("empty/notes.txt", "closed/a.png")

    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    [problem] = texts(find_sources([Path("empty")], None))
    assert "empty holds no pictures" in problem
    monkeypatch.setattr(Path, "iterdir", refuse)
    problems = texts(find_sources([Path("closed")], None))
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_odd_names_in_a_folder_are_problems_and_cost_nothing_else(touch: Touch) -> None:
    touch("in/a.png")
    Path("in/loop.png").symlink_to("loop.png")
    Path("in/gone.png").symlink_to("nowhere.png")
    Path("in/loop").symlink_to("loop")
    os.mkfifo("in/pipe.png")
    os.mkfifo("in/pipe")
    search = find_sources([Path("in"), Path("in/loop.png"), Path("in/pipe.png"), Path("*.png")], None)
    assert [source.path.as_posix() for source in search.sources] == ["in/a.png"]
    assert search.ignored == (Path("in/loop"), Path("in/pipe"))
    assert [problem.split(";")[0] for problem in texts(search)] == [
        "in/gone.png is a link to nowhere.png, which does not exist",
        "in/loop.png is a link that leads in a circle",
        "in/pipe.png is a pipe, not a picture file",
        "*.png does not exist",
    ]
    assert "leaves patterns alone" in texts(search)[-1]


def test_what_the_system_does_not_tell_about_may_hold_pictures(
    touch: Touch, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch("in/a.png", "in/mounted", "in/z.png")
    whole = Path.stat

    def stale(path: Path, **options: bool) -> os.stat_result:
        if path.name == "mounted":
            raise OSError(errno.ESTALE, "Stale file handle")
        return whole(path, **options)

    monkeypatch.setattr(Path, "stat", stale)
    search = find_sources([Path("in"), Path("in/mounted")], Path("in/mounted/out"))
    assert [source.path.name for source in search.sources] == ["a.png", "z.png"]
    assert texts(search) == [f"{Path('in/mounted')} cannot be reached: Stale file handle"]
    with pytest.raises(ConfigError, match="Stale file handle"):
        names_a_file([Path("in/a.png")], Path("in/mounted"))


def test_folders_deeper_than_python_nests_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    deep = Path("in") / "/".join("d" * 300)
    deep.mkdir(parents=True)
    (deep / "a.png").touch()
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        assert len(find_sources([Path("in")], None).sources) == 1
    finally:
        sys.setrecursionlimit(before)


def test_one_file_named_twice_may_go_to_a_file(touch: Touch) -> None:
    touch("a.png")
    assert names_a_file([Path("a.png"), Path("../") / Path.cwd().name / "a.png"], Path("out.png"))
