"""The networks that this project has, each with its sizes and with what computes it.

One record here and one in `esrgan_weights.architectures`, for its files, make a network known to everything:
docs/adding-a-network.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from esrgan_torch.engines import openvino
from esrgan_torch.engines.base import Engine
from esrgan_torch.engines.compact import CompactEngine
from esrgan_torch.engines.cuda.choose import make_kernel_engine
from esrgan_torch.engines.native.engine import NativeCompactEngine, NativeRRDBEngine, NativeSPANEngine
from esrgan_torch.engines.ncnn.engine import NcnnCompactEngine, NcnnRRDBEngine, NcnnSPANEngine
from esrgan_torch.engines.openvino import OpenVinoCompactEngine, OpenVinoRRDBEngine
from esrgan_torch.engines.packed import PackedEngine
from esrgan_torch.engines.plain import PlainEngine
from esrgan_torch.engines.rrdb import RRDBEngine
from esrgan_torch.networks import span, span_export, span_training
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.compact import CompactNet, CompactNetConfig, ExportedCompactNet
from esrgan_torch.networks.rrdb import ExportedRRDBNet, RRDBNet, RRDBNetConfig

Maker = Callable[[Any, torch.device, torch.dtype], Engine]


@dataclass(frozen=True)
class Architecture:
    """A network: what it is called, what it is built from, what runs it.

    Args:
        name: of its class, as it stands in files, recipes and records: "RRDBNet".
        title: as users know it: "ESRGAN (RRDBNet)".
        network: the class; built with the fields of `config` as arguments.
        config: its sizes, a frozen dataclass that raises `ConfigError`.
        exported: makes the form of it that is exported, see `esrgan_torch.networks.export`.
        engines: what computes it, by the keys of `esrgan_torch.engines.kinds`; "plain" is always there.
        slower: for engines that "auto" does not always take although they run: why not in a precision, or
            None where it is the fastest.
        training: the class that is trained, where that is another, with the same arguments.
    """

    name: str
    title: str
    network: type[Generator]
    config: type[Any]
    exported: Callable[[Any], nn.Module]
    engines: Mapping[str, Maker]
    slower: Mapping[str, Callable[[torch.dtype], str | None]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    training: type[Generator] | None = None


RRDB = Architecture(
    name="RRDBNet",
    title="ESRGAN (RRDBNet)",
    network=RRDBNet,
    config=RRDBNetConfig,
    exported=ExportedRRDBNet,
    engines={
        "triton": make_kernel_engine,
        "native": NativeRRDBEngine,
        "openvino": OpenVinoRRDBEngine,
        "ncnn": NcnnRRDBEngine,
        "packed": PackedEngine,
        "plain": RRDBEngine,
    },
    slower={"openvino": lambda dtype: openvino.slower_for_rrdb(dtype)},
)

COMPACT = Architecture(
    name="CompactNet",
    title="Compact (SRVGGNetCompact)",
    network=CompactNet,
    config=CompactNetConfig,
    exported=ExportedCompactNet,
    engines={
        "native": NativeCompactEngine,
        "openvino": OpenVinoCompactEngine,
        "ncnn": NcnnCompactEngine,
        "plain": CompactEngine,
    },
)

SPAN = Architecture(
    name="SPAN",
    title="SPAN",
    network=span.SPAN,
    config=span.SPANConfig,
    exported=span_export.ExportedSPAN,
    engines={"native": NativeSPANEngine, "ncnn": NcnnSPANEngine, "plain": PlainEngine},
    training=span_training.SPANTraining,
)

ARCHITECTURES = (RRDB, COMPACT, SPAN)


def architecture_of(network: object) -> Architecture | None:
    """The record of a network, of its sizes or of its name; None for networks of other projects."""
    for architecture in ARCHITECTURES:
        if network == architecture.name or type(network) in (architecture.network, architecture.config):
            return architecture
    return None


def names(word: str = " or ") -> str:
    """All networks, for a sentence: "RRDBNet, CompactNet or SPAN"."""
    return joined([architecture.name for architecture in ARCHITECTURES], word)


def joined(parts: Sequence[str], word: str) -> str:
    """For a sentence: "A", "A or B", "A, B or C"; at least one."""
    *others, last = parts
    return f"{', '.join(others)}{word}{last}" if others else last
