"""Which kind a file is by its first bytes, and what to do about those that are not read."""

HEAD = 256
"""Bytes of a file that `recognise` and `refusal` need."""

_USUAL = (
    ".png",
    ".apng",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jif",
    ".jfif",
    ".webp",
    ".avif",
    ".gif",
    ".tif",
    ".tiff",
)
_RARER = (
    ".bmp",
    ".jxl",
    ".heic",
    ".heif",
    ".hif",
    ".tga",
    ".dds",
    ".qoi",
    ".ico",
    ".pbm",
    ".pgm",
    ".ppm",
    ".pnm",
)
READ_SUFFIXES = frozenset((*_USUAL, *_RARER, ".pfm"))
"""Suffixes, in lower case, by which to look for pictures in a folder; `read_image` itself looks inside."""

_RAW = (
    ".3fr",
    ".arw",
    ".cr2",
    ".cr3",
    ".crw",
    ".dcr",
    ".dng",
    ".erf",
    ".fff",
    ".gpr",
    ".iiq",
    ".k25",
    ".kdc",
)
_RAW_TOO = (
    ".mef",
    ".mos",
    ".mrw",
    ".nef",
    ".nrw",
    ".orf",
    ".pef",
    ".raf",
    ".raw",
    ".rw2",
    ".rwl",
    ".sr2",
    ".srf",
)
RAW_SUFFIXES = frozenset((*_RAW, *_RAW_TOO, ".srw", ".x3f"))
"""Suffixes of cameras' raw files, many of which are TIFF files by their content."""

RAW = (
    "is a camera's raw file, whose sensor data must be developed first; develop it to a 16-bit TIFF, for "
    "example with darktable or RawTherapee"
)
BEYOND_WHITE = (
    "holds light without an upper limit; map its tones to 16 bits first, for example with ImageMagick: "
    "magick IN -auto-level -depth 16 OUT.tif"
)

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (0, b"DDS ", "DDS"),
    (0, b"qoif", "QOI"),
    (0, b"\0\0\x01\0", "ICO"),
)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"hevm",
    b"hevs",
    b"mif1",
    b"msf1",
    b"mif2",
)

_DRAWING = "; render it at the size that you want, as PNG"
_EXPORT = "; export it as PNG or TIFF"
_VIDEO = (
    "is a video, which `esrgan upscale` enlarges (docs/films.md); as pictures, take its frames out first, "
    "for example with: ffmpeg -i VIDEO frame-%05d.png"
)
_SOUND = "is a sound, not a picture"
_ARCHIVE = "is an archive; unpack it first"
_REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"8BPS", "is a Photoshop file" + _EXPORT),
    (0, b"gimp xcf", "is a GIMP file" + _EXPORT),
    (0, b"%PDF", "is a PDF; render its pages, for example with: pdftoppm -r 300 -png FILE.pdf page"),
    (0, b"%!PS", "is PostScript" + _DRAWING),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "is JPEG 2000; convert it to PNG or TIFF"),
    (0, b"\xff\x4f\xff\x51", "is JPEG 2000; convert it to PNG or TIFF"),
    (0, b"II\xbc", "is JPEG XR; convert it to PNG or TIFF"),
    (0, b"v/1\x01", f"is OpenEXR: it {BEYOND_WHITE}"),
    (0, b"#?RADIANCE", f"is Radiance HDR: it {BEYOND_WHITE}"),
    (0, b"#?RGBE", f"is Radiance HDR: it {BEYOND_WHITE}"),
    (0, b"SIMPLE  =", f"is FITS: it {BEYOND_WHITE}"),
    (128, b"DICM", "is DICOM; export its picture as PNG or TIFF"),
    (0, b"icns", "is an icon of macOS" + _EXPORT),
    (0, b"\x1a\x45\xdf\xa3", _VIDEO),
    (0, b"\0\0\x01\xba", _VIDEO),
    (0, b"\0\0\x01\xb3", _VIDEO),
    (8, b"AVI ", _VIDEO),
    (0, b"FLV\x01", _VIDEO),
    (0, b"OggS", "is a sound or a video, not a picture"),
    (8, b"WAVE", _SOUND),
    (0, b"ID3", _SOUND),
    (0, b"PK\x03\x04", _ARCHIVE),
    (0, b"Rar!", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (0, b"\x1f\x8b", _ARCHIVE),
    (0, b"\xfd7zXZ", _ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (257, b"ustar", _ARCHIVE),
    (0, b"version https://git-lfs", "is Git LFS's note of a picture that was not fetched; run: git lfs pull"),
    (0, b"FUJIFILMCCD-RAW", RAW),
    (6, b"HEAPCCDR", RAW),
    (0, b"IIU\0", RAW),
    (0, b"IIRO", RAW),
    (0, b"IIRS", RAW),
    (0, b"MMOR", RAW),
    (0, b"\0MRM", RAW),
    (0, b"FOVb", RAW),
)


def recognise(head: bytes, suffix: str = "") -> str | None:
    """The kind of file that begins with these bytes (`HEAD` of them or all), None for none that is read.

    Args:
        suffix: of its name, in lower case with its dot: TGA files have no signature, and many raw files
            have that of TIFF.
    """
    for place, signature, kind in _SIGNATURES:
        if head.startswith(signature, place):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None if _is_raw_tiff(head, suffix) else "TIFF"
    if head[4:8] == b"ftyp":
        return _kind_of_brands(head)
    if head[:2] in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf", b"PF") and head[2:3].isspace():
        return "PNM"
    # a colour map or none, one of six kinds, and a depth
    if suffix == ".tga" and len(head) > 18 and head[1] < 2 and head[2] in (1, 2, 3, 9, 10, 11) and head[16]:
        return "TGA"
    return None


def refusal(head: bytes, suffix: str) -> str:
    """Why a file of no kind that is read is none, and what to do, to stand behind its name."""
    if not head:
        return "is empty (0 bytes)"
    if not any(head):
        return "holds nothing but zeros: it was not copied or downloaded whole"
    if found := foreign(head):
        return found
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return "is SVG, a drawing" + _DRAWING
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "is a web page, maybe one that says why a download failed; download the picture again"
    if suffix in RAW_SUFFIXES:
        return RAW
    if suffix == ".svg":
        return "is SVG, a drawing" + _DRAWING
    return (
        f"is not a picture that can be read: it begins with {head[:12]!r}; "
        "give PNG, JPEG, WebP, TIFF, AVIF, JPEG XL, HEIF, BMP, GIF, TGA, DDS, PPM, PFM, QOI or ICO"
    )


def foreign(head: bytes) -> str:
    """What a file of a kind that is known and not read is, and what to do; "" for all others."""
    for place, signature, text in _REFUSED:
        if head.startswith(signature, place):
            return text
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return RAW
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"M4A ", b"M4B ", b"M4P "):
            return _SOUND
        return RAW if head[8:12] == b"crx " else _VIDEO
    return ""


def _is_raw_tiff(head: bytes, suffix: str) -> bool:
    return suffix in RAW_SUFFIXES or head[8:10] == b"CR"  # CR2


def _kind_of_brands(head: bytes) -> str | None:
    """AVIF or HEIF by the brands of an ISO base media file: the major one, then the compatible ones."""
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return "AVIF"
        if brand in _HEIF_BRANDS[:-3]:
            return "HEIF"
    return "HEIF" if any(brand in _HEIF_BRANDS for brand in brands) else None
