"""Folders for the Hugging Face hub, ready to be uploaded: `make hub-models`.

    python -m release.hub build/hub

One for each model that this project trained: its weights, its card with what the hub wants to know at the
top, the pictures that the card shows, and the licence.
"""

import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from safetensors import safe_open

ROOT = Path(__file__).parents[1]
CARDS = ROOT / "docs" / "models"
WEIGHTS = ROOT / "weights" / "esrgan_weights" / "bundled"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)]*)\)")
FIGURE = re.compile(r"(\w+)=([\d.]+) dB")
USE = """\
## Use it

```
pip install esrgan-torch
esrgan upscale photo.jpg --model {name}.safetensors -o larger.png
```

```python
from esrgan_torch import Upscaler

Upscaler("{name}.safetensors")("photo.jpg", "larger.png")
```

The package brings these weights with it: `--model {name}` needs no file.
"""


def main(target: Path) -> None:
    for card in sorted(CARDS.glob("*.md")):
        print(write(card.stem, target))


def write(name: str, target: Path) -> Path:
    """Make the folder of one model, anew.

    Args:
        name: of a model that comes with the package and has a card in docs/models.
        target: the folder in which its own is made.

    Returns:
        The model's folder.
    """
    folder = target / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    weights = WEIGHTS / f"{name}.safetensors"
    shutil.copyfile(weights, folder / weights.name)
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    card = (CARDS / f"{name}.md").read_text(encoding="utf-8")
    for image, _, address in LINK.findall(card):
        if image:
            shutil.copyfile(CARDS / address, folder / posixpath.basename(address))
    opened: Any = safe_open(weights, framework="np")
    with opened as file:
        stated: dict[str, str] = file.metadata()
    text = LINK.sub(alone, card).rstrip()
    front = about(name, stated).to_yaml()
    (folder / "README.md").write_text(
        f"---\n{front}\n---\n\n{text}\n\n{USE.format(name=name)}", encoding="utf-8"
    )
    return folder


def about(name: str, stated: dict[str, str]) -> ModelCardData:
    """What the hub is told of a model, from what its file states."""
    figures = FIGURE.findall(stated["metrics"])
    return ModelCardData(
        license=stated["licence"].lower(),
        library_name="esrgan-torch",
        pipeline_tag="image-to-image",
        tags=["super-resolution", "esrgan", stated["architecture"].lower(), f"x{stated['scale']}"],
        metrics=["psnr"],
        model_name=name,
        eval_results=[
            EvalResult(
                task_type="image-to-image",
                task_name=f"Super-resolution x{stated['scale']}, bicubic",
                dataset_type=dataset.lower(),
                dataset_name=dataset,
                metric_type="psnr",
                metric_name="PSNR of luma, dB",
                metric_value=float(value),
            )
            for dataset, value in figures
        ],
    )


def alone(link: re.Match[str]) -> str:
    """A picture from the folder itself; any other link to a file of the repository as its text.

    The text is followed by where the file is, unless that is another model's card.
    """
    image, text, address = link.groups()
    if "://" in address or address.startswith("#"):
        return link[0]
    if image:
        return f"![{text}]({posixpath.basename(address)})"
    file = posixpath.normpath(posixpath.join("docs/models", address.partition("#")[0]))
    if posixpath.dirname(file) == "docs/models" or file == text.strip("`"):
        return text
    return f"{text} (`{file}` in the source archive)"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
