"""A page for every public package, which mkdocstrings fills from the docstrings.

What is public stands in the package's `__init__.py`, under `TYPE_CHECKING`: modules, and names of each.
"""

import ast
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "esrgan_torch": ROOT / "esrgan_torch",
    "esrgan_weights": ROOT / "weights" / "esrgan_weights",
    "esrgan_bridge": ROOT / "bridge" / "esrgan_bridge",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each package."""
    for package, folder in PACKAGES.items():
        uri = f"reference/python/{package}.md"
        files.append(File.generated(config, uri, content=page_of(package, folder)))
    return files


def page_of(package: str, folder: Path) -> str:
    """The package's docstring, then every public name by the module that it comes from, errors last."""
    homes = public_names(folder / "__init__.py")
    lines = [f"# {package}", "", f"::: {package}", "    options:", "      members: false", ""]
    lines[-1:] = ["      show_root_heading: false", "      show_root_toc_entry: false", ""]
    for module in sorted(homes, key=lambda name: (name.endswith(".errors"), name)):
        lines += [f"## {title_of(module, package)}", ""]
        for name in homes[module]:
            lines += [f"::: {package}.{name}", "    options:", "      heading_level: 3", ""]
    return "\n".join(lines)


def public_names(init: Path) -> dict[str, list[str]]:
    """The names that a package's `__init__.py` imports for type checkers, by module."""
    homes: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(init.parent.name):
            homes.setdefault(node.module, []).extend(alias.name for alias in node.names)
    return homes


def title_of(module: str, package: str) -> str:
    """`esrgan_torch.images.files` is shown as `images.files`."""
    return module.removeprefix(f"{package}.")
