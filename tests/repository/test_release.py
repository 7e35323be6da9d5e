"""A release: one version everywhere, and files that hold what they must and nothing else."""

import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from release.contents import NPM, SDIST, WHEEL, Rules, faults
from release.version import PLACES, VersionError, agreed, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in (*PLACES, "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_version_is_the_same_everywhere() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", agreed())


@pytest.mark.parametrize("name", [*PLACES, "CHANGELOG.md"])
def test_a_file_that_differs_is_named(name: str, copied: Path) -> None:
    file = copied / name
    now = agreed()
    file.write_text(file.read_text().replace(now, "9.8.7", 1))
    with pytest.raises(VersionError, match=rf"(?s){name}: 9\.8\.7"):
        agreed(copied)


def test_a_new_version_is_written_everywhere_and_nothing_else_changes(copied: Path) -> None:
    before = agreed()
    write("12.34.56", copied)
    changelog = copied / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace(before, "12.34.56", 1))
    assert agreed(copied) == "12.34.56"
    write(before, copied)
    for name in PLACES:
        assert (copied / name).read_text() == (ROOT / name).read_text(), name


@pytest.mark.parametrize("wrong", ["1.0", "v1.0.0", "1.0.0rc1", "", "1.0.0\n"])
def test_a_version_that_is_none(wrong: str, copied: Path) -> None:
    with pytest.raises(VersionError, match="such as"):
        write(wrong, copied)


def test_the_rules_see_what_lacks_and_what_does_not_belong() -> None:
    rules = Rules(
        must=("a.txt", "data/*"), must_not=("*/secret/*", "*.pyc"), only=("a.txt", "data/*", "more/*")
    )
    assert rules.faults(["a.txt", "data/one", "more/x"]) == []
    found = rules.faults(["data/one.pyc", "secret/key", "more/secret/key"])
    assert [line.split(" (")[0].split(",")[0] for line in found] == [
        "lacks a.txt",
        "has data/one.pyc",
        "has secret/key",
        "has secret/key",
        "has more/secret/key",
    ]


def test_a_leftover_is_found_in_every_kind_of_file(tmp_path: Path) -> None:
    """Files that hold all that they must, and a checkpoint that nobody meant to publish."""
    for rules, name in ((WHEEL, "a-1.0.0-py3-none-any.whl"), (SDIST, "a-1.0.0.tar.gz"), (NPM, "a-1.0.0.tgz")):
        whole = [rule.replace("*", "x") for rule in rules.must]
        for extra, expected in (([], 0), (["my.pth"], 2 if rules.only else 1)):
            file = tmp_path / name
            if file.suffix == ".whl":
                with zipfile.ZipFile(file, "w") as archive:
                    for member in [*whole, *extra]:
                        archive.writestr(member, "")
            else:
                with tarfile.open(file, "w:gz") as archive:
                    for member in [*whole, *extra]:
                        archive.addfile(tarfile.TarInfo(f"a-1.0.0/{member}"), io.BytesIO())
            assert len(faults(file)) == expected, (name, faults(file))


def test_a_wheel_for_a_system_has_one_library(tmp_path: Path) -> None:
    whole = [rule.replace("*", "x") for rule in WHEEL.must]
    library = "esrgan_torch/engines/native/lib/libesrgan-1-linux-x86_64.so"
    for name, members, wrong in (
        ("a-1.0.0-py3-none-any.whl", [], False),
        ("a-1.0.0-py3-none-any.whl", [library], True),
        ("a-1.0.0-py3-none-manylinux_2_17_x86_64.whl", [library], False),
        ("a-1.0.0-py3-none-manylinux_2_17_x86_64.whl", [], True),
    ):
        file = tmp_path / name
        with zipfile.ZipFile(file, "w") as archive:
            for member in [*whole, *members]:
                archive.writestr(member, "")
        assert bool(faults(file)) == wrong, faults(file)


def test_the_source_archive_holds_what_it_must(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--sdist", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    assert faults(archive) == []
    assert archive.stat().st_size < 12e6


def test_the_citation_is_one() -> None:
    """As the format's schema asks: these keys, and authors that are persons or have a name."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "version", "license", "references"} <= cited.keys()
    assert cited["authors"] == [{"name": "esrgan-torch contributors"}]
    titles = [reference["title"] for reference in cited["references"]]
    assert any(title.startswith("ESRGAN:") for title in titles)
    for reference in cited["references"]:
        assert {"type", "title", "authors", "year"} <= reference.keys()
        assert all({"given-names", "family-names"} == author.keys() for author in reference["authors"])


def test_no_file_names_an_address_of_the_project() -> None:
    """It has none yet, and a wrong one leads to strangers."""
    listed = subprocess.run(
        [
            "git",
            "grep",
            "-lI",
            "-E",
            r"(github|gitlab)\.(com|io)/esrgan-torch|esrgan-torch\.(org|dev|io|readthedocs)",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(listed.stdout.split()) <= {Path(__file__).relative_to(ROOT).as_posix()}
