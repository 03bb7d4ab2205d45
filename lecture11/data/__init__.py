"""Data sets by name, as tensors in one known range: ``load("mnist-small", "train")``.

====================  =========================  ===============  =========  =========================================
name                  what                       train + test     shape      source, licence
====================  =========================  ===============  =========  =========================================
``digits``            handwritten digits         1,500 + 297      1, 8, 8    UCI, CC BY 4.0; scikit-learn
``mnist-small``       a balanced part of MNIST   10,000 + 2,000   1, 28, 28  as ``mnist``; in this package
``mnist``             handwritten digits         60,000 + 10,000  1, 28, 28  LeCun et al. 1998, below; download
``fashion-mnist``     clothing                   60,000 + 10,000  1, 28, 28  Zalando (Xiao et al. 2017), MIT; download
``fashion-small``     a balanced part of it      1,000 + 1,000    1, 28, 28  as ``fashion-mnist``; in this package
``cifar10``           photographs                50,000 + 10,000  3, 32, 32  Krizhevsky 2009, none stated; download
``gaussian-mixture``  a ring of eight Gaussians  any number       2          exact: ``gaussian_mixture()``
``moons``             two half circles           any number       2          scikit-learn, BSD-3
``swiss-roll``        a spiral                   any number       2          scikit-learn, BSD-3
====================  =========================  ===============  =========  =========================================

All but the three downloads work with no network; so does ``fashion-mnist`` where Debian's package
dataset-fashion-mnist is installed. The digits are Alpaydin and Kaynak's
(1998). MNIST is usually given as CC BY-SA 3.0; its own page, now gone, named
no licence. It was made from NIST's Special Databases 1 and 3.

``Folder`` reads images of one's own, from a folder that may be larger than memory, and ``from_files`` a folder with
files as MNIST's or CIFAR's.
"""

import difflib
import os
from pathlib import Path

import torch

from lecture11.arguments import whole
from lecture11.data import images, planar
from lecture11.data.dataset import (
    CorruptDataError,
    Dataset,
    DataUnavailableError,
    Range,
    UnknownDataError,
    checked_range,
)
from lecture11.data.folder import Folder
from lecture11.data.planar import gaussian_mixture

__all__ = [
    "NAMES",
    "CorruptDataError",
    "DataUnavailableError",
    "Dataset",
    "Folder",
    "UnknownDataError",
    "from_files",
    "gaussian_mixture",
    "load",
]

NAMES = tuple(sorted([*images.SHIPPED, *images.FROM_FILES, *planar.SETS]))
SPLITS = ("train", "test")


def load(
    name: str,
    split: str,
    *,
    device: torch.device | str | None = None,
    root: str | os.PathLike | None = None,
    value_range: Range = (0.0, 1.0),
    generator: torch.Generator | None = None,
    n: int | None = None,
) -> Dataset:
    """A data set, whole, in memory, on one device.

    Args:
        name: one of ``NAMES``; the table above says what they are.
        split: ``"train"`` or ``"test"``.
        device: where the tensors live: pass ``training.default_device()``. The CPU by default.
        root: for ``mnist`` and ``fashion-mnist`` a folder with the four original IDX files, gzipped or not; for all
            three downloads a folder in torchvision's layout. Nothing is downloaded then. Without it, downloads
            are kept in the folder that the environment variable ``LECTURE11_DATA`` names, or ~/.cache/lecture11.
        value_range: of the pixels: (0, 1) for auto-encoders, (-1, 1) for diffusion. Points have no range.
        generator: of the points in the plane; by default a fixed seed, so that they are always the same. One seed
            gives different points for train and test.
        n: images: only the first ``n``, by default all. Points: how many to draw, by default 10,000 and 2,000.

    Raises:
        UnknownDataError: no such name or split.
        DataUnavailableError: the files are not here and cannot be downloaded.
        CorruptDataError: a file is truncated, damaged or not what its name says.
        ValueError: ``n`` out of bounds, a bad range, an argument that means nothing for this data set.
    """
    if name not in NAMES:
        close = difflib.get_close_matches(str(name).lower(), NAMES, 1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UnknownDataError(f"no data set is called {name!r}.{hint} There are: {', '.join(NAMES)}")
    if split not in SPLITS:
        raise UnknownDataError(f"{name!r} has the splits 'train' and 'test', got {split!r}")
    if n is not None:
        n = whole("n", n)
    checked_range(value_range)
    if root is not None and name not in images.FROM_FILES:
        raise ValueError(f"{name!r} reads no files from a folder: leave out root, got {os.fspath(root)!r}")
    if name in planar.SETS:
        return _points(name, split, device, value_range, generator, n)
    if generator is not None:
        raise ValueError(
            f"{name!r} is fixed, nothing in it is drawn: leave out generator. "
            f"To draw black-and-white images, call .binarised(generator=...) on the result"
        )
    if name in images.SHIPPED:
        pixels, white, labels = images.SHIPPED[name](split)
    else:
        pixels, white, labels = images.FROM_FILES[name](split, root)
    if n is not None and n > len(pixels):
        raise ValueError(f"{name!r} ({split}) has {len(pixels):,} examples, n = {n:,} asks for more: lower n")
    return _images(name, split, (pixels[:n], white, labels[:n]), device, value_range)


def from_files(
    folder: str | os.PathLike,
    split: str,
    *,
    device: torch.device | str | None = None,
    value_range: Range = (0.0, 1.0),
) -> Dataset | None:
    """Images of one's own, whole, from a folder with files as those of MNIST (IDX) or CIFAR (binary version).

    Which files: ``train-images-idx3-ubyte``, with labels or without, and ``t10k-images-idx3-ubyte`` for the test,
    gzipped or not; or ``data_batch_1.bin``, ... and ``test_batch.bin``, or CIFAR-100's ``train.bin`` and ``test.bin``.

    Returns:
        None where there are no such files.

    Raises:
        DataUnavailableError: those of the other split alone, or CIFAR's pickles, which are not read.
        CorruptDataError: a file is truncated or not what its name says.
    """
    checked_range(value_range)
    raw = images.from_files(Path(folder).expanduser(), split)
    return None if raw is None else _images(Path(folder).name, split, raw, device, value_range)


def _images(name: str, split: str, raw: images.Raw, device: torch.device | str | None, value_range: Range) -> Dataset:
    pixels, white, labels = raw
    # Bytes travel to the device, a quarter of what floats would take. There white is a tensor, since CUDA divides by
    # a number as it multiplies by its reciprocal: the last digit would differ, and white might exceed 1.
    x = torch.tensor(pixels, device=device).float() / torch.tensor(white, device=device)
    y = torch.tensor(labels, device=device, dtype=torch.int64) if len(labels) else None
    data = Dataset(x, y, name, split, (0.0, 1.0))
    return data if tuple(value_range) == (0, 1) else data.rescaled(*value_range)


def _points(
    name: str,
    split: str,
    device: torch.device | str | None,
    value_range: Range,
    generator: torch.Generator | None,
    n: int | None,
) -> Dataset:
    if tuple(value_range) != (0, 1):
        raise ValueError(f"{name!r} has no bounds, so no value_range, got {value_range}: leave it out")
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    seeds = torch.randint(2**31, (len(SPLITS),), generator=generator, device=generator.device).tolist()
    x, y = planar.SETS[name](planar.SIZES[split] if n is None else n, seeds[SPLITS.index(split)])
    y = None if y is None else y.to(device)
    return Dataset(x.to(device, torch.float32), y, name, split, None)
