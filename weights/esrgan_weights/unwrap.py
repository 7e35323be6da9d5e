"""From what a file holds to the tensors of one network: wrapper keys and prefixes are taken off."""

from collections.abc import Mapping
from typing import cast

from torch import Tensor

from esrgan_weights.errors import CheckpointError

# in order of preference: averaged weights first, they are the ones that are published
WRAPPERS = (
    "params_ema",
    "params-ema",
    "params",
    "ema_state_dict",
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "generator",
)
# a whole training setup: the generator's tensors stand beside others, which are left out
SELECTING = ("generator_ema.", "generator.", "netG.")
# added to every name by a wrapper module
COMMON = ("module.", "_orig_mod.")
DEPTH = 4


def unwrap(content: object) -> tuple[dict[str, Tensor], str]:
    """The tensors in what a file holds, and the keys that lead to them, such as "params_ema".

    Raises:
        CheckpointError: there are no tensors.
    """
    taken: list[str] = []
    for _ in range(DEPTH):
        if not isinstance(content, Mapping):
            break
        entries = cast(Mapping[object, object], content)
        key = next((key for key in WRAPPERS if isinstance(entries.get(key), Mapping)), None)
        if key is None:
            break
        taken.append(key)
        content = entries[key]
    if not isinstance(content, Mapping):
        raise CheckpointError(f"it holds a {type(content).__name__}, not named tensors")
    entries = cast(Mapping[object, object], content)
    tensors = {str(name): value for name, value in entries.items() if isinstance(value, Tensor)}
    if not tensors:
        held = ", ".join(map(str, list(entries)[:6])) or "nothing"
        raise CheckpointError(f"it holds no tensors (but: {held})")
    for _ in range(DEPTH):
        prefix = _prefix(tensors)
        if prefix is None:
            break
        taken.append(prefix)
        tensors = {
            name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)
        }
    return tensors, " ".join(taken)


def _prefix(names: Mapping[str, Tensor]) -> str | None:
    for prefix in SELECTING:
        if any(name.startswith(prefix) for name in names):
            return prefix
    return next((prefix for prefix in COMMON if all(name.startswith(prefix) for name in names)), None)
