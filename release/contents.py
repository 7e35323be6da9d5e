"""What each file of a release has to hold, and what it must not."""

import tarfile
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

# neither is anything's business but that of the machine where it was made
LEFTOVERS = (
    *("*.pyc", "*/__pycache__/*", "*/.venv*", "*/node_modules/*", "*.pth", "*.pt", "*.ckpt", "*.cubin"),
    *(
        "*/.git/*",
        "*/.env",
        "*/runs/*",
        "*/build/*",
        "*/.hypothesis/*",
        "*.log",
        "*/.DS_Store",
        "*~",
        "*.orig",
    ),
)
PACKAGES = ("esrgan_torch", "esrgan_weights", "esrgan_bridge", "esrgan_benchmarks", "esrgan_cli")


@dataclass(frozen=True)
class Rules:
    """Patterns of names, as `fnmatch` reads them; * goes across folders.

    Args:
        must: each is met by at least one file.
        must_not: none is met by any.
        only: every file meets one of them; empty: any file may be there.
    """

    must: tuple[str, ...]
    must_not: tuple[str, ...] = LEFTOVERS
    only: tuple[str, ...] = ()

    def faults(self, names: list[str]) -> list[str]:
        """What is wrong with an archive of these files, a line each."""
        found = [f"lacks {rule}" for rule in self.must if not any(fnmatch(name, rule) for name in names)]
        for name in names:
            # a folder at the top is one in any folder
            found += [f"has {name} ({rule})" for rule in self.must_not if fnmatch(f"./{name}", rule)]
            if self.only and not any(fnmatch(name, rule) for rule in self.only):
                found.append(f"has {name}, which is of no part of it")
        return found


# what `make wheel` makes before, and a wheel of a bare checkout lacks
MADE = ("esrgan_cli/demo_files/index.html", "esrgan_bridge/tfjs_runner/kernels.js")
WHEEL = Rules(
    must=(
        *MADE,
        *(f"{package}/{name}" for package in PACKAGES for name in ("__init__.py", "py.typed")),
        "esrgan_weights/registry.toml",
        "esrgan_weights/bundled/esrgan-lite-x4.safetensors",
        "esrgan_weights/bundled/esrgan-lite-x2.safetensors",
        "esrgan_weights/bundled/esrgan-lite-x4-gan.safetensors",
        "esrgan_torch/engines/native/source/kernels.c",
        "esrgan_torch/train/recipes/lite-x4.toml",
        "esrgan_cli/output/page.html",
        "esrgan_bridge/parity/report.html",
        "esrgan_benchmarks/bench/report.html",
        "*.dist-info/licenses/LICENSE",
        "*.dist-info/licenses/THIRD_PARTY.md",
    ),
    must_not=(*LEFTOVERS, "*/studies/*", "*/tests/*"),
    only=(*(f"{package}/*" for package in PACKAGES), "*.dist-info/*"),
)
NATIVE = "esrgan_torch/engines/native/lib/libesrgan-*"
SDIST = Rules(
    must=(
        *("pyproject.toml", "PKG-INFO", "hatch_build.py", "Makefile", "mkdocs.yml"),
        *("constraints.txt", "constraints-indirect.txt"),
        *("README.md", "LICENSE", "THIRD_PARTY.md", "CHANGELOG.md", "CONTRIBUTING.md", "RELEASING.md"),
        *("SECURITY.md", "CITATION.cff", "docs/tutorials/first-picture.md", "examples/cat.jpg"),
        *(
            "weights/esrgan_weights/bundled/esrgan-lite-x4.safetensors",
            "web/package.json",
            "web/src/index.ts",
        ),
        *("tests/repository/test_packaging.py", "website/pages.py", "release/contents.py"),
    ),
    must_not=(*LEFTOVERS, "*/benchmarks/results/*", "*/.ci/*"),
)
NPM = Rules(
    must=(
        *("package.json", "README.md", "LICENSE", "THIRD_PARTY.md", "bin/tfjs-esrgan.js"),
        *("dist/node.js", "dist/inline.js", "dist/serve.js", "dist/page/index.js", "dist/page/worker.js"),
        *("dist/types/index.d.ts", "dist/types/node.d.ts", "dist/*.wasm"),
    ),
    must_not=(*LEFTOVERS, "*/test/*", "*/src/*", "*/demo/*", "*.map"),
    only=("bin/*", "dist/*", "package.json", "README.md", "LICENSE", "THIRD_PARTY.md"),
)


def faults(file: Path) -> list[str]:
    """What is wrong with a wheel (.whl), a source archive (.tar.gz) or a package of npm's (.tgz)."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
        found = WHEEL.faults(names)
        libraries = [name for name in names if fnmatch(name, NATIVE)]
        wanted = 0 if file.stem.endswith("-any") else 1
        if len(libraries) != wanted:
            found.append(f"has {len(libraries)} native libraries, and should have {wanted}")
        return found
    with tarfile.open(file) as archive:  # all lies in one folder
        names = [member.name.partition("/")[2] for member in archive if member.isfile()]
    return (NPM if file.suffix == ".tgz" else SDIST).faults(names)
