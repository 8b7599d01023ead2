"""Reads the four files of Fashion-MNIST (IDX format, gzip) as Debian's package dataset-fashion-mnist lays them out."""

import gzip
import struct
from pathlib import Path

import numpy

CLASSES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"]
PIXELS = 28 * 28
_UNSIGNED_BYTES = 0x08


def read(folder, part):
    """(images, labels) of `part`, "train" or "t10k": float32 rows of 784 values from 0 to 1, and classes from 0 to 9."""
    images = _read_idx(Path(folder) / f"{part}-images-idx3-ubyte.gz")
    labels = _read_idx(Path(folder) / f"{part}-labels-idx1-ubyte.gz")
    if len(images) != len(labels):
        raise ValueError(f"{part}: {len(images)} images but {len(labels)} labels")
    return images.reshape(len(images), PIXELS).astype(numpy.float32) / 255, labels


def _read_idx(path):
    with gzip.open(path) as file:
        zero, kind, dimensions = struct.unpack(">HBB", file.read(4))
        if zero != 0 or kind != _UNSIGNED_BYTES:
            raise ValueError(f"{path.name} is not an IDX file of bytes")
        shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
        values = numpy.frombuffer(file.read(), dtype=numpy.uint8)
    return values.reshape(shape)
