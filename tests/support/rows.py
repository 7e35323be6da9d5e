"""Rows as `esrgan bench` writes them, made up: for what reads them."""

from esrgan_benchmarks.core.record import Row

MACHINE: Row = {
    "date": "2026-01-01",
    "commit": "0123456789",
    "processor": "A Processor",
    "cores": 2,
    "threads": 2,
    "bfloat16": False,
    "gpu": None,
    "python": "3.11.0",
    "torch": "2.0",
    "esrgan-torch": "0.1.0",
}


def spread(median: float, width: float = 0.02) -> Row:
    """A spread of so much of its median between the quartiles."""
    return {
        "median": median,
        "lower": median * (1 - width / 2),
        "upper": median * (1 + width / 2),
        "runs": 7,
    }


def runtime_row(runtime: str, seconds: float, ratio: float, **changes: object) -> Row:
    """One runtime on one case; the reference has the ratio 1, exactly."""
    row: Row = {
        "network": "net",
        "shape": [1, 64, 64, 3],
        "runtime": runtime,
        "dtype": "float32",
        "seconds": spread(seconds),
        "of_reference": spread(ratio, 0.0 if ratio == 1 else 0.02),
        "reference": "pytorch",
        "ratio": ratio,
        "rounds": [seconds] * 7,
        "others": [0.01] * 7,
        "disturbed": 0,
        "repeated": 0,
        "disturbed_start": False,
        "load": 1.5,
        "first_call": 2 * seconds,
        "peak": 400_000_000,
        "device_peak": None,
        "largest": 1e-6,
        "psnr": 92.0,
        "gflops": 100.0 / seconds,
        "intensity": 130.0,
        "versions": {"it": "1.0"},
        "threads_asked": 2,
        "device": "cpu",
        "run": "2026-01-01T00:00:00+00:00",
    }
    return {**row, **changes, **MACHINE}


def old_row(runtime: str, seconds: float, ratio: float, **changes: object) -> Row:
    """As rows were before rounds, loads and the reference's name were kept."""
    later = ("reference", "ratio", "rounds", "others", "disturbed", "repeated", "disturbed_start")
    row = runtime_row(runtime, seconds, ratio, **changes)
    return {key: value for key, value in row.items() if key not in later}


def ceiling_rows() -> list[Row]:
    return [
        {"kind": kind, "dtype": "float32", key: rate, "device": "cpu", "threads_asked": 2, **MACHINE}
        for kind, key, rate in (("matrix product", "gflops", 300.0), ("copy", "gbytes", 20.0))
    ]


def quality_row(network: str, psnr: float, cost: float | None) -> Row:
    return {
        "network": network,
        "dataset": "Set5",
        "psnr_y": psnr,
        "ssim_y": psnr / 40,
        "seconds_a_megapixel": cost,
        "parameters": 1000,
        "dtype": "float32",
        "device": "cpu",
        "peak": None,
        "threads_asked": 2,
        **MACHINE,
    }
