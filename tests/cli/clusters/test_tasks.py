import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esrgan_cli.clusters.places import Place
from esrgan_cli.clusters.tasks import find_tasks
from esrgan_cli.upscaling.files import find_sources
from esrgan_cli.upscaling.journal import Journal
from esrgan_cli.upscaling.targets import Journals, target_names
from esrgan_torch.errors import ConfigError

LONG = "\N{LATIN SMALL LETTER E WITH ACUTE}" * 124  # of two bytes each: with .png a name may be this long
TABLE = {
    "kinds": ("a.png", "a.jpg", "a.b.png", "noname.webp"),
    "capital letters": ("A.png", "a.png", "sub/B.png", "Sub/b.png", "sub-2/B.png"),
    "capital letters and kinds": ("A.PNG", "a.png", "a.jpg"),
    "numbers that are taken": ("A.png", "a.png", "a-2.png", "a-2.jpg", "a-png.jpg", "a.jpg"),
    "accents": ("caf\u00e9.png", "cafe\u0301.png", "Cafe\u0301.jpg", "cafe\u0301/x.png", "caf\u00e9/x.png"),
    "letters that fold to two": ("stra\u00dfe.png", "STRASSE.png"),
    "long names": (f"{LONG}.png", f"{LONG}a.png", f"{LONG}b.png", f"{LONG}b.jpg", f"sub/{LONG[1:]}.jpg"),
}
"""Names that some disk takes for one, or that leave no room for an ending."""


def results(folder: Path, *inputs: str, output: str = "out") -> dict[str, str]:
    """Names of sources and results."""
    tasks = find_tasks(
        [Place(str(folder / given)) for given in inputs],
        Place(str(folder / output)),
        "-x4",
        lambda _, name: ".png",
    )
    return {task.address.removeprefix(f"{folder}/"): task.result for task in tasks}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("in/a.png", "in/a.jpg", "in/sub/b.webp", "in/.hidden/c.png", "in/notes.txt", "in/out/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def store() -> Iterator[Any]:
    """A file system in memory, which takes any name."""
    system: Any = importlib.import_module("fsspec").filesystem("memory")
    yield system
    system.store.clear()


@pytest.mark.parametrize("names", TABLE.values(), ids=TABLE)
def test_names_are_those_of_one_machine(names: tuple[str, ...], store: Any, tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
        store.pipe_file(f"/in/{name}", b"")
    if len([path for path in folder.rglob("*") if path.is_file()]) < len(names):
        pytest.skip("this disk takes some of the names for one")
    sources = find_sources([folder], output).sources
    jobs = target_names(sources, output, "-x4", lambda _: (".png", ""), Journals()).jobs
    alone = {
        job.source.relative_to(folder).as_posix(): job.target.relative_to(output).as_posix() for job in jobs
    }
    assert len(alone) == len({result.casefold() for result in alone.values()}) == len(names)
    for source, target in (("memory://in", "memory://out"), (str(folder), str(output))):
        tasks = find_tasks([Place(source)], Place(target), "-x4", lambda _, name: ".png")
        assert {task.name: task.result for task in tasks} == alone


def test_a_journal_of_one_machine_counts(folder: Path) -> None:
    journal = Journal(folder / "out")
    (folder / "out").mkdir()
    assert journal.claim(folder / "out" / "b-2-x4.png", journal.key(folder / "in/sub/b.webp"))
    assert results(folder, "in/sub") == {"in/sub/b.webp": "b-2-x4.png"}


def test_a_file_that_is_given_is_taken_whatever_its_name(folder: Path) -> None:
    assert results(folder, "in/notes.txt") == {"in/notes.txt": "notes-x4.png"}
    assert results(folder, "in/.hidden/c.png") == {"in/.hidden/c.png": "c-x4.png"}


def test_a_folder_is_not_its_own_output(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError, match="is both the input and the output folder"):
        results(folder, "in", output="in/")
    with pytest.raises(ConfigError, match="is both the input and the output folder"):
        find_tasks([Place("in")], Place(str(folder / "in")), "-x4", lambda _, name: ".png")


def test_hidden_files_and_results_are_left_out(folder: Path) -> None:
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
    assert found == {"in/sub/b.webp": "b-x4.png", "more/b.webp": "b-2-x4.png"}


def test_a_folder_that_is_not_there(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing is not there"):
        results(folder, "nothing")


def test_addresses_that_nobody_knows(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"nosuch://bucket.*nosuch"):
        find_tasks([Place("nosuch://bucket")], Place(str(folder)), "-x4", lambda _, name: ".png")


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
    tasks = find_tasks(
        [Listed(str(tmp_path / "in"))], Place(str(tmp_path / "out")), "-x4", lambda _, name: ".png"
    )
    names = {task.name: task.result for task in tasks}
    assert names["a.png"] == "a-x4.png"
    assert names["e\nf.png"] == "e\nf-x4.png"
    assert len(set(names.values())) == len(names)
    for result in names.values():
        place = (tmp_path / "out" / f"./{result}").resolve()
        assert place.is_relative_to(tmp_path / "out"), result
    assert not [name for name in names if ".." in name.split("/")]
