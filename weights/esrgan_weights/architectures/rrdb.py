"""RRDBNet in files: how each training code names its tensors, as one table for both directions.

The names of BasicSR are this project's own. A way to name them is a template for each kind of module; filled
in for every block it gives the pairs (our name, its name), used to read and to write alike.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from esrgan_torch.engines.ncnn.draw_rrdb import draw_rrdb
from esrgan_torch.engines.ncnn.drawing import Graph
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.registry import RRDB
from esrgan_torch.networks.rrdb import RRDBNetConfig
from esrgan_weights.architectures.base import (
    Files,
    NcnnForm,
    Shapes,
    Spelling,
    Tensors,
    convolution_shapes,
    convolution_sizes,
    read_only,
)
from esrgan_weights.errors import UnknownArchitectureError

TITLE = RRDB.title
# 3x or x3 that is no part of a larger number or of a version ("v3x")
TRIPLE = re.compile(r"(?<![\dv])3x(?!\d)|x3(?!\d)", re.IGNORECASE)
TRIPLE_NOTE = (
    "An RRDBNet of scale 3 (old-arch) has the very same tensors as one of scale 2; this file was read as "
    "scale 2."
)


@dataclass(frozen=True)
class Names:
    """Templates of the module names of an RRDBNet.

    `{block}`, `{dense}` (1 to 3) and `{conv}` (1 to 5) number the dense convolutions, `{blocks}` is
    how many blocks there are, `{step}` numbers the upsamplings from 1. The places of old-arch, where
    the tail is one flat sequence, are `{up_place}`, `{hr_place}` and `{last_place}`. `fifth` is the
    template of a dense block's last convolution where it differs from the others.
    """

    first: str
    dense: str
    body: str
    up: str
    hr: str
    last: str
    fifth: str = ""

    def modules(self, blocks: int, upsamplings: int) -> list[str]:
        """Every module's name, in the order of the network's graph."""
        names = [self.first]
        names += [
            self.dense_name(block, dense, conv)
            for block in range(blocks)
            for dense in (1, 2, 3)
            for conv in (1, 2, 3, 4, 5)
        ]
        names.append(self.body.format(blocks=blocks))
        names += [self.up_name(step) for step in range(1, upsamplings + 1)]
        names.append(self.hr.format(hr_place=3 * upsamplings + 2))
        names.append(self.last.format(last_place=3 * upsamplings + 4))
        return names

    def up_name(self, step: int) -> str:
        """Name of the convolution after the upsampling number `step`, from 1."""
        return self.up.format(step=step, before=step - 1, up_place=3 * step)

    def dense_name(self, block: int, dense: int, conv: int) -> str:
        """Name of a convolution of a dense block: block from 0, dense block 1 to 3, convolution 1 to 5."""
        template = self.fifth if conv == 5 and self.fifth else self.dense
        return template.format(block=block, dense=dense, conv=conv)

    @property
    def marks(self) -> tuple[str, str, str]:
        """Tensors that tell these names from all others."""
        return (
            f"{self.first}.weight",
            f"{self.dense_name(0, 1, 1)}.weight",
            f"{self.dense_name(0, 1, 5)}.weight",
        )

    def count(self, keys: Iterable[str]) -> tuple[int, int]:
        """(blocks, upsamplings) that the keys announce."""
        known = set(keys)
        mark = "\0"
        template = self.dense.format(block=mark, dense=1, conv=1) + ".weight"
        pattern = re.compile(re.escape(template).replace(re.escape(mark), r"(\d{1,6})"))
        found = [int(match[1]) for key in known if (match := pattern.fullmatch(key))]
        # a block's number is believed only as far as there are tensors for it
        blocks = min(max(found) + 1, len(known))
        upsamplings = 0
        while f"{self.up_name(upsamplings + 1)}.weight" in known:
            upsamplings += 1
        return blocks, upsamplings


BASICSR = Names(
    first="conv_first",
    dense="body.{block}.rdb{dense}.conv{conv}",
    body="conv_body",
    up="conv_up{step}",
    hr="conv_hr",
    last="conv_last",
)

OLD_ARCH = Names(
    first="model.0",
    dense="model.1.sub.{block}.RDB{dense}.conv{conv}.0",
    body="model.1.sub.{blocks}",
    up="model.{up_place}",
    hr="model.{hr_place}",
    last="model.{last_place}",
)


KAIR = replace(OLD_ARCH, fifth="model.1.sub.{block}.RDB{dense}.conv{conv}")

# by layout; those that share the names of BasicSR differ in what is around them
NAMES: Mapping[str, Names] = MappingProxyType(
    {
        "basicsr": BASICSR,
        "neosr": BASICSR,
        "mmagic": BASICSR,
        "new-arch": Names(
            first="conv_first",
            dense="RRDB_trunk.{block}.RDB{dense}.conv{conv}",
            body="trunk_conv",
            up="upconv{step}",
            hr="HRconv",
            last="conv_last",
        ),
        "old-arch": OLD_ARCH,
        # KAIR's dense blocks end with a convolution that stands in no sequence
        "kair": KAIR,
        "lornatang": Names(
            first="conv1",
            dense="trunk.{block}.rdb{dense}.conv{conv}",
            body="conv2",
            up="upsampling{step}.0",
            hr="conv3.0",
            last="conv4",
        ),
    }
)


def tensor_names(names: Names, blocks: int, upsamplings: int) -> dict[str, str]:
    """The name of every tensor by that way -> this project's name, in graph order."""
    theirs = names.modules(blocks, upsamplings)
    ours = BASICSR.modules(blocks, upsamplings)
    return {
        f"{their}.{kind}": f"{our}.{kind}"
        for their, our in zip(theirs, ours, strict=True)
        for kind in ("weight", "bias")
    }


