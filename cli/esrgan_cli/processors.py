"""What a command lets libraries take of the machine: processors and memory."""

import os

from esrgan_torch.engines import containers

THREADS = "OMP_NUM_THREADS"
# what PyTorch and oneDNN prepare for a size of picture and keep, 1,024 of each by default: 0.1 to 0.6 MB a
# picture of yet another size, until they are full; none was slower with fewer
CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}


def heed_limits() -> None:
    """Let libraries, and the processes that are started, take no more than they should.

    For `main`, before any of them is imported: they read these variables then. Those that the user has set
    stay. Without the first, libraries take every processor of the machine, which a container sees all.
    """
    most = containers.most_threads()
    if most is not None and most < (os.cpu_count() or 1):
        os.environ.setdefault(THREADS, str(most))
    for name, value in CACHES.items():
        os.environ.setdefault(name, value)
