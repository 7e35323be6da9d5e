"""`esrgan doctor`: what this machine has, for people and for bug reports."""

import argparse
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from esrgan_cli.options import Subparsers
from esrgan_cli.version import PACKAGE, project_version

if TYPE_CHECKING:
    import torch

LIBRARIES = ("torch", "numpy", "pillow", "imagecodecs", "tifffile", "safetensors")


@dataclass(frozen=True)
class Extra:
    """An optional part of the package and the distributions that it needs."""

    name: str
    missing: tuple[str, ...]
    found: tuple[str, ...]


def add_parser(subparsers: Subparsers) -> None:
    """Add `doctor`; it sets `run`, a function from the arguments to an exit status."""
    text = "show versions, devices, downloaded models and optional packages"
    parser = subparsers.add_parser("doctor", help=text, description=text)
    parser.add_argument("--cache", metavar="DIR", type=Path, help="folder of downloaded models")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the facts; always 0: what is missing is a fact as well."""
    _print_facts("versions", _versions())
    _print_facts("devices", _devices())
    _print_facts("models", _models(arguments.cache))
    _print_facts("extras", _extras())
    return 0


def find_extras(names: Iterable[str], requirements: Sequence[str]) -> list[Extra]:
    """Which distributions of each extra are installed.

    Args:
        names: of the extras, as in Provides-Extra of the package's metadata.
        requirements: as in Requires-Dist: 'pytest>=8; extra == "dev"'. One that has another condition too,
            such as the platform, does not count, since it may rightly be absent.
    """
    extras: list[Extra] = []
    for name in names:
        found: list[str] = []
        missing: list[str] = []
        for requirement in requirements:
            text, _, condition = requirement.partition(";")
            distribution = re.match(r"[\w.-]+", text.strip())
            asked = re.fullmatch(r"""extra\s*==\s*["']([\w.-]+)["']""", condition.strip())
            if distribution is None or asked is None or asked[1] != name:
                continue
            version = installed_version(distribution[0])
            if version is None:
                missing.append(distribution[0])
            else:
                found.append(f"{distribution[0]} {version}")
        extras.append(Extra(name, tuple(missing), tuple(found)))
    return extras


def installed_version(distribution: str) -> str | None:
    """The version of an installed distribution, None where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _versions() -> list[tuple[str, str]]:
    facts = [(PACKAGE, project_version()), ("Python", f"{platform.python_version()} ({sys.executable})")]
    facts += [(name, installed_version(name) or "missing") for name in LIBRARIES]
    return [*facts, ("platform", platform.platform())]


def _devices() -> list[tuple[str, str]]:
    import psutil
    import torch

    from esrgan_torch.engines.devices import computes_bfloat16_fast, device_name, free_memory
    from esrgan_torch.engines.native import build
    from esrgan_torch.engines.native.engine import fastest_level

    cpu = torch.device("cpu")
    half = "bfloat16 is fast" if computes_bfloat16_fast(cpu) else "bfloat16 is slow"
    memory = f"{_gib(free_memory(cpu))} of {_gib(psutil.virtual_memory().total)} free"
    level = fastest_level()
    facts = [
        ("cpu", f"{device_name(cpu)}, {half}, {memory}"),
        ("native", build.reason() if level is None else f"runs with {level}; {build.reason()}"),
    ]
    facts += _decisions(cpu)
    return [*facts, *_accelerators(), *_vulkan()]


def _accelerators() -> list[tuple[str, str]]:
    """Each device of PyTorch's accelerator, and what computes there; or why there is none."""
    import torch

    from esrgan_torch.engines.devices import device_name, free_memory, unused_gpu

    found = torch.accelerator.current_accelerator(check_available=True)
    if found is None:
        builds = {"CUDA": torch.version.cuda, "ROCm": torch.version.hip, "XPU": torch.version.xpu}
        build = next(
            (f"built for {kind} {version}" for kind, version in builds.items() if version), "a CPU build"
        )
        facts = [("gpu", f"none found (PyTorch is {build})")]
        unused = unused_gpu()
        return facts if unused is None else [*facts, ("", unused)]
    facts: list[tuple[str, str]] = []
    for index in range(torch.accelerator.device_count()):
        device = torch.device(found.type, index)
        text = f"{device_name(device)}, {_gib(free_memory(device))} free"
        if found.type == "cuda" and torch.version.hip is None:
            capability = torch.cuda.get_device_capability(device)
            text += f"; compute capability {capability[0]}.{capability[1]}"
        facts += [(str(device), text), *_decisions(device)]
    return facts


def _vulkan() -> list[tuple[str, str]]:
    """Each device that ncnn computes on; or why there is none."""
    from esrgan_torch.engines.ncnn.vulkan import VULKAN, best_gpu, budget, missing, vulkan_devices

    reason = missing(0)
    if reason is not None:
        return [(VULKAN, f"none: {reason}")]
    facts: list[tuple[str, str]] = []
    for device in vulkan_devices():
        kind = "a processor, used only on request" if device.kind == "processor" else f"{device.kind} GPU"
        text = f"{device.name}, {kind}, {_gib(budget(device.number))} may be allocated; float32 by ncnn"
        facts.append((f"{VULKAN}:{device.number}", text))
    if best_gpu() is not None:
        facts.append(("", "used if PyTorch has no accelerator, and after a test of the results"))
    return facts


def _decisions(device: "torch.device") -> list[tuple[str, str]]:
    """What computes each network there, and why; first in the half precision that "auto" tries, if any."""
    import torch

    from esrgan_torch.engines.choose import choose_engine, fast_half
    from esrgan_torch.engines.kinds import name_of
    from esrgan_torch.networks.registry import ARCHITECTURES

    facts: list[tuple[str, str]] = []
    for architecture in ARCHITECTURES:
        with torch.device("meta"):  # only its sizes are asked
            network = architecture.network()
        half = fast_half(network, device)
        precisions = [torch.float32] if half is None else [half, torch.float32]
        facts += [
            (architecture.name, f"{name_of(dtype)} by {choose_engine(network, device, dtype).describe()}")
            for dtype in precisions
        ]
    return facts


def _models(cache: Path | None) -> list[tuple[str, str]]:
    from esrgan_weights import registry
    from esrgan_weights.cache import cache_folder, model_folder

    facts = [("folder", str(cache_folder(cache)))]
    for name, model in registry.models().items():
        folder = model_folder(model, cache)
        if folder.is_dir():
            names = {file.name for alternative in model.alternatives for file in alternative.files}
            paths = [path for path in folder.iterdir() if path.is_file()]
            # the folder of the bundled models holds all of them
            size = sum(path.stat().st_size for path in paths if not model.bundled or path.name in names)
            facts.append((name, f"{size / 1e6:.1f} MB" + ", installed with the project" * model.bundled))
    facts.append(("others", "downloaded at first use; for a list: esrgan weights list"))
    return facts


def _extras() -> list[tuple[str, str]]:
    try:
        package = metadata.metadata(PACKAGE)
    except metadata.PackageNotFoundError:
        return [("unknown", f"{PACKAGE} is not installed; from a checkout: pip install -e .")]
    facts: list[tuple[str, str]] = []
    for extra in find_extras(package.get_all("Provides-Extra") or (), package.get_all("Requires-Dist") or ()):
        if extra.missing:
            text = f'missing {", ".join(extra.missing)}: pip install "{PACKAGE}[{extra.name}]"'
        else:
            text = f"found ({', '.join(extra.found)})"
        facts.append((extra.name, text))
    return facts


def _print_facts(title: str, facts: Sequence[tuple[str, str]]) -> None:
    print(title)
    width = max((len(name) for name, _ in facts), default=0)
    for name, text in facts:
        print(f"  {name:<{width}}  {text}")


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
