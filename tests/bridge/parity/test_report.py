import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

from esrgan_bridge.parity.distance import TOLERANCES, Measurement, compare
from esrgan_bridge.parity.findings import NotRun, ParityReport, Step
from esrgan_bridge.parity.measure import keep_worst
from esrgan_bridge.parity.report import amplification, write_html


@pytest.fixture
def page(tmp_path):
    """Write a report of two steps; gives the report, the originals and the text."""
    original = np.full((1, 8, 8, 3), 0.5, np.float32)
    original[0, 0, 0], original[0, 7, 7] = -0.25, 1.5  # beyond black and white, as networks give them
    report = ParityReport("<tiny> & co", "tfjs", "tf", "none", machine={"python": "3.11"})
    for step, shift in (("onnx", 2e-6), ("tf", 3e-5)):
        copy = original.copy()
        copy[0, 2, 3, 1] += shift
        report.steps.append(Step(step, 1.0, 2_000_000))
        row = compare(
            Measurement(step, f"runner-{step}", "ramp", "4x4", TOLERANCES["none"], 0.1), original, copy
        )
        report.rows.append(row)
        keep_worst(report, row, original, copy)
        report.runtimes[row.runner] = {"precision": "float32", "version": "9.9"}
    report.not_run.append(NotRun("tfjs-webgpu", "", "no <adapter>"))
    write_html(report, tmp_path / "parity.html")
    return report, (tmp_path / "parity.html").read_text(encoding="utf-8")


def test_it_holds_what_it_must(page):
    report, text = page
    for part in (
        "&lt;tiny&gt; &amp; co",
        '<p class="good">2 measurements of copies in 2 runtimes: all within their tolerance.</p>',
        "<summary>2 measurements of copies in 2 runtimes</summary>",
        "PyTorch → ONNX → TensorFlow",
        "runner-onnx",
        "runner-tf",
        "3.0e-05",
        "y 2, x 3, ch 1",
        "2.00 MB",
        "<b>tfjs-webgpu</b>: no &lt;adapter&gt;",
        "python",
        "version 9.9",
        '<td data-label="Computes in">float32</td>',
        '<td data-label="Values">−0.250 to 1.500</td>',
        "difference × 20\N{NO-BREAK SPACE}000",
    ):
        assert part in text
    for row in report.rows:
        assert row.reason in text
    assert "{{" not in text


HOSTILE = """"><script>alert('1')</script>{{ report }}&"""


def test_names_are_only_text(page, tmp_path):
    """Of weights, runners, probes, versions and reasons: much of it comes from files."""
    report, _ = page
    report.name = report.route = report.quantize = HOSTILE
    report.machine[HOSTILE] = HOSTILE
    report.not_run.append(NotRun(HOSTILE, HOSTILE, HOSTILE))
    bad = replace(report.rows[0], runner=HOSTILE, probe=HOSTILE, size=HOSTILE, reason=HOSTILE)
    report.rows.append(bad)
    report.worst["onnx"] = replace(report.worst["onnx"], row=bad)
    report.runtimes[HOSTILE] = {"precision": HOSTILE, "version": HOSTILE}
    write_html(report, tmp_path / "parity.html")
    text = (tmp_path / "parity.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count(str(escape(HOSTILE))) >= 16


def test_it_is_one_file(page):
    """No address but those with their data inside."""
    _, text = page
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", text)
    assert len(addresses) == 7  # three pictures a step, and an empty icon
    assert all(address.startswith("data:") for address in addresses)
    assert "http" not in text
    assert "url(" not in text


def test_pictures_are_original_copy_and_amplified_difference(page):
    _, text = page
    pictures = [
        np.array(Image.open(io.BytesIO(base64.b64decode(data))))
        for data in re.findall(r"data:image/png;base64,([^\"]+)", text)
    ]
    original, copy, difference = pictures[3:]
    for picture in (original, copy):
        assert (picture[0, 0] == 0).all()
        assert (picture[7, 7] == 255).all()
        assert (picture[1:7] == 128).all()
    assert difference[2, 3, 1] == round(3e-5 * 20_000 * 255)
    assert np.count_nonzero(difference) == 1


def test_dark_and_phone(page):
    _, text = page
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text


def test_a_failure_is_marked(page, tmp_path):
    report, _ = page
    original = np.zeros((1, 8, 8, 3), np.float32)
    report.rows.append(
        compare(
            Measurement("tfjs", "tfjs-node", "flat", "4x4", TOLERANCES["none"], 0.1), original, original + 1
        )
    )
    write_html(report, tmp_path / "parity.html")
    text = (tmp_path / "parity.html").read_text()
    assert (
        '<p class="bad">1 measurement out of tolerance, of 3 measurements of copies in 3 runtimes.</p>'
        in text
    )
    assert text.count("data-failed>") == 2  # in the line of its runner, and in its own


def test_the_original_alone_is_no_measurement(page, tmp_path):
    report, _ = page
    report.rows = [replace(report.rows[0], step="torch", runner="torch")]
    write_html(report, tmp_path / "parity.html")
    text = (tmp_path / "parity.html").read_text()
    assert '<p class="bad">Nothing was measured' in text
    assert "<summary>0 measurements of copies in 0 runtimes, and 1 of the original" in text
    assert 'class="good"' not in text


def test_a_warning_is_above_and_nothing_green(page, tmp_path):
    report, _ = page
    report.rows = report.rows[:1]
    write_html(report, tmp_path / "parity.html")
    text = (tmp_path / "parity.html").read_text()
    assert text.index("Warning: no runtime measured tf") < text.index("all within their tolerance")
    assert 'class="good"' not in text


@pytest.mark.parametrize(
    ("difference", "factor"),
    [(0, 1), (3, 1), (1, 1), (0.5, 2), (0.3, 2), (0.1, 10), (0.02, 50), (3e-6, 200_000)],
)
def test_amplification(difference, factor):
    assert amplification(difference) == factor
    assert difference * factor <= 1 or difference > 1
