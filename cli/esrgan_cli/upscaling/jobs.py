"""Do the jobs: reading, network and writing beside one another, on one device or shared out over several."""

from collections.abc import Iterable

import torch

from esrgan_cli.upscaling.coding import pillow_limited
from esrgan_cli.upscaling.work import Means
from esrgan_torch.engines.devices import free_memory, threads
from esrgan_torch.pipeline.stages import AnyPiece, Stages, Times

_SHARE = 8  # of the memory that is free, one part may be taken by pictures that wait
_MOST_WRITERS = 8


def do_works(works: Iterable[AnyPiece], means: Means) -> Times:
    """Do the work of all jobs; Ctrl-C leaves no half file, and what was computed is still written.

    Returns:
        What the devices did meanwhile.

    Raises:
        KeyboardInterrupt: stopped by the user; what is done stays.
    """
    stages = Stages(
        limit=free_memory(torch.device("cpu")) // _SHARE,
        lanes=len(means.upscalers),
        writers=min(max(threads() // 2, 1), _MOST_WRITERS),
        stop=means.stop,
    )
    with means.reader, pillow_limited(means.options.max_pixels):
        for written in stages.run(works):
            written.result()
    return stages.times
