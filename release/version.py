"""The version: pyproject.toml has it, and these files repeat it.

python -m release.version          says it, or which files differ
python -m release.version 0.2.0    writes it into all of them
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FORM = r"\d+\.\d+\.\d+"
# how often each file has the version, and what stands before and after it there
PLACES: dict[str, tuple[int, str, str]] = {
    "pyproject.toml": (1, r'^version = "', '"'),
    "CITATION.cff": (1, "^version: ", "$"),
    "web/package.json": (1, r'^  "version": "', '"'),
    # of the package itself, once at the top and once in its list of packages
    "web/package-lock.json": (2, r'"name": "tfjs-esrgan",\n\s+"version": "', '"'),
}
HEADING = re.compile(rf"^## ({FORM}), (unreleased|\d{{4}}-\d\d-\d\d)$", re.MULTILINE)


class VersionError(Exception):
    """Files that do not say the same version, or a version that is none."""


def agreed(root: Path = ROOT) -> str:
    """The version that all files have.

    Raises:
        VersionError: they have different ones, or one has none; or CHANGELOG.md does not begin with it.
    """
    found = {name: versions_in(root / name, *place[1:]) for name, place in PLACES.items()}
    for name, (count, _, _) in PLACES.items():
        if len(found[name]) != count:
            raise VersionError(
                f"{name} has the version {len(found[name])} times; it has to have it {count} times"
            )
    heading = HEADING.search((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    found["CHANGELOG.md"] = [heading[1]] if heading else []
    versions = {version for each in found.values() for version in each}
    if len(versions) != 1 or not all(found.values()):
        lines = [f"{name}: {', '.join(each) or 'none'}" for name, each in found.items()]
        raise VersionError("the version is not the same everywhere:\n" + "\n".join(lines))
    return versions.pop()


def versions_in(file: Path, before: str, after: str) -> list[str]:
    """What a file has between two patterns, wherever they stand."""
    text = file.read_text(encoding="utf-8")
    return re.findall(f'{before}([^"\n]+){after}', text, re.MULTILINE)


def write(version: str, root: Path = ROOT) -> None:
    """Write a version into every file but CHANGELOG.md, whose heading is written by hand.

    Raises:
        VersionError: it is not three numbers, the one form that Python's and npm's registries share.
    """
    if not re.fullmatch(FORM, version):
        raise VersionError(f"{version!r} is not a version such as 0.2.0")
    for name, (_, before, after) in PLACES.items():
        file = root / name
        text = file.read_text(encoding="utf-8")
        pattern = re.compile(f'({before})[^"\n]+({after})', re.MULTILINE)
        file.write_text(pattern.sub(rf"\g<1>{version}\g<2>", text), encoding="utf-8")


if __name__ == "__main__":
    try:
        if len(sys.argv) > 1:
            write(sys.argv[1])
        print(agreed())
    except VersionError as error:
        sys.exit(str(error))
