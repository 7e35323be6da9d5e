"""Sizes of a network, stated beside its tensors in a pickle, where other programs do not look.

An `OrderedDict` of tensors may have an attribute `_metadata`, in which torch keeps versions by the modules'
names; `torch.save` keeps it, and `load_state_dict` asks it for its own modules alone.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from torch import Tensor

from esrgan_weights.checkpoint import Config

KEY = "esrgan_torch"


def with_sizes(tensors: Mapping[str, Tensor], config: Config) -> "OrderedDict[str, Tensor]":
    """The tensors with the network's sizes stated beside them."""
    result = OrderedDict(tensors)
    holder: Any = result
    holder._metadata = OrderedDict({KEY: asdict(config)})
    return result


def stated_sizes(container: object) -> Mapping[str, object]:
    """The sizes that `with_sizes` stated; empty where there are none."""
    metadata: object = getattr(container, "_metadata", None)
    sizes = cast(Mapping[object, object], metadata).get(KEY) if isinstance(metadata, Mapping) else None
    return cast(Mapping[str, object], sizes) if isinstance(sizes, Mapping) else {}
