"""What a command left in a folder."""

from pathlib import Path


def made(folder: str = ".") -> list[str]:
    """Names of the files under a folder, hidden ones included, but for the journal."""
    files = (path for path in Path(folder).rglob("*") if path.is_file() and path.name != ".esrgan.jsonl")
    return sorted(path.relative_to(folder).as_posix() for path in files)
