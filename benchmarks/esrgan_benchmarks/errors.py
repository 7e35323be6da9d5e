"""What can go wrong in a benchmark: the branch `BenchmarkError` of `esrgan_torch.errors.EsrganError`.

BenchmarkError
├── RuntimeFailedError  a runtime could not load the network, crashed, or took too long
└── WrongAnswerError    a runtime answered with another picture: its time is worth nothing
"""

from esrgan_torch.errors import EsrganError


class BenchmarkError(EsrganError):
    """A measurement that could not be taken, or rows that cannot be used."""


class RuntimeFailedError(BenchmarkError):
    """A runtime could not load the network, crashed, or took too long; the message holds its own words."""


class WrongAnswerError(BenchmarkError):
    """A runtime's picture is further from the reference's than its precision explains."""
