"""A whole RRDBNet as steps on flat buffers.

The trunk's buffer holds, for each feature pixel, `5 * features + 4 * growth` values:

    stream 0 | stream 1 | stream 2 | low 0 | low 1 | grown (4 * growth)

A dense block reads the stream in one slot and leaves its result in the next, since other tiles still read
the old one. Slot 0 keeps the start of an RRDB; the third block adds that and writes over it, pixel by pixel.
"low" is what rounding to half precision left of the stream (see `steps.Place`): `low 0` belongs to slot 0,
`low 1` to the others. The first convolution is computed again at the end rather than kept.
"""

import itertools
from dataclasses import dataclass

import torch

from esrgan_torch.arithmetic import round_up
from esrgan_torch.engines.cuda.flat import Flat, FlatShape
from esrgan_torch.engines.cuda.packing import first_inputs, pack_block, pack_conv, pack_first, pack_phases
from esrgan_torch.engines.cuda.steps import Channels, ClearBorder, Conv, Place, Step, Upsample, Weights
from esrgan_torch.networks.rrdb import RESIDUAL_SCALE, RRDBNet

OUTPUT_CHANNELS = 4  # of a pixel of the large picture: 16 bytes at a time, in float32


@dataclass(frozen=True)
class Slots:
    """Where the parts of the trunk's buffer begin."""

    features: int
    growth: int

    def stream(self, slot: int) -> Place:
        """The stream in slot 0, 1 or 2."""
        return Place(slot * self.features, (3 + min(slot, 1)) * self.features)

    @property
    def grown(self) -> int:
        return 5 * self.features

    @property
    def channels(self) -> int:
        return self.grown + 4 * self.growth


@dataclass(frozen=True)
class TrunkBuffers:
    """Buffers of a trunk run.

    Args:
        picture: the folded picture, split, see `packing.split_picture`.
        dense: as described above; `features` lie in slot 2 in the end.
    """

    picture: Flat
    dense: Flat


@dataclass(frozen=True)
class TailBuffers:
    """Buffers of a tail run: a map at each resolution, then conv_hr's, then the large picture in float32."""

    maps: list[Flat]
    large: Flat


