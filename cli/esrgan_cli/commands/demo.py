"""`esrgan demo`: the demo page of tfjs-esrgan on this machine, with models converted on the spot."""

import argparse
import json
import re
import signal
import sys
import threading
import webbrowser
from pathlib import Path
from types import FrameType

from esrgan_cli.demo.computing import Computer
from esrgan_cli.demo.server import DemoServer
from esrgan_cli.options import Subparsers, add_cache_options
from esrgan_cli.signals import ENDING
from esrgan_torch.errors import ConfigError
from esrgan_torch.storage.leftovers import temporary_folder

MODELS = ("esrgan-lite-x4", "esrgan-lite-x4-gan")  # nothing to fetch, a second or two for a photo in a page
# the official small networks, for real photos and for drawings: offered once they were fetched
PHOTOS = "realesr-general-x4v3"
DRAWINGS = "realesr-animevideov3"
PORT = 8642


def add_parser(subparsers: Subparsers) -> None:
    """Add `demo`; it sets `run`, a function from the arguments to an exit status."""
    parser = subparsers.add_parser(
        "demo",
        help="enlarge photos in the browser, by models converted on the spot",
        description="Serve a page that enlarges photos, for this machine only. The browser computes, with "
        "models converted for TensorFlow.js, or this machine, with any published model. Ctrl-C ends it.",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        action="append",
        help="name or file of a model to offer; may be given several times (default: "
        f"{', '.join(MODELS)}, and {PHOTOS} and {DRAWINGS} if they were downloaded before)",
    )
    parser.add_argument(
        "--port", metavar="N", type=int, help=f"port of 127.0.0.1; 0: any free one (default: {PORT} if free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    add_cache_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Convert, serve until Ctrl-C, remove what was converted."""
    from esrgan_cli.demo.page import page_folder

    if arguments.port is not None and not 0 <= arguments.port <= 65535:
        raise ConfigError(f"--port must be a number from 0 to 65535, not {arguments.port}")
    page = page_folder()
    with temporary_folder("demo") as models:
        names = arguments.model or default_models(arguments.cache)
        convert_models(names, models, arguments.offline, arguments.cache)
        computer = Computer(_own(arguments.model or []), arguments.offline, arguments.cache)
        try:
            _serve(page, models, arguments.port, arguments.no_browser, computer)
        finally:
            computer.close()
    return 0


def _own(models: list[str]) -> dict[str, str]:
    """Those that are not published, by names for people; two files of one name keep their folders."""
    from esrgan_weights import registry

    found: dict[str, str] = {}
    for model in models:
        if model not in registry.models():
            name = Path(model).name
            found[model if name in found else name] = model
    return found


def default_models(cache: Path | None) -> list[str]:
    """Those that are there without the network."""
    from esrgan_weights import registry
    from esrgan_weights.cache import cached

    return [*(name for name in (PHOTOS, DRAWINGS) if cached(registry.find(name), cache)), *MODELS]


def convert_models(names: list[str], folder: Path, offline: bool, cache: Path | None) -> None:
    """Convert each model into `folder`, and list them in `models.json` there.

    Raises:
        WeightsError: a model cannot be had.
        BridgeError: it cannot be converted, or the copy is not like the original.
    """
    from esrgan_bridge.chain import convert
    from esrgan_weights import registry

    listed: list[dict[str, str | int]] = []
    for number, name in enumerate(names, start=1):
        print(f"{name}: converting for TensorFlow.js", file=sys.stderr, flush=True)
        # the name is for people who look at the address, the number keeps two files of one name apart
        place = f"{number}-{re.sub(r'[^A-Za-z0-9.-]+', '-', Path(name).stem)}"
        report = convert(
            name, folder / place, route="direct", runners=["onnxruntime"], offline=offline, cache=cache
        )
        weights = (folder / place / "tfjs").glob("*.bin")
        entry: dict[str, str | int] = {
            "name": report.name,
            "folder": f"{place}/tfjs",
            "bytes": sum(file.stat().st_size for file in weights),
            "scale": _scale_of(folder / place / "tfjs" / "model.json"),
        }
        if name in registry.models():
            entry["summary"] = registry.find(name).summary
        listed.append(entry)
    (folder / "models.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


def _scale_of(manifest: Path) -> int:
    return json.loads(manifest.read_text(encoding="utf-8"))["userDefinedMetadata"]["esrgan"]["scale"]


def _serve(page: Path, models: Path, port: int | None, no_browser: bool, computer: Computer) -> None:
    try:
        server = DemoServer(page, models, PORT if port is None else port, computer)
    except OSError as error:
        if port is not None:
            raise ConfigError(
                f"--port {port} cannot be used: {error.strerror or error}; 0 takes any that is free"
            ) from error
        server = DemoServer(page, models, 0, computer)
    with server:
        print(server.key_url, flush=True)
        print("Ctrl-C ends it.", file=sys.stderr, flush=True)
        if not no_browser:
            # a browser of the terminal would hold this thread until it is left
            threading.Thread(target=webbrowser.open, args=(server.key_url,), daemon=True).start()
        _serve_until_told(server)


def _serve_until_told(server: DemoServer) -> None:
    """Until Ctrl-C, SIGTERM or SIGHUP; a second one must not end what cleans up after the first."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the loop that this thread is in
        threading.Thread(target=server.shutdown, daemon=True).start()

    for number in (signal.SIGINT, *(each for each in ENDING if signal.getsignal(each) != signal.SIG_IGN)):
        signal.signal(number, stop)
    server.serve_forever()
