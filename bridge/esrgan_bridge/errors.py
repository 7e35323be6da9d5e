"""What can go wrong in the bridge: the branch `BridgeError` of `esrgan_torch.errors.EsrganError`.

BridgeError
├── ConversionError      a network or a file that a step cannot convert
├── ParityError          a copy is further from the original than its tolerance
│   └── NotMeasuredError no runtime measured any copy, so nothing is known of them
├── ArtifactError        an artefact that is incomplete, damaged or of another format version
├── RunnerError          a runtime failed where it should have computed
└── MissingRuntimeError  a package or program that the work needs is not installed
"""

from typing import TYPE_CHECKING

from esrgan_torch.errors import EsrganError

if TYPE_CHECKING:
    from esrgan_bridge.parity.findings import ParityReport


class BridgeError(EsrganError):
    """Something went wrong between PyTorch and another runtime."""


class ConversionError(BridgeError):
    """A step cannot convert its input; the message names the node or the reason."""


class ParityError(BridgeError):
    """A copy is further from the original than its tolerance.

    The message names step, runner, probe and pixel. The command ends with status 3.

    Attributes:
        report: the rows up to the fault, a `ParityReport`; None where there is none yet.
    """

    def __init__(self, message: str, report: "ParityReport | None" = None) -> None:
        super().__init__(message)
        self.report = report


class NotMeasuredError(ParityError):
    """No runtime measured any copy, so their differences from the original are unknown.

    The message names what was left out and why. The command ends with status 3.
    """


class RunnerError(BridgeError):
    """A runtime could not load a copy, or ended unexpectedly; the message quotes it."""


class ArtifactError(BridgeError):
    """A converted network is incomplete, damaged or of another format version."""


class MissingRuntimeError(BridgeError):
    """A package or program is not installed; the message says how to add it."""
