"""Folders of runs: which one is meant, and what it holds."""

from pathlib import Path

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.state import checkpoints_of, step_of

RUNS = Path("runs")
RECIPE = "recipe.toml"


def folder_of(recipe: str, output: Path | None) -> Path:
    """The folder of a run: the one given, else `runs/` and the recipe's name."""
    return output if output is not None else RUNS / Path(recipe).stem


def find_run(given: str, recipe: str | None, output: Path | None) -> Path:
    """The folder of the run to resume.

    Args:
        given: a folder, or a name in `runs/`; empty: the folder of `recipe` or `output`, else the working
        folder,
            else the only run in `runs/`.
        recipe: name or path of the recipe that was given, or None.
        output: folder that was given, or None.

    Raises:
        ConfigError: there is none, or there are several.
    """
    if given:
        for folder in (Path(given), RUNS / given):
            if _holds_run(folder):
                return folder
        raise ConfigError(f"{given} contains no run: {Path(given) / RECIPE} is missing{_others()}")
    if recipe is not None or output is not None:
        folder = folder_of(recipe or "", output)
        if _holds_run(folder):
            return folder
        raise ConfigError(f"{folder} contains no run to resume: {folder / RECIPE} is missing{_others()}")
    if _holds_run(Path()):
        return Path()
    found = _runs()
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError("there is no run to resume: neither this folder nor runs/ contains a recipe.toml")
    raise ConfigError(f"give the run to resume{_others()}")


def steps_done(folder: Path) -> int | None:
    """The steps of a run's newest checkpoint; None where there is none."""
    found = checkpoints_of(folder)
    return step_of(found[-1]) if found else None


def _holds_run(folder: Path) -> bool:
    return (folder / RECIPE).is_file()


def _runs() -> list[Path]:
    """Those in `runs/`, the newest first."""
    found = [path.parent for path in RUNS.glob(f"*/{RECIPE}")]
    return sorted(found, key=lambda folder: (folder / RECIPE).stat().st_mtime, reverse=True)


def _others() -> str:
    found = _runs()
    return f"; there are {', '.join(map(str, found))}" if found else ""
