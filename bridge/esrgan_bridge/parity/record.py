"""The record of a conversion, DIR/parity.json, read again."""

import json
from pathlib import Path
from typing import Any, cast

from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.parity.findings import FORMAT_VERSION, ParityReport
from esrgan_bridge.plain_records import built

FILE = "parity.json"


def read_report(folder: Path) -> ParityReport:
    """Read DIR/parity.json.

    Raises:
        ArtifactError: not a folder made by `convert`, or one of another format version.
    """
    file = folder / FILE
    if folder.is_file():
        raise ArtifactError(f"{folder} is a file; give the folder that `esrgan convert` made")
    try:
        record: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder} has no {FILE}: it was not made by `esrgan convert`") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{file} cannot be read ({error}); convert the network again") from error
    known = cast(dict[str, Any], record) if isinstance(record, dict) else {}
    version = known.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise ArtifactError(
            f"{file} has format version {version!r}, this release reads version {FORMAT_VERSION}; "
            "convert the network again"
        )
    if "worst" in known:
        raise ArtifactError(f"{file} is damaged (it holds pictures); convert the network again")
    try:
        return built(ParityReport, known)
    except (ValueError, OverflowError) as error:
        raise ArtifactError(f"{file} is damaged ({error}); convert the network again") from error
