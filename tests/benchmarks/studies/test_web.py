"""The benchmark in a browser: what needs no browser of it."""

from pathlib import Path

import numpy as np
import pytest

from esrgan_benchmarks.studies import web, web_newcomer, web_tables
from esrgan_bridge.errors import MissingRuntimeError

ROW = {
    "kind": "peer",
    "network": "net",
    "backend": "wasm",
    "isolated": True,
    "shape": [96, 64],
    "way": "tfjs-esrgan",
    "facts": "as requested; 2 threads; a test tile differs by at most 1e-6",
    "seconds": {"median": 1.234, "lower": 1.2, "upper": 1.3, "runs": 3},
    "of_ours": 1.0,
    "largest": 0,
    "mean": 0.0,
    "tensors": 0,
    "peak": 321_000_000,
    "aborts": None,
    "tile_seconds": None,
    "processor": "P",
    "cores": 2,
    "gpu": None,
    "bfloat16": False,
    "chromium": "1",
    "tfjs": "4",
    "upscaler": "1",
    "date": "2026-01-01",
}


def aborted(*latencies: float, ended: str = "AbortError") -> list[dict[str, object]]:
    return [{"latency": latency, "ended": ended, "tensors": 0} for latency in latencies]


def test_pixels_survive_the_way_to_the_page_and_back() -> None:
    pixels = web.crop(web.PHOTO, 24)
    assert pixels.shape == (24, 24, 3)
    sent = web.picture_of(pixels)
    assert (sent["height"], sent["width"]) == (24, 24)
    back = web.pixels_of(sent["data"]).reshape(24, 24, 4)
    assert np.array_equal(back[:, :, :3], pixels)
    assert np.all(back[:, :, 3] == 255)
    assert web.crop(web.PHOTO, None).shape == (140, 180, 3)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.shutil, "which", lambda name: None)
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(MissingRuntimeError, match="needs node, npm, chromium"):
        web.carry_out({}, tmp_path)


def test_the_table_beside_the_peer() -> None:
    heeded = ROW | {"way": "slow", "of_ours": 2.5, "aborts": aborted(0.1, 0.3), "tile_seconds": 0.5}
    late = ROW | {"way": "late", "aborts": aborted(-0.1, ended="finished"), "facts": "threads: 1"}
    partly = ROW | {"way": "partly", "aborts": aborted(0.02) + aborted(0.9, ended="finished")}
    lines = web_tables.peer([ROW, heeded, late, partly, ROW | {"kind": "graph"}]).splitlines()
    case = "| net | 96x64 | isolated | wasm, 2 threads | tfjs-esrgan |"
    assert lines[2] == f"{case} 1.23 s | 1.00 | 0 | 0.000 | 321 MB | 0 |  |"
    assert lines[3].endswith("| 300 ms, a patch 500 ms |")
    assert "wasm, 1 thread |" in lines[4]
    assert lines[4].endswith("| not heeded |")
    assert lines[5].endswith("| 20 ms |")
    assert len(lines) == 8
    assert lines[-1].startswith("Measured on: P, 2 cores, Chromium 1")


def test_the_tables_of_graphs_and_photos() -> None:
    graph = ROW | {"kind": "graph", "nodes": 523}
    assert "| 523 | 1.234 s | 1.00 |" in web_tables.graph([graph])
    photo = ROW | {"kind": "photo", "seconds": 61.25, "peak": 1_500_000_000, "psnr": None}
    assert "| 61.2 s | 1.50 GB | equal | 0 |" in web_tables.photo([photo])


def test_the_table_of_engines_has_a_line_a_number_of_threads():
    facts = {"chromium": "156", "threads": "1"}
    row = {**ROW, "shape": [64, 64], "engine": "kernels", "facts": facts, "least": 0.1, "load": 0.2}
    rows = [
        row | {"engine": name, "facts": facts | {"threads": threads}, "ours_of_it": share}
        for threads in "12"
        for name, share in (("kernels", 1.0), ("TF.js", 0.25), ("onnxruntime-web", 0.3))
    ]
    table = web_tables.engines(rows).splitlines()
    assert [line for line in table if "64x64" in line] == [
        f"| {ROW['network']} | 64x64 | {threads} | 0.100 s | 0.100 s | 0.25 | 0.100 s | 0.30 |"
        for threads in (1, 2)
    ]
    assert "a load of 0.2." in table[-1]


def test_the_table_of_an_emulated_gpu() -> None:
    facts = ROW | {"load": 3.5, "facts": {"chromium": "1"}}
    rows = [
        facts | {"network": "net", "shape": [64, 64], "engine": name, "least": least, "ours_of_it": of}
        for name, least, of in (("shaders", 1.0, 1.0), ("TF.js", 4.0, 0.25), ("onnxruntime-web", 2.0, 0.5))
    ]
    table = web_tables.emulated(rows).splitlines()
    assert table[2] == "| net | 64x64 | 1.000 s | 4.000 s | 0.25 | 2.000 s | 0.50 |"
    assert table[-1].endswith("with a load of 3.5.")


def test_the_table_of_a_newcomer_s_first_picture() -> None:
    row = ROW | {
        "kind": "newcomer",
        "library": "ours",
        "commands": 1,
        "lines": 3,
        "installed": 12_300_000,
        "packages": 7,
        "bytes": 2_500_000,
        "elsewhere": 0,
        "again": {"median": 0.5},
        "result": [20, 30],
    }
    table = web_tables.newcomer([row, row | {"library": "theirs", "lines": 5}])
    assert "| | ours | theirs |" in table
    assert "| lines to type: in the shell, in the program | 1, 3 | 1, 5 |" in table
    assert "| installed | 12 MB, 7 packages | 12 MB, 7 packages |" in table
    assert "| the result | 30x20 | 30x20 |" in table


@pytest.mark.parametrize(
    ("readme", "lines"),
    [
        ("```\nnpm install a\n```\n\n```ts\nimport a from 'a';\n\n// comment\na();\n```\n", (1, 2)),
        ("```js\nimport a from 'a';\na().then((b) => {\n  b;\n});\n```\n```\nnpm install a\n```\n", (1, 4)),
        ("```\nnpm install a\nnpm run b\n```\n```js\nx;\n```\n```js\nimport a from 'a';\n```\n", (2, 1)),
    ],
)
def test_the_lines_of_a_readme(readme: str, lines: tuple[int, int]) -> None:
    assert web_newcomer.lines_of(readme) == lines


def test_our_readme_s_first_picture_is_a_few_lines() -> None:
    commands, lines = web_newcomer.lines_of((web.BENCH.parent / "README.md").read_text(encoding="utf-8"))
    assert (commands, lines <= 4) == (1, True)
