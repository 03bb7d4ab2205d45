"""Data sets by name: ``load("mnist-small", "train")``.

===================  ==========================  =====================================================================
name                 examples, train + test      source and licence
===================  ==========================  =====================================================================
``digits``           1,500 + 297 of 1x8x8        scikit-learn's ``load_digits``: the test half of "Optical Recognition of
                                                 Handwritten Digits", Alpaydin and Kaynak, UCI, CC BY 4.0
``mnist-small``      10,000 + 2,000 of 1x28x28   a class-balanced part of MNIST, shipped with this package; LeCun, Cortes
                                                 and Burges, from NIST's Special Databases 1 and 3, CC BY-SA 3.0
``mnist``            60,000 + 10,000 of 1x28x28  the full MNIST, downloaded by torchvision; the same licence
``fashion-mnist``    60,000 + 10,000 of 1x28x28  Xiao, Rasul and Vollgraf, Zalando; MIT; Debian's
                                                 ``dataset-fashion-mnist`` where installed, else torchvision's download
``cifar10``          50,000 + 10,000 of 3x32x32  Krizhevsky, Nair and Hinton; no licence stated, for research;
                                                 torchvision's download
``moons``            any number of points        two half circles, after scikit-learn's ``make_moons``
``swiss-roll``       any number of points        a spiral, after scikit-learn's ``make_swiss_roll`` seen along its axis
``gaussian-mixture`` any number of points        8 Gaussians on a ring, exactly known: `gaussian_mixture`
===================  ==========================  =====================================================================

Everything but ``mnist``, ``fashion-mnist`` and ``cifar10`` works with no network. Downloads go to ``~/.cache/lecture11``,
or where the environment variable ``LECTURE11_DATA`` says.
"""

import difflib
from pathlib import Path

import torch

from lecture11.data import images, planar
from lecture11.data.dataset import (
    CorruptDataError,
    Dataset,
    DataUnavailableError,
    Range,
    UnknownDatasetError,
    check_count,
    check_range,
)
from lecture11.data.planar import gaussian_mixture

__all__ = [
    "NAMES",
    "CorruptDataError",
    "DataUnavailableError",
    "Dataset",
    "UnknownDatasetError",
    "gaussian_mixture",
    "load",
]

NAMES = (*images.FIXED, *images.DOWNLOADED, *planar.SAMPLERS)


def load(
    name: str,
    split: str = "train",
    *,
    device: torch.device | str | None = None,
    root: str | Path | None = None,
    value_range: Range | None = None,
    generator: torch.Generator | None = None,
    n: int | None = None,
) -> Dataset:
    """The data set of that name, as tensors on ``device``.

    Images are float32 ``(n, channels, height, width)`` with their class in ``y``. In ``digits`` and ``mnist-small`` the
    training examples come in turn from the classes 0, 1, .., 9, 0, 1, .., so that the first 10 k of them hold k of
    each; so do the test examples of ``mnist-small``. The test examples of ``digits`` are those that 150 of each class
    leave over, 24 to 33 of a class.

    2-D sets are float32 ``(n, 2)``, centred, with a mean variance of 1 over both coordinates; ``y`` is the half circle
    or the component, None for the spiral.

    Args:
        name: one of `NAMES`.
        split: "train" or "test".
        device: where the tensors live; the CPU if not given.
        root: ``mnist``, ``fashion-mnist``, ``cifar10``: a folder that holds the files, with no download then. For the
            first two the four original IDX files, unpacked or as ``.gz``; or a folder that torchvision filled.
        value_range: images: the values of black and of full intensity, (0, 1) if not given, (-1, 1) for diffusion.
        generator: 2-D sets: the source of all randomness. If not given, a fixed seed: 11 for "train", 1011 for "test".
        n: images: the first ``n`` of the split, all if not given. 2-D sets: how many points to draw, 10,000 for "train"
            and 2,000 for "test" if not given.

    Raises:
        UnknownDatasetError: (a ValueError) no such name.
        DataUnavailableError: no network, or files missing in ``root``.
        CorruptDataError: a file is truncated, damaged, or another than its name says.
        ValueError: no such split; ``n`` < 1 or more than there are; no range; an argument that this set has no use for.
    """
    if name not in NAMES:
        closest = difflib.get_close_matches(name.lower(), NAMES, n=1)
        hint = f" Did you mean {closest[0]!r}?" if closest else ""
        raise UnknownDatasetError(f"unknown data set {name!r}.{hint} There are: {', '.join(NAMES)}")
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r} of {name}: give 'train' or 'test'")
    if root is not None and name not in images.DOWNLOADED:
        raise ValueError(f"{name} reads no files of yours: leave root out (it serves {', '.join(images.DOWNLOADED)})")

    if name in planar.SAMPLERS:
        if value_range is not None:
            raise ValueError(f"{name} is unbounded: leave value_range out, got {value_range}")
        n = planar.DEFAULT_N[split] if n is None else n
        check_count(n, None, name)
        if generator is None:
            generator = torch.Generator().manual_seed(planar.SEEDS[split])
        x, y = planar.SAMPLERS[name](n, generator)
        return Dataset(x.to(device or "cpu"), None if y is None else y.to(device or "cpu"), name, split, None)

    if generator is not None:
        raise ValueError(f"{name} is a fixed set, nothing in it is drawn: leave generator out (binarised() takes one)")
    low, high = value_range = (0.0, 1.0) if value_range is None else value_range
    check_range(value_range)
    if n is not None:
        check_count(n, None, name)  # before the work, and before a download
    if name in images.FIXED:
        raw, labels, peak = images.FIXED[name](split)
    else:
        raw, labels, peak = images.DOWNLOADED[name](split, None if root is None else Path(root).expanduser())
    if n is not None:
        check_count(n, len(raw), f"{name}/{split}")
    # Bytes travel to the device, floats are made there.
    pixels = torch.tensor(raw[:n], device=device or "cpu").float() / peak
    classes = torch.tensor(labels[:n], dtype=torch.int64, device=device or "cpu")
    unit = Dataset(pixels, classes, name, split, (0.0, 1.0))
    return unit if (low, high) == (0, 1) else unit.rescaled(low, high)
