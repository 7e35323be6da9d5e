"""How each training code names the tensors of the same two networks, as one table for both directions.

The names of BasicSR are this project's own. A layout is a template for each kind of module; filled in
for every block it gives the pairs (our name, its name), used to read and to write alike.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from esrgan_weights.errors import CheckpointError

SHOWN = 4  # names in an error message


@dataclass(frozen=True)
class RRDBNames:
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


BASICSR = RRDBNames(
    first="conv_first",
    dense="body.{block}.rdb{dense}.conv{conv}",
    body="conv_body",
    up="conv_up{step}",
    hr="conv_hr",
    last="conv_last",
)

OLD_ARCH = RRDBNames(
    first="model.0",
    dense="model.1.sub.{block}.RDB{dense}.conv{conv}.0",
    body="model.1.sub.{blocks}",
    up="model.{up_place}",
    hr="model.{hr_place}",
    last="model.{last_place}",
)


@dataclass(frozen=True)
class Layout:
    """One way to name and wrap the tensors.

    Args:
        name: what the layout is called here.
        rrdb: the names inside.
        wrappers: for each architecture that the layout can hold, the key that the tensors are put
            under when they are written, or "" for none.
        prefix: what each name begins with when written.
    """

    name: str
    rrdb: RRDBNames
    wrappers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"RRDBNet": ""}))
    prefix: str = ""


def _both(rrdb: str, compact: str) -> Mapping[str, str]:
    return MappingProxyType({"RRDBNet": rrdb, "CompactNet": compact})


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout("basicsr", BASICSR, _both("params_ema", "params")),
            Layout("neosr", BASICSR, _both("params-ema", "params-ema")),
            Layout("mmagic", BASICSR, _both("state_dict", "state_dict"), prefix="generator."),
            Layout(
                "new-arch",
                RRDBNames(
                    first="conv_first",
                    dense="RRDB_trunk.{block}.RDB{dense}.conv{conv}",
                    body="trunk_conv",
                    up="upconv{step}",
                    hr="HRconv",
                    last="conv_last",
                ),
            ),
            Layout("old-arch", OLD_ARCH),
            # KAIR's dense blocks end with a convolution that stands in no sequence
            Layout("kair", replace(OLD_ARCH, fifth="model.1.sub.{block}.RDB{dense}.conv{conv}")),
            Layout(
                "lornatang",
                RRDBNames(
                    first="conv1",
                    dense="trunk.{block}.rdb{dense}.conv{conv}",
                    body="conv2",
                    up="upsampling{step}.0",
                    hr="conv3.0",
                    last="conv4",
                ),
                MappingProxyType({"RRDBNet": "ema_state_dict"}),
            ),
        )
    }
)

NCNN = ("ncnn", "ncnn-float16")
WRITABLE = ("safetensors", *LAYOUTS, *NCNN)
# tensors that tell a CompactNet: a convolution, a PReLU and a convolution
COMPACT_MARKS = ("body.0.weight", "body.0.bias", "body.1.weight", "body.2.weight")


def rrdb_tensor_names(layout: Layout, blocks: int, upsamplings: int) -> dict[str, str]:
    """The layout's name of every tensor of an RRDBNet -> this project's name, in graph order."""
    theirs = layout.rrdb.modules(blocks, upsamplings)
    ours = BASICSR.modules(blocks, upsamplings)
    return {
        f"{their}.{kind}": f"{our}.{kind}"
        for their, our in zip(theirs, ours, strict=True)
        for kind in ("weight", "bias")
    }


def compact_modules(convolutions: int) -> list[tuple[str, tuple[str, ...]]]:
    """(module, its tensors) of a CompactNet, in graph order: convolution, PReLU, ..., convolution."""
    last = 2 * convolutions + 2
    return [(f"body.{place}", ("weight",) if place % 2 else ("weight", "bias")) for place in range(last + 1)]


def compact_tensor_names(keys: Iterable[str]) -> list[str]:
    """Every tensor that a CompactNet with these keys must have."""
    known = set(keys)
    found = [int(match[1]) for key in known if (match := re.fullmatch(r"body\.(\d{1,6})\.weight", key))]
    convolutions = (min(max(found), 2 * len(known)) - 2) // 2
    return [f"{module}.{kind}" for module, kinds in compact_modules(convolutions) for kind in kinds]


def check_names(found: Iterable[str], expected: Iterable[str], what: str) -> None:
    """Compare the names in a file with those of the network that it announces.

    Raises:
        CheckpointError: a name is missing or unexpected; the first few are given.
    """
    have, need = list(found), list(expected)
    have_set, need_set = set(have), set(need)
    missing = [name for name in need if name not in have_set]
    unexpected = [name for name in have if name not in need_set]
    if missing or unexpected:
        parts = [
            f"{len(names)} {title}: {', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''}"
            for title, names in (("missing", missing), ("unexpected", unexpected))
            if names
        ]
        raise CheckpointError(f"the tensors of this {what} do not fit together; {'; '.join(parts)}")
