"""Make PNG and TIFF files of types that Pillow does not write."""

import struct
import zlib

import numpy as np


def packed(values, bits):
    """Pack rows of unsigned integers of 1, 2, 4, 8 or 16 bits, each padded to bytes."""
    if bits == 16:
        return [row.astype(">u2").tobytes() for row in values]
    single = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return [np.packbits(row).tobytes() for row in single.reshape(len(values), -1).astype(np.uint8)]


def png(values, bits, color=0, *chunks):
    """Return a PNG file of values (H, W) or (H, W, channels), with extra chunks (name, bytes)."""
    height, width = values.shape[:2]
    rows = packed(values.reshape(height, -1), bits)
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def tiff(array, sample_format=1, photometric=1, *, order="<", **more):
    """Return a TIFF file of one strip without compression, with extra tags such as t338=(2,)."""
    array = np.asarray(array)
    height, width = array.shape[:2]
    samples = array.shape[2] if array.ndim == 3 else 1
    data = array.astype(array.dtype.newbyteorder(order)).tobytes()
    bits = array.dtype.itemsize * 8
    tags = {256: (4, (width,)), 257: (4, (height,)), 258: (3, (bits,) * samples)}
    tags |= {259: (3, (1,)), 262: (3, (photometric,)), 273: (4, (0,)), 277: (3, (samples,))}
    tags |= {278: (4, (height,)), 279: (4, (len(data),)), 339: (3, (sample_format,) * samples)}
    tags |= {int(name[1:]): (3, values) for name, values in more.items()}
    at = 8 + 2 + 12 * len(tags) + 4
    body, after = struct.pack(order + "H", len(tags)), b""
    long = {
        tag: struct.pack(f"{order}{len(v)}{'H' if k == 3 else 'I'}", *v)
        for tag, (k, v) in tags.items()
    }
    start = at + sum(len(each) for each in long.values() if len(each) > 4)
    long[273] = struct.pack(order + "I", start)
    for tag in sorted(tags):
        kind, values = tags[tag]
        field = long[tag]
        if len(field) > 4:
            field, after = struct.pack(order + "I", at + len(after)), after + field
        body += struct.pack(order + "HHI", tag, kind, len(values)) + field.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "I", 8) + body + bytes(4) + after + data
