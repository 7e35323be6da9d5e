"""`esrgan upscale`: enlarge pictures, folders of pictures, and films."""

import argparse
import gc

from esrgan_cli.options import (
    Subparsers,
    add_cache_options,
    add_running_options,
    check_places,
    given_path,
    given_place,
)

DEFAULT_MODEL = "realesrgan-x4plus"
EPILOG = """\
where results go:
  -o PATH with the suffix of a picture or a film    that file, for one input
  -o PATH otherwise                                 <name>-x4.png in that folder, subfolders kept
  -o -, or no -o and the input -                    the picture itself, on stdout; a film as raw frames (y4m)
  no -o, a file                                     <name>-x4.png beside it
  no -o, a folder                                   the new folder <folder>-x4 beside it

The paths of results are printed on stdout. Existing results are left unchanged, without --overwrite or
--update. Inputs with the same stem (a.png, a.jpg) get results with different names, and a picture keeps its
result's name. .esrgan.jsonl in the output folder records these names, and how each result was made.
A picture that fails does not stop the others; the exit status is then 1. To resume a run that was
stopped or killed, repeat the command; for a film, it uses a folder beside the result.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `upscale`; it sets `run`, a function from the arguments to an exit status."""
    text = "enlarge pictures, folders of pictures, and films"
    parser = subparsers.add_parser("upscale", help=text, description=text)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    _add_inputs(parser)
    _add_sizes(parser)
    add_running_options(
        parser,
        "auto, cpu, mps, cuda:0, vulkan:0; several devices share the files: cuda:0,1 (default: %(default)s)",
    )
    _add_results(parser)
    _add_films(parser)
    _add_run(parser)
    _add_clusters(parser)
    add_cache_options(parser)

    def run_with_inputs(arguments: argparse.Namespace) -> int:
        if not arguments.inputs and arguments.from_list is None:
            parser.error("no input is given: give INPUT or --from-list")
        return run(arguments)

    parser.set_defaults(run=run_with_inputs)


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    """What is enlarged, where to, and by which model."""
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        type=given_place,
        help="a picture, a film, a folder of them with its subfolders, or - for stdin",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        type=given_place,
        help="file or folder of the results, or - for stdout",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        default=DEFAULT_MODEL,
        help="published model (see: esrgan weights list) or checkpoint file (default: %(default)s)",
    )
    parser.add_argument(
        "--denoise",
        metavar="0..1",
        type=float,
        help="how strongly noise is removed, from 0 (not at all) to 1; for models with a variant, such as "
        "realesr-general-x4v3 (default: 1)",
    )
    parser.add_argument(
        "--from-list",
        metavar="FILE|-",
        type=given_path,
        help="read the names of inputs from a file or stdin, one a line, or NUL-separated (find -print0)",
    )
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="process only part I of N, from 1/N to N/N, for job arrays; a picture's name decides its part",
    )


def _add_sizes(parser: argparse.ArgumentParser) -> None:
    """How large results become."""
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--scale",
        metavar="N",
        type=float,
        help="enlarge N times, by resizing the model's result (default: the model's scale)",
    )
    size.add_argument("--width", metavar="PX", type=int, help="width of the results; the proportions stay")
    size.add_argument("--height", metavar="PX", type=int, help="height of the results; the proportions stay")
    size.add_argument("--fit", metavar="WxH", help="the largest size that fits into WxH pixels")


def _add_results(parser: argparse.ArgumentParser) -> None:
    """How results look, and how they are written."""
    parser.add_argument(
        "--alpha",
        choices=("model", "resize", "drop"),
        default="model",
        help="transparency: enlarged by the model (default), resized, or removed",
    )
    parser.add_argument(
        "--tta",
        action="store_true",
        help="average the results for eight rotations and mirrorings; takes eight times as long",
    )
    parser.add_argument(
        "--background",
        metavar="COLOUR",
        help="put this colour behind transparent pixels: white, #ff8800, ...; jpg and bmp need it",
    )
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        help="png, jpg, webp, tiff, avif, jxl, gif, bmp, or same (as the input) (default: by -o, else png); "
        "for films mp4, mov, mkv, webm or y4m (default: as the film)",
    )
    parser.add_argument(
        "--suffix", metavar="TEXT", help="end of the results' names (default: the scale or size, such as -x4)"
    )
    parser.add_argument(
        "--strip",
        action="store_true",
        help="leave out EXIF, XMP, texts and density; the colour profile stays",
    )
    parser.add_argument("--quality", metavar="N", type=int, help="1 to 100, for jpg, webp, avif and jxl")
    parser.add_argument("--lossless", action="store_true", help="lossless compression, for webp and jxl")


def _add_films(parser: argparse.ArgumentParser) -> None:
    """How films are coded."""
    film = parser.add_argument_group("films (need the extra video)")
    film.add_argument(
        "--codec",
        metavar="NAME",
        help="h264, hevc, av1, vp9, or ffv1, which is lossless (default: h264, hevc above 8 bits)",
    )
    film.add_argument(
        "--crf", metavar="N", type=int, help="quality; 0 is best (default: by codec; 17 for h264)"
    )
    film.add_argument(
        "--preset", metavar="NAME", help="speed of the encoder, such as fast (default: the encoder's)"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    """What a run refuses, replaces and tells."""
    parser.add_argument(
        "--max-pixels",
        metavar="MILLIONS",
        type=float,
        help="refuse inputs with more pixels, in millions (default: 268)",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--overwrite", action="store_true", help="replace results that exist")
    again.add_argument(
        "--update",
        action="store_true",
        help="replace results whose source has changed, or that another model or other options made",
    )
    parser.add_argument(
        "--page",
        metavar="FILE.html",
        type=given_path,
        help="write a page that compares originals and results",
    )
    parser.add_argument(
        "--report",
        metavar="FILE.jsonl",
        type=given_path,
        help="write a line of JSON for each picture: sizes, seconds, and the result or the error",
    )
    parser.add_argument(
        "--stats",
        action="store_true",
        help="print at the end how much of the time the network computed, and what it waited for",
    )


def _add_clusters(parser: argparse.ArgumentParser) -> None:
    """How pictures are distributed."""
    cluster = parser.add_argument_group(
        "clusters",
        "inputs and output are folders of this machine or addresses: s3://bucket/folder, gs://, hf://, ...",
    )
    cluster.add_argument("--run-on", choices=("ray",), help="distribute the pictures to Ray's workers")
    cluster.add_argument(
        "--workers",
        metavar="N",
        type=int,
        help="number of workers (default: one for each GPU, else one for every 4 processors)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Upscale; 0 if every picture is made or was there, 1 if one failed."""
    # PyTorch's thousands of objects stay: looking through them for garbage, again and again while they come,
    # takes a fifth of the time to the first picture
    gc.disable()
    try:
        if arguments.run_on == "ray":
            from esrgan_cli.clusters.run import upscale_on_cluster as upscale
        else:
            check_places(arguments)
            from esrgan_cli.films.run import upscale
        from esrgan_cli.upscaling.lists import all_inputs

        gc.freeze()
    finally:
        gc.enable()
    arguments.inputs = all_inputs(arguments.inputs, arguments.from_list)
    return upscale(arguments)
