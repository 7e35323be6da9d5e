"""Values of options: brought to their type, with the right form as an example where that cannot be."""

import json
import math
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, get_args, get_origin

from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.paths import expanded
from esrgan_torch.words import shown

Table = dict[str, Any]

_LONG = 10**18  # from which on a number is told in part

_KINDS: dict[object, tuple[str, str]] = {
    int: ("a whole number", "16"),
    float: ("a number", "1e-4"),
    bool: ("true or false", "true"),
    str: ("a text", "name"),
}


@dataclass(frozen=True)
class Setting:
    """A value as it was given on the command line.

    Args:
        value: what TOML understood; the text where it did not.
        text: as it was given.
    """

    value: Any
    text: str


def fit(name: str, given: Any, hint: Any) -> Any:
    """A value of the type that an option has.

    A whole number may be written as 1e3, a single value stands for a list of one, and what is to be text is
    taken as it stands on the command line ("2024" is a folder's name there).

    Args:
        name: of the option, such as "data.batch".
        given: what TOML or a `Setting` holds.
        hint: the option's type.

    Raises:
        ConfigError: it cannot be; with an example of the right form.
    """
    value = given.value if isinstance(given, Setting) else given
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in arguments:
            known = ", ".join(str(each) or '""' for each in arguments)
            raise ConfigError(f"{name} is one of {known}, such as {name}={arguments[-1]}; not {shown(value)}")
        return value
    if origin is dict:
        if not is_table(value):
            raise ConfigError(
                f"{name} is a table, such as {_example(name, '{ conv5_4 = 1.0 }')}; not {shown(value)}"
            )
        return {key: fit(f"{name}.{key}", each, arguments[1]) for key, each in value.items()}
    if origin is tuple:
        return _fit_list(name, given, arguments)
    if hint is str and isinstance(given, Setting) and not isinstance(value, str):
        return given.text.strip()
    if hint is str and isinstance(value, str) and not _is_utf8(value):
        raise ConfigError(
            f"{name} is a text in UTF-8, which {shown(value)} is not; give it another name, or a link to it"
        )
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if hint is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if type(value) is not hint or (isinstance(value, float) and not math.isfinite(value)):
        words, example = _KINDS[hint]
        raise ConfigError(f"{name} is {words}, such as {name}={example}; not {shown(value)}")
    return value


def check_range(options: object, prefix: str, **ranges: tuple[float, float]) -> None:
    """Raise `ConfigError` for the first of these options that lies outside its range, ends included."""
    for name, (least, most) in ranges.items():
        value = getattr(options, name)
        if value < least:
            raise ConfigError(f"{prefix}{name} is at least {least:g}, not {_counted(value)}")
        if value > most:
            raise ConfigError(f"{prefix}{name} is at most {most:,}, not {_counted(value)}")


def _counted(value: float) -> str:
    return f"{value:,}" if abs(value) < _LONG else shown(value)


def set_paths(options: object, *names: str) -> None:
    """Put the user's folder for a leading ~ in these options, paths or tuples of them."""
    for name in names:
        value: str | tuple[str, ...] = getattr(options, name)
        found = _home(value) if isinstance(value, str) else tuple(map(_home, value))
        object.__setattr__(options, name, found)


def _home(path: str) -> str:
    return str(expanded(path)) if path.startswith("~") else path


def _is_utf8(text: str) -> bool:
    """Whether a recipe can hold it: a path may have bytes that are no text, and these are surrogates here."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_table(value: Any) -> TypeGuard[Table]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, list | tuple)


def _fit_list(name: str, given: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    value = given.value if isinstance(given, Setting) else given
    several = arguments[-1] is ...
    element = arguments[0]
    example = ["a", "b"] if element is str else [50_000, 100_000] if element is int else [0.9, 0.99]
    form = _example(name, json.dumps(example, separators=(",", ":")))
    if not is_list(value):
        # a shell takes the quotes out of ["a","b"], and TOML does not know the rest
        if not several or is_table(value) or (isinstance(value, str) and value.strip().startswith("[")):
            count = "" if several else f" of {len(arguments)} values"
            raise ConfigError(f"{name} is a list{count}, such as {form}; not {shown(value)}")
        return (fit(name, given, element),)
    if not several and len(value) != len(arguments):
        raise ConfigError(f"{name} is a list of {len(arguments)} values, such as {form}; not {shown(value)}")
    return tuple(fit(name, each, element) for each in value)


def _example(name: str, text: str) -> str:
    """As it is typed in a shell."""
    return f"'{name}={text}'"
