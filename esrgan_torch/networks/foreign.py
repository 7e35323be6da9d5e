"""A network of another project, run by that project's own class.

All that is known of it is what its class says: scale, channels, and what sizes it takes. How far its pixels
see is not known, and with attention or pooling over the whole picture they see all of it; so only the whole
picture at once is exact.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from esrgan_torch.networks.base import Generator

WHOLE_PICTURE = 2**20  # pixels: further than any picture reaches
OVERLAP = 48  # input pixels around a tile, three times what chaiNNer takes; not measured for each network


class ForeignNetwork(Generator):
    """A single-image network behind the protocol of this project's own.

    The trunk is the whole network, and the tail puts its pixels into their places, as with `CompactNet`; a
    picture is so cut into tiles of the whole network alone.

    Args:
        call: (1, in_channels, H, W) in [0, 1] -> (1, out_channels, H * scale, W * scale); runs `network`.
        network: its layers, for devices and precisions.
        architecture: name of the network, such as "SwinIR".
        runner: name, version and licence of the package whose class it is, such as "spandrel 0.4.2 (MIT)".
        scale: output pixels an input pixel, along each axis.
        in_channels, out_channels: channels of the picture.
        multiple: what must divide height and width.
        dtypes: precisions that its class knows to work.
        tiles: whether its makers are content with tiles.
    """

    def __init__(
        self,
        call: Callable[[Tensor], Tensor],
        network: nn.Module,
        *,
        architecture: str,
        runner: str,
        scale: int,
        in_channels: int,
        out_channels: int,
        multiple: int = 1,
        dtypes: tuple[torch.dtype, ...] = (torch.float32,),
        tiles: bool = True,
    ) -> None:
        super().__init__()
        self.call = call
        self.network = network
        self.architecture = architecture
        self.runner = runner
        self.scale = scale
        self.unshuffle = multiple
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.dtypes = dtypes
        self.tiles = tiles
        self.tail_halo = 0
        self.receptive_field = WHOLE_PICTURE
        self.overlap = OVERLAP

    @property
    def notice(self) -> str:
        """What a user should know of it, in a line."""
        licence = self.provenance.licence if self.provenance else None
        advice = "" if self.tiles else "; its makers advise against tiles"
        return (
            f"{self.architecture}, run by {self.runner}; licence of the weights: {licence or 'not stated'}; "
            f"exact only where the picture fits into memory whole{advice}"
        )

    def trunk(self, batch: Tensor) -> Tensor:
        """(N, in_channels, H, W), multiples of `unshuffle` -> every pixel of the result, at H / unshuffle."""
        return F.pixel_unshuffle(self.call(batch), self.scale * self.unshuffle)

    def tail(self, features: Tensor) -> Tensor:
        """What `trunk` gave -> (N, out_channels, H * scale, W * scale)."""
        return F.pixel_shuffle(features, self.scale * self.unshuffle)
