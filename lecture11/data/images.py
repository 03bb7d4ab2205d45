"""Image sets, each as raw pixels: what the files hold, before any scaling."""

import contextlib
import gzip
import hashlib
import http.client
import io
import math
import os
import socket
import ssl
import urllib.error
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from lecture11.data.dataset import CorruptDataError, DataUnavailableError

# Pixels (n, channels, height, width), the value of a white pixel, labels (n,).
Raw = tuple[np.ndarray, int, np.ndarray]

# The files beside this module, and their SHA-256.
SMALL = {
    name: (Path(__file__).with_name(f"{name}.npz"), digest)
    for name, digest in {
        "mnist-small": "a18f640cd9de0a32a8cdda256f9df3a7ba3184d8b198ca3c52b22619fab1b9cf",
        "fashion-small": "0b864cdf81f4b620f491422cf70e74e726d97f37e3bd8c3f7afbe6be07b3d475",
    }.items()
}

IDX_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}

# Of the unpacked files, since they are found packed by several versions of gzip. MNIST and Fashion-MNIST give their
# files the same names: only the sums tell them apart.
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
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")

# Seconds of silence from a server before it counts as unreachable.
TIMEOUT = 10.0


def balanced_order(labels: np.ndarray) -> np.ndarray:
    """Row numbers such that the classes take turns: the first of each class, then the second of each, ..."""
    rank = np.empty(len(labels), dtype=np.int64)
    for c in np.unique(labels):
        rows = labels == c
        rank[rows] = np.arange(rows.sum())
    return np.lexsort((labels, rank))


def digits(split: str) -> Raw:
    """scikit-learn's ``load_digits``: 1,797 handwritten digits of 8x8 pixels in 17 grey levels.

    Train is the first 150 of each class, test the other 297 (24 to 33 of each). The digits come writer by writer, so
    that nearly all of the test set is by hands that the training set does not know.
    """
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = balanced_order(labels)
    rows = order[:1500] if split == "train" else order[1500:]
    return pixels[rows].reshape(-1, 1, 8, 8).astype(np.uint8), 16, labels[rows]


def small(name: str, split: str) -> Raw:
    """A part of MNIST or of Fashion-MNIST, as many images of each class, from the file beside this module."""
    path, expected = SMALL[name]
    if not path.is_file():
        raise DataUnavailableError(f"{path}, a part of this package, is missing: install the package again")
    file = path.read_bytes()
    digest = hashlib.sha256(file).hexdigest()
    if digest != expected:
        raise CorruptDataError(
            f"{path} ({len(file):,} bytes) has the SHA-256 {digest}, expected {expected}: it is "
            f"truncated or was changed. Check it out or install the package again, or rebuild it from the original "
            f"files with `python -m lecture11.data.small {name} FOLDER`"
        )
    with np.load(io.BytesIO(file), allow_pickle=False) as arrays:
        return arrays[f"{split}_images"][:, None], 255, arrays[f"{split}_labels"]


def mnist(split: str, root: str | os.PathLike | None) -> Raw:
    """The whole of MNIST: 60,000 + 10,000 images of 28x28 pixels."""
    return _mnist_like("MNIST", "mnist", split, root, [])


def fashion_mnist(split: str, root: str | os.PathLike | None) -> Raw:
    """Fashion-MNIST: 60,000 + 10,000 images of 28x28 pixels."""
    return _mnist_like("FashionMNIST", "fashion-mnist", split, root, [DEBIAN_FASHION_MNIST])


def cifar10(split: str, root: str | os.PathLike | None) -> Raw:
    """CIFAR-10: 50,000 + 10,000 colour images of 32x32 pixels."""
    from torchvision.datasets import CIFAR10

    folder = cache_folder() if root is None else _given_folder(root)
    batches = [name for name, _ in CIFAR10.train_list + CIFAR10.test_list] + [CIFAR10.meta["filename"]]
    missing = [name for name in batches if not (folder / CIFAR10.base_folder / name).is_file()]
    if root is not None and missing:
        raise DataUnavailableError(
            f"root={str(root)!r} lacks {', '.join(missing)} in its folder {CIFAR10.base_folder}: unpack "
            f"{CIFAR10.filename} there, or leave root out to download it"
        )

    def read() -> CIFAR10:
        # These files are pickles, which can run code when read. torchvision first compares their MD5.
        return CIFAR10(folder, train=split == "train")

    if missing:
        _download("cifar10", folder, lambda: CIFAR10(folder, download=True))
    try:
        data = read()
    except RuntimeError as error:
        raise CorruptDataError(
            f"files in {folder / CIFAR10.base_folder} are not the original ones: {error}. Delete that folder and "
            f"get it again"
        ) from error
    return data.data.transpose(0, 3, 1, 2), 255, np.array(data.targets)


