"""Writes pillow-images.json: small images of every kind that Pillow decodes in its own way, and their RGB pixels by it.

    pip install pillow numpy && python3 pillow_images.py > pillow-images.json
"""

import base64
import io
import json
import struct
import zlib

import numpy
from PIL import Image

WIDTH, HEIGHT = 16, 8
y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
rgb = Image.fromarray(numpy.stack([x * 16, y * 32, (x + y) * 10], -1).astype("uint8"))
grey = rgb.convert("L")


def saved(image: Image.Image, format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def with_adobe_marker(jpeg: bytes, transform: int | None) -> bytes:
    """The JPEG with another colour transform in its Adobe marker, or without the marker."""
    at = jpeg.index(b"\xff\xee")
    rest = jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4]) :]
    if transform is None:
        return jpeg[:at] + rest
    return jpeg[:at] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform]) + rest


def png(colour_type: int, depth: int, samples: numpy.ndarray, more: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour_type, 0, 0, 0)
    transparent = chunk(b"tRNS", more) if more else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + transparent + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


cmyk = saved(
    Image.frombytes("CMYK", (WIDTH, HEIGHT), numpy.stack([x * 16, y * 32, (x + y) * 10, x * y * 2], -1).astype("uint8").tobytes()),
    "JPEG",
    optimize=True,
)
turned = Image.Exif()
turned[0x0112] = 6
small = (x * 20 + y).astype(">u2")
wide = numpy.stack([x * 4000, y * 8000, (x + y) * 2500], -1).astype(">u2")

images = {
    "CMYK JPEG": cmyk,
    "CMYK JPEG without Adobe's marker": with_adobe_marker(cmyk, None),
    "YCCK JPEG": with_adobe_marker(cmyk, 2),
    "progressive CMYK JPEG": saved(Image.open(io.BytesIO(cmyk)), "JPEG", progressive=True),
    "grey JPEG": saved(grey, "JPEG", optimize=True),
    "JPEG with an orientation": saved(rgb, "JPEG", exif=turned, optimize=True),
    "PNG with a palette": saved(rgb.quantize(16), "PNG"),
    "PNG with a palette and transparency": saved(rgb.quantize(16), "PNG", transparency=3),
    "PNG of 1 bit": saved(rgb.convert("1"), "PNG"),
    "grey PNG with alpha": saved(rgb.convert("LA"), "PNG"),
    "PNG with alpha": saved(rgb.convert("RGBA"), "PNG"),
    "grey PNG of 16 bits": png(0, 16, small),
    "grey PNG of 16 bits with transparency": png(0, 16, small, b"\0\5"),
    "grey PNG of 16 bits with alpha": png(4, 16, numpy.stack([wide[..., 0], wide[..., 2]], -1)),
    "PNG of 16 bits": png(2, 16, wide),
    "PNG of 16 bits with alpha": png(6, 16, numpy.concatenate([wide, wide[..., :1]], -1)),
}


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


print(
    json.dumps(
        {name: {"file": text(data), "rgb": text(Image.open(io.BytesIO(data)).convert("RGB").tobytes())} for name, data in images.items()},
        indent=2,
    )
)
