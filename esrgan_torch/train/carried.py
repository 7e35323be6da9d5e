"""What of a run is carried to another machine: small enough to be kept with a project, day after day."""

from pathlib import Path

import torch
from torch import Tensor

from esrgan_torch.errors import ConfigError, TrainingError
from esrgan_torch.storage.atomic import atomic_path
from esrgan_torch.storage.paths import trouble
from esrgan_torch.train.log import Line, append, read_log
from esrgan_torch.train.state import State, latest

_FORMAT = "esrgan-torch carried run 1"


def pack(folder: Path, file: Path) -> int:
    """Write the weights of a run's newest checkpoint, their moving average and its validations to one file.

    A validation says as "began" at which step the stretch of the run began that it belongs to, unless that
    was the first.

    The moving average keeps its float32. The weights are kept as their distance from it in float16, which is
    a thousandth of that small distance away. The optimiser's state is left out: of SOAP it is many times as
    large as the network. So a run that is resumed from such a file differs from one that never stopped.

    Returns:
        The steps that were done.

    Raises:
        ConfigError: the folder holds no checkpoint, or it is that of a run with a discriminator.
        TrainingError: the checkpoints are damaged, or the file cannot be written.
    """
    state = latest(folder)
    if "discriminator" in state:
        raise ConfigError(
            f"{folder} trains a discriminator too, which a packed file cannot contain; resume it "
            f"with --resume"
        )
    average: dict[str, Tensor] = state["ema"]
    weights: dict[str, Tensor] = state["generator"]
    since = int(state.get("since", 0))
    carried = {
        "format": _FORMAT,
        "step": state["step"],
        "average": average,
        "distance": {name: (weights[name] - value).half() for name, value in average.items()},
        "validations": [
            _with_beginning(line, since)
            for line in read_log(folder)
            if "psnr" in line and line["step"] <= state["step"]
        ],
    }
    try:
        with atomic_path(file) as temporary:
            torch.save(carried, temporary)
    except (OSError, RuntimeError) as error:
        found = trouble(error, file)
        if found is None:
            raise
        raise TrainingError(f"{file} cannot be written: {found.strerror}") from error
    return int(state["step"])


def _with_beginning(line: Line, since: int) -> Line:
    """A validation that says at which step its stretch of the run began, where that was elsewhere."""
    return {"began": since, **line} if 0 < since < line["step"] else line


def unpack(file: Path) -> State:
    """What `pack` wrote, as a checkpoint has it but for the optimiser; and "validations".

    Raises:
        ConfigError: it is no such file.
    """
    try:
        carried: State = torch.load(file, map_location="cpu", weights_only=True)
        if carried["format"] != _FORMAT:
            raise ConfigError(f"its format is {carried['format']!r}, and {_FORMAT!r} is read")  # noqa: TRY301
        average: dict[str, Tensor] = carried["average"]
        distance: dict[str, Tensor] = carried["distance"]
        return {
            "step": int(carried["step"]),
            "generator": {name: value + distance[name].float() for name, value in average.items()},
            "ema": average,
            "validations": list(carried["validations"]),
        }
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # torch.load raises anything on what is no such file
        raise ConfigError(f"{file} is not what `esrgan train --pack` writes: {error}") from error


def begin_log(folder: Path, state: State) -> None:
    """Write the validations of a run that is resumed elsewhere into its new folder, unless they are there."""
    lines: list[Line] = state["validations"]
    known = {line["step"] for line in read_log(folder)}
    folder.mkdir(parents=True, exist_ok=True)
    for line in lines:
        if line["step"] not in known:
            append(folder, line)
