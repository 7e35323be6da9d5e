"""The tensors of SPAN's files: as they were trained, as they run, or both.

A 3x3 convolution stands in a file as its branches (`sk`, `conv.0`, `conv.1`, `conv.2`), as the plain
convolution computed from them (`eval_conv`), as both, or under its bare name, as this project stores it. The
official code computes `eval_conv` anew from the branches at each call, so where the branches are there they
count, and an `eval_conv` beside them, which may be older, does not. An entry `no_norm` says that the network
is given the picture as it is; mean and range of the others are the same in all files and stand in none.
"""

from collections.abc import Iterable, Mapping
from math import isqrt

import torch
from torch import Tensor

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.registry import joined
from esrgan_torch.networks.reparameterised import Branches, Kernel, exact_branches, merged
from esrgan_torch.networks.span import BLOCKS, SPANConfig
from esrgan_weights.architectures.base import convolution_sizes
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.values import as_float32

TITLE = "SPAN"
NO_NORM = "no_norm"
# the convolutions that are trained as branches, and those that are not, in the order of the network's graph
REPARAMETERISED = (
    "conv_1",
    *(f"block_{block}.c{number}_r" for block in range(1, BLOCKS + 1) for number in (1, 2, 3)),
    "conv_2",
)
ALWAYS_PLAIN = ("conv_cat", "upsampler.0")
BRANCHES = ("sk", "conv.0", "conv.1", "conv.2")
EVALUATION = "eval_conv"
KINDS = ("weight", "bias")
# each way to store the convolutions, and the tensors that tell it, the first of which no other network has
MARKS: Mapping[str, tuple[str, ...]] = {
    way: (f"block_1.c1_r.{inner}weight", f"conv_1.{inner}weight", "conv_cat.weight", "upsampler.0.weight")
    for way, inner in (("trained", "sk."), ("evaluation", f"{EVALUATION}."), ("plain", ""))
}


def needed_names(keys: Iterable[str]) -> list[str]:
    """Every tensor that a SPAN with these names must have, in the order of its graph; `no_norm` apart."""
    known = set(keys)
    return [f"{part}.{kind}" for module in modules() for part in _parts(module, known) for kind in KINDS]


def idle_names(keys: Iterable[str]) -> list[str]:
    """Those that may stand beside them: `no_norm`, and each `eval_conv` whose branches are there."""
    known = set(keys)
    idle = [
        f"{module}.{EVALUATION}.{kind}"
        for module in REPARAMETERISED
        if len(_parts(module, known)) > 1
        for kind in KINDS
    ]
    return [name for name in (NO_NORM, *idle) if name in known]


def modules() -> list[str]:
    """Every convolution of the plain network, by this project's name, in the order of the graph."""
    return [*REPARAMETERISED[:-1], ALWAYS_PLAIN[0], REPARAMETERISED[-1], ALWAYS_PLAIN[1]]


