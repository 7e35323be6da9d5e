"""Every error that this project raises on purpose.

    EsrganError
    ├── ConfigError             an option or a size that cannot be
    ├── ImageError              a picture file
    │   ├── ImageReadError      missing, damaged or not a picture
    │   ├── ImageTooLargeError  more pixels than the limit
    │   ├── ImageWriteError     the result could not be stored
    │   ├── PairError           an original and its low-resolution picture that do not go together
    │   └── MissingCodecError   the kind needs a library that is not installed; a read and a write error
    ├── FilmError               a film
    │   ├── FilmReadError       missing, damaged, cut off or no film that can be read
    │   └── FilmWriteError      the result could not be stored; what is done is kept for the next time
    ├── WeightsError            a checkpoint; its branches are in `esrgan_weights.errors`
    ├── TrainingError           a training run that cannot continue
    │   └── StoppedError        a signal asked it to stop; what was done is stored
    └── UpscaleError            the work itself
        ├── EngineError         the engine that was asked for does not run here, or computes wrongly
        ├── OutOfMemoryError    no plan fits the memory that is free
        ├── NonFiniteError      the network gave NaN or infinity even in float32
        ├── CancelledError      the caller set the flag that gives a picture up
        └── ForkedError         the process was forked since the engine was made

A message says what was given, what is needed and what to do.
"""


class EsrganError(Exception):
    """The root: catch it to catch everything that the project raises on purpose."""


class ConfigError(EsrganError, ValueError):
    """An option, a size, or a combination of them is not possible."""


class ImageError(EsrganError):
    """Something is wrong with a picture file."""


class ImageReadError(ImageError):
    """The file is missing, damaged, or not a picture that can be read."""


class ImageTooLargeError(ImageReadError):
    """The file's header announces more pixels than the limit allows."""


class ImageWriteError(ImageError):
    """The picture could not be written; an earlier file at the target is unchanged."""


class PairError(ImageError):
    """An original has no low-resolution picture, or one whose name or size does not match."""


class MissingCodecError(ImageReadError, ImageWriteError):
    """The file's format needs a library that is not installed."""


class FilmError(EsrganError):
    """Something is wrong with a film."""


class FilmReadError(FilmError):
    """The film is missing, damaged, truncated, or of a format that cannot be read."""


class FilmWriteError(FilmError):
    """The result could not be written; an earlier file at the target is unchanged."""


class WeightsError(EsrganError):
    """Something is wrong with a checkpoint."""


class TrainingError(EsrganError):
    """A training run cannot continue."""


class StoppedError(TrainingError):
    """A signal stopped a training run; `signal` is its number. The run can be resumed."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class UpscaleError(EsrganError):
    """The network could not produce the picture."""


class EngineError(UpscaleError):
    """An engine does not run on this machine, or a check found that its results are wrong."""


class OutOfMemoryError(UpscaleError):
    """No plan fits the free memory, even with the smallest tiles."""


class NonFiniteError(UpscaleError):
    """The network gave NaN or infinity, in float32 too."""


class CancelledError(UpscaleError):
    """The caller set the `cancel` flag."""


class ForkedError(UpscaleError):
    """The process was forked after the engine was made, and the engine's threads are in the parent
    process."""
