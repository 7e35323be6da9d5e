from pathlib import Path

import pytest

from esrgan_torch.datasets.partners import Partners, core_of
from esrgan_torch.errors import ConfigError, PairError

LOW = Path("LR")


def partner(original: str, files: list[str], scale: int = 4, template: str = "", *others: str) -> str:
    originals = [Path(name) for name in (original, *others)]
    partners = Partners(LOW, [LOW / name for name in files], originals, scale, template)
    return str(partners.of(Path(original)).relative_to(LOW))


@pytest.mark.parametrize(
    ("original", "small"),
    [
        ("0801.png", "0801.png"),
        ("0801.png", "0801.jpg"),
        ("0801.png", "0801x4.png"),
        ("0801.png", "0801X4.png"),
        ("0801.png", "0801_x4.png"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png"),
        ("img_001.png", "img_001_SRF_4_LR.png"),
        ("baby_HR.png", "baby_LR.png"),
        ("baby_GT.bmp", "baby.bmp"),
        ("baby_HR_x4.png", "baby_LRBI_x4.png"),
        ("deep/0801.png", "deep/0801x4.png"),
        ("photo.final.png", "photo.finalx4.png"),
    ],
)
def test_names_that_data_sets_have(original: str, small: str) -> None:
    assert partner(original, ["other.png", small, "otherx4.png"]) == small


def test_another_scale_or_another_folder_is_no_partner() -> None:
    for files in (["0801x2.png"], ["deep/0801x4.png"], ["10801x4.png"], []):
        with pytest.raises(
            PairError, match=r"0801.png has no low-resolution picture in LR: none is called 0801 or"
        ):
            partner("0801.png", files)


def test_an_original_s_own_partner_is_no_other_s() -> None:
    assert partner("photox4.png", ["photox4.png"], 4, "", "photo.png") == "photox4.png"
    with pytest.raises(PairError):
        partner("photo.png", ["photox4.png"], 4, "", "photox4.png")


def test_the_same_suffix_decides_and_else_two_are_one_too_many() -> None:
    assert partner("a.png", ["a.jpg", "a.png"]) == "a.png"
    with pytest.raises(PairError, match=r"a.bmp has several low-resolution pictures in LR: a.jpg, a.png"):
        partner("a.bmp", ["a.jpg", "a.png"])


def test_a_template_alone_counts_where_it_is_given() -> None:
    assert partner("a.png", ["a.png", "small-a-4.png"], 4, "small-{}-4") == "small-a-4.png"
    with pytest.raises(PairError, match="none is called small-a-4"):
        partner("a.png", ["a.png"], 4, "small-{}-4")
    for template in ("x4", "{}{}", "{name}x4"):
        with pytest.raises(ConfigError, match=r'holds {} once, for the original.s name, such as "{}x4"'):
            partner("a.png", ["a.png"], 4, template)


def test_cores() -> None:
    assert core_of("x4", 4) == "x4"  # something stays
    assert core_of("0801x4", 2) == "0801x4"
    assert core_of("max4", 4) == "ma"  # which is why the same name comes first
