"""The tables of `esrgan_benchmarks.studies.web`."""

from collections.abc import Iterable

from esrgan_benchmarks.core.record import Row, latest, newest


def peer(rows: list[Row]) -> str:
    """Ours and UpscalerJS: `of_ours` above 1 is slower than tfjs-esrgan."""
    lines = [
        "| network | input | page | backend | way | time | of ours | largest error | mean | memory "
        "| tensors left | abort takes |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in latest(_of(rows, "peer"), "network", "backend", "isolated", "way"):
        size = f"{row['shape'][0]}x{row['shape'][1]}"
        time = f"{row['seconds']['median']:.2f} s | {row['of_ours']:.2f}"
        memory = f"{row['peak'] / 1e6:.0f} MB" if row.get("peak") else ""
        error = f"{row['largest']} | {row['mean']:.3f} | {memory} | {row['tensors']}"
        page = "isolated" if row["isolated"] else "plain"
        case = f"{row['network']} | {size} | {page} | {_backend(row)} | {row['way']}"
        lines.append(f"| {case} | {time} | {error} | {_abort(row)} |")
    return "\n".join([*lines, "", _machine(_of(rows, "peer"))])


def newcomer(rows: list[Row]) -> str:
    """What a newcomer types and waits for, by each library's own README."""
    found = list(latest(_of(rows, "newcomer"), "library"))
    cells: dict[str, list[str]] = {
        "lines to type: in the shell, in the program": [
            f"{row['commands']}, {row['lines']}" for row in found
        ],
        "installed": [f"{row['installed'] / 1e6:.0f} MB, {row['packages']} packages" for row in found],
        "the page fetches for the first picture": [f"{row['bytes'] / 1e6:.2f} MB" for row in found],
        "of that from another site": [f"{row['elsewhere'] / 1e6:.2f} MB" for row in found],
        "from opening the page to the first picture": [f"{row['seconds']['median']:.1f} s" for row in found],
        "the same picture once more": [f"{row['again']['median']:.2f} s" for row in found],
        "the result": [f"{row['result'][1]}x{row['result'][0]}" for row in found],
        "memory of the page's process": [f"{row['peak'] / 1e6:.0f} MB" for row in found],
    }
    lines = [
        f"| | {' | '.join(str(row['library']) for row in found)} |",
        "|---|" + "---|" * len(found),
        *(f"| {name} | {' | '.join(values)} |" for name, values in cells.items()),
    ]
    return "\n".join([*lines, "", _machine(_of(rows, "newcomer"))])


def graph(rows: list[Row]) -> str:
    """Our graph and onnx-tf's, one tile by plain TF.js."""
    lines = ["| network | tile | backend | graph | nodes | time | of ours |", "|---|---|---|---|---|---|---|"]
    for row in latest(_of(rows, "graph"), "network", "backend", "isolated", "way"):
        size = f"{row['shape'][0]}x{row['shape'][1]}"
        time = f"{row['seconds']['median']:.3f} s | {row['of_ours']:.2f}"
        lines.append(
            f"| {row['network']} | {size} | {_backend(row)} | {row['way']} | {row['nodes']} | {time} |"
        )
    return "\n".join([*lines, "", _machine(_of(rows, "graph"))])


def photo(rows: list[Row]) -> str:
    """A photo through the library, against PyTorch's picture."""
    lines = [
        "| network | input | backend | time | memory of the page's process | PSNR to PyTorch's | largest |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in latest(_of(rows, "photo"), "network", "backend", "isolated", "way"):
        size = f"{row['shape'][0]}x{row['shape'][1]}"
        quality = "equal" if row["psnr"] is None else f"{row['psnr']:.1f} dB"
        cost = f"{row['seconds']:.1f} s | {row['peak'] / 1e9:.2f} GB"
        lines.append(
            f"| {row['network']} | {size} | {_backend(row)} | {cost} | {quality} | {row['largest']} |"
        )
    return "\n".join([*lines, "", _machine(_of(rows, "photo"))])


def engines(rows: list[Row]) -> str:
    """The kernels beside other engines on wasm: the time is the least, `of it` the median of the rounds."""
    lines = [
        "| network | input | threads | kernels | TF.js | of it | onnxruntime-web | of it |",
        "|---|---|---|---|---|---|---|---|",
    ]
    # what the engine said: "threads" of a row is PyTorch's
    told: list[Row] = [{**row, "workers": int(row["facts"]["threads"])} for row in newest(rows)]
    cases: dict[tuple[str, str, int], dict[str, Row]] = {}
    for row in latest(told, "network", "workers", "engine"):
        size = f"{row['shape'][0]}x{row['shape'][1]}"
        cases.setdefault((row["network"], size, row["workers"]), {})[row["engine"]] = row
    for (network, size, threads), found in cases.items():
        others = [
            f"{_seconds(found[name])} | {found[name]['ours_of_it']:.2f}"
            for name in ("TF.js", "onnxruntime-web")
        ]
        lines.append(
            f"| {network} | {size} | {threads} | {_seconds(found['kernels'])} | {' | '.join(others)} |"
        )
    return "\n".join([*lines, "", _loaded(told)])


def emulated(rows: list[Row]) -> str:
    """The shaders beside other engines on a WebGPU that the processor emulates; columns as in `engines`."""
    lines = [
        "| network | input | shaders | TF.js | of it | onnxruntime-web | of it |",
        "|---|---|---|---|---|---|---|",
    ]
    cases: dict[tuple[str, str], dict[str, Row]] = {}
    for row in latest(
        [{**row, "size": "x".join(map(str, row["shape"]))} for row in newest(rows)],
        "network",
        "size",
        "engine",
    ):
        cases.setdefault((row["network"], row["size"]), {})[row["engine"]] = row
    for (network, size), found in cases.items():
        others = [
            f"{_seconds(found[name])} | {found[name]['ours_of_it']:.2f}"
            for name in ("TF.js", "onnxruntime-web")
        ]
        lines.append(f"| {network} | {size} | {_seconds(found['shaders'])} | {' | '.join(others)} |")
    return "\n".join([*lines, "", _loaded(newest(rows))])


def _loaded(rows: list[Row]) -> str:
    """What a busy machine was."""
    facts = {
        f"{row['processor']}, {row['cores']} cores, Chromium {row['facts']['chromium']}, {row['date']}"
        for row in rows
    }
    loads = [row["load"] for row in rows]
    least, most = min(loads), max(loads)
    load = f"{least}" if least == most else f"{least} to {most}"
    return f"Measured on: {'; '.join(sorted(facts))}, with a load of {load}."


def _seconds(row: Row) -> str:
    return f"{row['least']:.3f} s"


def _of(rows: Iterable[Row], kind: str) -> list[Row]:
    """Those of the machine that measured this last, on isolated pages and on plain ones."""
    mine = [row for row in rows if row["kind"] == kind]
    return [
        row
        for isolated in (True, False)
        for row in newest(row for row in mine if row["isolated"] is isolated)
    ]


def _backend(row: Row) -> str:
    """With the threads that the way had, as its facts tell."""
    facts = str(row["facts"])
    for count in range(8, 0, -1):
        if f"{count} thread" in facts or f"threads: {count}" in facts:
            return f"{row['backend']}, {count} thread{'s' if count > 1 else ''}"
    return str(row["backend"])


def _abort(row: Row) -> str:
    """The longest wait after an abort; runs that had finished before do not count."""
    if not row["aborts"]:
        return ""
    waits = [one["latency"] for one in row["aborts"] if one["ended"] != "finished"]
    if not waits:
        return "not heeded"
    tile = f", a patch {row['tile_seconds'] * 1000:.0f} ms" if row["tile_seconds"] else ""
    return f"{max(waits) * 1000:.0f} ms{tile}"


def _machine(rows: list[Row]) -> str:
    facts = {
        f"{row['processor']}, {row['cores']} cores, Chromium {row['chromium']}, TF.js {row['tfjs']}, "
        f"UpscalerJS {row['upscaler']}, {row['date']}"
        for row in rows
    }
    return f"Measured on: {'; '.join(sorted(facts))}."
