"""The folders for the Hugging Face hub: whole, and their cards are read by the hub's own library."""

import re
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from esrgan_weights import canonical_hash, load
from release.hub import CARDS, LINK, WEIGHTS, alone, write

NAMES = sorted(card.stem for card in CARDS.glob("*.md"))


def test_every_model_of_the_project_has_a_card() -> None:
    assert sorted(file.stem for file in WEIGHTS.glob("*.safetensors")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_whole(name: str, tmp_path: Path) -> None:
    folder = write(name, tmp_path)
    card = ModelCard.load(folder / "README.md")
    assert card.data.license == "apache-2.0"
    assert card.data.pipeline_tag == "image-to-image"
    assert {"Set5", "Set14"} <= {result.dataset_name for result in card.data.eval_results or ()}
    assert all(20 < result.metric_value < 40 for result in card.data.eval_results or ())
    for image, address in re.findall(r"(!?)\[[^\]]*\]\(([^)]*)\)", card.text):
        assert "://" in address or (image and (folder / address).is_file()), address
    assert f"# {name}\n" in card.text
    assert (folder / "LICENSE").is_file()
    assert canonical_hash(load(str(folder / f"{name}.safetensors"))) == canonical_hash(load(name))


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("![A cat](../images/cat.png)", "![A cat](cat.png)"),
        ("[a lite one](esrgan-lite-x4.md)", "a lite one"),
        ("[how](../notes/a.md#curve)", "how (`docs/notes/a.md` in the source archive)"),
        ("[`docs/a.md`](../a.md)", "`docs/a.md`"),
        ("[x](https://a.example/b)", "[x](https://a.example/b)"),
        ("[below](#use-it)", "[below](#use-it)"),
    ],
)
def test_a_link_leads_nowhere_that_the_hub_lacks(link: str, expected: str) -> None:
    assert LINK.sub(alone, link) == expected


def test_it_is_made_anew(tmp_path: Path) -> None:
    folder = write(NAMES[0], tmp_path)
    (folder / "left.txt").write_text("of an earlier time")
    assert "left.txt" not in {file.name for file in write(NAMES[0], tmp_path).iterdir()}
