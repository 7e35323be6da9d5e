"""The whole chain: build each step, measure it, and keep the result only if every copy is close enough."""

import shutil
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from esrgan_bridge.artifact import Metadata, metadata_of, read_metadata, verify_shards
from esrgan_bridge.errors import ArtifactError, ConversionError, ParityError
from esrgan_bridge.files.checksums import check_files, hash_files
from esrgan_bridge.files.folder import REFERENCE, folder_size, read_reference, write_reference
from esrgan_bridge.files.replacing import name_some, put_in_place, replaceable
from esrgan_bridge.fixed_size import check_shape
from esrgan_bridge.machine import describe_machine, peak_memory
from esrgan_bridge.onnx_tf.setup import find_python
from esrgan_bridge.options import OPSET, Quantize, Route, Size, Target, check_options
from esrgan_bridge.parity.distance import TOLERANCES, tolerance_of
from esrgan_bridge.parity.findings import NotRun, ParityReport, Step
from esrgan_bridge.parity.measure import (
    Progress,
    Question,
    ask_in_time,
    measure_session,
    measure_step,
    require_measured,
)
from esrgan_bridge.parity.probes import make_probes
from esrgan_bridge.parity.record import FILE, read_report
from esrgan_bridge.parity.report import PAGE, write_html
from esrgan_bridge.runners import choose_runners
from esrgan_bridge.runners.on_torch import TorchSession
from esrgan_bridge.steps import ARTEFACTS, Work, builders, require_packages
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.given import network_of
from esrgan_torch.storage.leftovers import END, mark, sweep
from esrgan_torch.storage.paths import real


