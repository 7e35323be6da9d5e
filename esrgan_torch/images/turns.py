"""The eight ways to lay a picture: four turns, each as it is and mirrored; for test-time augmentation (TTA).

Source: R. Timofte, R. Rothe, L. Van Gool, Seven Ways to Improve Example-based Single Image Super Resolution,
CVPR 2016, where it is called enhanced prediction; EDSR (Lim et al. 2017) calls it self-ensemble.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

TURNS = 8

Image = TypeVar("Image", bound=NDArray[Any])


def turned(image: Image, number: int) -> Image:
    """The picture (H, W, C) laid the `number`th way: 0 is as it is, odd ones swap height and width."""
    return np.rot90(image[:, ::-1] if number & 4 else image, number & 3)  # pyright: ignore[reportReturnType]


def turned_back(image: Image, number: int) -> Image:
    """The picture that `turned` laid the `number`th way, as it was."""
    image = np.rot90(image, -(number & 3))  # pyright: ignore[reportAssignmentType]
    return image[:, ::-1] if number & 4 else image  # pyright: ignore[reportReturnType]


def lies_on_its_side(number: int) -> bool:
    """Whether height and width are swapped."""
    return bool(number & 1)
