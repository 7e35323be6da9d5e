"""How each kind of layer is launched on each kind of device: a table, so that no user waits for a search.

Rows come from paper and from compiling for the device (registers, spills, shared memory), see
docs/kernels.md; those of a device that `benchmarks/gpu.sh` has run on come from its sweep. Nothing here
changes a result.
"""

from dataclasses import dataclass, replace
from typing import Literal

Capability = tuple[int, int]
Kind = Literal["taps", "rows", "rows-descriptor"]


@dataclass(frozen=True)
class Launch:
    """How a kernel is launched.

    Args:
        kind: "taps": nine products per tile of pixels, each with a tile of its own; "rows": three tiles, each
            for three products; "rows-descriptor": the same, read by the tensor memory accelerator.
        pixels: of a program.
        chunk: inputs of a step of its loop, at most.
        warps, stages: of the program, and how many steps ahead it loads.
    """

    kind: Kind
    pixels: int
    chunk: int
    warps: int
    stages: int


@dataclass(frozen=True)
class Table:
    """One launch for each kind of layer.

    Args:
        deep: conv5 of most blocks, of 192 inputs, with one residual: sums and pairs need most registers.
        outer: other layers with residuals: conv5 of each third block, and the body's last convolution.
        wide: other convolutions of at least 64 inputs.
        narrow: the rest of conv2 and conv4, with growth inputs and outputs.
        first: the first convolution, 16 inputs.
        last: the last, 16 outputs.
        upsample: after nearest x2.
        enough: flat pixels that fill the device by these launches; pictures with fewer take `smaller`.
        smaller: a table with smaller tiles; None: there is none.
    """

    deep: Launch
    outer: Launch
    wide: Launch
    narrow: Launch
    first: Launch
    last: Launch
    upsample: Launch
    enough: int = 0
    smaller: "Table | None" = None

    def conv(self, inputs: int, outputs: int, residuals: int) -> Launch:
        """The launch for a 3x3 convolution."""
        if outputs == 16:
            return self.last
        if residuals > 1 or (residuals == 1 and inputs < 192):
            return self.outer
        if inputs >= 192:
            return self.deep
        if inputs >= 64:
            return self.wide
        return self.narrow if inputs % 32 == 0 else self.first

    def for_pixels(self, pixels: int) -> "Table":
        """The table for a picture of so many flat pixels."""
        return self.smaller if self.smaller is not None and pixels < self.enough else self

    def all_sizes(self) -> list["Table"]:
        """This one and the smaller one, if any, each for every picture: what may have to be compiled."""
        whole = replace(self, enough=0, smaller=None)
        return [whole] if self.smaller is None else [whole, self.smaller]


_POINTERS = Table(
    deep=Launch("rows", 64, 32, 4, 3),
    outer=Launch("rows", 64, 32, 4, 3),
    wide=Launch("rows", 128, 64, 8, 2),
    narrow=Launch("rows", 128, 32, 4, 3),
    first=Launch("taps", 128, 16, 4, 3),
    last=Launch("rows", 128, 32, 4, 3),
    upsample=Launch("taps", 128, 64, 4, 3),
)
_HOPPER_128 = Table(
    deep=Launch("rows-descriptor", 128, 64, 8, 2),
    outer=Launch("rows-descriptor", 128, 64, 8, 2),
    wide=Launch("rows-descriptor", 128, 64, 8, 2),
    narrow=Launch("rows-descriptor", 128, 32, 4, 3),
    first=Launch("taps", 128, 16, 4, 3),
    last=Launch("rows-descriptor", 128, 64, 4, 2),
    upsample=Launch("taps", 128, 64, 4, 3),
)
# Tiles of 256 pixels read the weights half as often, in the layers that do not spill there. One program fills
# the registers of a multiprocessor, so a picture should have two waves of them.
_HOPPER = replace(
    _HOPPER_128,
    deep=Launch("rows-descriptor", 256, 32, 8, 4),
    wide=Launch("rows-descriptor", 256, 64, 8, 3),
    enough=2 * 132 * 254,
    smaller=_HOPPER_128,
)
_TABLES: dict[Capability, Table] = {
    (8, 0): _POINTERS,  # A100
    (8, 6): _POINTERS,  # RTX 30, A40
    (8, 9): _POINTERS,  # RTX 40, L40
    (9, 0): _HOPPER,  # H100, H200
    (12, 0): _POINTERS,  # RTX 50
}
CAPABILITIES = frozenset(_TABLES)

# Devices whose recorded run of benchmarks/gpu.sh showed every kernel right, and official weights near enough
# to float32: there kernels are the default, elsewhere they are chosen by name. A test compares both sets with
# the rows, see `esrgan_benchmarks.studies.gpu.evidence`.
VERIFIED: frozenset[Capability] = frozenset()

# Devices where the dense blocks run through the halo kernel of `kernels.halo` instead. A device is added when
# a run of benchmarks/gpu.sh there shows it right and at least 1.3 times as fast; it has run on none so far.
HALO_CAPABILITIES: frozenset[Capability] = frozenset()

# bytes of shared memory that a program may have
SHARED_MEMORY: dict[Capability, int] = {
    (8, 0): 163 * 1024,
    (8, 6): 99 * 1024,
    (8, 9): 99 * 1024,
    (9, 0): 227 * 1024,
    (12, 0): 99 * 1024,
}


def table_for(capability: Capability) -> Table:
    """The table of a device. Raises KeyError for one that is not in `CAPABILITIES`."""
    return _TABLES[capability]


def chunk_for(launch: Launch, *pieces: int) -> int:
    """The largest power of two up to `launch.chunk` that divides every piece of the inputs."""
    chunk = launch.chunk
    while any(piece % chunk for piece in pieces):
        chunk //= 2
    return chunk
