"""A whole run: what is stored, and who is not asked again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from esrgan_benchmarks.bench import suite
from esrgan_benchmarks.bench.harness import LeftOut, Outcome
from esrgan_benchmarks.bench.suite import Plan, reason_of, run_suite
from esrgan_benchmarks.core.cases import Case
from esrgan_benchmarks.core.record import Row, read
from esrgan_torch.errors import ConfigError
from esrgan_torch.images.files import write_image
from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import save
from esrgan_weights.errors import FetchError
from tests.support.fakes import Alone, Fake
from tests.support.rows import ceiling_rows


class Listener:
    """Nothing is told."""

    def __call__(self, text: str) -> None: ...

    def step(self, rows: list[Row], left_out: list[LeftOut]) -> None: ...


@pytest.fixture
def network(tmp_path: Path) -> str:
    return str(save(CompactNet(features=8, convolutions=1), tmp_path / "tiny.safetensors"))


@pytest.fixture(autouse=True)
def here_and_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process for what is measured in one go, and no ceiling: the command's own tests have both."""

    def call(function: Callable[..., object], *given: object, quiet: bool) -> object:
        return function(*given)

    monkeypatch.setattr(suite, "in_child", call)
    monkeypatch.setattr(suite, "ceiling", lambda threads, device: ceiling_rows())


def test_one_that_is_too_slow_is_not_tried_on_more_work(network: str, tmp_path: Path) -> None:
    runtimes = (Fake("fast"), Fake("slow", sleep=0.2))
    cases = [Case(network, side, side) for side in (8, 12, 4)]
    plan = Plan(cases, runtimes, 1, runs=3, limit=0.5)
    outcome = run_suite(plan, tmp_path / "rows", Listener(), Alone())
    measured = [row for row in outcome.rows if "runtime" in row]  # the others are the machine's ceiling
    assert [(row["runtime"], row["shape"][1]) for row in measured] == [("fast", 8), ("fast", 12), ("fast", 4)]
    first, second, third = outcome.left_out
    assert "one run takes 0.2 s" in first.reason
    assert second.reason == f"not tried: too slow for {cases[0]}"
    assert "one run takes 0.2 s" in third.reason  # less work: it gets its chance
    stored = read("left-out", tmp_path / "rows")
    assert [row["reason"] for row in stored] == [item.reason for item in outcome.left_out]


def test_a_slow_reference_is_asked_for_its_picture_in_every_case(network: str, tmp_path: Path) -> None:
    runtimes = (Fake("slow", sleep=0.2), Fake("fast"), Fake("wrong", shift=0.05))
    cases = [Case(network, side, side) for side in (8, 12)]
    outcome = run_suite(Plan(cases, runtimes, 1, runs=3, limit=0.5), tmp_path, Listener(), Alone())
    measured = [row for row in outcome.rows if "runtime" in row]
    assert [(row["runtime"], row["shape"][1]) for row in measured] == [("fast", 8), ("fast", 12)]
    assert [item.runtime for item in outcome.left_out] == ["slow", "wrong"] * 2


def test_two_networks_of_one_file_name_have_copies_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases: list[Case] = []
    for name in "ab":
        (tmp_path / name).mkdir()
        path = str(save(CompactNet(features=8, convolutions=1), tmp_path / name / "net.safetensors"))
        cases += [Case(path, 8, 8), Case(path, 9, 9)]
    folders: list[Path] = []

    def note(*given: object, folder: Path, **others: object) -> Outcome:
        folders.append(folder)
        return Outcome()

    monkeypatch.setattr(suite, "measure_case", note)
    run_suite(Plan(cases, (Fake("fast"),), 1), tmp_path / "rows", Listener(), Alone())
    first, second, third, fourth = folders
    assert first == second != third == fourth


def rate(network: str, dataset: Path, taken: float, tmp_path: Path, *, keep: bool = False) -> Outcome:
    plan = Plan([], (Fake("fast"),), 1, keep_disturbed=keep, dataset=dataset, rated=[network])
    return run_suite(plan, tmp_path / "rows", Listener(), Alone(taken))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    write_image(folder / "a.png", np.random.default_rng(0).integers(0, 256, (48, 56, 3), np.uint8))
    return folder


def test_quality_is_measured_of_the_networks_that_are_asked_for(
    network: str, photos: Path, tmp_path: Path
) -> None:
    outcome = rate(network, photos, 0.01, tmp_path)
    bicubic, row = (row for row in outcome.rows if "psnr_y" in row)
    assert (bicubic["network"], row["network"]) == ("bicubic", network)
    assert row["seconds_a_megapixel"] > 0
    assert row["disturbed"] is False
    assert outcome.left_out == []


def test_a_time_that_was_disturbed_is_missing_and_the_quality_is_not(
    network: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "TRIES", 1)
    outcome = rate(network, photos, 0.9, tmp_path)
    _, row = outcome.rows  # the machine's ceiling was disturbed as well
    assert row["psnr_y"] > 0
    assert row["seconds_a_megapixel"] is None
    assert [item.case for item in outcome.left_out] == ["the machine's ceiling", f"quality of {network}"]
    assert "other processes used 0.90 cores" in outcome.left_out[1].reason


def test_a_network_of_another_scale_is_left_out_with_the_reason(photos: Path, tmp_path: Path) -> None:
    network = str(save(CompactNet(features=8, convolutions=1, scale=2), tmp_path / "two.safetensors"))
    (item,) = rate(network, photos, 0.01, tmp_path).left_out
    assert item.reason == "it enlarges 2 times, quality is measured at 4 times"


def test_reasons_are_whole_sentences_without_what_belongs_to_this_machine() -> None:
    error = FetchError(
        "no source gave net-x4:\n  https://here: 404\nPut it into /some/folder", [("a", "b")] * 3
    )
    assert reason_of(error) == "no source gave net-x4; 3 were tried, `esrgan weights fetch` says more"
    assert reason_of(ConfigError("no such thing\nput it into /some/folder")) == "no such thing"