def rrdb_config(tensors: Tensors, unshuffle: int | None = None) -> RRDBNetConfig:
    """Sizes of the RRDBNet that has these tensors, complete and under this project's names.

    Args:
        tensors: the network's tensors.
        unshuffle: where it is known; None: 2 or 4 if the first convolution has 4 or 16 times as many
            channels as the last one gives, as in Real-ESRGAN, else 1.

    Raises:
        UnknownArchitectureError: no RRDBNet has such tensors.
    """
    features, folded = convolution_sizes(tensors, "conv_first.weight")
    out_channels, _ = convolution_sizes(tensors, "conv_last.weight")
    growth, _ = convolution_sizes(tensors, "body.0.rdb1.conv1.weight")
    blocks = sum(name.startswith("body.") for name in tensors) // 30  # 15 weights, 15 biases
    enlargement = 2 ** sum(name.startswith("conv_up") and name.endswith(".weight") for name in tensors)
    if unshuffle is None:
        unshuffle = {4 * out_channels: 2, 16 * out_channels: 4}.get(folded, 1)
        if enlargement < unshuffle:  # the tail could not undo it, so the channels mean something else
            unshuffle = 1
    if unshuffle not in (1, 2, 4):
        raise UnknownArchitectureError(f"{TITLE} unshuffles by 2 or 4, not by {unshuffle}")
    in_channels, rest = divmod(folded, unshuffle**2)
    scale, remainder = divmod(enlargement, unshuffle)
    if rest or remainder:
        raise UnknownArchitectureError(
            f"{folded} input channels do not fit an unshuffle of {unshuffle} and {enlargement}x upsampling"
        )
    try:
        return RRDBNetConfig(features, blocks, growth, scale, in_channels, out_channels, unshuffle)
    except ConfigError as error:
        raise UnknownArchitectureError(f"no {TITLE} of this project has such sizes: {error}") from error


def rrdb_shapes(config: RRDBNetConfig) -> Shapes:
    """This project's name of each tensor -> its shape, in the order of the network's graph."""
    features, growth = config.features, config.growth
    first, *inner, last = BASICSR.modules(config.blocks, config.upsamplings)
    shapes = convolution_shapes(first, config.in_channels * config.unshuffle**2, features)
    for module in inner:
        number = int(module[-1]) if ".rdb" in module else 0  # of the convolution in its dense block
        inputs = features + growth * max(number - 1, 0)
        shapes |= convolution_shapes(module, inputs, growth if 1 <= number <= 4 else features)
    return shapes | convolution_shapes(last, features, config.out_channels)


def _notes(path: Path, config: RRDBNetConfig) -> tuple[str, ...]:
    """What the tensors leave open.

    Raises:
        UnknownArchitectureError: the file's name says that the network is of scale 3.
    """
    if config.upsamplings != 1 or config.unshuffle != 1:
        return ()
    if TRIPLE.search(path.stem):
        raise UnknownArchitectureError(
            "by its name this RRDBNet is of scale 3, which this project does not support "
            "(its tensors are those of scale 2; rename the file if that is what it is)"
        )
    return (TRIPLE_NOTE,)


def _config_of(tensors: Tensors, beside: Collection[str], unshuffle: int | None) -> RRDBNetConfig:
    """As `rrdb_config`; what the file states is believed where the tensors can be those of such a network."""
    del beside
    if unshuffle is not None:
        try:
            return rrdb_config(tensors, unshuffle)
        except UnknownArchitectureError:
            pass  # what is stated belongs to other tensors: what these are shows in their shapes
    return rrdb_config(tensors)


def _spelling(layout: str, names: Names) -> Spelling:
    def needed(keys: Collection[str]) -> Mapping[str, str]:
        return tensor_names(names, *names.count(keys))

    return Spelling(layout, f"ESRGAN (RRDBNet, {layout} names)", names.marks, needed)


def _spellings() -> list[Spelling]:
    """Each way to name the tensors once."""
    found: dict[Names, Spelling] = {}
    for layout, names in NAMES.items():
        found.setdefault(names, _spelling(layout, names))
    return list(found.values())


def _written(layout: str, config: RRDBNetConfig, tensors: Tensors) -> Tensors:
    names = NAMES.get(layout, BASICSR)
    pairs = tensor_names(names, config.blocks, config.upsamplings)
    return {theirs: tensors[ours] for theirs, ours in pairs.items()}


def _draw(graph: Graph, config: RRDBNetConfig) -> None:
    draw_rrdb(graph, config, BASICSR.modules(config.blocks, config.upsamplings))


def _ncnn_modules(kinds: Sequence[str], enlargements: int) -> list[str] | None:
    blocks, rest = divmod(len(kinds) - 4 - enlargements, 15)
    if "PReLU" in kinds or blocks < 1 or rest:
        return None
    return BASICSR.modules(blocks, enlargements)


FILES = Files(
    architecture=RRDB,
    spellings=_spellings(),
    config_of=_config_of,
    shapes_of=rrdb_shapes,
    wrappers=read_only(
        {
            "basicsr": "params_ema",
            "neosr": "params-ema",
            "mmagic": "state_dict",
            "new-arch": "",
            "old-arch": "",
            "kair": "",
            "lornatang": "ema_state_dict",
        }
    ),
    written=_written,
    notes=_notes,
    ncnn=NcnnForm(_draw, _ncnn_modules, lambda config: replace(config, features=2, growth=1)),
)
