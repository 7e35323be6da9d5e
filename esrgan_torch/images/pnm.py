"""PGM and PPM files of more than 8 bits, which Pillow reduces, and PFM files.

(Netpbm, "PGM Format Specification" and "PFM"; in both, text in the header, then rows of binary numbers.)
"""

import re

import numpy as np

from esrgan_torch.images.levels import from_floats
from esrgan_torch.images.picture import Pixels

# each byte in one way only: where a space could be part of two repeats, sixty of them took hours
_GAP = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(
    rb"(?P<kind>P[56fF])%b(?P<width>\d+)%b(?P<height>\d+)%b(?P<limit>-?[\d.eE+-]+)\s" % (_GAP, _GAP, _GAP)
)
_LONGEST_HEADER = 4096


class PnmFile:
    """A PGM, PPM or PFM file in memory, its header parsed.

    Attributes: height, width; own: whether `pixels` decodes it (Pillow decodes the rest).
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        header = _HEADER.match(data[:_LONGEST_HEADER])
        self.height = self.width = 0
        self.own = False
        if header is None:
            return
        self._kind, self._start = header["kind"].decode(), header.end()
        self.width, self.height = int(header["width"]), int(header["height"])
        self._limit = float(header["limit"])
        self.own = self._kind in "PfPF" or self._limit > 255

    def pixels(self) -> Pixels:
        """(H, W, 1 or 3), of 16 bits.

        Raises:
            ValueError: the file has no pixel, ends too early, or says that white is nothing.
            ImageReadError: floats outside 0 to 1.
        """
        is_float = self._kind in ("Pf", "PF")
        channels = 3 if self._kind in ("P6", "PF") else 1
        order = ">u2"
        if is_float:
            order = "<f4" if self._limit < 0 else ">f4"
        if not 0 < abs(self._limit) < 65536:
            raise ValueError(f"its white is {self._limit:g}")
        count = self.height * self.width * channels
        if not count:
            raise ValueError(f"its size is {self.width} x {self.height}")
        if len(self._data) < self._start + count * np.dtype(order).itemsize:
            raise ValueError("the file ends too early: it is truncated")
        values = np.frombuffer(self._data, order, count, self._start).reshape(
            self.height, self.width, channels
        )
        if is_float:
            return from_floats(values[::-1])  # rows go from the bottom up
        white = int(self._limit)
        scaled = (np.minimum(values, white).astype(np.uint32) * 65535 + white // 2) // white
        return scaled.astype(np.uint16)
