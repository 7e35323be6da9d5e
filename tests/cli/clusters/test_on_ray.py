"""A cluster of two workers on this machine, pictures in S3 (a server of the tests), and a killed worker."""

import importlib
import json
import logging
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from esrgan_cli.clusters.enlarger import Settings
from esrgan_cli.clusters.on_ray import shared_out
from esrgan_cli.clusters.places import Place
from esrgan_cli.clusters.tasks import find_tasks
from esrgan_cli.main import main
from esrgan_cli.upscaling.coding import FileOptions
from esrgan_cli.upscaling.finish import Finish
from esrgan_cli.upscaling.making import Making
from esrgan_torch.images.files import write_image
from tests.support.odd_upscalers import ENDS, WAITS, odd_upscaler

pytestmark = [
    pytest.mark.xdist_group("ray"),
    # Ray leaves objects of processes that it has ended
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
COUNT = 24


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A bucket `photos` of a server on this machine, as s3fs reaches it."""
    server = importlib.import_module("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        system: Any = importlib.import_module("s3fs").S3FileSystem()
        system.mkdir("photos")
        yield system
    server.stop()


@pytest.fixture(scope="module")
def cluster(s3: Any) -> Iterator[None]:
    """Ray with two processors; its workers inherit the server's address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray: Any = importlib.import_module("ray")
        handler = signal.getsignal(signal.SIGTERM)
        ray.init(num_cpus=2, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
        yield
        ray.shutdown()
        signal.signal(signal.SIGTERM, handler)  # Ray leaves its own


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of several sizes in two folders, and a file that is none."""
    folder = tmp_path_factory.mktemp("cluster") / "in"
    numbers = np.random.default_rng(1)
    for number in range(COUNT):
        place = folder / ("sub" if number % 3 == 0 else ".")
        place.mkdir(parents=True, exist_ok=True)
        size = (numbers.integers(1, 40), numbers.integers(1, 40), 3)
        write_image(place / f"p{number}.png", numbers.integers(0, 256, size, dtype=np.uint8))
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def local(pictures: Path) -> Path:
    """Results of one machine."""
    output = pictures.parent / "local"
    assert main(["upscale", str(pictures), "-o", str(output), "--model", "esrgan-lite-x4"]) == 1
    return output


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.png"))
        if not path.name.startswith(".")
    }


def on_ray(*arguments: str) -> int:
    return main(["upscale", *arguments, "--model", "esrgan-lite-x4", "--run-on", "ray", "--workers", "2"])


def kill_a_worker() -> None:
    """As soon as there is one that has begun."""
    for _ in range(600):
        for process in psutil.Process().children(recursive=True):
            if process.name().startswith("ray::MapWorker") and process.cpu_times().user > 0:
                process.kill()
                return
        time.sleep(0.1)


def test_the_same_bytes_from_and_to_s3_though_a_worker_is_killed(
    cluster: None, s3: Any, pictures: Path, local: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put(str(pictures), "photos/in", recursive=True)
    report = tmp_path / "report.jsonl"
    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    capsys.readouterr()
    assert on_ray("s3://photos/in", "-o", "s3://photos/out", "--report", str(report)) == 1  # bad.png
    killer.join()
    s3.invalidate_cache()
    s3.get("photos/out", str(tmp_path / "out"), recursive=True)
    assert files(tmp_path / "out") == files(local)

    told = capsys.readouterr()
    assert f"{COUNT} done, 0 skipped, 1 failed" in told.err
    assert sorted(told.out.split()) == [f"s3://photos/out/{name}" for name in sorted(files(local))]
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert len({line["input"] for line in lines}) == len(lines) == COUNT + 1
    [bad] = [line for line in lines if line["status"] == "failed"]
    assert bad["input"] == "s3://photos/in/bad.png"
    assert bad["reason"].startswith("s3://photos/in/bad.png is not a picture")

    s3.rm(f"photos/out/{next(iter(files(local)))}")
    assert on_ray("s3://photos/in", "-o", "s3://photos/out") == 1
    assert f"1 done, {COUNT - 1} skipped, 1 failed" in capsys.readouterr().err


def test_folders_of_this_machine(
    cluster: None, pictures: Path, local: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert on_ray(str(pictures / "sub"), "-o", str(tmp_path / "out")) == 0
    assert files(tmp_path / "out") == files(local / "sub")
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")] == []


def test_lines_come_when_their_batch_is_done_and_a_picture_that_ends_workers_costs_no_other(
    cluster: None, tmp_path: Path
) -> None:
    widths = dict.fromkeys("abcdefghijklmnop", 5) | {"c": WAITS, "e": ENDS}
    for name, width in widths.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        write_image(tmp_path / "in" / f"{name}.png", np.full((5, width, 3), width, np.uint8))
    output, go = Place(str(tmp_path / "out")), tmp_path / "go"
    tasks = find_tasks([Place(str(tmp_path / "in"))], output, "-x4", lambda *_: ".png")
    settings = Settings(partial(odd_upscaler, go), FileOptions(1 << 20), Finish(), Making("", {}), output)
    # batches of two, which Ray begins in any order: while one worker waits, the other goes on
    with closing(shared_out(tasks, settings, 2)) as lines, ThreadPoolExecutor(1) as pool:
        try:
            first = pool.submit(lambda: [next(lines) for _ in range(2)])
            begun = first.result(300)
        finally:
            go.touch()
        assert not {Path(line["input"]).stem for line in begun} & {*"cdef"}
        told = {Path(line["input"]).stem: line["reason"] for line in (*begun, *lines)}
    assert {name for name, reason in told.items() if reason is None} == {*widths} - {"e"}
    assert told["e"].startswith("3 workers have ended that had it, 2 of them it alone")
    assert sorted(files(tmp_path / "out")) == [f"{name}-x4.png" for name in sorted({*widths} - {"e"})]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["in", "--run-on", "ray"], "give it with -o"),
        (["in", "-o", "out", "--run-on", "ray", "--update"], "--update is for one machine"),
        (
            ["in", "-o", "out", "--run-on", "ray", "--device", "cuda:0,1"],
            "say how many there are by --workers",
        ),
        (["s3://photos/in", "-o", "out"], "s3://photos/in is an address"),
        (["in", "-o", "gs://photos/out"], "gs://photos/out is an address"),
        (["in", "-o", "out", "--workers", "2"], "--workers needs --run-on ray"),
        (["nothing", "-o", "out", "--run-on", "ray"], "nothing is not there"),
    ],
)
def test_what_cannot_be(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upscale", "--model", "esrgan-lite-x4", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_more_workers_than_there_are(
    cluster: None, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["upscale", str(pictures), "-o", "out", "--model", "esrgan-lite-x4", "--run-on", "ray"]
    assert main([*arguments, "--workers", "99"]) == 2
    assert "--workers 99: at least 1, and the cluster has 2 processors" in capsys.readouterr().err
