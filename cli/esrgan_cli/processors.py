"""How many processors a command takes where a container has a quota of them."""

import os

from esrgan_torch.engines import containers

VARIABLE = "OMP_NUM_THREADS"


def heed_quota() -> None:
    """Let PyTorch, NumPy and the processes that are started take no more threads than a quota is worth.

    For `main`, before any of them is imported: they read the variable then. One that the user has set stays.
    Without this they take every processor of the machine, which a container sees all.
    """
    most = containers.most_threads()
    if most is not None and most < (os.cpu_count() or 1):
        os.environ.setdefault(VARIABLE, str(most))
