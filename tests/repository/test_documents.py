"""What the README and docs/ say to type is typed here, and every link leads somewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGE_LANGUAGES = ("html", "ts")
LINK = re.compile(r"\]\(([^)#]+)")


def blocks() -> list[tuple[Path, str, str]]:
    """(page, language, text) of every block to run here; docs.test.ts of web/test/browser runs the pages."""
    return [
        (page, match[1], match[2])
        for page in PAGES
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if match[1] and match[1] not in PAGE_LANGUAGES
    ]


@pytest.mark.official
@pytest.mark.xdist_group("documents")  # one after the other: each wants all cores
@pytest.mark.parametrize(
    ("page", "language", "text"), blocks(), ids=lambda value: value.name if isinstance(value, Path) else ""
)
def test_blocks_run(page: Path, language: str, text: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    folder = tmp_path
    if text.startswith("make "):
        folder = ROOT
    else:
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
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
    assert [link for link in targets if not (page.parent / link).exists()] == []


def test_every_row_of_the_bad_inputs_names_tests_that_exist() -> None:
    rows = [line for line in (ROOT / "docs" / "errors.md").read_text().splitlines() if line.startswith("| ")]
    for row in rows[1:]:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, name in named:
            assert f"def {name}(" in (ROOT / "tests" / file).read_text(), row