def convert(
    model: Generator | str | Path,
    folder: Path | str,
    *,
    to: Target = "tfjs",
    route: Route = "auto",
    quantize: Quantize = "none",
    parts: bool = False,
    shape: Size | None = None,
    opset: int = OPSET,
    runners: Sequence[str] | None = None,
    overwrite: bool = False,
    onnx_tf: Path | str | None = None,
    offline: bool = False,
    cache: Path | None = None,
    denoise: float | None = None,
    progress: Progress = lambda line: None,
) -> ParityReport:
    """Convert a network, and measure every copy on the way.

    Args:
        model: a network, the name of a published one, or a checkpoint's path.
        folder: the folder to create, with a folder for each step, the original's results for the probes,
            parity.json and parity.html. If it contains an earlier conversion to the same format, the files
            that its record lists are replaced at the end; other files stay, and `progress` gets their names.
        to: the last step.
        route: "tf", our own lowering and the tensorflowjs converter; "direct", our own lowering and our
            own writer, without tensorflow; "onnx-tf", the package of that name, in its own environment;
            "auto" is "tf", or for TF.js without tensorflow or tensorflowjs "direct", which `progress`
            reports.
        quantize: how the weights of the last step are stored, see `esrgan_bridge.options.WEIGHTS`.
        parts: of ONNX, write the trunk and the tail as files of their own too, for exact tiles.
        shape: height and width of the only size that every copy takes, one picture at a time; None: any size
            and number of pictures.
        opset: of the ONNX file, 11 to 20; the other copies are made from it.
        runners: names of the runtimes to measure in; None: all on this machine. With an empty list no copy is
            measured, and the report says so.
        overwrite: also replace an earlier conversion to another format, and files of it that changed since.
        onnx_tf: for the route of that name, the folder or the Python of its environment; None: where
            `esrgan_bridge.onnx_tf.setup.find_python` finds it.
        offline, cache, denoise: see `esrgan_weights.load`; `denoise` is fixed in the copies.
        progress: a function that gets each line of progress.

    Raises:
        ConfigError: options that cannot be combined.
        ParityError: a copy is out of tolerance; nothing is kept.
        NotMeasuredError: none of the runners could measure any copy. If there was no earlier conversion, the
            copies are kept, and their page says that nothing was measured; `recheck` measures them later.
        ConversionError: a step failed, or the folder cannot be written; nothing is kept.
        ArtifactError: the folder has files of other origin, or its conversion needs `overwrite` to be
            replaced, or one of your own files is in the way; nothing is changed.
        MissingRuntimeError: the route needs a package that is not installed; nothing was computed yet.
        RunnerError: a runtime failed.
    """
    check_options(to, route, quantize, parts=parts, shape=shape, opset=opset)
    chosen = choose_runners(runners)
    must_measure = runners is None or len(runners) > 0
    folder = Path(folder)
    old = replaceable(folder, to, overwrite)
    if route == "auto":
        route = _route_here(to, progress)
    require_packages(to, route)
    asked = route == "onnx-tf" and to != "onnx"
    with_onnx_tf = find_python(Path(onnx_tf) if onnx_tf else None) if asked else None
    if isinstance(model, Generator):
        model = network_of(model, denoise)
    else:
        from esrgan_weights.loading import load

        model = load(model, offline=offline, cache=cache, denoise=denoise)
    metadata = metadata_of(model).with_changes(fixed_size=shape)
    if shape is not None:
        check_shape(shape, model)
    try:
        place = real(folder)  # where a link leads, so that the link stays
        place.parent.mkdir(parents=True, exist_ok=True)
        sweep(place.parent)
        building = place.with_name(f".{mark()}{END}")
        building.mkdir()
    except OSError as error:
        raise ConversionError(f"cannot write beside {folder}: {error.strerror or error}") from error
    try:
        work = Work(model, building, metadata, route, to, quantize, with_onnx_tf, parts, opset)
        report = ParityReport(metadata.name, to, route, quantize, machine=describe_machine())
        report.asked = list(runners or ())
        progress("torch: the original in float64")
        questions = _ask_original(model, metadata, report)
        for step, build in builders(to, route):
            progress(f"{step}: converting")
            start = time.perf_counter()
            build(work)
            seconds = time.perf_counter() - start
            report.steps.append(Step(step, seconds, folder_size(building / step)))
            record = read_metadata(work.path(step))
            tolerance = tolerance_of(step, to, quantize)
            measure_step(report, step, work.path(step), record, questions, chosen, tolerance, progress)
        if old and must_measure:  # a result that was measured is not given for one that was not
            require_measured(report, folder)
        write_reference(building / REFERENCE, questions)
        report.machine["peak memory"] = peak_memory()
        report.files = hash_files(building)
        (building / FILE).write_text(report.to_json(), encoding="utf-8")
        write_html(report, building / PAGE)
        if kept := put_in_place(building, place, old):
            progress(f"left as they are in {folder}: {name_some(kept)}")
    except OSError as error:
        raise ConversionError(
            f"cannot write {folder}: {error.strerror or error}; nothing was kept"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    if must_measure:
        require_measured(report, folder)
    return report


def recheck(
    folder: Path | str, runners: Sequence[str] | None = None, progress: Progress = lambda line: None
) -> ParityReport:
    """Measure copies that `convert` made earlier on this machine; writes nothing.

    First every file's sha256 is compared. A step whose whole folder was removed is left out, and reported.

    Args:
        folder: as given to `convert`.
        runners, progress: as for `convert`.

    Raises:
        ArtifactError: not made by `convert`, by another release's format, or a file is missing or damaged.
        NotMeasuredError: no runner measured any copy.
        ConfigError, ParityError, RunnerError: as for `convert`.
    """
    chosen = choose_runners(runners)
    folder = Path(folder)
    earlier = read_report(folder)
    report = ParityReport(
        earlier.name, earlier.to, earlier.route, earlier.quantize, machine=describe_machine()
    )
    report.asked = list(runners or ())
    if unknown := {step.name for step in earlier.steps} - ARTEFACTS.keys():
        raise ArtifactError(f"{folder} lists unknown steps: {', '.join(sorted(unknown))}")
    if earlier.to not in ARTEFACTS or earlier.quantize not in get_args(Quantize):
        raise ArtifactError(
            f"{folder} says that it was converted to {earlier.to} with {earlier.quantize} weights, which "
            "cannot be; convert the network again"
        )
    present = [step for step in earlier.steps if (folder / step.name).is_dir()]
    if not present:
        raise ArtifactError(f"{folder} contains no converted files any more; convert the network again")
    gone = {step.name for step in earlier.steps} - {step.name for step in present}
    check_files(
        folder, {name: value for name, value in earlier.files.items() if name.split("/")[0] not in gone}
    )
    report.steps, report.files = present, earlier.files
    questions = read_reference(folder / REFERENCE)
    for step in earlier.steps:
        artefact = folder / ARTEFACTS[step.name]
        if step.name in gone:
            report.not_run += [
                NotRun(runner.name, "", f"the folder {step.name} was removed")
                for runner in chosen
                if runner.reads == step.name
            ]
            continue
        metadata = verify_shards(artefact) if artefact.is_dir() else read_metadata(artefact)
        tolerance = tolerance_of(step.name, earlier.to, earlier.quantize)
        measure_step(report, step.name, artefact, metadata, questions, chosen, tolerance, progress)
    require_measured(report, folder)
    return report


def _route_here(to: Target, progress: Progress) -> Route:
    """The route that this machine has what it needs for."""
    missing = [name for name in ("tensorflow", "tensorflowjs") if find_spec(name) is None]
    if to != "tfjs" or not missing:
        return "tf"
    progress(f"{' and '.join(missing)} missing: by the route direct, which makes the same graph without")
    return "direct"


def _ask_original(model: Generator, metadata: Metadata, report: ParityReport) -> list[Question]:
    """The original's answers in float64, and how far its own float32 is from them."""
    probes = make_probes(metadata.in_channels, metadata.unshuffle, metadata.fixed_size)
    with TorchSession(model, torch.float64) as exact:
        questions = ask_in_time(exact, probes, report)
    if not all(np.isfinite(question.answer).all() for question in questions):
        raise ConversionError("the network itself gives NaN or infinity, so no copy can be compared with it")
    with TorchSession(model, torch.float32) as rounded:
        try:
            measure_session(report, "torch", "torch", rounded, questions, TOLERANCES["none"])
        except ParityError as error:
            raise ParityError(str(error), report) from error
    return questions
