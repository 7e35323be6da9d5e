"""One copy, every runner: open it, compute the probes, compare. Says what was left out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esrgan_bridge.artifact import Metadata
from esrgan_bridge.errors import MissingRuntimeError, NotMeasuredError, ParityError, RunnerError
from esrgan_bridge.export.parts import has_parts
from esrgan_bridge.parity.distance import TOLERANCES, Measurement, Row, Tolerance, compare
from esrgan_bridge.parity.findings import PRECISION, SPLIT, NotRun, ParityReport, Worst
from esrgan_bridge.parity.probes import Answer, Batch, Probe
from esrgan_bridge.runners.base import Runner, Session
from esrgan_bridge.runners.on_torch import TorchSession
from esrgan_torch.tiling.modes import plan_tiles

BUDGET = 60.0  # seconds of a runner at one step; software GPUs would take many minutes
SPLIT_RUNNERS = (
    "onnxruntime",
    "tensorflow",
    "tfjs-node",
    "litert",
)  # one of each runtime: the graph is the same in the others
SPLIT_PROBE = "noise"
SPLIT_TILE = 8  # feature pixels; small, so that the probe has tiles with neighbours on all sides

# the split of what is computed in fewer bits is compared by its own tolerance
ROUNDED_SPLITS = {("onnx", "float16"): "split float16", ("tflite", "int8"): "split int8"}

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Question:
    """A probe and the original's answer to it, (1, H, W, C) float64."""

    probe: Probe
    answer: Answer


def ask_in_time(session: TorchSession, probes: Sequence[Probe], report: ParityReport) -> list[Question]:
    """The original's answers to as many probes as the time allows, at least one; the report names the rest.

    Their own sizes take no time; those of a fixed size are as large as a user wants them.
    """
    questions: list[Question] = []
    start = time.perf_counter()
    for count, probe in enumerate(probes):
        spent = time.perf_counter() - start
        if count and spent / count * (count + 1) > BUDGET:
            names = ", ".join(left.name for left in probes[count:])
            reason = f"too slow: {spent:.0f} s went into {count} of the probes, {BUDGET:.0f} s are granted"
            report.not_run.append(NotRun("torch", names, reason))
            break
        questions.append(Question(probe, session.exact(probe.batch())))
    return questions


def measure_session(
    report: ParityReport,
    step: str,
    name: str,
    session: Session,
    questions: Sequence[Question],
    tolerance: Tolerance,
) -> None:
    """Ask all that the time allows, the smallest first; add rows to the report.

    Raises:
        ParityError: an answer is out of tolerance.
        RunnerError: there was no answer.
    """
    rows: list[Row] = []
    left_out: list[str] = []
    spent = pace = 0.0
    for question in questions:
        probe = question.probe
        pixels = probe.pixels.shape[0] * probe.pixels.shape[1]
        if spent + pace * pixels > BUDGET:
            left_out.append(probe.name)
            continue
        start = time.perf_counter()
        found = session.run(probe.batch())
        seconds = time.perf_counter() - start
        spent, pace = spent + seconds, seconds / pixels
        measurement = Measurement(step, name, probe.name, probe.size, tolerance, seconds)
        row = compare(measurement, question.answer, found)
        rows.append(row)
        keep_worst(report, row, question.answer, found)
    if left_out:
        reason = f"too slow: {spent:.0f} s went into {len(rows)} of the probes, {BUDGET:.0f} s are granted"
        report.not_run.append(NotRun(name, ", ".join(left_out), reason))
    report.rows += rows
    report.runtimes[name] = session.facts
    require(rows, session.facts[PRECISION])


