"""Pages are plain to read: short lines, and none of the phrases that only this project used."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from esrgan_benchmarks.studies.tables import PLACE
from esrgan_cli.main import make_parser

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
WIDTH = 100
# fenced code, and comments: those around what is made from rows too
NOT_PROSE = re.compile(r"^```.*?^```$|<!--.*?-->", re.DOTALL | re.MULTILINE)
PROJECTS = re.compile(r"<!-- projects -->.*?<!-- end of projects -->", re.DOTALL)
ODD = (
    "parity hop",
    "as people have them",
    "at every hop",
    "time of the reference's",
    "what it is for",
    "of one's own",
    "is told",
    "was told",
)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """(number, line) of the lines that are neither code, nor tables, nor made from rows."""
    for pattern in (PLACE, PROJECTS, NOT_PROSE):
        text = pattern.sub(lambda found: "\n" * found[0].count("\n"), text)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("|"):
            yield number, line


def too_long(text: str) -> list[int]:
    """The numbers of the lines that are too long to read; links' addresses and long code do not count."""
    links = re.compile(r"\]\([^)]*\)|<?https?://\S+|`[^`]{60,}`")
    return [
        number
        for number, line in prose(text)
        if len(links.sub("]", line)) > WIDTH and not line.startswith(("#", "!["))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_lines_of_prose_are_short(page: Path) -> None:
    assert too_long(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_odd_phrase(page: Path) -> None:
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    assert [phrase for phrase in ODD if phrase in text] == []


def test_no_odd_phrase_in_help() -> None:
    def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
        yield parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for below in action.choices.values():
                    yield from parsers(below)

    for parser in parsers(make_parser()):
        text = re.sub(r"\s+", " ", parser.format_help())
        assert [phrase for phrase in ODD if phrase in text] == [], parser.prog


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("word " * 30, [1]),
        ("short\n\n- " + "word " * 30, [3]),
        ("| " + "word " * 30, []),
        ("```\n" + "word " * 30 + "\n```\n" + "word " * 30, [4]),
        ("`" + "code " * 30 + "` b", []),
        ("[a](" + "long/" * 30 + ") b", []),
        ("<!-- rows: x -->\n" + "word " * 30 + "\n<!-- end of rows -->", []),
    ],
)
def test_such_lines_would_be_found(text: str, found: list[int]) -> None:
    assert too_long(text) == found
