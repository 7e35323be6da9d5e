"""RRDBNet as two programs, the trunk and the tail."""

from collections.abc import Sequence

from esrgan_torch.engines.native.library import Program
from esrgan_torch.engines.native.program import PICTURE, RESULT, Activation, Builder, Kind
from esrgan_torch.networks.rrdb import RESIDUAL_SCALE, SLOPE, ResidualDenseBlock, RRDBNet


def rrdb_trunk_program(model: RRDBNet, lanes: int) -> Program:
    """RRDBNet's trunk: the first convolution, all dense blocks as one phase, the body's last convolution.

    Three planes exist: an RRDB's start, and the results of its first and its second dense block. The first
    convolution is computed again at the end rather than kept.
    """
    config = model.config
    features, growth = config.features, config.growth
    folded = config.in_channels * config.unshuffle**2
    builder = Builder(lanes)
    builder.map(config.in_channels, Kind.GIVEN)
    builder.map(features, Kind.GIVEN)
    start, stream, result = builder.map(features, Kind.PLANE), builder.map(features, Kind.PLANE), RESULT
    pictures = [builder.map(folded), builder.map(folded)]
    inner = [builder.map(growth) for _ in range(4)]

    builder.load(PICTURE, pictures[0], folded, config.unshuffle)
    builder.convolution(model.conv_first, [pictures[0]], start, [0])
    builder.phase(2)
    for rrdb in model.rrdbs():
        dense_block(builder, rrdb.rdb1, start, stream, [], inner)
        dense_block(builder, rrdb.rdb2, stream, result, [], inner)
        dense_block(builder, rrdb.rdb3, result, start, [(RESIDUAL_SCALE, start)], inner)
    builder.phase(5, 3 * config.blocks)
    builder.load(PICTURE, pictures[1], folded, config.unshuffle)
    builder.convolution(model.conv_first, [pictures[1]], result, [0])
    builder.convolution(model.conv_body, [start], result, [1], residuals=[(1.0, result)])
    builder.phase(3)
    return builder.program()


def dense_block(
    builder: Builder,
    block: ResidualDenseBlock,
    source: int,
    target: int,
    further: Sequence[tuple[float, int]],
    inner: Sequence[int],
) -> None:
    """target = source + 0.2 * block(source), and then for each of `further`: target * factor + map."""
    widths, maps = [block.conv1.in_channels], [source]
    last = 4
    for number, layer in enumerate((block.conv1, block.conv2, block.conv3, block.conv4)):
        waits = [number - 1 if number else last]
        builder.convolution(layer, maps, inner[number], waits, SLOPE, widths=widths)
        widths.append(layer.out_channels)
        maps.append(inner[number])
    residuals = [(RESIDUAL_SCALE, source), *further]
    builder.convolution(block.conv5, maps, target, [3], residuals=residuals, widths=widths)


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
