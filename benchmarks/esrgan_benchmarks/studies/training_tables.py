"""Tables of what training measured: the sweep, a run, the smoke recipe, models by their quality."""

from esrgan_benchmarks.core.record import Row, latest, measured_on


def sweep(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.sweep`, the best of each network's ways first."""
    rows = latest(rows, "network", "init", "rate", "patch", "luma", "processor_seconds")
    lines = [
        "| network | initial weights | rate | patch | luma loss | multiply-adds a pixel | parameters | steps "
        "| PSNR |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['network']} | {row['init']} | {row['rate']:g} | {row['patch']} "
        f"| {row['luma']:g} | {row['multiply_adds']:,} "
        f"| {row['parameters']:,} | {row['steps']} | {row['psnr_y']:.2f} dB |"
        for row in sorted(rows, key=lambda row: -row["psnr_y"])
    ]
    seconds = " and ".join(sorted({f"{row['processor_seconds']:g}" for row in rows}))
    return "\n".join([*lines, "", f"{seconds} s of one core each, batches of 8. {measured_on(rows)}"])


def run(rows: list[Row]) -> str:
    """Runs, one after the other: some of their validations, the last ones among them."""
    rows = latest(rows, "run", "step")
    ends = {row["run"]: row["step"] for row in rows}
    chosen = [row for row in rows if row["step"] % 2000 == 0 or row["step"] == ends[row["run"]]]
    lines = ["| run | steps | PSNR of the moving average, Set5 |", "|---|---|---|"]
    return "\n".join(
        lines + [f"| {row['run']} | {row['step']:,} | {row['psnr_y']:.2f} dB |" for row in chosen]
    )


def idle_layers(rows: list[Row]) -> str:
    """Rows of `esrgan_benchmarks.studies.idle_layers`: a network a line, a stage a column."""
    rows = latest(rows, "network", "dataset")
    depth = max(len(row["directions"]) for row in rows)
    lines = [
        "| directions of the features after stage | " + " | ".join(map(str, range(depth))) + " |",
        "|---" * (depth + 1) + "|",
    ]
    lines += [f"| {row['network']} | " + " | ".join(map(str, row["directions"])) + " |" for row in rows]
    return "\n".join([*lines, "", measured_on(rows)])


def training(rows: list[Row]) -> str:
    """Rows of the smoke recipe."""
    rows = latest(rows, "recipe", "processor")
    lines = [
        "| recipe | steps | whole run | steps a second | waiting for data | peak of the process |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['recipe']} | {row['steps']} | {row['seconds']:.1f} s | {row['steps_a_second']:.1f} "
        f"| {100 * row['waiting']:.1f} % | {row['peak'] / 1e6:.0f} MB |"
        for row in rows
    ]
    return "\n".join([*lines, "", measured_on(rows)])


def models(rows: list[Row], scale: int = 4) -> str:
    """Rows of models of one scale, one line a model, one column a folder."""
    # rows without a scale are from before there was any but 4
    rows = latest([row for row in rows if row.get("scale", 4) == scale], "network", "dataset")
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    lines = [
        f"| model | parameters | {' | '.join(datasets)} |",
        "|---|---|" + "---|" * len(datasets),
    ]
    for name in dict.fromkeys(row["network"] for row in rows):
        own = {row["dataset"]: row for row in rows if row["network"] == name}
        parameters = next(iter(own.values()))["parameters"]
        cells = [_quality(own[dataset]) if dataset in own else "" for dataset in datasets]
        size = "" if parameters is None else f"{parameters:,}"
        lines.append(f"| {name} | {size} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", measured_on(rows)])


def _quality(row: Row) -> str:
    """PSNR and SSIM of Y; that of RGB too where it was measured."""
    colours = row.get("psnr_rgb")
    more = "" if colours is None else f"; RGB {colours:.2f} dB"
    return f"{row['psnr_y']:.2f} dB / {row['ssim_y']:.3f}{more}"
