"""What the README and docs/ say to type is typed here, and every link leads somewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# these are followed from top to bottom, in one folder
COURSES = [page for page in PAGES if page.parent.name in ("tutorials", "how-to")]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGE_LANGUAGES = ("html", "ts", "js")
# pages that the site alone has, whose links `mkdocs build --strict` follows
MADE = re.compile(r"docs/reference/(commands|python|tfjs-esrgan)/")
LINK = re.compile(r"\]\(([^)#]+)")


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """(language, text) of every block to run here; docs.test.ts of web/test/browser runs the pages."""
    return [
        (match[1], match[2])
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if match[1] and match[1] not in PAGE_LANGUAGES
    ]


def blocks() -> list[tuple[Path, str, str]]:
    """(page, language, text) of every block that stands alone."""
    return [(page, *block) for page in PAGES if page not in COURSES for block in blocks_of(page)]


@pytest.mark.official
@pytest.mark.xdist_group("documents")  # one after the other: each wants all cores
@pytest.mark.parametrize(
    ("page", "language", "text"), blocks(), ids=lambda value: value.name if isinstance(value, Path) else ""
)
def test_blocks_run(page: Path, language: str, text: str, tmp_path: Path) -> None:
    if not text.startswith("make "):
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
    run(page, language, text, ROOT if text.startswith("make ") else tmp_path)


@pytest.mark.official
@pytest.mark.xdist_group("documents")
@pytest.mark.parametrize(
    "page", [page for page in COURSES if blocks_of(page)], ids=lambda page: f"{page.parent.name}/{page.name}"
)
def test_a_course_is_followed(page: Path, tmp_path: Path) -> None:
    """What has no language is for the reader alone: installing, and what waits for a key to be pressed."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for language, text in blocks_of(page):
        run(page, language, text, tmp_path)


def run(page: Path, language: str, text: str, folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    commands = {
        "bash": ["bash", "-e", "-u", "-c", text],
        "python": [sys.executable, "-W", "error", "-c", text],
    }
    result = subprocess.run(
        commands[language], cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )
    assert result.returncode == 0, f"{page.name}:\n{text}\n{result.stdout}\n{result.stderr}"


def test_the_readme_has_blocks_of_both_kinds() -> None:
    """Else the test above would pass on nothing."""
    found = [language for page, language, _ in blocks() if page.name == "README.md"]
    assert found.count("bash") >= 2
    assert found.count("python") >= 1


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("[A-Z]*.md")], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    missing = [link for link in targets if not (page.parent / link).exists()]
    assert [link for link in missing if not MADE.match(os.path.relpath(page.parent / link, ROOT))] == []


def test_every_row_of_the_bad_inputs_names_tests_that_exist() -> None:
    rows = [line for line in (ROOT / "docs" / "errors.md").read_text().splitlines() if line.startswith("| ")]
    for row in rows[1:]:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, name in named:
            assert f"def {name}(" in (ROOT / "tests" / file).read_text(), row


def test_messages_of_bad_inputs_are_those_of_the_code() -> None:
    """At least a run of three words of each, and a third of its words: the others are names and numbers."""
    known = spoken()
    strange: list[str] = []
    for row in (ROOT / "docs" / "errors.md").read_text().splitlines():
        if not row.startswith("| ") or row.startswith("| given"):
            continue
        cells = row[1:-1].split("|")
        assert len(cells) == 4, row
        messages = re.sub(r"``.+?``|`.+?`", "", cells[1])
        assert messages.strip(" ,") == "", f"more than messages in: {cells[1]}"
        for double, single in re.findall(r"``(.+?)``|`(.+?)`", cells[1]):
            words = (double or single).split()
            runs = [i for i in range(len(words) - 2) if " ".join(words[i : i + 3]) in known]
            covered = {place for i in runs for place in (i, i + 1, i + 2)}
            if 3 * len(covered) < len(words):
                strange.append(double or single)
    assert strange == []


def spoken() -> str:
    """The code of the packages, the texts that are broken into several lines joined again."""
    sources = [
        path.read_text(encoding="utf-8")
        for package in ("esrgan_torch", "weights", "bridge", "benchmarks", "cli")
        for path in (ROOT / package).rglob("*.py")
    ]
    return re.sub(r'"\s+f?"', "", "\n".join(sources))