class PackedNetwork:
    """The weights of an RRDBNet, packed for a device, and the steps that use them."""

    def __init__(self, model: RRDBNet, device: torch.device, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.device = device
        self.slots = Slots(model.config.features, model.config.growth)
        self.first_inputs = first_inputs(model.in_channels * model.unshuffle**2)
        self.out_channels = model.out_channels
        self._pack(model)

    def _pack(self, model: RRDBNet) -> None:
        where = self.dtype, self.device
        self._first = pack_first(model.conv_first, *where)
        self.blocks = [
            [pack_block(block, *where) for block in (rrdb.rdb1, rrdb.rdb2, rrdb.rdb3)]
            for rrdb in model.rrdbs()
        ]
        self._body = pack_conv(model.conv_body, *where)
        self._ups = [pack_phases(convolution, *where) for convolution in model.upsampling_convolutions()]
        self._hr = pack_conv(model.conv_hr, *where)
        self._last = pack_conv(model.conv_last, *where)

    def _all_weights(self) -> list[Weights]:
        blocks = itertools.chain.from_iterable(itertools.chain.from_iterable(self.blocks))
        return [self._first, *blocks, self._body, *self._ups, self._hr, self._last]

    def load(self, model: RRDBNet) -> None:
        """Take the weights of a network of the same sizes, in the memory of the present ones.

        What was captured in a graph computes with the new weights from then on.
        """
        fresh = PackedNetwork(model, self.device, self.dtype)
        for old, new in zip(self._all_weights(), fresh._all_weights(), strict=True):
            old.matrix.copy_(new.matrix)
            old.bias.copy_(new.bias)

    def trunk(self, buffers: TrunkBuffers) -> list[Step]:
        """From the picture to features in slot 2 of the dense buffer."""
        return [*self.entry_steps(buffers), *self.block_steps(buffers), *self.exit_steps(buffers)]

    def entry_steps(self, buffers: TrunkBuffers) -> list[Step]:
        """From the picture to the stream in slot 0."""
        return [ClearBorder("border of the trunk", buffers.dense), self._first_step(buffers, 0)]

    def block_steps(self, buffers: TrunkBuffers) -> list[Step]:
        """All dense blocks: from the stream in slot 0 to the stream in slot 0."""
        steps: list[Step] = []
        for number, rrdb in enumerate(self.blocks, start=1):
            for place, block in enumerate(rrdb):
                steps += self._dense_block(f"RRDB {number} block {place + 1}", buffers.dense, block, place)
        return steps

    def exit_steps(self, buffers: TrunkBuffers) -> list[Step]:
        """From the stream in slot 0 to features in slot 2."""
        dense = buffers.dense
        steps = [self._first_step(buffers, 1)]
        stream = Channels(dense, self.slots.stream(0).at, self.slots.features)
        target = Place(self.slots.stream(2).at)
        first = (self.slots.stream(1),)
        steps.append(
            Conv("conv_body", stream, self._body, dense, target, residual_buffer=dense, residuals=first)
        )
        return steps

    def _first_step(self, buffers: TrunkBuffers, slot: int) -> Step:
        source = Channels(buffers.picture, 0, self.first_inputs)
        return Conv("conv_first", source, self._first, buffers.dense, self.slots.stream(slot))

    def _dense_block(self, name: str, dense: Flat, weights: list[Weights], place: int) -> list[Step]:
        features, growth, grown = self.slots.features, self.slots.growth, self.slots.grown
        stream = self.slots.stream(place)
        steps: list[Step] = []
        for pair in (0, 1):
            known = 2 * pair * growth  # of the grown maps
            source = Channels(dense, stream.at, features + known, rest=grown, split=features)
            early, late = grown + known, grown + known + growth
            both = f"{name} conv{2 * pair + 1} and part of conv{2 * pair + 2}"
            rest = f"{name} rest of conv{2 * pair + 2}"
            steps += [
                Conv(both, source, weights[2 * pair], dense, Place(early), active=growth),
                Conv(
                    rest,
                    Channels(dense, early, growth),
                    weights[2 * pair + 1],
                    dense,
                    Place(late),
                    active=growth,
                    accumulate=True,
                ),
            ]
        everything = Channels(dense, stream.at, features + 4 * growth, rest=grown, split=features)
        residuals = (stream,) if place < 2 else (stream, self.slots.stream(0))
        steps.append(
            Conv(
                f"{name} conv5",
                everything,
                weights[4],
                dense,
                self.slots.stream((place + 1) % 3),
                residual_buffer=dense,
                residuals=residuals,
                scale=RESIDUAL_SCALE,
            )
        )
        return steps

    def tail(self, buffers: TailBuffers) -> list[Step]:
        """From features in the first map to the large picture."""
        steps: list[Step] = [ClearBorder("border of the features", buffers.maps[0])]
        features = self.slots.features
        source = buffers.maps[0]
        for number, (weights, target) in enumerate(zip(self._ups, buffers.maps[1:-1], strict=True), start=1):
            steps.append(ClearBorder(f"border of map {number}", target))
            steps.append(Upsample(f"conv_up{number}", source, weights, target))
            source = target
        target = buffers.maps[-1]
        steps.append(ClearBorder("border of the last map", target))
        channels = Channels(source, 0, features)
        steps.append(Conv("conv_hr", channels, self._hr, target, Place(0), active=features))
        channels = Channels(target, 0, features)
        steps.append(
            Conv("conv_last", channels, self._last, buffers.large, Place(0), stored=self.out_channels)
        )
        return steps

    @property
    def upsamplings(self) -> int:
        return len(self._ups)

    def trunk_sizes(self, shape: FlatShape) -> dict[str, int]:
        """Bytes of the trunk's buffers."""
        return {
            "picture": shape.nbytes(self.first_inputs, self.dtype),
            "dense": shape.nbytes(self.slots.channels, self.dtype),
        }

    def trunk_buffers(self, shape: FlatShape, memory: dict[str, torch.Tensor]) -> TrunkBuffers:
        """The trunk's buffers in memory of `trunk_sizes`."""
        return TrunkBuffers(
            Flat(memory["picture"], shape, self.first_inputs, self.dtype),
            Flat(memory["dense"], shape, self.slots.channels, self.dtype),
        )

    def tail_sizes(self, shape: FlatShape) -> dict[str, int]:
        """Bytes of the tail's buffers; maps take turns in two pieces of memory."""
        sizes = {"even": 0, "odd": 0}
        for number, each in enumerate(self._map_shapes(shape)):
            piece = _piece(number)
            sizes[piece] = max(sizes[piece], each.nbytes(self.slots.features, self.dtype))
        large = self._map_shapes(shape)[-1]
        return {**sizes, "large": large.nbytes(self.large_channels, torch.float32)}

    def tail_buffers(self, shape: FlatShape, memory: dict[str, torch.Tensor]) -> TailBuffers:
        """The tail's buffers in memory of `tail_sizes`."""
        shapes = self._map_shapes(shape)
        features = self.slots.features
        maps = [
            Flat(memory[_piece(number)], each, features, self.dtype) for number, each in enumerate(shapes)
        ]
        return TailBuffers(maps, Flat(memory["large"], shapes[-1], self.large_channels, torch.float32))

    @property
    def large_channels(self) -> int:
        """Channels of a pixel of the large picture in memory."""
        return round_up(self.out_channels, OUTPUT_CHANNELS)

    def _map_shapes(self, shape: FlatShape) -> list[FlatShape]:
        """Of the features, of each enlarged map, and of the last one again for conv_hr."""
        shapes = [shape]
        for _ in range(self.upsamplings):
            shapes.append(shapes[-1].doubled())
        return [*shapes, shapes[-1]]


def _piece(number: int) -> str:
    return "odd" if number % 2 else "even"
