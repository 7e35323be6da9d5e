"""The site is whole: no page of it loads anything from elsewhere."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError

ELSEWHERE = r"(?:https?:)?//[^\"')\s>]+"
LOADS = (
    re.compile(
        rf"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=[\"']?({ELSEWHERE})", re.IGNORECASE
    ),
    re.compile(
        rf"<link\b(?![^>]*rel=[\"']?(?:canonical|edit))[^>]*\bhref=[\"']?({ELSEWHERE})", re.IGNORECASE
    ),
    re.compile(rf"url\([\"']?({ELSEWHERE})"),
    re.compile(rf"@import\s+[\"']({ELSEWHERE})"),
)


def on_post_build(config: MkDocsConfig) -> None:
    """Look through every page and style sheet.

    Raises:
        PluginError: some load from elsewhere; it names them.
    """
    if found := elsewhere(Path(config.site_dir)):
        raise PluginError("the site loads from elsewhere:\n" + "\n".join(found))


def elsewhere(site: Path) -> list[str]:
    """`file: address` for all that a page or a style sheet of the site would fetch from another host."""
    return [
        f"{file.relative_to(site).as_posix()}: {match[1]}"
        for file in sorted(site.rglob("*"))
        if file.suffix in (".html", ".css")
        for pattern in LOADS
        for match in pattern.finditer(file.read_text(encoding="utf-8"))
    ]
