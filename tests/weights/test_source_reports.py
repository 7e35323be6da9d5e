"""Where weights come from: what public reports name, with the outcomes of docs/compatibility.md."""

import hashlib

import pytest

from esrgan_weights import load, save
from esrgan_weights.errors import FetchError
from esrgan_weights.fetch_options import FetchOptions
from esrgan_weights.registry import Alternative, File, Model
from esrgan_weights.sources.fetching import obtain


@pytest.fixture
def model(server):
    """A model whose sources behave as named, one alternative each."""

    def make(*manners: str) -> Model:
        digest = hashlib.sha256(server.content).hexdigest()
        alternatives = tuple(
            Alternative(
                "basicsr", (File(f"{number}.pth", len(server.content), digest, (f"{server.url}/{name}",)),)
            )
            for number, name in enumerate(manners)
        )
        return Model("tiny", "", "MIT", "", "RRDBNet", 4, 1, alternatives)

    return make


def test_release_that_is_not_there_for_a_while(model, server, tmp_path):
    """InvokeAI 2906: the release of realesr-general-x4v3 answers 404."""
    assert obtain(model("missing", "good"), FetchOptions(tmp_path)).files[0].name == "1.pth"
    with pytest.raises(FetchError, match=r"no source gave tiny:\n .*/missing: HTTP 404") as caught:
        obtain(model("missing"), FetchOptions(tmp_path / "other"))
    assert "by hand" in str(caught.value)


def test_download_that_was_cut(model, server, tmp_path):
    """Real-ESRGAN 618, sdnext 1168: 98 % of a file, taken for the file, and no word of it but a zip error."""
    with pytest.raises(FetchError, match="the connection ended after 51,200 of 102,400 bytes"):
        obtain(model("truncated"), FetchOptions(tmp_path))
    assert not (tmp_path / "tiny" / "0.pth").exists()
    # half of it was kept, and the next attempt asks for the rest
    obtain(model("good"), FetchOptions(tmp_path))
    assert server.requests[-1] == ("good", "bytes=51200-")
    assert (tmp_path / "tiny" / "0.pth").read_bytes() == server.content


def test_download_of_nothing(model, server, tmp_path):
    """easydiffusion 447, 861: "Bytes downloaded: 0", at every attempt."""
    server.files = {"no-length": b""}
    with pytest.raises(FetchError, match=r"the connection ended after 0 of 102,400 bytes\n.*by hand"):
        obtain(model("no-length"), FetchOptions(tmp_path))
    assert [path for path in (tmp_path / "tiny").iterdir() if path.stat().st_size] == []


def test_hub_that_only_a_mirror_reaches(server, small_rrdb, tmp_path, monkeypatch):
    """huggingface_hub 2830, stable-diffusion-webui-forge 2764: HF_ENDPOINT names another place."""
    server.content = save(small_rrdb, tmp_path / "a.pth", "basicsr").read_bytes()
    digest = hashlib.sha256(server.content).hexdigest()
    file = File("a.pth", None, digest, ("hf://someone/models/good.pth",))
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    obtain(
        Model("tiny", "", "MIT", "", "RRDBNet", 4, 1, (Alternative("basicsr", (file,)),)),
        FetchOptions(tmp_path),
    )
    assert server.paths == ["/someone/models/resolve/main/good.pth"]
    assert load(tmp_path / "tiny" / "a.pth").config == small_rrdb.config
