"""Pages that lie beside docs/, and links that lead out of docs/.

The README is the first page of the site, and other Markdown files of the repository are pages too. A link
to one of them leads to its page; a link to any other file of the repository becomes its text, since the site
holds no source files.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "RELEASING.md": "project/releasing.md",
    "SECURITY.md": "project/security.md",
    "THIRD_PARTY.md": "project/third-party.md",
    "examples/comfyui/README.md": "how-to/comfyui.md",
    "training/README.md": "project/trainings.md",
    "web/README.md": "project/tfjs-esrgan.md",
}
SOURCES = {uri: source for source, uri in BESIDE.items()}
# a link or an image; and first what may look like one, but is code
LINK = re.compile(
    r"(?P<code>^```.*?^```$|`[^`\n]+`)|(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)",
    re.DOTALL | re.MULTILINE,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages beside docs/, and the pictures on them that lie outside docs/ too."""
    for source, uri in BESIDE.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / source)))
        for name, place in pictures_of(source, uri).items():
            files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def pictures_of(source: str, uri: str) -> dict[str, str]:
    """Pictures outside docs/ that a page shows, and their places in the site.

    Args:
        source: the page's file, relative to the repository.
        uri: its place in the site.
    """
    found: dict[str, str] = {}
    for match in LINK.finditer((ROOT / source).read_text(encoding="utf-8")):
        if match["image"] and "://" not in match["target"]:
            file = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["target"]))
            if not file.startswith("docs/") and (ROOT / file).is_file():
                found[file] = posixpath.normpath(posixpath.join(posixpath.dirname(uri), match["target"]))
    return found


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page that is a file of the repository; generated pages have none to turn."""
    source = SOURCES.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return turned(markdown, source, page.file.src_uri) if (ROOT / source).exists() else markdown


def turned(markdown: str, source: str, uri: str) -> str:
    """Markdown whose links lead to pages of the site.

    Args:
        markdown: the text of a page.
        source: its file, relative to the repository.
        uri: its place in the site.

    Returns:
        The text; a link that leads nowhere is as it was, and MkDocs complains of it.
    """

    def turn(match: re.Match[str]) -> str:
        target = match["target"]
        if match["code"] or "://" in target or target.startswith("mailto:"):
            return match[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if file.startswith("docs/"):
            place = file.removeprefix("docs/")
        elif file in BESIDE:
            place = BESIDE[file]
        else:
            return match["text"] if (ROOT / file).exists() and not match["image"] else match[0]
        place = posixpath.relpath(place, posixpath.dirname(uri) or ".")
        text = match["text"] if match["image"] else LINK.sub(turn, match["text"])
        return f"{match['image']}[{text}]({place}{match['anchor'] or ''})"

    return LINK.sub(turn, markdown)
