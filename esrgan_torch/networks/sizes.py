"""What the sizes of every network have to be."""

from esrgan_torch.errors import ConfigError

SCALES = (1, 2, 3, 4, 8, 16)


def check_positive(**sizes: int) -> None:
    """Raise `ConfigError` naming the first size that is not a whole number of at least 1."""
    for name, value in sizes.items():
        if value < 1 or int(value) != value:
            raise ConfigError(f"{name} must be a whole number of at least 1, not {value!r}")
