"""The published numbers of bicubic, and folders that do not fit."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from esrgan_torch.errors import ConfigError, ImageReadError, PairError
from esrgan_torch.images.files import Picture, write_image
from esrgan_torch.images.resample import imresize
from esrgan_torch.metrics.protocol import (
    Evaluation,
    Failure,
    Score,
    bicubic,
    evaluate,
    evaluate_bicubic_classic,
)

ORIGINAL = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8).repeat(7, 0).repeat(7, 1)


def test_bicubic_on_set5_as_esrgan_measures(shared_data: Path) -> None:
    result = evaluate(bicubic(4), shared_data / "eval" / "Set5")
    assert [score.name for score in result.scores] == ["baby", "bird", "butterfly", "head", "woman"]
    assert result.mean.psnr_y == pytest.approx(28.429, abs=5e-4)
    assert result.mean.ssim_y == pytest.approx(0.8111, abs=5e-5)


def test_bicubic_on_set5_as_papers_print_it(shared_data: Path) -> None:
    mean = evaluate_bicubic_classic(shared_data / "eval" / "Set5").mean
    assert f"{mean.psnr_y:.2f} {mean.ssim_y:.3f}" == "28.42 0.810"
    assert mean.psnr_rgb is None


def test_bicubic_on_set14_by_both_conventions(shared_data: Path) -> None:
    folder = shared_data / "eval" / "Set14"
    as_rgb = evaluate(bicubic(4), folder)
    classic = evaluate_bicubic_classic(folder)
    assert f"{as_rgb.mean.psnr_y:.2f} {as_rgb.mean.ssim_y:.4f}" == "26.09 0.7048"
    assert f"{classic.mean.psnr_y:.2f}" == "26.00"
    bridge = [next(s.psnr_y for s in e.scores if s.name == "bridge") for e in (as_rgb, classic)]
    assert bridge[0] - bridge[1] == pytest.approx(1.32, abs=0.03)


def test_a_perfect_upscaler_sees_rgb_and_scores_without_limit(tmp_path: Path) -> None:
    gray = ORIGINAL[:60, :76, :1]
    write_image(tmp_path / "a.png", gray)
    seen: list[Picture] = []

    def perfect(picture: Picture) -> Picture:
        seen.append(picture)
        return Picture(gray.repeat(3, axis=2))

    scores: list[Score] = []
    result = evaluate(perfect, tmp_path, on_score=scores.append)
    assert seen[0].pixels.shape == (15, 19, 3)
    assert result.scores == tuple(scores)
    assert result.mean.psnr_y == float("inf")
    assert result.mean.ssim_y == pytest.approx(1)


@pytest.mark.parametrize("folder", [".", "HR"])
def test_originals_alone_are_shrunk_and_cropped(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    write_image(tmp_path / folder / "a.png", ORIGINAL)  # 63 x 77: neither is a multiple of 4
    seen: list[Picture] = []

    def note(picture: Picture) -> Picture:
        seen.append(picture)
        return bicubic(4)(picture)

    evaluate(note, tmp_path)
    np.testing.assert_array_equal(seen[0].pixels, imresize(ORIGINAL[:60, :76], 15, 19))


def test_pairs_by_name_and_other_scales(tmp_path: Path) -> None:
    for name, size in (("HR", (60, 76)), ("LRbicx2", (30, 38))):
        (tmp_path / name).mkdir()
        suffix = "png" if name == "HR" else "bmp"
        write_image(tmp_path / name / f"a.{suffix}", imresize(ORIGINAL, *size))
    (tmp_path / "HR" / "notes.txt").write_text("no picture")
    result = evaluate(bicubic(2), tmp_path, scale=2)
    assert len(result.scores) == 1
    assert result.protocol.startswith("x2;")


def test_results_of_16_bits_and_with_alpha_are_measured_as_8_bit_colour(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", ORIGINAL)

    def wide(picture: Picture) -> Picture:
        pixels = bicubic(4)(picture).pixels
        alpha = np.full((*pixels.shape[:2], 1), 9, np.uint8)
        return Picture(np.concatenate([pixels, alpha], axis=2).astype(np.uint16) * 257)

    assert evaluate(wide, tmp_path) == evaluate(bicubic(4), tmp_path)


def test_table_has_the_protocol_beside_the_numbers() -> None:
    scores = (Score("a", 28.123, 0.81234, 26.5, 0.78), Score("longer", 30.0, 0.9, None, None))
    text = str(
        Evaluation("Set5", "how it was done", scores, "from there", (Failure("b", "b.png is damaged"),))
    )
    origin, *lines, failed, protocol = text.splitlines()
    assert origin == "low-resolution pictures: from there"
    assert failed == "not measured: b.png is damaged"
    lines.append(protocol)
    assert lines[0].split() == ["Set5", "PSNR-Y", "SSIM-Y", "PSNR-RGB", "SSIM-RGB"]
    assert lines[1].split() == ["a", "28.12", "0.8123", "26.50", "0.7800"]
    assert lines[2].split() == ["longer", "30.00", "0.9000", "-", "-"]
    assert lines[3].split() == ["mean", "of", "2", "29.06", "0.8562", "26.50", "0.7800"]
    assert lines[4] == "protocol: how it was done"
    assert len({len(line) for line in lines[:4]}) == 1


def test_both_protocols_say_what_happens_to_gray(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", ORIGINAL)
    assert "gray pictures count as RGB" in str(evaluate(bicubic(4), tmp_path))
    assert "gray pictures as they are" in str(evaluate_bicubic_classic(tmp_path))


def test_folders_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        evaluate(bicubic(4), tmp_path / "none")
    with pytest.raises(ConfigError, match="holds no pictures"):
        evaluate(bicubic(4), tmp_path)
    (tmp_path / "HR").mkdir()
    (tmp_path / "LRbicx4").mkdir()
    write_image(tmp_path / "HR" / "a.png", ORIGINAL)
    write_image(tmp_path / "LRbicx4" / "b.png", ORIGINAL)
    with pytest.raises(PairError, match=r"a\.png has no low-resolution picture in .*LRbicx4"):
        evaluate(bicubic(4), tmp_path)
    shutil.move(tmp_path / "LRbicx4" / "b.png", tmp_path / "LRbicx4" / "a.png")
    with pytest.raises(PairError, match=r"has 77 x 63 pixels; for x4 .* must have 19 x 15"):
        evaluate(bicubic(4), tmp_path)


def test_a_bad_picture_costs_itself(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", ORIGINAL)
    write_image(tmp_path / "small.png", ORIGINAL[:16, :16])  # too small for SSIM without its border
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    told: list[Failure] = []
    result = evaluate(bicubic(4), tmp_path, on_failure=told.append)
    assert [score.name for score in result.scores] == ["a"]
    assert result.mean == replace(result.scores[0], name="mean of 1")
    assert result.failures == tuple(told)
    causes = {failure.name: failure.cause for failure in told}
    assert causes.keys() == {"gone.png", "small", "damaged"}
    assert "is a link to nowhere.png, which does not exist" in causes["gone.png"]
    assert "damaged.png" in causes["damaged"]
    with pytest.raises(ImageReadError, match="nowhere"):
        evaluate(bicubic(4), tmp_path)


def test_where_nothing_could_be_measured_there_is_a_table_and_no_mean(tmp_path: Path) -> None:
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    result = evaluate(bicubic(4), tmp_path, on_failure=lambda _: None)
    assert "damaged.png" in str(result)
    with pytest.raises(ConfigError, match="no picture could be measured"):
        assert result.mean


def test_upscaler_of_another_scale(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", ORIGINAL)
    with pytest.raises(ConfigError, match="returned 38 x 30 pixels, the original has 76 x 60"):
        evaluate(bicubic(2), tmp_path)


def test_files_of_16_bits_and_on_nothing_are_measured_as_8_bits_on_white(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "odd").mkdir()
    clear = np.zeros((*ORIGINAL.shape[:2], 1), np.uint8)
    clear[:30] = 255
    white = np.where(clear > 0, ORIGINAL, np.uint8(255))
    write_image(tmp_path / "plain" / "a.png", white)
    write_image(tmp_path / "odd" / "a.png", np.concatenate([ORIGINAL, clear], 2).astype(np.uint16) * 257)
    plain, odd = (evaluate(bicubic(4), tmp_path / name) for name in ("plain", "odd"))
    assert plain.scores == odd.scores
