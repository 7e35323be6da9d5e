"""The text of an ncnn graph, a `.param` file, as layers."""

from esrgan_torch.engines.ncnn.graph import ARRAY, MAGIC, Layer, Option
from esrgan_weights.errors import CheckpointError


def parse(text: str) -> list[Layer]:
    """The layers of a `.param` file.

    Raises:
        CheckpointError: the text is not one, or is truncated.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != [MAGIC]:
        raise CheckpointError(f"it is not an ncnn .param file, whose first line is {MAGIC}")
    try:
        announced = int(lines[1][0])
        layers = [_parse_line(words) for words in lines[2:]]
    except (ValueError, IndexError) as error:
        raise CheckpointError("it is damaged: a line does not read as an ncnn layer") from error
    if len(layers) != announced or not layers:
        raise CheckpointError(f"it is truncated: {len(layers)} layers where {announced} are announced")
    if len({layer.name for layer in layers}) != len(layers):
        raise CheckpointError("it is damaged: two layers have the same name")
    return layers


def _parse_line(words: list[str]) -> Layer:
    kind, name = words[:2]
    middle, end = 4 + int(words[2]), 4 + int(words[2]) + int(words[3])
    if len(words) < end:
        raise ValueError(words)
    options: dict[int, Option] = {}
    for word in words[end:]:
        key, value = word.split("=")
        if int(key) <= ARRAY:
            options[ARRAY - int(key)] = tuple(float(item) for item in value.split(",")[1:])
        else:
            options[int(key)] = float(value) if "." in value or "e" in value else int(value)
    return Layer(kind, name, tuple(words[4:middle]), tuple(words[middle:end]), options)
