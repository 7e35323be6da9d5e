import sys
from pathlib import Path

import pytest
import torch

from esrgan_benchmarks.studies.training_curve import curve, main
from esrgan_torch.errors import ConfigError

LINES = [
    {"step": 500, "psnr": 31.5, "ssim": 0.88, "psnr/Set14": 28.1},
    {"step": 1000, "psnr": 31.6, "ssim": 0.88, "psnr/Set14": 28.2, "psnr_rgb": 29.7, "began": 600},
]


def test_a_panel_for_each_set_and_a_line_for_each_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    monkeypatch.setattr(mpl, "rc_context", _with_texts(mpl.rc_context))
    text = curve(LINES)
    for title in ("Set5, Y", "Set14, Y", "Set5, RGB"):
        assert f"PSNR of the moving average, {title}, dB" in text
    assert text.count("stroke-dasharray") == 3  # the stretch that began at 600, in each panel
    assert "stroke-dasharray" not in curve(LINES[:1])
    assert ">31.60<" in text
    assert curve(LINES) == text


def _with_texts(honest):
    """Texts stay texts, so that they can be looked for."""
    return lambda settings: honest({**settings, "svg.fonttype": "none"})


def test_the_command_draws_what_a_packed_run_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weight = {"a": torch.zeros(2)}
    carried = {"format": "esrgan-torch carried run 1", "step": 1200, "average": weight, "distance": weight}
    file, output = tmp_path / "run.pt", tmp_path / "run.svg"
    torch.save({**carried, "validations": LINES}, file)
    monkeypatch.setattr(sys, "argv", ["", str(file), "-o", str(output)])
    main()
    assert output.read_text(encoding="utf-8").startswith("<?xml")
    assert "1,200 steps" in capsys.readouterr().out
    torch.save({**carried, "validations": []}, file)
    with pytest.raises(ConfigError, match="has not been validated yet"):
        main()