def measure_split(report: ParityReport, step: str, name: str, session: Session, metadata: Metadata) -> None:
    """Trunk on the whole probe and tail in tiles, against the same runner's untiled answer.

    Raises:
        ParityError: they differ.
        RunnerError: the graph has no node between trunk and tail, or the runner failed.
    """
    from esrgan_bridge.parity.probes import make_probes

    probes = make_probes(metadata.in_channels, metadata.unshuffle)
    probe = next(probe for probe in probes if probe.name == SPLIT_PROBE)
    whole = session.run(probe.batch())
    start = time.perf_counter()
    features = session.run(probe.batch(), fetch=metadata.features_node)
    _, height, width, _ = features.shape
    factor = metadata.unshuffle * metadata.scale
    tiled = np.full_like(whole, np.nan)
    for tile in plan_tiles(height, width, SPLIT_TILE, metadata.tail_halo):
        part = features[:, tile.window.rows, tile.window.columns]
        large = session.run(np.ascontiguousarray(part), feed=metadata.features_node)
        core = tile.core.scaled(factor)
        inside = core.moved(-tile.window.top * factor, -tile.window.left * factor)
        tiled[:, core.rows, core.columns] = large[:, inside.rows, inside.columns]
    seconds = time.perf_counter() - start
    tolerance = TOLERANCES[ROUNDED_SPLITS.get((step, metadata.quantize), "split")]
    measurement = Measurement(f"{step}{SPLIT}", name, probe.name, probe.size, tolerance, seconds)
    row = compare(measurement, whole, tiled)
    report.rows.append(row)
    require([row], session.facts[PRECISION])


def measure_step(
    report: ParityReport,
    step: str,
    artefact: Path,
    metadata: Metadata,
    questions: Sequence[Question],
    runners: Sequence[Runner],
    tolerance: Tolerance,
    progress: Progress,
) -> None:
    """Every runner that reads this step's copies; those that cannot run are noted in the report.

    Raises:
        ParityError: an answer is out of tolerance; the report is attached.
        RunnerError: a runner that can start here failed.
    """
    for runner in runners:
        if runner.reads != step:
            continue
        if metadata.fixed_size and runner.wants_any_size:
            report.not_run.append(NotRun(runner.name, "", "it runs copies for pictures of any size alone"))
            continue
        if reason := runner.available():
            report.not_run.append(NotRun(runner.name, "", reason))
            continue
        progress(f"{step}: {runner.name}")
        try:
            with runner.open(artefact) as session:
                measure_session(report, step, runner.name, session, questions, tolerance)
                if runner.name in SPLIT_RUNNERS and (step != "onnx" or has_parts(artefact)):
                    if reason := _not_split(metadata):
                        report.not_run.append(NotRun(runner.name, f"{step}{SPLIT}", reason))
                    else:
                        measure_split(report, step, runner.name, session, metadata)
        except MissingRuntimeError as error:
            report.not_run.append(NotRun(runner.name, "", str(error).removeprefix(f"{runner.name}: ")))
        except RunnerError as error:
            raise RunnerError(
                f"step {step}, runner {error}; if the fault is this machine's, choose others with --runners"
            ) from error
        except ParityError as error:
            raise ParityError(str(error), report) from error


def _not_split(metadata: Metadata) -> str | None:
    """Why a copy cannot be computed in tiles, or None."""
    if not metadata.features_node:
        return "this route keeps no node between trunk and tail"
    return "a copy for one size of picture takes no tiles" if metadata.fixed_size else None


def keep_worst(report: ParityReport, row: Row, original: Answer, copy: Batch) -> None:
    """Remember the answer of each step that is furthest off."""
    known = report.worst.get(row.step)
    if original.shape == copy.shape and (known is None or row.largest > known.row.largest):
        report.worst[row.step] = Worst(row, original[0], copy[0])


def require(rows: Sequence[Row], precision: str = "float32") -> None:
    """Stop at the first row that is out of tolerance.

    Args:
        rows: of one runner.
        precision: what it computes in.

    Raises:
        ParityError: one is; the message names step, runner, probe and pixel, and counts the others.
    """
    failed = [row for row in rows if not row.passed]
    if failed:
        others = f"; {len(failed) - 1} more rows of this runner fail as well" if len(failed) > 1 else ""
        computed = "" if precision == "float32" else f"; this runtime computes in {precision}"
        raise ParityError(f"parity: {failed[0].fault()}{others}{computed}")


def require_measured(report: ParityReport, where: Path) -> None:
    """Refuse to be silent about copies that nothing measured.

    Raises:
        NotMeasuredError: there is no row of a copy beside the original.
    """
    if report.answers:
        return
    reasons = "; ".join(f"{entry.runner}: {entry.reason}" for entry in report.not_run)
    raise NotMeasuredError(
        f"nothing was measured of {', '.join(step.name for step in report.steps)} in {where}"
        f"{reasons and f' ({reasons})'}; choose with --runners a runtime that this "
        "machine has and that reads one of them: onnxruntime and openvino read onnx, tensorflow tf, "
        "litert tflite, tfjs-* tfjs",
        report,
    )