def plain_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the plain network, under this project's names, float32; branches are merged in float64.

    Args:
        tensors: of a file, complete (`needed_names`), of any floating-point type; others are left out.

    Raises:
        CheckpointError: a tensor is of a wrong type, shape or not finite.
    """
    plain: dict[str, Tensor] = {}
    for module in modules():
        parts = _parts(module, tensors.keys())
        values = [as_float32(tensors[name], name) for part in parts for name in _both(part)]
        if len(parts) > 1:
            branches = Branches(*values)
            _check_branches(module, branches)
            kernel = merged(branches.double())
            values = [as_float32(tensor, f"{module}, merged,") for tensor in kernel]
        plain |= zip(_both(module), values, strict=True)
    return plain


def span_config(tensors: Mapping[str, Tensor], *, normalised: bool) -> SPANConfig:
    """Sizes of the SPAN that has these tensors, complete and under this project's names.

    Args:
        tensors: as `plain_tensors` gives them.
        normalised: whether the file has no entry `no_norm`.

    Raises:
        UnknownArchitectureError: no SPAN has such tensors.
        CheckpointError: those of a convolution are not of its shape.
    """
    features, in_channels = convolution_sizes(tensors, "conv_1.weight")
    outputs, _ = convolution_sizes(tensors, "upsampler.0.weight")
    # the picture's own channels first, then those of other pictures, in spandrel's order
    sides = {count: isqrt(outputs // count) for count in (in_channels, 3, 4, 1) if outputs % count == 0}
    fitting = [(side, count) for count, side in sides.items() if count * side**2 == outputs]
    if not fitting:
        known = joined([str(count) for count in sorted({1, 3, 4, in_channels})], " or ")
        raise UnknownArchitectureError(
            f"{TITLE} ends with {known} times a square number of channels, not {outputs}"
        )
    scale, out_channels = fitting[0]
    try:
        return SPANConfig(features, scale, in_channels, out_channels, normalised)
    except ConfigError as error:
        raise UnknownArchitectureError(f"no {TITLE} of this project has such sizes: {error}") from error


def shapes_of_span(config: SPANConfig) -> Mapping[str, tuple[int, ...]]:
    """This project's name of each tensor -> its shape, in the order of the network's graph."""
    features = config.features
    sizes: dict[str, tuple[int, int, int]] = dict.fromkeys(REPARAMETERISED, (features, features, 3))
    sizes["conv_1"] = (features, config.in_channels, 3)
    sizes["conv_cat"] = (features, 4 * features, 1)
    sizes["upsampler.0"] = (config.out_channels * config.scale**2, features, 3)
    shapes: dict[str, tuple[int, ...]] = {}
    for name in modules():
        outputs, inputs, side = sizes[name]
        shapes |= {f"{name}.weight": (outputs, inputs, side, side), f"{name}.bias": (outputs,)}
    return shapes


def official_tensors(tensors: Mapping[str, Tensor], config: SPANConfig) -> dict[str, Tensor]:
    """The tensors of a plain network as the official program reads them: exact branches, and `eval_conv`.

    Args:
        tensors: under this project's names, of any type.
        config: of the network.
    """
    written: dict[str, Tensor] = {}
    for module in modules():
        kernel = Kernel(*(tensors[name] for name in _both(module)))
        if module in REPARAMETERISED:
            names = [name for branch in BRANCHES for name in _both(f"{module}.{branch}")]
            written |= zip(names, exact_branches(kernel), strict=True)
            written |= zip(_both(f"{module}.{EVALUATION}"), kernel, strict=True)
        else:
            written |= zip(_both(module), kernel, strict=True)
    return written | marker(config)


def marker(config: SPANConfig) -> dict[str, Tensor]:
    """The entry that tells a network whose picture is not normalised; none for others."""
    return {} if config.normalised else {NO_NORM: torch.zeros(1)}


def _parts(module: str, known: Iterable[str]) -> tuple[str, ...]:
    """What of a convolution has to be in a file with these names: its branches, or what takes their place."""
    known = set(known)
    if module in ALWAYS_PLAIN:
        return (module,)
    branches = tuple(f"{module}.{branch}" for branch in BRANCHES)
    for way in (branches, (f"{module}.{EVALUATION}",), (module,)):
        if any(name in known for part in way for name in _both(part)):
            return way
    return branches


def _both(module: str) -> tuple[str, str]:
    """Names of a convolution's weight and bias."""
    return f"{module}.weight", f"{module}.bias"


def _check_branches(module: str, branches: Branches) -> None:
    """Raise `CheckpointError` where the branches' shapes do not fit together."""
    outputs, inputs = branches.sk_weight.shape[:2] if branches.sk_weight.ndim == 4 else (0, 0)
    before, after = branches.first_bias.numel(), branches.middle_bias.numel()
    wanted = (
        (outputs, inputs, 1, 1),
        (outputs,),
        (before, inputs, 1, 1),
        (before,),
        (after, before, 3, 3),
        (after,),
        (outputs, after, 1, 1),
        (outputs,),
    )
    wrong = [
        f"{name} {list(tensor.shape)}"
        for name, tensor, shape in zip(
            [name for branch in BRANCHES for name in _both(f"{module}.{branch}")],
            branches,
            wanted,
            strict=True,
        )
        if tuple(tensor.shape) != shape or 0 in shape
    ]
    if wrong:
        raise CheckpointError(f"the branches of {module} do not fit together: {', '.join(wrong)}")
