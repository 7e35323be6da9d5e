"""What "exact" means for 8-bit pictures."""

import numpy as np

from esrgan_torch.images.picture import Pixels


def assert_equal_to_rounding(result: Pixels, whole: Pixels) -> None:
    """A convolution may sum in another order where its map has another size.

    A value in the middle between two levels, to a millionth, may then fall on the other side. Few are.
    """
    difference = np.abs(result.astype(int) - whole.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-4
