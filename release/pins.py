"""The versions of packages that come with those of constraints.txt: `python -m release.pins`.

It writes constraints-indirect.txt: what the packages of pyproject.toml need, and what these need, in the
versions of the environment that runs it. With all of them pip has nothing to try out; without, it fetches
dozens of releases of one package on a fresh machine until one fits. The lines hold for Linux on x86-64
alone: elsewhere some of these versions have no wheels, and pip chooses for itself as before.
"""

import re
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distributions
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
DIRECT, INDIRECT = ROOT / "constraints.txt", ROOT / "constraints-indirect.txt"
WHERE = 'sys_platform == "linux" and platform_machine == "x86_64"'
HEAD = """\
# Versions of what comes with the packages of constraints.txt. Written by: .venv/bin/python -m release.pins
# after pip has installed '.[dev]' with constraints.txt alone into an empty .venv.
"""
_OURS = "esrgan-torch"
_CUDA = ("nvidia-", "cuda-")  # what PyTorch's build for CUDA brings


def main() -> None:
    """Write the file."""
    exact = {name for name, version in pinned(DIRECT).items() if version.startswith("==")}
    pins = [f"{name}=={version} ; {WHERE}\n" for name, version in installed().items() if name not in exact]
    INDIRECT.write_text(HEAD + "".join(pins), encoding="utf-8")
    print(f"{INDIRECT.name}: {len(pins)} packages")


def pinned(file: Path) -> dict[str, str]:
    """The names in a file of constraints, and what it says of their versions."""
    lines = (line.partition(";")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    found = (re.match(r"([A-Za-z0-9._-]+)(.+)", line) for line in lines)
    return {canonicalize_name(each[1]): each[2] for each in found if each is not None}


def _distribution(name: str) -> Distribution:
    """The package in this environment: Ray, once imported, puts a psutil of its own before it on the path."""
    places = list(dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib")))
    for found in distributions(name=name, path=places):
        return found
    raise PackageNotFoundError(name)


def installed() -> dict[str, str]:
    """All that `pip install '.[dev]'` brings, with its versions here, by name; not the project itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    found: dict[str, str] = {}
    waiting = [*project["dependencies"], *_of_extra("dev", extras)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen or not _applies(requirement):
                continue
            seen.add((name, extra))
            try:
                there = _distribution(name)
            except PackageNotFoundError as error:
                raise SystemExit(f"{name} is not installed; run make check first") from error
            if not name.startswith(_CUDA) and name != "pip":  # which need not replace itself
                found[name] = there.version.partition("+")[0]
            waiting += _needs(there.requires or (), extra)
    return dict(sorted(found.items()))


def _of_extra(extra: str, extras: dict[str, list[str]]) -> Iterator[str]:
    """Its requirements, with those of other extras that it names."""
    for text in extras[extra]:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) != _OURS:
            yield text
        for other in requirement.extras if canonicalize_name(requirement.name) == _OURS else ():
            yield from _of_extra(other, extras)


def _needs(requirements: Iterable[str], extra: str) -> Iterator[str]:
    """What a package asks for here, with one of its extras or with none ("")."""
    for text in requirements:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is not None and not marker.evaluate({**_environment(), "extra": extra}):
            continue
        requirement.marker = None
        yield str(requirement)


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(_environment())


def _environment() -> dict[str, str]:
    return {key: str(value) for key, value in default_environment().items()}


if __name__ == "__main__":
    main()
