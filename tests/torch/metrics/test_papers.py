from pathlib import Path

import pytest

from esrgan_torch.errors import ConfigError
from esrgan_torch.metrics.papers import SETS, find_paper_sets, paper_rows


def test_figures_are_ones_that_can_be() -> None:
    rows = paper_rows()
    assert len({(row.name, row.scale) for row in rows}) == len(rows)
    for row in rows:
        assert row.source
        assert set(row.figures) <= set(SETS)
        for psnr, ssim in row.figures.values():
            assert 22 < psnr < 40
            assert 0.6 < ssim < 1


def test_the_weakest_come_first_and_a_larger_scale_is_harder() -> None:
    by_scale = {
        scale: [row for row in paper_rows() if row.scale == scale and "ESRGAN" not in row.name]
        for scale in (2, 3, 4)
    }
    for rows in by_scale.values():
        quality = [row.figures["Set5"][0] for row in rows]
        assert quality == sorted(quality)
    for harder, easier in ((4, 3), (3, 2)):
        best = max(row.figures["Set5"][0] for row in by_scale[harder])
        assert all(row.figures["Set5"][0] > best for row in by_scale[easier])


def test_rrdb_as_the_paper_of_esrgan_has_it() -> None:
    [row] = [row for row in paper_rows() if row.model == "esrgan-psnr-x4"]
    assert row.figures["Set5"] == (32.73, 0.9011)
    assert row.figures["Manga109"] == (31.66, 0.9196)
    assert "arXiv:1809.00219" in row.source


def test_sets_are_known_by_their_folders(tmp_path: Path) -> None:
    for name in ("b100", "set14", "Set5", "Set50", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "Manga109").write_text("no folder")
    found = find_paper_sets([tmp_path])
    assert list(found.items()) == [
        ("Set5", tmp_path / "Set5"),
        ("Set14", tmp_path / "set14"),
        ("BSD100", tmp_path / "b100"),
    ]
    (tmp_path / "more" / "Set5").mkdir(parents=True)
    both = find_paper_sets([tmp_path / "more" / "Set5", tmp_path])
    assert both["Set5"] == tmp_path / "more" / "Set5"


def test_a_link_has_the_name_that_its_user_gave_it(tmp_path: Path) -> None:
    (tmp_path / "five").mkdir()
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "Set5").symlink_to(tmp_path / "five")
    assert find_paper_sets([tmp_path / "sets"]) == {"Set5": tmp_path / "sets" / "Set5"}


@pytest.mark.parametrize("name", [".", "nowhere"])
def test_no_set(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"no folder is called Set5, |cannot be listed"):
        find_paper_sets([tmp_path / name])
