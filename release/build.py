"""Everything that a release publishes, checked and tried: `make release`.

`make wheel` has made the wheels before. This adds the source archive and the package for npm, looks into
each, has the registries' own tools check them, and installs each into an empty environment and runs it there.
At the end it says what is left to type, for whoever has the keys.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from esrgan_torch.engines.native.targets import WHEELS
from release.contents import faults
from release.version import HEADING, agreed

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
PICTURE = ROOT / "examples" / "cat.jpg"


def main() -> None:
    version = agreed()
    step(f"version {version}, the same everywhere")

    run(sys.executable, "-m", "build", "--sdist", "--outdir", DIST, ".", show=False)
    packed = DIST / "npm"
    shutil.rmtree(packed, ignore_errors=True)
    packed.mkdir(parents=True)
    run("npm", "pack", "--silent", "--pack-destination", packed, folder=ROOT / "web", show=False)
    (npm,) = packed.glob("*.tgz")
    (sdist,) = DIST.glob("*.tar.gz")
    wheels = sorted(DIST.glob("*.whl"))
    for file in (*wheels, sdist, npm):
        if f"-{version}" not in file.name:
            sys.exit(f"{file.name} is not of version {version}: make clean, then make release")
        if found := faults(file):
            sys.exit(f"{file.name}\n  " + "\n  ".join(found))
        step(f"{file.name}, {file.stat().st_size / 1e6:.2f} MB: holds what it has to, and nothing else")

    run(sys.executable, "-m", "twine", "check", "--strict", *wheels, sdist)
    run("npm", "publish", "--dry-run", "--silent", npm, folder=packed)
    step("twine check and npm publish --dry-run have no complaint")

    for file in (*wheels, sdist):
        if runs_here(file):
            step(f"{file.name}, in an empty environment:")
            run(sys.executable, ROOT / ".ci" / "wheel-alone", file, ROOT / "constraints.txt", PICTURE)
    step(f"{npm.name}, in an empty project:")
    try_npm(npm)

    dirty = output("git", "status", "--porcelain", "--untracked-files=no")
    heading = HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    print("\nWhat is left, for whoever has the keys (RELEASING.md):")
    if dirty:
        print("  commit first, and `make release` again: these files are not of a commit")
    if heading and heading[2] == "unreleased":
        print("  in CHANGELOG.md, the date in place of `unreleased`; commit, and `make release` again")
    print(f"  git tag v{version}\n  twine upload {DIST.name}/*.whl {DIST.name}/*.tar.gz")
    print(f"  npm publish {npm.relative_to(ROOT).as_posix()}")


def runs_here(file: Path) -> bool:
    """Whether a wheel or a source archive is for this system."""
    machine = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    here = [
        target.tag for target in WHEELS.values() if (target.system, target.machine) == (sys.platform, machine)
    ]
    return file.name.endswith(("-any.whl", ".tar.gz", *(f"-{tag}.whl" for tag in here)))


def try_npm(package: Path) -> None:
    """Install the package into an empty project, and enlarge the picture there, from its own model."""
    with TemporaryDirectory() as name:
        run("npm", "init", "--yes", "--silent", folder=Path(name), show=False)
        run("npm", "install", "--silent", "--no-audit", "--no-fund", package, folder=Path(name))
        run("npx", "--no", "tfjs-esrgan", "upscale", PICTURE, "out.png", folder=Path(name))
        header = (Path(name) / "out.png").read_bytes()[:24]
        size = (int.from_bytes(header[16:20]), int.from_bytes(header[20:24]))
        if header[:4] != b"\x89PNG" or size != (720, 560):
            sys.exit(f"tfjs-esrgan upscale made no PNG of 720x560 pixels: {header!r}")
        print("tfjs-esrgan upscale: out.png, 720x560")


def run(*command: str | Path, folder: Path = ROOT, show: bool = True) -> None:
    """Run a command; what it prints is shown, or else shown where it fails.

    Raises:
        SystemExit: it failed.
    """
    pipe = None if show else subprocess.PIPE
    done = subprocess.run(command, cwd=folder, stdout=pipe, stderr=pipe, text=True, check=False)
    if done.returncode:
        said = f"{done.stdout or ''}{done.stderr or ''}"
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}\n{said}")


def output(*command: str) -> str:
    """What a command prints, without the line's end."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def step(text: str) -> None:
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    main()
