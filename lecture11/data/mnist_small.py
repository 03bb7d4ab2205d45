"""Build ``mnist-small.npz`` from the four original files of MNIST: ``python -m lecture11.data.mnist_small FOLDER``.

The folder holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
``t10k-labels-idx1-ubyte``, unpacked or as ``.gz``; their MD5 sums are compared with the originals'. The same bytes come
out every time, on every system.
"""

import argparse
import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np

from lecture11.data import idx, images

PER_CLASS = {"train": 1000, "test": 200}


def build(folder: Path) -> bytes:
    """The content of the shipped file: ``train_images``, ``train_labels``, ``test_images``, ``test_labels``.

    Images are unsigned bytes ``(n, 1, 28, 28)``. Training examples are drawn from MNIST's training set, test examples
    from its test set, by `images.balanced`.

    Raises:
        DataUnavailableError, CorruptDataError: from `idx.load`.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for split, per_class in PER_CLASS.items():
            pictures, labels = idx.load(folder, "mnist", split)
            chosen = images.balanced(labels, per_class)
            _add(archive, f"{split}_images", pictures[chosen][:, None])
            _add(archive, f"{split}_labels", labels[chosen])
    return content.getvalue()


def _add(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    # np.savez_compressed would do, but deflate's output depends on the zlib at hand; bzip2 has one encoder, and is smaller.
    member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_BZIP2
    member.create_system = 3  # otherwise the operating system's number
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
    archive.writestr(member, buffer.getvalue(), compresslevel=9)


def write(folder: Path, path: Path) -> None:
    """Build the file and put it at ``path``, whole or not at all.

    Raises:
        RuntimeError: the outcome is not the file whose SHA-256 sum the package knows.
    """
    content = build(folder)
    if (found := hashlib.sha256(content).hexdigest()) != images.MNIST_SMALL_SHA256:
        raise RuntimeError(
            f"the file built has the SHA-256 sum {found}, the package expects {images.MNIST_SMALL_SHA256}: nothing was "
            "written. If the choice of images was changed on purpose, change images.MNIST_SMALL_SHA256 first"
        )
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Rebuild lecture11/data/mnist-small.npz from the originals of MNIST.")
    parser.add_argument("folder", type=Path, help="holds the four original files, unpacked or as .gz")
    write(parser.parse_args().folder, images.MNIST_SMALL)
    print(f"{images.MNIST_SMALL}: {images.MNIST_SMALL.stat().st_size} bytes, SHA-256 as expected")
