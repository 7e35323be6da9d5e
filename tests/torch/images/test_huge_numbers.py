"""Texts in pictures that say numbers of thousands of digits: the picture is read, and written on.

Python raises ValueError for whole numbers of more than 4,300 digits, and libraries that read such texts let
it out.
"""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from esrgan_torch.errors import ImageError
from esrgan_torch.images.files import read_frames, write_image

MANY = "9" * 5000
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{MANY}" '
    f'tiff:XResolution="{MANY}/{MANY}"/></rdf:RDF></x:xmpmeta>'
)
OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0">'
    f'<Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="{MANY}" SizeY="{MANY}" SizeC="3" SizeZ="1" '
    f'SizeT="1">'
    f'<TiffData IFD="{MANY}" PlaneCount="{MANY}"/></Pixels></Image></OME>'
)
DESCRIPTIONS = {
    "number": MANY,
    "shape in JSON": f'{{"shape": [{MANY}, {MANY}, 3]}}',
    "shape": f"shape=({MANY}, {MANY}, 3)",
    "ImageJ": f"ImageJ=1.11a\nimages={MANY}\nslices={MANY}\nhyperstack=true\nmin={MANY}\n",
    "OME": OME,
    "metadata": f'{{"Frames": {MANY}, "Width": {MANY}}}',
    "ScanImage": f"state.configName = '{MANY}'\nstate.acq.numberOfFrames={MANY}\n",
    "SCANIMAGE": f"scanimage.SI.hStackManager.numSlices = {MANY}\nSI.VERSION_MAJOR = {MANY}\n",
    "Pilatus": f"# Pixel_size {MANY}e-6 m x {MANY}e-6 m\n# Exposure_time {MANY} s\n",
    "Aperio": f"Aperio Image Library v{MANY}\r\n{MANY}x{MANY} [0,0 {MANY}x{MANY}]|AppMag = {MANY}",
}


def png(**texts: str) -> bytes:
    file, info = io.BytesIO(), PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
        info.add_itxt(key, text, zip=True)
    Image.fromarray(PIXELS).save(file, "png", pnginfo=info)
    return file.getvalue()


def tiff(description: str, software: str = "tifffile.py", byteorder: str = "<") -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        PIXELS,
        photometric="rgb",
        description=description,
        software=software,
        metadata=None,
        byteorder=byteorder,  # pyright: ignore[reportArgumentType]
    )
    return file.getvalue()


def with_xmp(kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, xmp=XMP.encode())
    return file.getvalue()


GOOD = {
    "png texts": png(Software=MANY, Gamma=MANY, dpi=MANY, Orientation=MANY),
    "png profile": png(
        **{"Raw profile type exif": f"\nexif\n    {MANY}\n4d4d002a", "exif:Orientation": MANY}
    ),
    "png app1": png(**{"Raw profile type APP1": f"\ngeneric profile\n    {MANY}\n4578"}),
    "png iptc": png(**{"Raw profile type iptc": f"\niptc\n    {MANY}\n1c02"}),
    "png xmp": png(**{"XML:com.adobe.xmp": XMP}),
    "jpeg xmp": with_xmp("jpeg"),
    "webp xmp": with_xmp("webp"),
    "avif xmp": with_xmp("avif"),
    **{f"tiff {name}": tiff(text) for name, text in DESCRIPTIONS.items()},
    **{f"tiff {name}, big endian": tiff(text, "SIS", ">") for name, text in DESCRIPTIONS.items()},
}
BAD = {
    "ppm": f"P6\n{'9' * 4000} 1\n65535\n".encode(),
    "ppm height": f"P6\n1 {MANY}\n65535\n".encode(),
    "pgm white": f"P5\n1 1\n{'9' * 4000}\n00".encode(),
    "pfm": f"PF\n1 1\n-1e{'9' * 4000}\n".encode(),
    "pbm": f"P4\n{MANY} {MANY}\n".encode(),
    "pgm text": f"P2\n1 1\n{MANY}\n{MANY}\n".encode(),
    "xbm": f"#define a_width {MANY}\n#define a_height {MANY}\n".encode(),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_number_in_a_text_costs_nothing(data: bytes) -> None:
    [frame] = read_frames(data)
    assert frame.picture.pixels.shape == PIXELS.shape
    for kind in ("png", "jpg", "tiff", "webp"):
        write_image(io.BytesIO(), frame.picture, format=kind)


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_size_of_thousands_of_digits_is_the_documented_error(data: bytes) -> None:
    with pytest.raises(ImageError) as raised:
        [frame.picture.pixels for frame in read_frames(data)]
    assert len(str(raised.value)) < 500
