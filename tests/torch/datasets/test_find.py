from pathlib import Path

from esrgan_torch.datasets.find import find_pictures


def names(folder: Path, **options: object) -> list[str]:
    return [str(path.relative_to(folder)) for path in find_pictures(folder, **options).paths]


def fill(folder: Path, *files: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"")
    return folder


def test_pictures_by_suffix_and_nothing_hidden(tmp_path: Path) -> None:
    folder = fill(tmp_path, "b.PNG", "a.jpg", "deep/c.webp", "notes.txt", "._a.jpg", ".git/d.png")
    assert names(folder) == ["a.jpg", "b.PNG", "deep/c.webp"]
    assert names(folder, deep=False) == ["a.jpg", "b.PNG"]
    assert names(folder, without=[folder / "deep"]) == ["a.jpg", "b.PNG"]


def test_linked_folders_are_followed_and_every_folder_is_taken_once(tmp_path: Path) -> None:
    other = fill(tmp_path / "other", "x.png")
    folder = fill(tmp_path / "set", "deep/a.png")
    (folder / "above").symlink_to(folder)  # in a circle
    (folder / "deep" / "again").symlink_to(folder / "deep")
    (folder / "another-name").symlink_to(folder / "deep")
    (folder / "linked").symlink_to(other)
    assert names(folder) == ["deep/a.png", "linked/x.png"]


def test_what_cannot_be_used_is_a_line_each(tmp_path: Path) -> None:
    folder = fill(tmp_path, "a.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "lost").symlink_to("no-such-folder")
    (folder / "circle.png").symlink_to("circle.png")
    (folder / "notes.txt").symlink_to("nowhere.txt")  # nobody misses it here
    found = find_pictures(folder)
    assert [path.name for path in found.paths] == ["a.png"]
    assert [str(problem) for problem in found.problems] == [
        f"{folder / 'circle.png'} is a link that leads in a circle",
        f"{folder / 'gone.png'} is a link to nowhere.png, which does not exist",
        f"{folder / 'lost'} is a link to no-such-folder, which does not exist",
    ]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    [problem] = find_pictures(tmp_path / "none").problems
    assert "cannot be listed: No such file" in str(problem)
