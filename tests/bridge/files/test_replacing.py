"""What an earlier conversion's folder may lose, without a network: files and records alone."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.files import replacing
from esrgan_bridge.files.checksums import hash_files
from esrgan_bridge.files.replacing import name_some, put_in_place, replaceable
from esrgan_bridge.parity.findings import ParityReport
from esrgan_bridge.parity.record import FILE


def contents(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()
    }


def fill(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def conversion(folder: Path, to: str, files: dict[str, str]) -> Path:
    """As `convert` leaves it: files, their record and the page."""
    fill(folder, files)
    report = ParityReport("tiny", to, "tf", "none", files=hash_files(folder))
    return fill(folder, {"parity.html": "page", FILE: report.to_json()})


@pytest.fixture
def earlier(tmp_path) -> Path:
    return conversion(tmp_path / "net", "tf", {"onnx/model.onnx": "old onnx", "tf/saved_model.pb": "old tf"})


@pytest.fixture
def building(tmp_path) -> Path:
    files = {"onnx/model.onnx": "new onnx", "tfjs/model.json": "new tfjs"}
    return conversion(tmp_path / ".building", "tfjs", files)


OLD = ["onnx/model.onnx", "tf/saved_model.pb", "parity.html", FILE]


def test_what_may_be_replaced(earlier, tmp_path):
    assert replaceable(tmp_path / "new", "tf", False) == []
    fill(earlier, {"notes.txt": "mine", "tf/variables/mine": "mine"})
    assert replaceable(earlier, "tf", False) == OLD
    assert replaceable(earlier, "onnx", True) == OLD
    with pytest.raises(ArtifactError, match=r"holds a conversion of tiny to tf, not to onnx; .*--overwrite"):
        replaceable(earlier, "onnx", False)
    (earlier / "tf" / "saved_model.pb").unlink()
    assert replaceable(earlier, "tf", False) == [name for name in OLD if "saved_model" not in name]


def test_a_file_that_was_changed_since(earlier):
    fill(earlier, {"onnx/model.onnx": "made smaller by hand"})
    with pytest.raises(ArtifactError, match=r"and onnx/model\.onnx changed since; .*--overwrite"):
        replaceable(earlier, "tf", False)
    assert replaceable(earlier, "tf", True) == OLD


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("text", ["", "[1, 2]", '{"format_version": 0}'])
def test_a_record_that_tells_nothing(earlier, text, overwrite):
    """Somebody else's parity.json, a damaged one, another release's."""
    fill(earlier, {FILE: text})
    with pytest.raises(ArtifactError, match="does not tell which of them `esrgan convert` made"):
        replaceable(earlier, "tf", overwrite)


@pytest.mark.parametrize("name", ["../precious", "/etc/hosts", "tf/../../precious", "linked/precious", ".."])
def test_a_record_that_leads_out_of_the_folder(earlier, tmp_path, name):
    fill(tmp_path / "elsewhere", {"precious": "mine"})
    (earlier / "linked").symlink_to(tmp_path / "elsewhere")
    record = json.loads((earlier / FILE).read_text())
    record["files"][name] = "00"
    fill(earlier, {FILE: json.dumps(record)})
    with pytest.raises(ArtifactError, match="which is outside of the folder"):
        replaceable(earlier, "tf", True)


def test_the_rest_stays(earlier, building):
    own = {"notes.txt": "mine", "tf/more": "mine", "tfjs/extra.json": "mine"}
    fill(earlier, own)
    (earlier / "link").symlink_to(building.parent)
    new = contents(building)
    assert put_in_place(building, earlier, OLD) == ["link", *own]
    assert (earlier / "link").is_symlink()
    (earlier / "link").unlink()
    assert contents(earlier) == own | new
    assert not list(building.parent.glob("*-old"))


@pytest.mark.usefixtures("no_swap")
def test_the_rest_stays_where_names_cannot_swap(earlier, building):
    test_the_rest_stays(earlier, building)


@pytest.mark.skipif(sys.platform != "linux", reason="asked of Linux here")
def test_there_is_no_moment_without_a_conversion(earlier, building, monkeypatch):
    """Whoever looks before and after the one step that matters finds a whole one, and the own files."""
    fill(earlier, {"notes.txt": "mine", "tf/more/notes.txt": "mine"})
    (earlier / "empty" / "inner").mkdir(parents=True)
    earlier.chmod(0o750)
    (earlier / "tf" / "more").chmod(0o700)
    seen, real_swap = [], replacing.swap

    def swap(first, second):
        seen.append(contents(second))
        done = real_swap(first, second)
        seen.append(contents(second))
        fill(first, {"late.txt": "put there a moment before"})
        return done

    monkeypatch.setattr(replacing, "swap", swap)
    before, new = contents(earlier), contents(building)
    own = {"notes.txt": "mine", "tf/more/notes.txt": "mine"}
    assert put_in_place(building, earlier, OLD) == [*own]
    assert seen == [before, own | new]
    assert contents(earlier) == own | new | {"late.txt": "put there a moment before"}
    assert (earlier / "empty" / "inner").is_dir()
    assert earlier.stat().st_mode & 0o777 == 0o750
    assert (earlier / "tf" / "more").stat().st_mode & 0o777 == 0o700
    assert not (earlier / "tf" / "saved_model.pb").exists()


def test_a_shell_that_stands_in_the_folder_stays_in_it(earlier, building, monkeypatch):
    monkeypatch.chdir(earlier)
    put_in_place(building, earlier, OLD)
    assert (Path.cwd() / "tfjs" / "model.json").read_text() == "new tfjs"


@pytest.mark.parametrize("fails", ["link", "swap"])
def test_where_names_or_links_cannot_nothing_is_left_of_the_attempt(earlier, building, monkeypatch, fails):
    def refuse(*_, **__):
        raise OSError(1, "Operation not permitted")

    if fails == "link":
        monkeypatch.setattr(os, "link", refuse)
    else:
        monkeypatch.setattr(replacing, "swap", lambda first, second: False)
    own = {"notes.txt": "mine", "tf/more/notes.txt": "mine"}
    fill(earlier, own)
    new = contents(building)
    put_in_place(building, earlier, OLD)
    assert contents(earlier) == own | new
    assert contents(building) == {}


def test_an_empty_folder_and_none(building, tmp_path):
    new = contents(building)
    (tmp_path / "empty").mkdir()
    assert put_in_place(shutil.copytree(building, tmp_path / "copy"), tmp_path / "empty", []) == []
    assert put_in_place(building, tmp_path / "none", []) == []
    assert contents(tmp_path / "empty") == contents(tmp_path / "none") == new


@pytest.mark.parametrize("name", ["tfjs/model.json", "tfjs", "tfjs/model.json/deeper"])
def test_a_file_of_ones_own_is_in_the_way(earlier, building, name):
    fill(earlier, {name: "mine"})
    before = contents(earlier)
    with pytest.raises(ArtifactError, match=r"tfjs\S* is in the way and was not made by an earlier"):
        put_in_place(building, earlier, OLD)
    assert contents(earlier) == before


def test_a_link_is_not_written_through(earlier, building, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (earlier / "tfjs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match="tfjs is in the way"):
        put_in_place(building, earlier, OLD)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.fixture
def no_swap(monkeypatch):
    """As on Windows and network drives: files move one by one."""
    monkeypatch.setattr(replacing, "swap", lambda first, second: False)


@pytest.mark.usefixtures("no_swap")
@pytest.mark.parametrize("failing", range(8))
def test_whatever_fails_the_old_files_come_back(earlier, building, monkeypatch, failing):
    """The n-th move fails when a part is written, as on a full disk."""
    fill(earlier, {"notes.txt": "mine"})
    before, calls, move = contents(earlier), [], shutil.move

    def fail(source, target):
        calls.append(source)
        if len(calls) == failing + 1:
            Path(target).write_text("part")
            raise OSError(28, "No space left on device")
        return move(source, target)

    monkeypatch.setattr(shutil, "move", fail)
    with pytest.raises(OSError, match="No space left"):
        put_in_place(building, earlier, OLD)
    assert contents(earlier) == before
    assert not (earlier / "tfjs").exists()
    assert not list(building.parent.glob("*-old"))


def test_names_are_not_a_thousand():
    assert name_some([*"abcde"]) == "a, b, c, d, e"
    assert name_some([*"abcdefg"]) == "a, b, c, d, e and 2 more"
