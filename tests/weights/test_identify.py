import pytest

from esrgan_weights import inspect, load, save
from esrgan_weights.canonical import canonical_hash
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
    assert by_size.kind == "unknown"
    assert by_size.text == (
        "no published file that this project knows; it has the size of that of realesrgan-x2plus"
    )
    # every ncnn file of the same sizes has as many bytes, so nothing is said
    ncnn = identify("mine.bin", 33_424_520, OTHER)
    assert (ncnn.kind, ncnn.text) == ("unknown", "no published file that this project knows")


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


@pytest.mark.parametrize("name", ["esrgan-lite-x4", "esrgan-lite-x2", "esrgan-lite-x4-gan"])
@pytest.mark.parametrize(
    ("suffix", "dtype"), [(".pth", "float32"), (".safetensors", "float16"), (".param", None)]
)
def test_weights_saved_again(tmp_path, name, suffix, dtype):
    path = save(load(name), tmp_path / f"mine{suffix}", dtype=dtype)
    identity = inspect(path).identity
    assert (identity.kind, identity.model) == ("copy", find(name))
    assert identity.text == f"the weights of {name}, saved again in another file"


def test_weights_saved_again_under_the_published_name(tmp_path):
    """They are the model's, so nothing is to be warned of."""
    path = save(load("esrgan-lite-x4"), tmp_path / "esrgan-lite-x4.safetensors")
    assert inspect(path).identity.kind == "copy"


@pytest.mark.official
@pytest.mark.parametrize("name", [name for name, model in models().items() if model.canonical])
def test_canonical_hashes(name):
    assert canonical_hash(load(name, progress=False)) == find(name).canonical
