"""Dataclasses from what JSON gave, every value of the type that its field has.

A damaged record is found here, not where it is used.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeGuard, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from esrgan_torch.words import shown

Kind = TypeVar("Kind")


def built(kind: type[Kind], record: object, *, complete: bool = False) -> Kind:
    """A dataclass, and those within it, from a JSON object with the names of its fields.

    Args:
        complete: fields that have defaults must be there too.

    Raises:
        ValueError: a name is missing or unknown, or a value is of another type; the message says which.
    """
    if not _is_object(record):
        raise ValueError(f"a {kind.__name__} is an object, not {shown(record)}")
    hints = get_type_hints(kind)
    entries = fields(cast(Any, kind))
    needed = {
        entry.name
        for entry in entries
        if complete or (entry.default is MISSING and entry.default_factory is MISSING)
    }
    names = {entry.name for entry in entries}
    if different := (needed - record.keys()) | (record.keys() - names):
        raise ValueError(
            f"it lacks or has too many fields: {', '.join(sorted(name[:60] for name in different))}"
        )
    return kind(**{name: _value(name, hints[name], value) for name, value in record.items()})


def _value(name: str, hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _value(name, next(each for each in arguments if each is not type(None)), value)
    if origin is dict and _is_object(value):
        return {
            _value(name, arguments[0], key): _value(name, arguments[1], each) for key, each in value.items()
        }
    if origin is list and _is_list(value):
        return [_value(name, arguments[0], each) for each in value]
    if origin is tuple and _is_list(value) and len(value) == len(arguments):
        return tuple(_value(name, each, part) for each, part in zip(arguments, value, strict=True))
    if is_dataclass(hint):
        return built(cast("type[Any]", hint), value)
    if hint is float and type(value) in (int, float):
        return float(cast(float, value))
    if type(value) is hint or (hint is int and type(value) is bool):  # a size may be one
        return value
    raise ValueError(f"{name} is {shown(value)}")


def _is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
