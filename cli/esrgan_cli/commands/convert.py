"""`esrgan convert`: a network for ONNX Runtime, TensorFlow, TF.js or LiteRT, with every copy measured."""

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from esrgan_bridge.options import OPSET, OPSETS
from esrgan_torch.words import harmless

if TYPE_CHECKING:
    from esrgan_bridge.parity.findings import ParityReport

PARITY_FAILED = 3


class Subparsers(Protocol):
    """What `ArgumentParser.add_subparsers` returns, as far as it is used here."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser: ...


def add_parser(subparsers: Subparsers) -> None:
    """Add `convert`; it sets `run`, a function from the arguments to an exit status."""
    text = "convert a network to ONNX, TensorFlow, TF.js or LiteRT and measure every copy"
    parser = subparsers.add_parser(
        "convert",
        help=text,
        description=f"{text}; status {PARITY_FAILED}, and nothing kept, where a copy is out of tolerance; "
        f"status {PARITY_FAILED} too where no runtime could measure any",
    )
    parser.add_argument("model", metavar="MODEL|FILE")
    parser.add_argument(
        "--to", choices=("onnx", "tf", "tfjs", "tflite"), required=True, help="the format to make"
    )
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder to make")
    parser.add_argument(
        "--route",
        choices=("auto", "tf", "direct", "onnx-tf"),
        default="auto",
        help="tf: own lowering, then tensorflowjs; direct: TF.js files without tensorflow; onnx-tf: the "
        "package of that name, as a cross-check; auto: tf, or direct where tensorflow is missing (default)",
    )
    parser.add_argument(
        "--quantize",
        choices=("none", "float16", "uint8", "int8"),
        default="none",
        help="how the weights are stored (default: none, that is float32); uint8 with --to tfjs, int8 with "
        "--to tflite",
    )
    parser.add_argument(
        "--parts",
        action="store_true",
        help="with --to onnx: the trunk and the tail as files of their own too, for exact tiles",
    )
    parser.add_argument(
        "--shape",
        metavar="HxW",
        type=parse_shape,
        help="copies for pictures of this height and width alone, one at a time (default: any)",
    )
    parser.add_argument(
        "--opset",
        metavar="N",
        type=int,
        default=OPSET,
        help=f"of the ONNX file, {OPSETS.start} to {OPSETS.stop - 1} (default: {OPSET})",
    )
    parser.add_argument(
        "--denoise",
        metavar="0..1",
        type=float,
        help="how strongly the copies remove noise, for models with a twin, such as realesr-general-x4v3 "
        "(default: 1)",
    )
    runners_option(parser)
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="also replace a conversion to another format, and files of it that were changed since; your own "
        "files always stay",
    )
    parser.add_argument(
        "--onnx-tf",
        metavar="DIR",
        type=Path,
        help="environment for the route onnx-tf (default: $ESRGAN_ONNX_TF, else the one that "
        "`python -m esrgan_bridge.onnx_tf.setup` makes)",
    )
    parser.add_argument("--offline", action="store_true", help="download nothing")
    parser.add_argument("--cache", metavar="DIR", type=Path, help="folder of downloaded models")
    parser.set_defaults(run=run)


def runners_option(parser: argparse.ArgumentParser) -> None:
    """--runners, which `parity` has too."""
    parser.add_argument(
        "--runners",
        metavar="A,B",
        type=split_names,
        help="measure in these runtimes alone: onnxruntime, openvino, tensorflow, litert, "
        "tfjs-node, tfjs-wasm, "
        "tfjs-webgl, tfjs-webgpu, kernels-node, kernels-wasm, kernels-wasm-firefox (default: all that this "
        "machine has)",
    )


def parse_shape(text: str) -> tuple[int, int]:
    """Height and width: "64x96"."""
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no height and width; give for example 256x256")
    return int(found[1]), int(found[2])


def split_names(text: str) -> list[str]:
    """Names with commas between; at least one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("names no runtime; leave it out to measure in all that there are")
    return names


def say(line: str) -> None:
    """Progress goes to stderr."""
    print(harmless(line), file=sys.stderr, flush=True)


def show(report: "ParityReport") -> None:
    """The table and its verdict to stdout, and between them warnings to stderr."""
    print(harmless(report.table), flush=True)
    for warning in report.warnings:
        say(f"esrgan: warning: {warning}")
    print(report.verdict, flush=True)


def run(arguments: argparse.Namespace) -> int:
    """Convert; print the table and where the files are."""
    from esrgan_bridge.chain import convert
    from esrgan_bridge.errors import ParityError

    try:
        report = convert(
            arguments.model,
            arguments.output,
            to=arguments.to,
            route=arguments.route,
            quantize=arguments.quantize,
            parts=arguments.parts,
            shape=arguments.shape,
            opset=arguments.opset,
            runners=arguments.runners,
            overwrite=arguments.overwrite,
            onnx_tf=arguments.onnx_tf,
            offline=arguments.offline,
            cache=arguments.cache,
            denoise=arguments.denoise,
            progress=say,
        )
    except ParityError as error:
        return fail(error)
    show(report)
    for step in report.steps:
        print(f"{arguments.output / step.name}: {step.size / 1e6:.2f} MB, made in {step.seconds:.1f} s")
    print(arguments.output / "parity.html")
    return 0


def fail(error: Exception) -> int:
    """Print the rows up to the fault, and the fault."""
    report = getattr(error, "report", None)
    if report is not None:
        print(harmless(str(report)), flush=True)
    print(harmless(f"esrgan: {error}"), file=sys.stderr)
    return PARITY_FAILED
