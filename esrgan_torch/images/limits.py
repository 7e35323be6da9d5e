"""What a file may take, by what its header says: compared before anything of that size is allocated."""

from esrgan_torch.arithmetic import ceil_div
from esrgan_torch.errors import ImageTooLargeError

BYTES_A_PIXEL = 8
"""Of the largest kind of pixel that is read: RGB with alpha, of 16 bits each."""


def check_size(height: int, width: int, max_pixels: int) -> None:
    """Raise ImageTooLargeError where a header announces more than `max_pixels`."""
    if height * width > max_pixels:
        raise ImageTooLargeError(
            f"the header announces {width} x {height} = {height * width / 1e6:,.1f} million pixels, more "
            f"than the limit of {max_pixels / 1e6:,.1f} million, {_hint(height * width)}"
        )


def check_memory(size: int, max_pixels: int) -> None:
    """Raise ImageTooLargeError where what a header announces takes more bytes, decoded, than `max_pixels`
    pixels of the largest kind: samples, bits and strips count, whatever the height and width are."""
    if size > max_pixels * BYTES_A_PIXEL:
        raise ImageTooLargeError(
            f"the header announces {size / 1e6:,.1f} million bytes of samples, more than "
            f"{max_pixels / 1e6:,.1f} million pixels have, {_hint(ceil_div(size, BYTES_A_PIXEL))}"
        )


def _hint(needed: int) -> str:
    return (
        "a limit that guards against files made to exhaust the memory; if you trust the file, pass "
        f"max_pixels={needed} or more"
    )
