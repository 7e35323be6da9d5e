"""What can go wrong with a checkpoint: the branches of `esrgan_torch.errors.WeightsError`.

WeightsError
├── UnknownModelError           no published model has that name
├── CheckpointError             the file is missing, truncated, damaged or incomplete
│   ├── UnsafeCheckpointError   a pickle that would run code
│   └── UnknownArchitectureError  whole, but not a network of this project
└── FetchError                  no source gave the file
    ├── ChecksumError           a file is there, and it is not the published one
    └── OfflineError            the file is not in the cache, and the network is off (--offline)
"""

from collections.abc import Sequence

from esrgan_torch.errors import WeightsError


class UnknownModelError(WeightsError, LookupError):
    """No published model has that name."""


class CheckpointError(WeightsError):
    """The file is missing, truncated, damaged or incomplete."""


class UnsafeCheckpointError(CheckpointError):
    """A pickle needs more than tensors and plain containers; it was not run."""


class UnknownArchitectureError(CheckpointError):
    """The file is not a network of this project; the message says what it is."""


class FetchError(WeightsError):
    """The file could not be downloaded from any source.

    Attributes:
        failures: (source, reason) for each source that was tried, in order.
    """

    def __init__(self, message: str, failures: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.failures = tuple(failures)


class ChecksumError(FetchError):
    """The size or the sha256 of a file is not the published one."""


class OfflineError(FetchError):
    """The file is not in the cache, and the network is off (--offline)."""


__all__ = [
    "CheckpointError",
    "ChecksumError",
    "FetchError",
    "OfflineError",
    "UnknownArchitectureError",
    "UnknownModelError",
    "UnsafeCheckpointError",
    "WeightsError",
]
