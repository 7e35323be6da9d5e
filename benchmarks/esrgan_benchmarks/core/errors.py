"""What can go wrong in a benchmark: the branch `BenchmarkError` of `esrgan_torch.errors.EsrganError`.

BenchmarkError
├── RuntimeFailedError  a runtime could not load the network, or crashed
│   └── TooSlowError    it took longer than it may
├── NoCeilingError      the machine of the rows has no measured ceiling
└── WrongAnswerError    a runtime answered with another picture: its time is worth nothing
"""

from esrgan_torch.errors import EsrganError


class BenchmarkError(EsrganError):
    """A measurement that could not be taken, or rows that cannot be used."""


class RuntimeFailedError(BenchmarkError):
    """A runtime could not load the network, or crashed; the message holds its own words."""


class TooSlowError(RuntimeFailedError):
    """A runtime took longer than it may."""


class NoCeilingError(BenchmarkError):
    """Nobody measured what the machine of these rows can do at most."""


class WrongAnswerError(BenchmarkError):
    """A runtime's picture is further from the reference's than its precision explains."""
