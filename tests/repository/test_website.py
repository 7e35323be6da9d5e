"""What the site is made of beside the pages of docs/, and that nothing of it comes from elsewhere."""

import argparse
import importlib
from pathlib import Path

import pytest
from mkdocs.config import load_config

from esrgan_cli.main import make_parser
from website.commands import commands_of, escaped, overview, page_of
from website.docstrings import rewritten
from website.offline import elsewhere
from website.pages import BESIDE, ROOT, pictures_of, turned
from website.python_api import PACKAGES, public_names
from website.python_api import page_of as package_page


@pytest.mark.parametrize(
    ("source", "uri", "link", "expected"),
    [
        ("docs/web.md", "web.md", "[x](tiling.md#by-rows)", "[x](tiling.md#by-rows)"),
        ("docs/web.md", "web.md", "[x](../README.md)", "[x](index.md)"),
        ("docs/models/a.md", "models/a.md", "![x](../images/a.png)", "![x](../images/a.png)"),
        ("README.md", "index.md", "[x](docs/tiling.md#measured)", "[x](tiling.md#measured)"),
        ("README.md", "index.md", "![x](docs/images/a.png)", "![x](images/a.png)"),
        ("README.md", "index.md", "[`a.jpg`](examples/cat.jpg), b", "`a.jpg`, b"),
        ("CHANGELOG.md", "project/changelog.md", "[x](docs/web.md)", "[x](../web.md)"),
        ("README.md", "index.md", "[x](https://a.example/b)", "[x](https://a.example/b)"),
        ("README.md", "index.md", "[x](missing.md)", "[x](missing.md)"),
        ("README.md", "index.md", "`[x](docs/web.md)`", "`[x](docs/web.md)`"),
        ("README.md", "index.md", "```\n[x](docs/web.md)\n```", "```\n[x](docs/web.md)\n```"),
        ("README.md", "index.md", "[![x](docs/a.png)](docs/web.md)", "[![x](a.png)](web.md)"),
    ],
)
def test_links_lead_to_pages(source: str, uri: str, link: str, expected: str) -> None:
    assert turned(link, source, uri) == expected


def test_what_lies_beside_the_docs_is_there() -> None:
    assert [source for source in BESIDE if not (ROOT / source).is_file()] == []


def test_pictures_beside_the_docs_are_on_the_site() -> None:
    assert pictures_of("training/README.md", "project/trainings.md") == {
        "training/esrgan-lite-x4-2.svg": "project/esrgan-lite-x4-2.svg"
    }
    assert pictures_of("README.md", "index.md") == {}  # all of docs/images


def test_every_option_of_every_command_is_on_its_page() -> None:
    parser = make_parser()
    commands = commands_of(parser)
    assert {"upscale", "weights", "convert", "train"} <= commands.keys()
    for name, (command, _) in commands.items():
        assert f"({name}.md)" in overview(parser)
        text = page_of(command)
        for one in (command, *(verb for verb, _ in commands_of(command).values())):
            assert f"# {one.prog}\n" in text
            for action in one._actions:
                if action.help != argparse.SUPPRESS:
                    assert all(option in text for option in action.option_strings)


def test_what_help_says_is_no_markup() -> None:
    assert escaped("a_b *c* <d> `e_f` [g] h|i") == r"a\_b \*c\* \<d\> `e_f` \[g\] h\|i"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_on_its_page(package: str) -> None:
    names = set(importlib.import_module(package).__all__) - {"__version__"}
    found = [name for each in public_names(PACKAGES[package] / "__init__.py").values() for name in each]
    assert sorted(found) == sorted(names)
    text = package_page(package, PACKAGES[package])
    assert all(f"::: {package}.{name}\n" in text for name in names)


def test_docstrings_as_griffe_wants_them() -> None:
    house = "Cut.\n\nArgs:\n    height, width: of it,\n        in pixels.\n    other: no.\n\n"
    house += "Example:\n    >>> a\n"
    apart = "Cut.\n\nArgs:\n    height: of it,\n        in pixels.\n    width: of it,\n        in pixels.\n"
    assert rewritten(house) == apart + "    other: no.\n\nExamples:\n    >>> a\n"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.html", '<script src="https://a.example/b.js"></script>', "https://a.example/b.js"),
        ("a.html", '<link rel="stylesheet" href="//a.example/b.css">', "//a.example/b.css"),
        ("a.html", "<img alt='x' src=https://a.example/b.png>", "https://a.example/b.png"),
        ("a.css", "@font-face { src: url(https://a.example/b.woff2) }", "https://a.example/b.woff2"),
        ("a.css", '@import "https://a.example/b.css";', "https://a.example/b.css"),
        ("a.html", '<a href="https://a.example/">x</a> <script src="b.js"></script>', None),
        ("a.html", "<img src='data:image/png;base64,AAAA//BB'>", None),
    ],
)
def test_what_comes_from_elsewhere_is_found(name: str, text: str, found: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert elsewhere(tmp_path) == ([f"{name}: {found}"] if found else [])


def test_the_site_needs_no_network() -> None:
    """Fonts from elsewhere, and a script for searching in files, are the theme's defaults."""
    settings = load_config(str(ROOT / "mkdocs.yml"))
    assert settings.theme["font"] is False
    assert [str(script) for script in settings.extra["polyfills"]] == ["assets/iframe-worker.js"]
