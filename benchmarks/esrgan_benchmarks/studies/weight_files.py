"""Files of weights as people save them, made from nothing: container x wrapper x prefix x type x layout.

Every value of each of these comes as often as every other, in an order that the seed alone decides.
"""

import pickle
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNetConfig
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights.architectures.registry import shapes_of
from esrgan_weights.architectures.rrdb import NAMES, tensor_names
from esrgan_weights.checkpoint import Config, build

State = dict[str, Tensor]

# spandrel takes the growth of every RRDBNet for 32
NETWORKS: Mapping[str, Config] = {
    "x4": RRDBNetConfig(8, 1, 32),
    "x4, two blocks": RRDBNetConfig(12, 2, 32),
    "x2": RRDBNetConfig(8, 1, 32, scale=2),
    "x2, folded": RRDBNetConfig(8, 1, 32, scale=2, unshuffle=2),
    "x1, folded": RRDBNetConfig(8, 1, 32, scale=1, unshuffle=4),
    "x8": RRDBNetConfig(8, 1, 32, scale=8),
    "x4, gray": RRDBNetConfig(8, 1, 32, in_channels=1, out_channels=1),
    "compact x4": CompactNetConfig(8, 2),
    "compact x2": CompactNetConfig(12, 3, scale=2),
}
LAYOUT_NAMES = ("basicsr", "basicsr", "new-arch", "old-arch", "kair", "lornatang")
PREFIXES = (
    "", "", "", "", "", "module.", "netG.", "model.", "_orig_mod.", "generator.", "net_g_ema.",
    "module.netG.",
)  # fmt: skip
DTYPES = (
    torch.float32, torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.float8_e4m3fn,
)  # fmt: skip

# what the file holds: the network to be found, another one of the same sizes, and what stands around them
Wrap = Callable[[State, State], object]
WRAPPERS: Mapping[str, Wrap] = {
    "none": lambda state, other: state,
    "params": lambda state, other: {"params": state},
    "params_ema beside params": lambda state, other: {"params": other, "params_ema": state},
    "params beside an empty params_ema": lambda state, other: {"params": state, "params_ema": {}},
    "params-ema": lambda state, other: {"params-ema": state},
    "state_dict": lambda state, other: {"state_dict": state, "epoch": 3, "loss": 0.5},
    "ema_state_dict beside state_dict": lambda state, other: {"state_dict": other, "ema_state_dict": state},
    "model_state_dict": lambda state, other: {"model_state_dict": state},
    "model": lambda state, other: {
        "model": state,
        "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]},
    },
    "net": lambda state, other: {"net": state},
    "generator": lambda state, other: {"generator": state},
    "one key of nobody": lambda state, other: {"upscaler": state},
    "G beside D": lambda state, other: {"D": discriminator(), "G": state, "epoch": 3},
    "g_ema beside g": lambda state, other: {"g": other, "g_ema": state, "d": discriminator()},
    "model in state_dict": lambda state, other: {"state_dict": {"model": state}},
    "a list": lambda state, other: [state, 3],
    "a number of NumPy beside": lambda state, other: {"params": state, "best_psnr": np.float64(31.5)},
    "a path beside": lambda state, other: {"params": state, "options": {"folder": Path("a/b")}},
    "a counter among them": lambda state, other: {**state, "n_averaged": torch.tensor(7)},
}


def discriminator() -> State:
    return {"conv0.weight": torch.zeros(4, 3, 3, 3), "conv9.weight": torch.zeros(1, 4, 3, 3)}


def _torch(**options: Any) -> Callable[[object, Path], None]:
    return lambda content, path: torch.save(content, path, **options)


