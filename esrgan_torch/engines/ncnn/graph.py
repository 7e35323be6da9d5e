"""ncnn's graphs, and the text of one: a `.param` file. `esrgan_weights.formats.ncnn` reads such files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

MAGIC = "7767517"
# before a layer's numbers in the .bin: how they are stored
FLOAT32 = 0
FLOAT16 = 0x01306B47
INT8 = 0x000D4B38
ARRAY = -23300  # the key of an array is this minus its number

Option = int | float | tuple[float, ...]


@dataclass(frozen=True)
class Layer:
    """One line of the graph: a layer, the values (blobs) it takes and gives, its numbered options."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Mapping[int, Option] = field(default_factory=dict[int, Option])

    def whole(self, key: int, default: int = 0) -> int:
        """The option as a whole number."""
        value = self.options.get(key, default)
        return int(value) if not isinstance(value, tuple) else default

    def number(self, key: int, default: float = 0.0) -> float:
        """The option as a number."""
        value = self.options.get(key, default)
        return float(value) if not isinstance(value, tuple) else default

    def array(self, key: int) -> tuple[float, ...]:
        """The option as an array; empty if it is not there."""
        value = self.options.get(key, ())
        return value if isinstance(value, tuple) else ()


def print_layers(layers: Sequence[Layer]) -> str:
    """The text of a `.param` file."""
    lines = [MAGIC, f"{len(layers)} {sum(len(layer.outputs) for layer in layers)}"]
    for layer in layers:
        words = [f"{layer.kind:<24} {layer.name:<24} {len(layer.inputs)} {len(layer.outputs)}"]
        words += [*layer.inputs, *layer.outputs]
        for key, value in layer.options.items():
            if isinstance(value, tuple):
                words.append(f"{ARRAY - key}={len(value)},{','.join(map(_text, value))}")
            else:
                words.append(f"{key}={_text(value)}")
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def _text(number: float) -> str:
    """ncnn reads a number as a whole one or not by how it is written."""
    return f"{number:e}" if isinstance(number, float) else str(number)


def with_splits(layers: Sequence[Layer]) -> list[Layer]:
    """The same graph in the form that ncnn asks for: a value that is used n times is split first."""
    uses: dict[str, int] = {}
    for layer in layers:
        for value in layer.inputs:
            uses[value] = uses.get(value, 0) + 1
    result: list[Layer] = []
    taken: dict[str, int] = {}
    for layer in layers:
        inputs: list[str] = []
        for value in layer.inputs:
            if uses[value] > 1:
                taken[value] = taken.get(value, 0) + 1
                value = f"{value}_split_{taken[value] - 1}"
            inputs.append(value)
        result.append(replace(layer, inputs=tuple(inputs)))
        for value in layer.outputs:
            if uses.get(value, 0) > 1:
                copies = tuple(f"{value}_split_{number}" for number in range(uses[value]))
                result.append(Layer("Split", f"split_{value}", (value,), copies))
    return result
