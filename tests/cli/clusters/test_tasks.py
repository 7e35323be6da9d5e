from pathlib import Path

import pytest

from esrgan_cli.clusters.places import Place
from esrgan_cli.clusters.tasks import find_tasks
from esrgan_torch.errors import ConfigError


def results(folder: Path, *inputs: str, output: str = "out") -> dict[str, str]:
    """Names of sources and results."""
    tasks = find_tasks(
        [Place(str(folder / given)) for given in inputs], Place(str(folder / output)), "-x4", lambda _: ".png"
    )
    return {task.address.removeprefix(f"{folder}/"): task.result for task in tasks}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("in/a.png", "in/a.jpg", "in/sub/b.webp", "in/.hidden/c.png", "in/notes.txt", "in/out/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_names_are_those_of_one_machine(folder: Path) -> None:
    assert results(folder, "in", output="in/out") == {
        "in/a.jpg": "a-jpg-x4.png",
        "in/a.png": "a-png-x4.png",
        "in/sub/b.webp": "sub/b-x4.png",
    }


def test_what_is_given_twice_is_one(folder: Path) -> None:
    assert results(folder, "in/sub", "in/sub") == {"in/sub/b.webp": "b-x4.png"}
    assert results(folder, "in/sub/b.webp") == {"in/sub/b.webp": "b-x4.png"}


def test_two_folders_with_one_name(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "b.webp").touch()
    found = results(folder, "in/sub", "more")
    assert found == {"in/sub/b.webp": "b-webp-x4.png", "more/b.webp": "b-2-x4.png"}


def test_a_folder_that_is_not_there(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing is not there"):
        results(folder, "nothing")


def test_addresses_that_nobody_knows(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"nosuch://bucket.*nosuch"):
        find_tasks([Place("nosuch://bucket")], Place(str(folder)), "-x4", lambda _: ".png")


class Listed(Place):
    """A store that lists what it likes."""

    NAMES = (
        "a.png",
        "../../etc/b.png",
        "/etc/c.png",
        "sub/../../d.png",
        "e\nf.png",
        "sub//g.png",
        "sub/./h.png",
        "=cmd.png",
        "\x1b[2J.png",
        "-rf.png",
        "n" * 1000 + ".png",
        "C:\\i.png",
        "",
        "/",
        ".png",
    )

    def files(self) -> list[str]:
        return list(self.NAMES)


def test_no_name_of_a_store_leads_out_of_the_results(tmp_path: Path) -> None:
    tasks = find_tasks([Listed(str(tmp_path / "in"))], Place(str(tmp_path / "out")), "-x4", lambda _: ".png")
    names = {task.name: task.result for task in tasks}
    assert names["a.png"] == "a-x4.png"
    assert names["e\nf.png"] == "e\nf-x4.png"
    assert len(set(names.values())) == len(names)
    for result in names.values():
        place = (tmp_path / "out" / f"./{result}").resolve()
        assert place.is_relative_to(tmp_path / "out"), result
    assert not [name for name in names if ".." in name.split("/")]
