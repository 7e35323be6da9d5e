import hashlib
from dataclasses import replace

import pytest

from esrgan_torch.networks.compact import CompactNet
from esrgan_weights import save
from esrgan_weights.agreement import agreement
from esrgan_weights.registry import Alternative, File, Model


def file_of(path) -> File:
    content = path.read_bytes()
    return File(path.name, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def model(small_compact, tmp_path):
    """A model whose author's file and whose ncnn copy are both in the cache."""

    def make(copied: CompactNet, layout: str = "ncnn-float16") -> Model:
        folder = tmp_path / "tiny"
        folder.mkdir()
        author = file_of(save(small_compact, folder / "tiny.pth", "basicsr"))
        copy = save(copied, folder / "copy.param", layout)
        files = (file_of(copy), file_of(copy.with_suffix(".bin")))
        alternatives = (
            Alternative("basicsr", (replace(author, urls=("https://a",)),)),
            Alternative("ncnn", tuple(replace(file, urls=("https://b",)) for file in files), publisher="X"),
        )
        return Model("tiny", "", "MIT", "", "CompactNet", 4, 1, alternatives)

    return make


def test_the_same_weights(model, small_compact, tmp_path):
    tiny = model(small_compact)
    said = agreement(tiny, tiny.alternatives[1], tmp_path)
    assert said == "rounded to float16, the same numbers as tiny.pth"


def test_the_same_numbers(model, small_compact, tmp_path):
    tiny = model(small_compact, "ncnn")
    assert agreement(tiny, tiny.alternatives[1], tmp_path) == "the same numbers as tiny.pth"


def test_other_weights(model, tmp_path):
    tiny = model(CompactNet(features=8, convolutions=2).requires_grad_(False))
    said = agreement(tiny, tiny.alternatives[1], tmp_path)
    assert said.startswith("weights that differ by up to ")
    assert said.endswith("from those of tiny.pth")


def test_another_network(model, tmp_path):
    tiny = model(CompactNet(features=8, convolutions=3).requires_grad_(False))
    assert agreement(tiny, tiny.alternatives[1], tmp_path) == "another network than tiny.pth"


def test_nothing_is_said_without_both(model, small_compact, tmp_path):
    tiny = model(small_compact)
    (tmp_path / "tiny" / "tiny.pth").unlink()
    assert agreement(tiny, tiny.alternatives[1], tmp_path) is None
