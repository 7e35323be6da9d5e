"""The pages of tfjs-esrgan, which typedoc has written before (`npm run docs` in web/)."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

WRITTEN = Path(__file__).parents[1] / "build" / "typedoc"
FOLDER = "reference/tfjs-esrgan"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what typedoc wrote.

    Raises:
        PluginError: it wrote nothing.
    """
    pages = sorted(WRITTEN.rglob("*.md"))
    if not pages:
        raise PluginError("build/typedoc has no pages: run `make docs`, or `npm run docs` in web/ first")
    for page in pages:
        uri = f"{FOLDER}/{page.relative_to(WRITTEN).as_posix()}"
        files.append(File.generated(config, uri, abs_src_path=str(page)))
    return files