def _pickle(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


def _safetensors(content: object, path: Path) -> None:
    from safetensors.torch import save

    tensors = {name: tensor.clone() for name, tensor in _joined("", content)}
    path.write_bytes(save(tensors, {"format": "pt"}))


def _joined(start: str, content: object) -> Iterator[tuple[str, Tensor]]:
    """Names with the keys of their containers before them."""
    if isinstance(content, Tensor):
        yield start, content
        return
    if isinstance(content, list):
        content = dict(enumerate(cast(list[object], content)))
    if isinstance(content, dict):
        for key, value in cast(dict[object, object], content).items():
            yield from _joined(f"{start}.{key}" if start else str(key), value)


# suffix of the file's name -> how it is written
CONTAINERS: Mapping[str, Callable[[object, Path], None]] = {
    ".pth": _torch(),
    ".pt": _torch(),
    ".ckpt": _torch(),
    ".bin": _torch(),
    ".pth.tar": _torch(),
    ".legacy.pth": _torch(_use_new_zipfile_serialization=False),
    ".protocol4.pth": _torch(pickle_protocol=4),
    ".protocol5.ckpt": _torch(pickle_protocol=5),
    ".pickle.pth": _pickle,
    ".safetensors": _safetensors,
}
COMMON = (".pth", ".pth", ".safetensors", ".safetensors")  # as often as all the others


@dataclass(frozen=True)
class Case:
    """One file.

    Args:
        number: of the file, from 0; the numbers in it depend on it.
        network: a key of NETWORKS.
        layout: how its tensors are named.
        prefix: what stands before each name.
        wrapper: a key of WRAPPERS.
        container: a key of CONTAINERS, or "torchscript".
        dtype: type of the weights of its convolutions; the others are float32 where that is float8.
        kind: "" or what is special: "named x3", "ESRGAN+".
    """

    number: int
    network: str
    layout: str
    prefix: str
    wrapper: str
    container: str
    dtype: torch.dtype
    kind: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        stem = {"named x3": "drawings_x3"}.get(self.kind, "weights")
        return f"{stem}{'.pt' if self.container == 'torchscript' else self.container}"

    @property
    def config(self) -> Config:
        return NETWORKS[self.network]


def cases(count: int, seed: int = 0) -> list[Case]:
    """Files of every kind, the same ones for the same seed; the last of them are the special ones."""
    shuffled = random.Random(seed)

    def axis(values: Sequence[Any]) -> list[Any]:
        column: list[Any] = []
        while len(column) < count:
            column += shuffled.sample(list(values), len(values))
        return column[:count]

    columns = zip(
        *map(axis, (list(NETWORKS), LAYOUT_NAMES, PREFIXES, list(WRAPPERS), [*CONTAINERS, *COMMON], DTYPES)),
        strict=True,
    )
    found = [Case(number, *values) for number, values in enumerate(columns)]
    plain = Case(0, "x2", "old-arch", "", "none", ".pth", torch.float32)
    special = [
        replace(plain, kind="named x3"),
        replace(plain, container=".safetensors", kind="named x3"),
        replace(plain, network="x4", kind="ESRGAN+"),
        replace(plain, network="x4", container=".safetensors", wrapper="params", kind="ESRGAN+"),
        replace(plain, layout="basicsr", container="torchscript"),
        replace(plain, network="compact x4", layout="basicsr", container="torchscript"),
    ]
    return [
        # a CompactNet has one layout
        replace(case, layout="basicsr") if isinstance(case.config, CompactNetConfig) else case
        for case in found + [replace(case, number=count + place) for place, case in enumerate(special)]
    ]


def state_of(case: Case, part: int = 0) -> State:
    """The network's tensors in the case's type, under this project's names; part 1: the other network's."""
    numbers = torch.Generator().manual_seed(2 * case.number + part)
    return {
        name: _typed(torch.randn(shape, generator=numbers) / 8, case.dtype)
        for name, shape in shapes_of(case.config).items()
    }


def _typed(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if dtype.itemsize > 1 or tensor.ndim == 4 else tensor


def network_of(case: Case, part: int = 0) -> Generator:
    """The network itself, with the numbers as the file's type holds them."""
    return build(case.config, {name: tensor.float() for name, tensor in state_of(case, part).items()}, None)


def write(case: Case, folder: Path) -> Path:
    """Make the file in a folder."""
    path = folder / case.name
    if case.container == "torchscript":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is on its way out, and such files are there
            traced: Any = torch.jit.trace(network_of(case), picture_for(case))  # pyright: ignore[reportUnknownVariableType, reportPrivateImportUsage]
            traced.save(str(path))
        return path
    state, other = (_named(case, state_of(case, part)) for part in (0, 1))
    CONTAINERS[case.container](WRAPPERS[case.wrapper](state, other), path)
    return path


def _named(case: Case, state: State) -> State:
    if isinstance(case.config, RRDBNetConfig):
        names = tensor_names(NAMES[case.layout], case.config.blocks, case.config.upsamplings)
        state = {theirs: state[ours] for theirs, ours in names.items()}
    named = {case.prefix + name: tensor for name, tensor in state.items()}
    if case.kind == "ESRGAN+":
        shape = (32, case.config.features, 1, 1)
        named |= {f"model.1.sub.0.RDB{dense}.conv1x1.weight": torch.zeros(shape) for dense in (1, 2, 3)}
    return named


def picture_for(case: Case) -> Tensor:
    """(1, C, 8, 12), the same for every file of as many channels."""
    numbers = torch.Generator().manual_seed(0)
    return torch.rand(1, case.config.in_channels, 8, 12, generator=numbers)
