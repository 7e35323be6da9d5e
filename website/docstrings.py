"""Docstrings as griffe wants them.

They name parameters together that share a text, `height, width: of the picture.`, where griffe wants one a
line; and of its sections only `Examples:` shows what stands behind `>>>` as code.
"""

import re
from typing import Any

from griffe import Extension, Object

SHARED = re.compile(
    r"^(?P<indent> +)(?P<names>\w+(?:, \w+)+): (?P<text>.*(?:\n(?P=indent) +.*)*)", re.MULTILINE
)


class HouseStyle(Extension):
    """Rewrites the docstrings of everything that is shown."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(docstring: str) -> str:
    """The docstring with a line for every name, and `Example:` as `Examples:`."""
    docstring = re.sub("^Example:$", "Examples:", docstring, flags=re.MULTILINE)
    return SHARED.sub(
        lambda found: "\n".join(
            f"{found['indent']}{name}: {found['text']}" for name in found["names"].split(", ")
        ),
        docstring,
    )
