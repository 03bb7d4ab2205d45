"""Builds the files of ``mnist-small`` and ``fashion-small`` from the four original files of the whole sets.

    python -m lecture11.data.small mnist-small FOLDER

FOLDER has ``train-images-idx3-ubyte`` and its three siblings, gzipped or not. The result is the same to the byte as the
shipped file: same rows, same order, no time stamps.
"""

import argparse
import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path

import numpy as np

from lecture11.data import images
from lecture11.data.dataset import CorruptDataError, DataUnavailableError

# The whole set, and how many images of each class.
PARTS = {
    "mnist-small": ("mnist", {"train": 1000, "test": 200}),
    "fashion-small": ("fashion-mnist", {"train": 100, "test": 100}),
}


def select(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Row numbers of ``per_class`` examples of each of the ten classes, classes taking turns.

    They are spread evenly over the original order: the first half of MNIST's test set is by tidier writers than the
    second, so that the first of each class would make too easy a test.
    """
    classes = [np.flatnonzero(labels == c) for c in range(10)]
    return np.stack([rows[np.arange(per_class) * len(rows) // per_class] for rows in classes], axis=1).ravel()


def build(name: str, folder: str | os.PathLike) -> bytes:
    """The contents of the file of the small set ``name``.

    Raises:
        DataUnavailableError: an original file is missing.
        CorruptDataError: an original file is not the original.
    """
    whole, per_class = PARTS[name]
    arrays: dict[str, np.ndarray] = {}
    for split, names in images.IDX_FILES.items():
        x, y = (_original(file, Path(folder), whole) for file in names)
        rows = select(y, per_class[split])
        arrays |= {f"{split}_images": x[rows], f"{split}_labels": y[rows]}

    # numpy.savez would compress less and write the time of day.
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        for array, rows in arrays.items():
            member = zipfile.ZipInfo(f"{array}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # else it depends on the operating system
            buffer = io.BytesIO()
            np.save(buffer, rows, allow_pickle=False)
            archive.writestr(member, buffer.getvalue(), compress_type=zipfile.ZIP_LZMA)
    return file.getvalue()


def _original(file: str, folder: Path, whole: str) -> np.ndarray:
    path = images.find_idx(file, folder)
    if path is None:
        raise DataUnavailableError(f"{folder} has no {file} or {file}.gz: it must hold the four files of {whole!r}")
    return images.read_idx(path, 3 if "images" in file else 1, whole)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Builds the file of a small set from the original files of the whole.")
    parser.add_argument("name", choices=PARTS)
    parser.add_argument("folder", type=Path, help="folder with the four original files, gzipped or not")
    parser.add_argument("--output", type=Path, help="default: that of the package")
    options = parser.parse_args(arguments)
    shipped, expected = images.SMALL[options.name]
    output = options.output or shipped
    try:
        contents = build(options.name, options.folder)
    except (DataUnavailableError, CorruptDataError) as error:
        parser.exit(1, f"{error}\n")
    output.write_bytes(contents)
    digest = hashlib.sha256(contents).hexdigest()
    print(f"{output}: {len(contents):,} bytes, SHA-256 {digest}")
    if digest != expected:
        print(
            f"this differs from the shipped file, {expected}: the selection was changed, or this version of liblzma "
            f"compresses differently",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
