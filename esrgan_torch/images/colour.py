"""What the numbers of a picture mean as colours: everything that files say of it becomes an ICC profile.

So it travels into every format that holds profiles, and is converted where there is none. (ICC.1:2022;
PNG Specification, Third Edition, W3C 2025, section 11.3.2; ITU-T H.273 for the numbers of cICP.)
"""

import io
import struct
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from esrgan_torch.images.picture import Picture

Chromaticities = tuple[float, ...]
"""x and y of white, red, green and blue."""

_D65 = (0.3127, 0.3290)
_BT709 = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_ADOBE = (*_D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
# by the numbers of H.273
_PRIMARIES: dict[int, Chromaticities] = {
    1: _BT709,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
_BT709_CURVE = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CURVES: dict[int, tuple[float, ...]] = {
    1: _BT709_CURVE,
    4: (2.2,),
    5: (2.8,),
    6: _BT709_CURVE,
    8: (1.0,),
    13: _SRGB_CURVE,
    14: _BT709_CURVE,
    15: _BT709_CURVE,
}
_PQ, _HLG = 16, 18
_XYZ_END = 1 << 15  # what a profile's numbers of XYZ stay below
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_PNG_GAMMA = 100_000
_GAMMAS = (1_000, 10_000_000)  # powers from 100 to 1/100; beyond, a picture is black or white
_USUAL_GAMMA = 45_455  # what programs write for sRGB


def srgb_profile(channels: int) -> bytes:
    """sRGB, or for 1 and 2 channels gray with the curve of sRGB."""
    return _profile(channels, _BT709, _parametric(_SRGB_CURVE), "sRGB")


def profile_of_png(chunks: dict[bytes, bytes], icc_profile: bytes | None, channels: int) -> bytes | None:
    """The profile that the chunks of a PNG file mean together: cICP goes before iCCP, sRGB, gAMA and cHRM.

    Args:
        chunks: payloads by their names, which `is_colour_chunk` took.
        icc_profile: of iCCP, unpacked.
        channels: of the pixels.
    """
    if b"cICP" in chunks and (profile := profile_of_cicp(chunks[b"cICP"], channels)):
        return profile
    if icc_profile is not None:
        return icc_profile
    if b"sRGB" in chunks:
        return srgb_profile(channels)
    gamma_value = int.from_bytes(chunks.get(b"gAMA", b""), "big")
    primaries = _chromaticities(chunks[b"cHRM"]) if b"cHRM" in chunks else None
    if not gamma_value and primaries is None:
        return None
    usual = not gamma_value or abs(gamma_value - _USUAL_GAMMA) < 50
    if usual and (primaries is None or np.allclose(primaries, _BT709, atol=2e-3)):
        return srgb_profile(channels)
    curve = _SRGB_CURVE if usual else (_PNG_GAMMA / gamma_value,)
    return _profile(channels, primaries or _BT709, _parametric(curve), "of gAMA and cHRM")


def is_colour_chunk(name: bytes, payload: bytes) -> bool:
    """Whether the payload of cICP, sRGB, gAMA or cHRM says what such a chunk can say."""
    if name == b"cHRM":
        return len(payload) == 32 and _chromaticities(payload) is not None
    if name == b"gAMA":
        return len(payload) == 4 and _GAMMAS[0] <= int.from_bytes(payload, "big") <= _GAMMAS[1]
    return len(payload) == 4 if name == b"cICP" else len(payload) == 1 and payload[0] < 4


def profile_of_cicp(cicp: bytes, channels: int) -> bytes | None:
    """The profile of primaries, transfer, matrix and range as H.273 numbers them; None for unknown ones."""
    primaries, transfer = _PRIMARIES.get(cicp[0]), cicp[1]
    if transfer in (_PQ, _HLG):
        curve: bytes | None = _sampled(_pq if transfer == _PQ else _hlg)
    else:
        curve = _parametric(_CURVES[transfer]) if transfer in _CURVES else None
    if primaries is None or curve is None:
        return None
    if primaries == _BT709 and transfer == 13:
        return srgb_profile(channels)
    return _profile(channels, primaries, curve, f"H.273 {cicp[0]}-{transfer}", cicp)


def cicp_of(icc_profile: bytes) -> bytes | None:
    """The numbers of H.273, four bytes, that a profile gives."""
    data = _tags(icc_profile).get(b"cicp", b"")
    return data[8:12] if len(data) >= 12 else None


def is_hdr(icc_profile: bytes | None) -> bool:
    """Whether it is one of the two curves that reach far above white; only the numbers of H.273 say so."""
    cicp = cicp_of(icc_profile) if icc_profile is not None else None
    return cicp is not None and cicp[1] in (_PQ, _HLG)


def adobe_rgb_profile() -> bytes:
    """Adobe RGB (1998), which cameras name in EXIF alone."""
    return _profile(3, _ADOBE, _parametric((563 / 256,)), "compatible with Adobe RGB (1998)")


def fitting_profile(icc_profile: bytes | None, channels: int) -> bytes | None:
    """The ICC profile as it describes pixels of so many channels (1 to 4), else None.

    A reader that meets a gray or CMYK profile on RGB pixels shows wrong colours or refuses the file. The
    curve of a gray profile is kept in one of RGB, and the other way round where the three curves are one.
    """
    if icc_profile is None:
        return None
    # bytes 16 to 19 of the header name the colour space (ICC.1:2022, 7.2.6)
    space = icc_profile[16:20]
    if space == (b"GRAY" if channels < 3 else b"RGB "):
        return icc_profile
    tags = _tags(icc_profile)
    if space == b"GRAY" and b"kTRC" in tags:
        return _profile(channels, _BT709, tags[b"kTRC"], "of a gray profile")
    curves = {tags.get(name) for name in (b"rTRC", b"gTRC", b"bTRC")}
    if space == b"RGB " and len(curves) == 1 and None not in curves:
        return _profile(channels, _BT709, tags[b"gTRC"], "gray of an RGB profile")
    return None


def converted_to_srgb(picture: Picture) -> Picture:
    """The picture, of 8 bits, in sRGB and without profile: for formats that hold none.

    Raises:
        ImageCms.PyCMSError, OSError: the profile is damaged.
    """
    profile, channels = picture.icc_profile, picture.channels
    if profile is None or profile == srgb_profile(channels):
        return replace(picture, icc_profile=None)
    has_alpha = picture.has_alpha
    colour = picture.pixels[:, :, :-1] if has_alpha else picture.pixels
    mode = "L" if colour.shape[2] == 1 else "RGB"
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile(channels)))
    image = Image.fromarray(np.ascontiguousarray(colour.squeeze(axis=2) if mode == "L" else colour))
    # the shortcuts that lcms takes by itself are off by up to 9 levels where a curve is steep
    converted = ImageCms.profileToProfile(
        image, source, target, outputMode=mode, flags=ImageCms.Flags.NOOPTIMIZE
    )
    shown = np.asarray(converted).reshape(colour.shape)
    pixels = np.concatenate([shown, picture.pixels[:, :, -1:]], axis=2) if has_alpha else shown
    return replace(picture, pixels=pixels, icc_profile=None)


