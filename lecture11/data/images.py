"""Sets of images: where their files come from, and how they are read.

Every loader gives ``(images, labels, peak)``: unsigned bytes ``(n, channels, height, width)``, classes ``(n,)``, and the
byte that means full intensity.
"""

import hashlib
import http.client
import io
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lecture11.data import idx
from lecture11.data.dataset import CorruptDataError, DataUnavailableError

Raw = tuple[np.ndarray, np.ndarray, int]

MNIST_SMALL = Path(__file__).with_name("mnist-small.npz")
MNIST_SMALL_SHA256 = "bd90167e577345c78b767fa44b7b91e5d716e6b9d608fcf0b18beb4687498534"
DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist

OFFLINE = (
    "Without a network there are 'mnist-small' (real MNIST, shipped with this package), 'digits', "
    "and the 2-D sets 'moons', 'swiss-roll', 'gaussian-mixture'"
)
TIMEOUT = 10  # seconds that a mirror may stay silent


def balanced(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Positions of ``per_class`` examples of each of ten classes, spread evenly over the file, dealt in turn.

    Spread, because the files are ordered by writer; in turn 0, 1, .., 9, 0, 1, .., so that the first 10 k examples
    hold k of each class.
    """
    columns = []
    for digit in range(10):
        positions = np.flatnonzero(labels == digit)
        if len(positions) < per_class:
            raise ValueError(f"{per_class} examples of class {digit} asked for, there are {len(positions)}")
        columns.append(positions[np.arange(per_class) * len(positions) // per_class])
    return np.stack(columns, 1).reshape(-1)


def digits(split: str) -> Raw:
    """scikit-learn's 1,797 digits of 8 x 8 pixels and 17 grey levels; 150 of each class are the training set."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    chosen = balanced(labels, 150)
    if split == "test":
        chosen = np.setdiff1d(np.arange(len(labels)), chosen)
    return images[chosen].astype(np.uint8).reshape(-1, 1, 8, 8), labels[chosen], 16


def mnist_small(split: str, path: Path = MNIST_SMALL) -> Raw:
    """The shipped part of MNIST; its SHA-256 sum is checked before anything is read from it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataUnavailableError(
            f"{path} is missing: the installation is incomplete. Install lecture11 again, or restore the file from "
            "the repository"
        ) from error
    if (found := hashlib.sha256(content).hexdigest()) != MNIST_SMALL_SHA256:
        raise CorruptDataError(
            f"{path} is damaged: its SHA-256 sum is {found}, expected {MNIST_SMALL_SHA256}. Install lecture11 again, or "
            "rebuild the file: python -m lecture11.data.mnist_small FOLDER_WITH_THE_FOUR_ORIGINAL_FILES"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return arrays[f"{split}_images"], arrays[f"{split}_labels"], 255


def mnist(split: str, root: Path | None) -> Raw:
    """The full MNIST or, by the same means, any set in its format."""
    return _idx_set("mnist", "MNIST", split, root)


def fashion_mnist(split: str, root: Path | None) -> Raw:
    """The full Fashion-MNIST; Debian's copy serves where it is installed."""
    if root is None and DEBIAN_FASHION.is_dir():
        root = DEBIAN_FASHION
    return _idx_set("fashion-mnist", "FashionMNIST", split, root)


def _idx_set(name: str, torchvision_name: str, split: str, root: Path | None) -> Raw:
    if root is None:
        folder = _cache() / torchvision_name / "raw"
        if idx.missing(folder):
            from torchvision import datasets

            with _download(name):
                getattr(datasets, torchvision_name)(_cache(), download=True)
    else:
        nested = root / torchvision_name / "raw"  # what torchvision makes of a root
        folder = nested if nested.is_dir() else root
    images, labels = idx.load(folder, name, split)
    return images[:, None], labels, 255


def cifar10(split: str, root: Path | None) -> Raw:
    """CIFAR-10 as torchvision reads it, which compares each file with its MD5 sum."""
    from torchvision.datasets import CIFAR10

    folder = _cache() if root is None else root
    files = [f"{CIFAR10.base_folder}/{file}" for file, _ in (*CIFAR10.train_list, *CIFAR10.test_list)]
    files.append(f"{CIFAR10.base_folder}/{CIFAR10.meta['filename']}")
    absent = [file for file in files if not (folder / file).is_file()]
    if absent and root is None:
        with _download("cifar10"):
            CIFAR10(folder, download=True)
    elif absent:
        raise DataUnavailableError(
            f"{root} lacks {', '.join(absent)}: cifar10 needs the unpacked archive cifar-10-python.tar.gz there"
        )
    try:
        loaded = CIFAR10(folder, train=split == "train")
    except RuntimeError as error:
        raise CorruptDataError(
            f"the files in {folder / CIFAR10.base_folder} are not the original CIFAR-10 ({error}): fetch them again"
        ) from error
    return loaded.data.transpose(0, 3, 1, 2), np.asarray(loaded.targets), 255


def _cache() -> Path:
    return Path(os.environ.get("LECTURE11_DATA") or Path.home() / ".cache" / "lecture11")


@contextmanager
def _download(name: str) -> Iterator[None]:
    """Turn a failed download into an error that names the choices; a silent mirror fails too, after `TIMEOUT`."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise DataUnavailableError(
            f"{name} could not be downloaded into {_cache()}: {str(error).strip()}\n{OFFLINE}. "
            f"If you have the files of {name}, give root= the folder that holds them"
        ) from error
    finally:
        socket.setdefaulttimeout(before)


FIXED = {"digits": digits, "mnist-small": mnist_small}
DOWNLOADED = {"mnist": mnist, "fashion-mnist": fashion_mnist, "cifar10": cifar10}
