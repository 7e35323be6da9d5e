"""Every network of the registry keeps what docs/adding-a-network.md asks of one."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import torch

from esrgan_torch.engines.choose import make_engine
from esrgan_torch.engines.kinds import KINDS
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import ARCHITECTURES, Architecture, architecture_of, joined, names
from esrgan_weights.architectures.registry import ALL, files_of

ROOT = Path(__file__).parents[3]
# what is of one network alone: its own modules, its engines, and studies of it
OF_ONE_NETWORK = re.compile(
    r"networks/|architectures/|engines/cuda/|native/|engines/(rrdb|compact|packed|openvino)\.py|train/initial\.py"
    r"|span_tensors\.py|esrgan_benchmarks/|esrgan_torch/__init__\.py"
)


def small(architecture: Architecture) -> Generator:
    sizes = {field.name for field in fields(architecture.config)}
    tiny = {"features": 4, "blocks": 1, "growth": 2, "convolutions": 2, "scale": 2}
    torch.manual_seed(0)
    return architecture.network(**{name: value for name, value in tiny.items() if name in sizes}).eval()


@pytest.fixture(params=ARCHITECTURES, ids=lambda architecture: architecture.name)
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return request.param


def test_records(architecture: Architecture) -> None:
    network = small(architecture)
    assert architecture.name == architecture.network.__name__
    assert is_dataclass(architecture.config)
    assert type(network.config) is architecture.config
    for asked in (network, network.config, architecture.name):
        assert architecture_of(asked) is architecture
    assert "plain" in architecture.engines
    assert set(architecture.engines) <= {kind.key for kind in KINDS}
    with pytest.raises(ConfigError):
        architecture.config(features=0)
    assert files_of(network.config).architecture is architecture
    assert len(ALL) == len(ARCHITECTURES)


def test_trunk_and_tail_are_the_network(architecture: Architecture) -> None:
    network = small(architecture)
    batch = torch.rand(1, 3, 7, 9)
    with torch.inference_mode():
        torch.testing.assert_close(network.tail(network.trunk(batch)), network(batch), rtol=0, atol=0)


def test_no_pixel_beyond_the_receptive_field_matters(architecture: Architecture) -> None:
    network = small(architecture).double()
    reach, side = network.receptive_field, 2 * network.receptive_field + 5
    batch = torch.rand(1, 3, 3, side, dtype=torch.float64)
    changed = batch.clone()
    changed[..., -1] += 1
    unseen = network.scale * (side - 1 - reach)
    with torch.inference_mode():
        difference = (network(batch) - network(changed)).abs().amax((0, 1, 2))
    assert not difference[:unseen].any()
    # what it states is not far too much either
    assert difference[-network.scale * (reach // 2 + 1) :].any()


def test_the_exported_form_computes_the_same(architecture: Architecture) -> None:
    network = small(architecture)
    batch = torch.rand(1, 3, 6, 5)
    with torch.inference_mode():
        output, features = architecture.exported(network).eval()(batch)
        torch.testing.assert_close(output, network(batch), rtol=1e-5, atol=1e-5)
        assert features.shape == network.trunk(batch).shape


def test_shapes_by_arithmetic_are_those_of_the_network(architecture: Architecture) -> None:
    network = small(architecture)
    shapes = files_of(network.config).shapes_of(network.config)
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == dict(shapes)


@pytest.mark.parametrize("engine", ["auto", "eager"])
def test_engines_compute_the_same_and_say_why_they_run(architecture: Architecture, engine: str) -> None:
    network = small(architecture)
    made = make_engine(network, torch.device("cpu"), torch.float32, engine)
    batch = torch.rand(1, 3, 8, 10)
    told: list[float] = []
    with torch.inference_mode():
        expected = network(batch)
        room = 2e-5 * max(1.0, float(expected.abs().max()))  # random weights give values of any size
        torch.testing.assert_close(made.tail(made.trunk(batch, told.append)), expected, rtol=0, atol=room)
    assert told[-1] == 1
    assert made.trunk_bytes(8, 10) > 0
    said = made.choice.describe()
    if engine == "eager":
        assert said.endswith(", as requested")
    else:
        assert "by measurement" in said or "runs everywhere" in said


def test_names_for_a_sentence() -> None:
    assert [joined(list(parts), " or ") for parts in ("A", "AB", "ABC")] == ["A", "A or B", "A, B or C"]
    *others, last = (architecture.name for architecture in ARCHITECTURES)
    assert names() == f"{', '.join(others)} or {last}"
    assert architecture_of("VDSR") is None


def test_nothing_else_knows_a_network_by_name() -> None:
    of_a_network = "|".join(architecture.name for architecture in ARCHITECTURES)
    asks = re.compile(rf"isinstance\([^)]*\b({of_a_network})|([!=]=|\bin) [(\[{{]?[\"']({of_a_network})[\"']")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for package in ("esrgan_torch", "weights", "bridge", "benchmarks", "cli")
        for path in (ROOT / package).rglob("*.py")
        if not OF_ONE_NETWORK.search(path.relative_to(ROOT).as_posix())
        for line in path.read_text(encoding="utf-8").splitlines()
        if asks.search(line)
    ]
    assert found == []
