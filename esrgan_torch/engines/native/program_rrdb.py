"""RRDBNet as programs: the trunk, the trunk by rows, the tail."""

from collections.abc import Sequence

from torch import Tensor, nn

from esrgan_torch.engines.describing import PICTURE, RESULT, Activation, Describing, Kind
from esrgan_torch.engines.native.library import Program
from esrgan_torch.engines.native.program import Builder
from esrgan_torch.networks.rrdb import RESIDUAL_SCALE, SLOPE, ResidualDenseBlock, RRDBNet

Known = dict[tuple[nn.Conv2d, bool], Tensor]


def rrdb_trunk_program(model: RRDBNet, lanes: int, known: Known | None = None) -> Program:
    """RRDBNet's trunk: the first convolution, all dense blocks as one phase, the body's last convolution.

    Three planes exist: an RRDB's start, and the results of its first and its second dense block. The first
    convolution is computed again at the end rather than kept.
    """
    config = model.config
    features, growth = config.features, config.growth
    folded = config.in_channels * config.unshuffle**2
    builder = Builder(lanes, known)
    builder.map(config.in_channels, Kind.GIVEN)
    builder.map(features, Kind.GIVEN)
    start, stream, result = builder.map(features, Kind.PLANE), builder.map(features, Kind.PLANE), RESULT
    pictures = [builder.map(folded), builder.map(folded)]
    inner = [builder.map(growth) for _ in range(4)]

    builder.load(PICTURE, pictures[0], folded, config.unshuffle)
    builder.convolution(model.conv_first, [pictures[0]], start, [0])
    builder.phase(2)
    for rrdb in model.rrdbs():
        dense_block(builder, rrdb.rdb1, start, stream, inner)
        dense_block(builder, rrdb.rdb2, stream, result, inner)
        dense_block(builder, rrdb.rdb3, result, start, inner, [(RESIDUAL_SCALE, start)])
    builder.phase(5, 3 * config.blocks)
    builder.load(PICTURE, pictures[1], folded, config.unshuffle)
    builder.convolution(model.conv_first, [pictures[1]], result, [0])
    builder.convolution(model.conv_body, [start], result, [1], residuals=[(1.0, result)])
    builder.phase(3)
    return builder.program()


def rrdb_rows_program(model: RRDBNet, lanes: int, known: Known | None = None) -> Program:
    """RRDBNet's trunk as one phase, for vectors of so many floats."""
    builder = Builder(lanes, known)
    describe_rrdb(model, builder)
    return builder.program()


def describe_rrdb(model: RRDBNet, builder: Describing) -> None:
    """RRDBNet's trunk as one phase, so that a few rows of each map exist at a time.

    The first convolution is computed again at the end: of its 64 channels several hundred rows would wait.
    """
    config = model.config
    features, folded = config.features, config.in_channels * config.unshuffle**2
    builder.map(config.in_channels, Kind.GIVEN)
    builder.map(features, Kind.GIVEN)
    pictures = [builder.map(folded), builder.map(folded)]
    source, again = builder.map(features), builder.map(features)
    builder.load(PICTURE, pictures[0], folded, config.unshuffle)
    builder.convolution(model.conv_first, [pictures[0]], source, [0])
    last = 1  # number of the operation before
    for rrdb in model.rrdbs():
        start = source
        for block in (rrdb.rdb1, rrdb.rdb2, rrdb.rdb3):
            target = builder.map(features)
            inner = [builder.map(config.growth) for _ in range(4)]
            further = [(RESIDUAL_SCALE, start)] if block is rrdb.rdb3 else []
            dense_block(builder, block, source, target, inner, further, last + 1, last)
            source, last = target, last + 5
    builder.load(PICTURE, pictures[1], folded, config.unshuffle, waits=[last])
    builder.convolution(model.conv_first, [pictures[1]], again, [last + 1])
    builder.convolution(model.conv_body, [source], RESULT, [last + 2, last], residuals=[(1.0, again)])
    builder.phase(last + 4)


def dense_block(
    builder: Describing,
    block: ResidualDenseBlock,
    source: int,
    target: int,
    inner: Sequence[int],
    further: Sequence[tuple[float, int]] = (),
    first: int = 0,
    before: int = 4,
) -> None:
    """target = source + 0.2 * block(source), and then for each of `further`: target * factor + map.

    Args:
        builder: takes the operations.
        block: the layers.
        source, target: maps.
        inner: maps of the first four convolutions.
        further: factors and maps.
        first: number of its first operation.
        before: number of the operation that makes the source; by itself the block's last, of the
            repetition before.
    """
    widths, maps = [block.conv1.in_channels], [source]
    for number, layer in enumerate((block.conv1, block.conv2, block.conv3, block.conv4)):
        waits = [first + number - 1 if number else before]
        builder.convolution(layer, maps, inner[number], waits, SLOPE, widths=widths)
        widths.append(layer.out_channels)
        maps.append(inner[number])
    residuals = [(RESIDUAL_SCALE, source), *further]
    builder.convolution(block.conv5, maps, target, [first + 3], residuals=residuals, widths=widths)


def rrdb_tail_program(model: RRDBNet, lanes: int) -> Program:
    """RRDBNet's tail, from channels-last features to a planar picture.

    An enlargement is computed on the map before it: the four pixels that a pixel becomes are four times the
    outputs.
    """
    features, outputs = model.config.features, model.out_channels
    builder = Builder(lanes)
    scale = 1
    source = builder.map(features, Kind.GIVEN)
    builder.map(outputs, Kind.GIVEN, model.scale * model.unshuffle)
    steps = 0
    for layer in model.upsampling_convolutions():
        scale *= 2
        target = builder.map(features, scale=scale)
        builder.convolution(layer, [source], target, [steps - 1] if steps else [], SLOPE, enlarge=True)
        source, steps = target, steps + 1
    for layer, activation in ((model.conv_hr, SLOPE), (model.conv_last, Activation.NONE)):
        target = builder.map(layer.out_channels, scale=scale)
        builder.convolution(layer, [source], target, [steps - 1] if steps else [], activation)
        source, steps = target, steps + 1
    builder.store(source, RESULT, outputs, steps - 1)
    builder.phase(steps + 1)
    return builder.program()
