"""What is said of a film."""

from pathlib import Path

from esrgan_cli.options import STREAM
from esrgan_torch.films.enlarge import EnlargedFilm
from esrgan_torch.films.parts import folder_of


def told_of(name: str, result: EnlargedFilm, seconds: float) -> str:
    """A line about a film that was made in so many seconds."""
    film = result.film
    counts = [f"{result.frames:,} frame{'s' * (result.frames != 1)}"]
    if result.kept:
        counts.append(f"{result.kept:,} kept of an earlier run")
    if result.repeated:
        counts.append(f"{result.repeated:,} repeated and not computed again")
    rate = (result.frames - result.kept) / seconds if seconds else 0.0
    first = result.first
    how = "" if first is None else f"; {first.device}, {first.dtype}, engine {first.engine}"
    return (
        f"{name}: {film.width} x {film.height} to {result.width} x {result.height} pixels, "
        f"{', '.join(counts)} in {seconds:.1f} s, {rate:.2f} frames a second{how}; "
        f"{result.coding.encoder}, {result.coding.form}"
    )


def remarks(result: EnlargedFilm) -> list[str]:
    """What a user must not overlook in how a film came about."""
    first = result.first
    found: list[str] = []
    if first is None:
        return found
    if not first.exact:
        found.append(f"NOT EXACT: overlapping tiles, seams may show ({first.plan.reason})")
    if first.redone:
        found.append(f"{first.redone} tiles were not finite in {first.dtype}, computed again in float32")
    if first.divided:
        found.append(f"{first.divided} tiles did not fit in memory and were divided")
    return found


def kept_for_later(target: Path) -> str:
    """Where what is done of a film waits, if it does."""
    if target == STREAM:
        return ""
    folder = folder_of(target)
    if not any(folder.glob("*.nut")):
        return ""
    return f"what is done is kept in {folder}; repeat the command to resume"
