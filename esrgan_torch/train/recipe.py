"""Recipes: TOML files that become `Options`, and options that become TOML again."""

import difflib
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_type_hints

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import architecture_of, names
from esrgan_torch.storage.paths import exists
from esrgan_torch.train.initial import starts_of
from esrgan_torch.train.options import NetworkOptions, Options
from esrgan_torch.train.values import Setting, Table, fit, is_list, is_table
from esrgan_torch.words import shown

# without these a network is not described; the others are as they mostly are
_SIZES = {"kind", "features", "blocks", "growth", "convolutions", "scale"}


def recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    folder = files("esrgan_torch.train") / "recipes"
    return sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))


def read_recipe(
    name_or_path: str | Path, settings: Iterable[str] = (), *, load: Callable[[str], Generator] | None = None
) -> Options:
    """The options of a recipe, with settings of the form "data.batch=8" laid over it.

    Args:
        name_or_path: a name of `recipes()`, or a TOML file.
        settings: the value is TOML; what TOML does not understand is taken as text.
        load: gives the network that `network.initial` names. With it the sizes that are not given are that
            network's. A recipe's sizes are given for its own `initial`, and not for one among the settings.

    Raises:
        ConfigError: no such recipe, an unknown key (the nearest known one is named), or a value that
            cannot be.
        WeightsError: what `load` raises.
    """
    table = _table(name_or_path)
    in_file = _keys(table)
    for setting in settings:
        _set(table, setting)
    if load is not None:
        changed = {setting.partition("=")[0].strip().removeprefix("network.") for setting in settings}
        _lay_sizes(table, changed if "initial" in changed else changed | in_file, load)
    return _make(Options, table, "")


def from_anywhere(options: Options) -> Options:
    """The same options with whole paths, so that a run can be resumed from any working folder."""

    def whole(path: str) -> str:
        return str(Path(path).absolute()) if exists(path) else path  # else it is a model's name

    data, network, losses = options.data, options.network, options.losses
    return replace(
        options,
        data=replace(
            data,
            folders=tuple(map(whole, data.folders)),
            small_folders=tuple(map(whole, data.small_folders)),
            validation=tuple(map(whole, data.validation)),
            cache=whole(data.cache) if data.cache else "",
        ),
        network=replace(network, initial=whole(network.initial) if network.initial else ""),
        losses=replace(
            losses, teacher=whole(losses.teacher) if losses.teacher else "", vgg=whole(losses.vgg)
        ),
    )


def as_toml(options: Options) -> str:
    """The recipe that gives these options, every one of them written out."""
    plain: list[str] = []
    tables: list[str] = []
    for name, value in asdict(options).items():
        if is_table(value):
            tables += ["", f"[{name}]", *(f"{key} = {_toml(each)}" for key, each in value.items())]
        else:
            plain.append(f"{name} = {_toml(value)}")
    return "\n".join([*plain, *tables]) + "\n"


def _toml(value: Any) -> str:
    if is_table(value):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    if is_list(value):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    # JSON's text, numbers and truth values are TOML's too, but for one character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _make(kind: type[Any], table: Mapping[str, Any], prefix: str) -> Any:
    """A dataclass from a table: lists become tuples, tables become nested dataclasses."""
    hints = get_type_hints(kind)
    known = [each.name for each in fields(kind)]
    values: Table = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if key in known and is_dataclass(hints[key]):
            value = _plain(value)
        if key not in known:
            raise ConfigError(f"unknown option {name}{_nearest(key, known)}")
        if is_dataclass(hints[key]):
            if not is_table(value):
                raise ConfigError(f"{name} must be a table of options, not {shown(value)}")
            values[key] = _make(hints[key], value, f"{name}.")
        else:
            values[key] = fit(name, value, hints[key])
    return kind(**values)


def _table(name_or_path: str | Path) -> Table:
    """What the recipe's TOML holds."""
    path = Path(name_or_path)
    try:
        if path.suffix == ".toml":
            if not path.is_file():
                raise ConfigError(f"{path}: there is no such recipe")
            text = path.read_text(encoding="utf-8")
        elif str(name_or_path) in recipes():
            text = (files("esrgan_torch.train") / "recipes" / f"{name_or_path}.toml").read_text(
                encoding="utf-8"
            )
        else:
            raise ConfigError(
                f"there is no recipe {str(name_or_path)!r}{_nearest(str(name_or_path), recipes())}; or give "
                "a .toml file"
            )
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # also text that is no UTF-8, and numbers without end
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{name_or_path} is not TOML: {error}") from error


def _keys(table: Table) -> set[str]:
    network = table.get("network")
    return set(network) if is_table(network) else set()


def _lay_sizes(table: Table, given: set[str], load: Callable[[str], Generator]) -> None:
    """Put the sizes of `network.initial` where none are given."""
    network = table.get("network")
    if not is_table(network) or not (initial := _plain(network.get("initial", ""))):
        return
    kind = _plain(network.get("kind", "")) if "kind" in given else ""
    architecture = architecture_of(kind)
    needed = ({size.name for size in fields(architecture.config)} & _SIZES) if architecture else _SIZES
    if architecture is not None and needed <= given:
        return
    found = load(str(initial))
    theirs = architecture_of(found)
    if theirs is None:
        raise ConfigError(
            f"network.initial = {str(initial)!r} is a {type(found).__name__}; {names(', ')} are trained"
        )
    sizes = {"kind": theirs.name, **asdict(found.config)}
    for size in (each.name for each in fields(NetworkOptions)):
        if size in sizes and size not in given:
            network[size] = sizes[size]
    if "init" not in given and network["kind"] == theirs.name:
        network["init"] = next(iter(starts_of(theirs.name)))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Setting) else value


def _set(table: Table, setting: str) -> None:
    name, equals, text = setting.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"a setting looks like data.batch=8, not {shown(setting)}")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text
    *parents, key = name.strip().split(".")
    for parent in parents:
        inner = table.setdefault(parent, {})
        inner = table[parent] = _plain(inner)
        if not is_table(inner):
            raise ConfigError(f"{shown(setting)}: {parent} is not a table of options")
        table = inner
    table[key] = Setting(value, text)


def _nearest(given: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(given, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else f"; known: {', '.join(known)}"
