"""Recipes: TOML files that become `Options`, and options that become TOML again."""

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeGuard, get_args, get_origin, get_type_hints

from esrgan_torch.errors import ConfigError
from esrgan_torch.train.options import Options

Table = dict[str, Any]


def recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = files("esrgan_torch.train") / "recipes"
    return sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))


def read_recipe(name_or_path: str | Path, settings: Iterable[str] = ()) -> Options:
    """The options of a recipe, with settings of the form "data.batch=8" laid over it.

    Args:
        name_or_path: a name of `recipes()`, or a TOML file.
        settings: the value is TOML; what TOML does not understand is taken as text.

    Raises:
        ConfigError: no such recipe, an unknown key (the nearest known one is named), or a value that
            cannot be.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such recipe")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: the recipe cannot be read ({error})") from error
    elif str(name_or_path) in recipes():
        text = (files("esrgan_torch.train") / "recipes" / f"{name_or_path}.toml").read_text(encoding="utf-8")
    else:
        raise ConfigError(
            f"there is no recipe {str(name_or_path)!r}{_nearest(str(name_or_path), recipes())}; or give a "
            ".toml file"
        )
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, and lists as deep
        raise ConfigError(f"{name_or_path} is not TOML: {error}") from error
    for setting in settings:
        _set(table, setting)
    return _make(Options, table, "")


def as_toml(options: Options) -> str:
    """The recipe that gives these options, every one of them written out."""
    plain: list[str] = []
    tables: list[str] = []
    for name, value in asdict(options).items():
        if _is_table(value):
            tables += ["", f"[{name}]", *(f"{key} = {_toml(each)}" for key, each in value.items())]
        else:
            plain.append(f"{name} = {_toml(value)}")
    return "\n".join([*plain, *tables]) + "\n"


def _toml(value: Any) -> str:
    if _is_table(value):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    if _is_list(value):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    # JSON's text, numbers and truth values are TOML's too
    return json.dumps(value, ensure_ascii=False)


def _make(kind: type[Any], table: Mapping[str, Any], prefix: str) -> Any:
    """A dataclass from a table: lists become tuples, tables become nested dataclasses."""
    hints = get_type_hints(kind)
    known = [each.name for each in fields(kind)]
    values: Table = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if key not in known:
            raise ConfigError(f"unknown option {name}{_nearest(key, known)}")
        if is_dataclass(hints[key]):
            if not _is_table(value):
                raise ConfigError(f"{name} is a table of options, not {value!r}")
            values[key] = _make(hints[key], value, f"{name}.")
        else:
            values[key] = _checked(name, value, hints[key])
    return kind(**values)


def _checked(name: str, value: Any, hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in arguments:
            raise ConfigError(f"{name} is one of {', '.join(map(str, arguments))}, not {value!r}")
        return value
    if origin is dict:
        if not _is_table(value):
            raise ConfigError(f"{name} is a table, not {value!r}")
        return {key: _checked(f"{name}.{key}", each, arguments[1]) for key, each in value.items()}
    if origin is tuple:
        if not _is_list(value) or (arguments[-1] is not ... and len(value) != len(arguments)):
            count = "values" if arguments[-1] is ... else f"{len(arguments)} values"
            raise ConfigError(f"{name} is a list of {count}, not {value!r}")
        return tuple(_checked(name, each, arguments[0]) for each in value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{name} is of type {hint.__name__}, not {value!r}")
    return value


def _set(table: Table, setting: str) -> None:
    name, equals, text = setting.partition("=")
    if not equals or not name:
        raise ConfigError(f"a setting looks like data.batch=8, not {setting!r}")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text
    *parents, key = name.strip().split(".")
    for parent in parents:
        inner = table.setdefault(parent, {})
        if not _is_table(inner):
            raise ConfigError(f"{setting!r}: {parent} is not a table of options")
        table = inner
    table[key] = value


def _nearest(given: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(given, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else f"; known: {', '.join(known)}"


def _is_table(value: Any) -> TypeGuard[Table]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, list | tuple)
