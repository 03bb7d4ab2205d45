"""Yann LeCun's IDX format, in which MNIST and Fashion-MNIST come: a big-endian header, then bytes."""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from lecture11.data.dataset import CorruptDataError, DataUnavailableError

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}

# Of the unpacked files: a file packed again by another gzip is still the original.
MD5 = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}


def read(folder: Path, file: str) -> bytes:
    """The unpacked bytes of ``file``, or of ``file.gz`` where only that one is in the folder."""
    plain, packed = folder / file, folder / f"{file}.gz"
    if plain.is_file():
        return plain.read_bytes()
    try:
        return gzip.decompress(packed.read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CorruptDataError(f"{packed} is truncated or no gzip file ({error}): fetch it again") from error


def parse(content: bytes, dims: int, origin: str) -> np.ndarray:
    """The array of unsigned bytes that an IDX file holds; it must have ``dims`` dimensions.

    Raises:
        CorruptDataError: a wrong magic number, or more or fewer bytes than the header announces.
    """
    header = 4 + 4 * dims
    magic = 0x0800 + dims  # 08: unsigned bytes
    if len(content) < header:
        raise CorruptDataError(f"{origin} has {len(content)} bytes, its header alone has {header}: fetch it again")
    found, *shape = struct.unpack(f">{1 + dims}I", content[:header])
    if found != magic:
        raise CorruptDataError(
            f"{origin} begins with {found:#010x}, an IDX file of {dims}-dimensional bytes with {magic:#010x}: "
            "this is another file, or a damaged one"
        )
    if len(content) - header != math.prod(shape):
        raise CorruptDataError(
            f"{origin} announces {' x '.join(map(str, shape))} = {math.prod(shape)} bytes after its header "
            f"but has {len(content) - header}: it is truncated or damaged, fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def missing(folder: Path) -> list[str]:
    """Those of the four files that are not in the folder, neither packed nor unpacked."""
    names = (file for pair in FILES.values() for file in pair)
    return [file for file in names if not ((folder / file).is_file() or (folder / f"{file}.gz").is_file())]


def load(folder: Path, name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(n, height, width)`` and labels ``(n,)`` of "mnist" or "fashion-mnist", both checked.

    Raises:
        DataUnavailableError: one of the four files is missing.
        CorruptDataError: a file is truncated, or is not the original (by its MD5 sum).
    """
    if absent := missing(folder):
        raise DataUnavailableError(
            f"{folder} lacks {', '.join(absent)}: {name} needs the four original files there, as they are or as .gz"
        )
    arrays = []
    for file, dims in zip(FILES[split], (3, 1), strict=True):
        content = read(folder, file)
        arrays.append(parse(content, dims, str(folder / file)))
        # The two sets use the same names for their files: only the sum tells one from the other.
        if (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != MD5[name][file]:
            raise CorruptDataError(
                f"{folder / file} is not the original of {name}: its MD5 sum is {found}, expected "
                f"{MD5[name][file]} (unpacked). Is it another set's, or damaged? Fetch it again"
            )
    images, labels = arrays
    return images, labels
