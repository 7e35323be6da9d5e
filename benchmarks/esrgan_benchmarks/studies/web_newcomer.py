"""A newcomer's first picture in a page, by tfjs-esrgan and by UpscalerJS, each as its README says.

    python -m esrgan_benchmarks web_newcomer --work DIR [--rounds N]

Each library is installed into an empty project from its package, and a page that runs its README's lines is
built by Vite; each round is a browser that was never there. The model of UpscalerJS comes from a site that
serves npm's packages, for which the packages that were installed stand in. Needed: Node, Chromium,
`npm run build` in `web/`, and npm's registry.
Rows go to `results/web.jsonl`.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esrgan_benchmarks.core.measure import Spread
from esrgan_benchmarks.core.record import Row, append
from esrgan_benchmarks.studies.web import BENCH, PHOTO
from esrgan_bridge.errors import MissingRuntimeError

VITE = "vite@8"
PAGE = '<!doctype html><link rel="icon" href="data:," /><script type="module" src="./main.js"></script>'
OURS = """
import { Upscaler } from "tfjs-esrgan";
let upscaler;
globalThis.again = async () => {
  const photo = await (await fetch("photo.jpg")).blob();
  const { image } = await upscaler.upscale(photo);
  return [image.height, image.width];
};
globalThis.first = async () => {
  upscaler = await Upscaler.load();
  return await globalThis.again();
};
"""
PEER = """
import Upscaler from "upscaler";
let upscaler;
globalThis.again = async () => {
  const image = new Image();
  image.src = await upscaler.upscale("photo.jpg");
  await image.decode();
  return [image.naturalHeight, image.naturalWidth];
};
globalThis.first = async () => {
  upscaler = new Upscaler();
  return await globalThis.again();
};
"""


@dataclass(frozen=True)
class Library:
    """What is tried.

    Args:
        name: as people call it.
        package: as npm names it.
        page: a program of its README's lines.
    """

    name: str
    package: str
    page: str


LIBRARIES = (Library("tfjs-esrgan", "tfjs-esrgan", OURS), Library("UpscalerJS", "upscaler", PEER))


def lines_of(readme: str) -> tuple[int, int]:
    """Lines of a README for the shell and for the program, up to the first picture.

    The program is the first block of code with an import in it; lines without code do not count. A README
    that names no installation needs one all the same.
    """
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    program = next(text for _, text in blocks if re.search(r"^import ", text, re.MULTILINE))
    code = [line for line in program.splitlines() if line.strip() and not line.strip().startswith("//")]
    before = readme[: readme.index(program)]
    return max(len(re.findall(r"^(?:npm|yarn|pnpm) \w+", before, re.MULTILINE)), 1), len(code)


def built(library: Library, source: str, work: Path) -> Row:
    """The library's site in `work`, and what installing it took."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "package.json").write_text('{ "private": true, "type": "module" }')
    (work / "index.html").write_text(PAGE)
    (work / "main.js").write_text(library.page)
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
    subprocess.run([*install, source], cwd=work, check=True)
    modules = work / "node_modules"
    files = [file for file in modules.rglob("*") if file.is_file() and not file.is_symlink()]
    listed = json.loads((modules / ".package-lock.json").read_text())["packages"]
    size = sum(file.stat().st_size for file in files)
    readme = (modules / library.package / "README.md").read_text(encoding="utf-8")
    version = json.loads((modules / library.package / "package.json").read_text())["version"]
    subprocess.run([*install, "--save-dev", VITE], cwd=work, check=True)
    subprocess.run(["npx", "vite", "build", "--logLevel", "error"], cwd=work, check=True)
    commands, lines = lines_of(readme)
    return {
        "version": version,
        "installed": size,
        "packages": len(listed),
        "commands": commands,
        "lines": lines,
    }


def first_pictures(library: Library, work: Path, browser: str, rounds: int) -> list[Row]:
    """Each round's first picture."""
    job = {
        "site": str(work / "dist"),
        "packages": str(work / "node_modules"),
        "picture": str(PHOTO),
        "chromium": browser,
        "rounds": rounds,
    }
    given, result = work / "job.json", work / "result.json"
    given.write_text(json.dumps(job), encoding="utf-8")
    subprocess.run(["node", "newcomer.js", str(given), str(result)], cwd=BENCH, check=True)
    return json.loads(result.read_text(encoding="utf-8"))


def measured(work: Path, browser: str, rounds: int) -> list[Row]:
    """Both libraries."""
    subprocess.run(
        ["npm", "pack", str(BENCH.parent), "--silent", "--pack-destination", str(work)], cwd=work, check=True
    )
    ours = str(next(work.glob("tfjs-esrgan-*.tgz")))
    lock = json.loads((BENCH / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    peer = lock["node_modules/upscaler"]["version"]
    sources = {"tfjs-esrgan": ours, "upscaler": f"upscaler@{peer}"}
    rows: list[Row] = []
    for library in LIBRARIES:
        place = work / library.package
        facts = built(library, sources[library.package], place)
        found = first_pictures(library, place, browser, rounds)
        rows.append(
            {
                "kind": "newcomer",
                "isolated": False,
                "library": library.name,
                **facts,
                "chromium": found[0]["chromium"],
                "tfjs": lock["node_modules/@tensorflow/tfjs"]["version"],
                "upscaler": peer,
                "seconds": Spread.of([each["seconds"] for each in found]).as_dict(),
                "again": Spread.of([each["again"] for each in found]).as_dict(),
                "bytes": found[0]["bytes"],
                "elsewhere": found[0]["elsewhere"],
                "result": found[0]["result"],
                "peak": max(each["peak"] for each in found),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=4)
    options: Any = parser.parse_args()
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None or shutil.which("npm") is None:
        raise MissingRuntimeError("this benchmark needs node, npm, chromium")
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    append("web", measured(work, browser, options.rounds))