def cache_folder() -> Path:
    """Where downloads go: the environment variable ``LECTURE11_DATA``, else ``~/.cache/lecture11``.

    Raises:
        DataUnavailableError: this user has no home folder.
    """
    try:
        return Path(os.environ.get("LECTURE11_DATA") or "~/.cache/lecture11").expanduser()
    except RuntimeError as error:
        raise DataUnavailableError(f"{error} Set LECTURE11_DATA to a folder for the data, or give root=...") from error


def _given_folder(root: str | os.PathLike) -> Path:
    folder = Path(root).expanduser()
    if not folder.is_dir():
        fault = "is a file, not a folder" if folder.exists() else "does not exist"
        raise DataUnavailableError(
            f"root={str(root)!r} {fault}: give the folder that holds the files, or leave root out to download them"
        )
    return folder


def read_idx(path: Path, ndim: int, name: str | None) -> np.ndarray:
    """The array of bytes in a file in the IDX format, gzipped (``.gz``) or not: an original one of the set ``name``.

    Without a name any contents will do.

    Raises:
        CorruptDataError: no IDX file of ``ndim`` dimensions, not as long as its header says, or another set's.
    """
    try:
        file = path.read_bytes()
    except OSError as error:
        raise DataUnavailableError(f"{path} cannot be read: {error.strerror}") from error
    # Browsers unpack a file and keep its name, so that what it begins with counts too.
    if file[:2] == b"\x1f\x8b" or (path.suffix == ".gz" and file[:2] != bytes(2)):
        try:
            file = gzip.decompress(file)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CorruptDataError(
                f"{path} is truncated, or no gzip file ({error}){_web_page(file)}: delete it and get it again"
            ) from error
    header = 4 + 4 * ndim
    magic = bytes([0, 0, 8, ndim])  # 8: unsigned bytes
    if file[:4] != magic:
        raise CorruptDataError(
            f"{path} is no IDX file of bytes in {ndim} dimensions: it begins with {file[:4].hex() or 'nothing'}, "
            f"expected {magic.hex()}{_web_page(file)}. Delete it and get it again"
        )
    shape = tuple(np.frombuffer(file[4 : min(header, len(file) // 4 * 4)], dtype=">u4").tolist())
    if len(file) != header + math.prod(shape):
        raise CorruptDataError(
            f"{path} is truncated or damaged: its header announces {shape}, "
            f"that is {header + math.prod(shape):,} bytes; it has {len(file):,}. Delete it and get it again"
        )
    digest = hashlib.md5(file, usedforsecurity=False).hexdigest()
    if name is not None and digest != (expected := MD5[name][_plain(path.name)]):
        raise CorruptDataError(
            f"{path} is not the original file of {name!r}: its MD5 (unpacked) is {digest}, expected {expected}. It is "
            f"damaged, or belongs to another set with the same file names; get the original"
        )
    return np.frombuffer(file, dtype=np.uint8, offset=header).reshape(shape)


# In the order of their names: the files of a split, and how many bytes of labels stand before each 32x32 image.
CIFAR_BINARY = {
    "train": (("data_batch_*.bin", 1), ("train.bin", 2)),
    "test": (("test_batch.bin", 1), ("test.bin", 2)),
}
CIFAR_FOLDERS = (".", "cifar-10-batches-bin", "cifar-100-binary")


def from_files(folder: Path, split: str) -> Raw | None:
    """Images of one's own in the files of MNIST (IDX) or of CIFAR (binary version); None where there are none.

    IDX files have the names of MNIST's, and the labels may be missing: then they are empty. The last of the bytes
    before an image of CIFAR is its class: CIFAR-100 has two, the coarse and the fine one.

    Raises:
        DataUnavailableError: the files of the other split alone, or CIFAR's pickles.
        CorruptDataError: a file is not what its name says.
    """
    images, labels = (find_idx(name, folder) for name in IDX_FILES[split])
    if images is not None:
        x = read_idx(images, 3, None)
        y = np.empty(0, np.uint8) if labels is None else read_idx(labels, 1, None)
        if labels is not None and len(x) != len(y):
            raise CorruptDataError(f"{images} has {len(x):,} images, and {labels} {len(y):,} labels")
        return x[:, None], 255, y
    for pattern, n_labels in CIFAR_BINARY[split]:
        files = sorted(file for place in CIFAR_FOLDERS for file in (folder / place).glob(pattern))
        if files:
            rows = np.concatenate([_cifar_rows(file, n_labels + 3072) for file in files])
            return rows[:, n_labels:].reshape(-1, 3, 32, 32), 255, rows[:, n_labels - 1]
    other = "test" if split == "train" else "train"
    if find_idx(IDX_FILES[other][0], folder) is not None:
        raise DataUnavailableError(f"{folder} has {IDX_FILES[other][0]}, but no {IDX_FILES[split][0]}")
    if any((folder / place / "data_batch_1").is_file() for place in (".", "cifar-10-batches-py")):
        raise DataUnavailableError(
            f"{folder} has CIFAR's files as pickles, which can run code when they are read: take the binary version. "
            f"The original ones are read, after a look at their checksums, as cifar10 with --root"
        )
    return None


def _cifar_rows(path: Path, size: int) -> np.ndarray:
    file = np.fromfile(path, np.uint8)
    if not len(file) or len(file) % size:
        raise CorruptDataError(
            f"{path} has {len(file):,} bytes, which is no multiple of {size}, the labels and pixels of an image: it is "
            f"truncated, or no binary file of CIFAR"
        )
    return file.reshape(-1, size)


def _web_page(file: bytes) -> str:
    return (
        "; it is a web page, perhaps the answer of a server that does not have it" if file.lstrip()[:1] == b"<" else ""
    )


def _plain(name: str) -> str:
    """The original name of a file that is spelled ``t10k-images.idx3-ubyte.gz``."""
    return name.removesuffix(".gz").replace(".idx", "-idx")


def find_idx(name: str, folder: Path) -> Path | None:
    """The file of this name in the folder, gzipped or not.

    It may be spelled with a dot (``t10k-images.idx3-ubyte``), and lie in a folder that has its name, as Kaggle's do.
    """
    spellings = [name, name.replace("-idx", ".idx")]
    places = [folder, *(folder / spelling for spelling in spellings)]
    paths = (place / f"{s}{suffix}" for place in places for s in spellings for suffix in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def _mnist_like(loader: str, name: str, split: str, root: str | os.PathLike | None, elsewhere: list[Path]) -> Raw:
    base = cache_folder() if root is None else _given_folder(root)
    raw = base / loader / "raw"  # torchvision's layout
    files = _find_pair(split, [raw, *elsewhere] if root is None else [base, raw])
    if files is None and root is not None:
        missing = [file for file in IDX_FILES[split] if find_idx(file, base) is None]
        raise DataUnavailableError(
            f"root={str(root)!r} lacks {' and '.join(missing)} (or the same with .gz, or with a dot before idx), and "
            f"has no folder {loader}/raw with them: put the four original files of {name!r} there, or leave root out "
            f"to download them"
        )
    if files is None:
        # torchvision fetches and compares MD5 sums; reading is done here, where a file left half unpacked by
        # an interrupted download is noticed.
        def fetch() -> object:
            from torchvision import datasets

            return getattr(datasets, loader)(base, download=True)

        _download(name, base, fetch)
        files = _find_pair(split, [raw])
        assert files is not None, f"torchvision left no {IDX_FILES[split]} in {raw}"
    x, y = read_idx(files[0], 3, name), read_idx(files[1], 1, name)
    if len(x) != len(y):
        raise CorruptDataError(
            f"{files[0]} has {len(x):,} images, and {files[1]} {len(y):,} labels: they do not belong together"
        )
    return x[:, None], 255, y


def _find_pair(split: str, folders: list[Path]) -> tuple[Path, Path] | None:
    for folder in folders:
        images, labels = (find_idx(name, folder) for name in IDX_FILES[split])
        if images and labels:
            return images, labels
    return None


def _download(name: str, folder: Path, fetch: Callable[[], object]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _time_limit():
            fetch()
    except (
        urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError, RuntimeError
    ) as error:  # fmt: skip
        own = (
            "the folder that has its files as root=... (the commands: --root ...)"
            if name == "cifar10"
            else "a folder with the four original files, gzipped or not, as root=... (the commands: --root ...)"
        )
        debian = ", or install Debian's package dataset-fashion-mnist" if name == "fashion-mnist" else ""
        raise DataUnavailableError(
            f"{name!r} is not in {folder}, and downloading it failed: {error}\n"
            f"Without network, use one of the sets that come with the course ('mnist-small', 'fashion-small', "
            f"'digits', 'gaussian-mixture', 'moons', 'swiss-roll'), or give {own}{debian}."
        ) from error
    except OSError as error:  # none of those above: a full disk, a folder that cannot be written to
        raise DataUnavailableError(
            f"{name!r} cannot be kept in {folder}: {error.strerror or error}. Set LECTURE11_DATA to a folder that "
            f"can be written to, or give root=..."
        ) from error


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    # torchvision opens its addresses without a limit, so that a firewall that drops packets would hang it for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


SHIPPED: dict[str, Callable[[str], Raw]] = {"digits": digits, **{name: partial(small, name) for name in SMALL}}
FROM_FILES: dict[str, Callable[[str, str | os.PathLike | None], Raw]] = {
    "cifar10": cifar10, "fashion-mnist": fashion_mnist, "mnist": mnist,
}  # fmt: skip
