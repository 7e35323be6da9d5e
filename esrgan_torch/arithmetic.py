"""Whole numbers."""


def ceil_div(dividend: int, divisor: int) -> int:
    """The quotient, rounded up."""
    return -(-dividend // divisor)


def round_up(number: int, multiple: int) -> int:
    """The least multiple that is not smaller than the number."""
    return ceil_div(number, multiple) * multiple
