import logging
import sys
import threading
import warnings
from pathlib import Path

import pytest

from esrgan_cli.output.console import Console
from esrgan_cli.output.library_warnings import about, library_warnings


def test_every_way_of_saying_it_has_the_name_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    loggers = [logging.getLogger(name) for name in ("esrgan_torch", "PIL.TiffImagePlugin", "tifffile")]
    before = [list(logger.handlers) for logger in loggers]
    stderr = sys.stderr
    with Console(0) as console, library_warnings(console):
        for file in (Path("a.png"), Path("b.png")):
            with about(file):
                for _ in range(2):  # said once a file
                    warnings.warn_explicit("damaged profile", UserWarning, "image.py", 1, module="PIL.Image")
                    loggers[1].warning("more samples than %d", 4)
                    print("PNG warning: iCCP:", end=" ", file=sys.stderr)
                    print("too short", file=sys.stderr)
        loggers[0].warning("out of memory at %d pixels: divided", 512)
        loggers[2].info("not shown")
    assert capsys.readouterr().err.splitlines() == [
        f"esrgan: warning: {name}: {text}"
        for name in ("a.png", "b.png")
        for text in ("damaged profile", "more samples than 4", "PNG warning: iCCP: too short")
    ] + ["esrgan: warning: out of memory at 512 pixels: divided"]
    assert [list(logger.handlers) for logger in loggers] == before
    assert sys.stderr is stderr


def test_each_thread_has_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    both = threading.Barrier(2)

    def work(file: Path) -> None:
        with about(file):
            both.wait()
            print(f"of {file}", file=sys.stderr)
            both.wait()

    with Console(0) as console, library_warnings(console):
        workers = [threading.Thread(target=work, args=(Path(name),)) for name in ("a", "b")]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "esrgan: warning: a: of a",
        "esrgan: warning: b: of b",
    ]


def test_defects_of_other_modules_stay_errors() -> None:
    with Console(0) as console, library_warnings(console), pytest.raises(DeprecationWarning):
        warnings.warn_explicit("old", DeprecationWarning, "image.py", 1, module="PIL.Image")
