"""The tables about conversions say what their rows say."""

from esrgan_benchmarks.studies.conversion_tables import (
    cost,
    litert_files,
    lowerings,
    onnx_files,
    parity,
    quantization,
    upsampling,
)

MACHINE = {
    "date": "2026-01-01",
    "processor": "one",
    "threads": 2,
    "bfloat16": False,
    "gpu": None,
    "torch": "2.13.0",
    "cores": 2,
}


def test_smaller_weights_show_their_worst_photo() -> None:
    common = {"network": "net", "quantize": "uint8", "bytes": 17_500_000, "nodes": 1600, **MACHINE}
    rows = [
        {**common, "photo": "a", "psnr": 55.0, "max": 3},
        {**common, "photo": "b", "psnr": 50.44, "max": 9},
        {**common, "photo": "c", "psnr": None, "max": 0},
    ]
    assert "| net | uint8 | 17.5 MB | 1600 | 3 | 50.4 dB (b) | 55.0 dB | 9 levels |" in quantization(rows)
    equal = [{**common, "photo": "a", "psnr": None, "max": 0}]
    assert "| 1 | equal | equal | 0 levels |" in quantization(equal)
    # a photo measured again counts once
    assert "| 1600 | 3 | 49.0 dB (b) |" in quantization([*rows, {**rows[1], "psnr": 49.0}])


def test_costs() -> None:
    row = {
        "network": "net",
        "route": "tf",
        "steps": {"onnx": 1.5, "tfjs": 20.0},
        "seconds": 21.5,
        "peak": 2_500_000_000,
    }
    assert "| net | tf | 21.5 s | onnx 1.5 s, tfjs 20.0 s | 2.5 GB |" in cost([{**row, **MACHINE}])


def test_lowerings() -> None:
    seconds = {"tf": {"median": 0.4}, "onnx-tf": {"median": 0.8}}
    row = {"network": "net", "shape": [64, 64, 3], "seconds": seconds, "times_as_fast": 2.01}
    assert "| net | 64x64 | 0.40 s | 0.80 s | 2.01 |" in lowerings([{**row, **MACHINE}])


def test_upsampling() -> None:
    seconds = {"one": {"median": 0.03}, "phases": {"median": 0.02}}
    row = {"runtime": "tensorflow", "shape": [8, 8, 64], "seconds": seconds, "phases_times_as_fast": 1.5}
    assert "| tensorflow | 8x8x64 | 30.0 ms | 20.0 ms | 1.50 |" in upsampling([{**row, **MACHINE}])


def test_onnx_files_have_a_line_each() -> None:
    common = {
        "network": "net",
        "quantize": "float16",
        "probes": 7,
        "of_probes": 7,
        "bytes": 1_200_000,
        **MACHINE,
    }
    rows = [
        {"step": step, "runner": runner, "precision": kind, "largest": largest, "psnr": psnr, **common}
        for step, runner, kind, largest, psnr in (
            ("torch", "torch", "float32", 1e-6, None),
            ("onnx", "onnxruntime", "float16", 2e-3, 61.26),
            ("onnx split", "onnxruntime", "float16", 0.0, None),
            ("onnx", "openvino", "float32", 1e-3, 64.0),
        )
    ]
    line = "| net | float16 | 1e-06 | 2e-03 | float16 | 1e-03 | float32 | equal | 61.3 dB | 1.2 MB |"
    assert line in onnx_files(rows)
    assert "| 2e-03 | float16 |  |  | 5e-05 | 61.3 dB |" in onnx_files(
        [*rows[:2], {**rows[2], "largest": 5e-5}]
    )


def test_litert_files_have_a_line_each() -> None:
    common = {"network": "net", "quantize": "int8", "probes": 7, "of_probes": 7, **MACHINE}
    common |= {"bytes": 700_000, "converted_in": 8.4, "photo_psnr": 42.84}
    rows = [
        {"step": step, "runner": runner, "largest": largest, "psnr": psnr, **common}
        for step, runner, largest, psnr in (
            ("torch", "torch", 3e-6, None),
            ("tf", "tensorflow", 4e-6, 86.5),
            ("tflite", "litert", 0.28, 24.73),
            ("tflite split", "litert", 0.0, None),
        )
    ]
    line = "| net | int8 | 3e-06 | 4e-06 | 3e-01 | equal | 24.7 dB | 42.8 dB | 8 s | 0.7 MB |"
    assert line in litert_files(rows)
    assert "| 3e-01 | 2e-02 | 24.7 dB |" in litert_files([*rows[:3], {**rows[3], "largest": 0.022}])


def test_parity_has_a_line_a_conversion() -> None:
    common = {"network": "net", "route": "direct", "quantize": "none", "differing": 0, "pixels": 9, **MACHINE}
    rows = [
        {"step": step, "runner": runner, "probes": probes, "of_probes": asked, "largest": largest} | common
        for step, runner, probes, asked, largest in (
            ("torch", "torch", 7, 7, 1e-6),
            ("onnx", "onnxruntime", 7, 7, 2e-6),
            ("tfjs", "tfjs-node", 7, 7, 3e-6),
            ("tfjs split", "tfjs-node", 1, 1, 0.0),
            ("tfjs", "tfjs-webgpu", 1, 7, 4e-6),
        )
    ]
    for number, row in enumerate(rows):
        row |= {"psnr": None if number == 3 else 90.0 - number, "bytes": 1_000_000 * number}
    other = [{**row, "route": "tf", "quantize": "uint8"} for row in rows[:2]]
    text = parity([*other, *rows])
    line = "| 1e-06 | 2e-06 |  | 3e-06 |  |  | 4e-06 (1 of 7) | equal | 86.0 dB | 2.0 MB |"
    assert f"| net | direct | float32 {line}" in text
    assert text.index("| direct |") < text.index("| net | tf | uint8 | 1e-06 | 2e-06 |  |  |")
