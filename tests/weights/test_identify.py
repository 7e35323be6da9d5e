import pytest

from esrgan_weights import inspect, save
from esrgan_weights.identify import identify
from esrgan_weights.registry import find, known_files, models

OTHER = "0" * 64


@pytest.mark.parametrize("name", list(models()))
def test_official(name):
    for alternative in find(name).alternatives:
        for file in alternative.files:
            identity = identify("renamed.pth", file.size, file.sha256)
            assert identity.kind == "official"
            assert identity.model == find(name)


def test_known_by_the_whole_hash_or_its_beginning():
    for known in known_files():
        identity = identify("x.pth", 1, known.sha256.ljust(64, "0"))
        assert (identity.kind, identity.text) == (known.kind, known.what)


def test_look_alikes():
    by_name = identify("RealESRGAN_x4plus.pth", 4_885_111, OTHER)
    assert by_name.kind == "look-alike"
    assert (
        by_name.text
        == "named like the published RealESRGAN_x4plus.pth of realesrgan-x4plus, but another file"
    )
    by_size = identify("mine.pth", 67_061_725, OTHER)
    assert by_size.kind == "look-alike"
    assert "of the size of the published RealESRGAN_x2plus.pth" in by_size.text


def test_unknown():
    assert identify("mine.pth", 1, OTHER).kind == "unknown"


@pytest.mark.parametrize(
    ("name", "layout", "weights"), [("a.pth", "basicsr", "a.pth"), ("a.param", "ncnn", "a.bin")]
)
def test_inspect(small_rrdb, tmp_path, name, layout, weights):
    inspection = inspect(save(small_rrdb, tmp_path / name, layout))
    assert inspection.size == (tmp_path / weights).stat().st_size
    assert inspection.identity.kind == "unknown"
    assert inspection.checkpoint.parameters == sum(value.numel() for value in small_rrdb.parameters())
