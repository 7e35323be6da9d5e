"""Words of strangers, such as names of files and what these say of themselves, made harmless.

A terminal does what control characters say: it moves, colours, retitles, and may answer into the keyboard.
A spreadsheet computes a cell that begins like a formula, and may start programs by it. Python itself neither
reads nor writes a whole number of more than 4,300 digits, but raises ValueError.
"""

_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}
# what lets text run backwards, or makes lines of its own
_TURNS = {
    number: f"\\u{number:04x}"
    for number in (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}
_ONE_LINE = _CONTROLS | _TURNS | {10: "\\n", 9: "\\t"}
_LINES = {number: text for number, text in _ONE_LINE.items() if number not in (9, 10)}
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def one_line(text: str) -> str:
    """The text on one line, whatever it holds: control characters as their numbers."""
    return text.translate(_ONE_LINE)


def harmless(text: str) -> str:
    """The text with its lines and tabs, other control characters as their numbers."""
    return text.translate(_LINES)


def cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: one line, quoted if need be."""
    return one_line(f"'{text}" if text.startswith(_FORMULAS) else text)


def whole_number(text: str, digits: int = 18) -> int | None:
    """The number that at most so many digits from 0 to 9 say; None for any other text."""
    return int(text) if len(text) <= digits and text.isascii() and text.isdigit() else None


def shown(value: object, most: int = 60) -> str:
    """A value as Python writes it, in at most so many characters, whatever it is."""
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= most else f"{text[: most - 3]}..."
