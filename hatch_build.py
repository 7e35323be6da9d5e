"""What a wheel holds beside Python, and the page that a registry shows of it.

With `ESRGAN_WHEEL` it has the native engine's library for that system. Without it the wheel is for any
system, and the engine is compiled at its first use. `make wheel` makes all of them.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

ROOT = Path(__file__).parent


class NativeLibrary(BuildHookInterface):
    """Adds one file, and says for which system the wheel is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        name = os.environ.get("ESRGAN_WHEEL")
        if version == "editable" or not name:
            return
        sys.path.insert(0, str(ROOT))
        from esrgan_torch.engines.native.targets import PREBUILT, WHEELS, source_hash

        if name not in WHEELS:
            raise ValueError(f"ESRGAN_WHEEL is {', '.join(WHEELS)}, not {name}")
        library = PREBUILT / WHEELS[name].file_name(source_hash())
        if not library.exists():
            raise FileNotFoundError(
                f"{library} is missing: python -m esrgan_torch.engines.native.cross {name}"
            )
        build_data["artifacts"].append("/" + library.relative_to(ROOT).as_posix())
        build_data["tag"] = f"py3-none-{WHEELS[name].tag}"
        build_data["pure_python"] = False


class Description(MetadataHookInterface):
    """The README without pictures and links that lead into the repository, which a registry has not."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        picture = r"^!\[[^\]]*\]\((?!https?:)[^)]*\)\n+(\*[^*]+\*\n+)?"  # and the words below it
        text = re.sub(picture, "", text, flags=re.MULTILINE)
        text = re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