def _chromaticities(payload: bytes) -> Chromaticities | None:
    """cHRM; None where it describes no colours."""
    values = tuple(value / _PNG_GAMMA for value in struct.unpack(">8I", payload))
    try:
        matrix = _to_xyz(values)
    except np.linalg.LinAlgError:
        return None
    held = np.isfinite(matrix).all() and np.abs(matrix).max() < _XYZ_END
    return values if held and abs(np.linalg.det(matrix)) > 1e-6 else None


def _to_xyz(chromaticities: Chromaticities) -> NDArray[np.float64]:
    """From linear RGB to XYZ relative to D50: columns are red, green and blue."""
    points = np.array(chromaticities, np.float64).reshape(4, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        xyz = np.stack([points[:, 0] / points[:, 1], np.ones(4), (1 - points.sum(axis=1)) / points[:, 1]])
    white, corners = xyz[:, 0], xyz[:, 1:]
    matrix = corners * np.linalg.solve(corners, white)
    adapted = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ np.diag(adapted) @ _BRADFORD @ matrix


def _profile(
    channels: int, primaries: Chromaticities, curve: bytes, name: str, cicp: bytes | None = None
) -> bytes:
    """A display profile of version 4: RGB, or for 1 and 2 channels gray, with one curve."""
    encoded = name.encode("utf-16-be")
    text = struct.pack(">4sIII4sII", b"mluc", 0, 1, 12, b"enUS", len(encoded), 28) + encoded
    tags = {b"desc": text, b"cprt": text, b"wtpt": _xyz(_D50)}
    if channels < 3:
        tags[b"kTRC"] = curve
    else:
        matrix = _to_xyz(primaries)
        for number, letter in enumerate((b"r", b"g", b"b")):
            tags[letter + b"XYZ"] = _xyz(matrix[:, number])
            tags[letter + b"TRC"] = curve
    if cicp is not None:
        tags[b"cicp"] = b"cicp\0\0\0\0" + cicp
    places: dict[bytes, int] = {}
    at, body = 128 + 4 + 12 * len(tags), b""
    for data in tags.values():
        if data not in places:
            places[data] = at + len(body)
            body += data + b"\0" * (-len(data) % 4)
    table = b"".join(struct.pack(">4sII", key, places[data], len(data)) for key, data in tags.items())
    space = b"GRAY" if channels < 3 else b"RGB "
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"", 0x04400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s28x", 2026, 1, 1, 0, 0, 0, b"acsp") + _xyz(_D50)[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _tags(icc_profile: bytes) -> dict[bytes, bytes]:
    """Tags by their signatures; none where the profile is damaged."""
    try:
        (count,) = struct.unpack_from(">I", icc_profile, 128)
        found: dict[bytes, bytes] = {}
        for number in range(min(count, 100)):
            name, start, length = struct.unpack_from(">4sII", icc_profile, 132 + 12 * number)
            found[name] = icc_profile[start : start + length]
    except struct.error:
        return {}
    return found


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _parametric(values: tuple[float, ...]) -> bytes:
    """A power, or a power above a straight line: gamma, a, b, c, d."""
    kind = 0 if len(values) == 1 else 3
    numbers = struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
    return struct.pack(">4s4xHxx", b"para", kind) + numbers


def _sampled(curve: Any) -> bytes:
    samples = np.rint(curve(np.linspace(0, 1, 4096)) * 65535).astype(">u2")
    return struct.pack(">4s4xI", b"curv", samples.size) + samples.tobytes()


def _pq(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light relative to 10000 cd/m² (SMPTE ST 2084)."""
    powers = values ** (32 / 2523)
    return (np.maximum(powers - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * powers)) ** (8192 / 1305)


def _hlg(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light of the scene (ARIB STD-B67)."""
    high = (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return np.clip(np.where(values <= 0.5, values**2 / 3, high), 0, 1)
