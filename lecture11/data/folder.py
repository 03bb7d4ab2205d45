"""A folder of images of one's own: each is read when its turn comes, so that it may be larger than memory."""

import copy
import functools
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader

from lecture11.arguments import one_of, whole
from lecture11.data.dataset import CorruptDataError, DataUnavailableError, Range, checked_range

HELD_OUT = 10  # one image in so many is for the test, where the folder does not say


class Folder(torch.utils.data.Dataset):
    """Images below a folder, brought to one size: the shorter side to ``side`` pixels, then the middle cut out.

    Where all images lie in sub-folders, the first of these names the class of an image; where some lie in the folder
    itself there are no classes. With sub-folders ``train`` and ``test`` each split has its own; else every tenth image,
    in the order of names, is for the test.

    Args:
        root: the folder.
        split: ``"train"`` or ``"test"``.
        side: pixels, 4,096 at most.
        channels: 1 for grey, 3 for colour; by default what the first image has.
        value_range: of the pixels.
        labels: whether examples are ``(image, class)``, or ``(image,)`` alone.
        workers: processes that read ahead; by default one for each processor but one, at most eight.

    Attributes:
        classes: their names, in the order of their numbers; empty where there are none.
        shape: ``(channels, side, side)``.

    Raises:
        DataUnavailableError: no such folder, or no image in it.
        ValueError: labels of images that have none, an argument out of its bounds.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        split: str,
        *,
        side: int = 32,
        channels: int | None = None,
        value_range: Range = (0.0, 1.0),
        labels: bool = False,
        workers: int | None = None,
    ) -> None:
        one_of("split", split, ("train", "test"))
        whole("side", side, 2, 4096)
        checked_range(value_range)
        if channels not in (None, 1, 3):
            raise ValueError(f"channels must be 1 (grey) or 3 (colour), got {channels!r}")
        folder = Path(root).expanduser()
        if not folder.is_dir():
            raise DataUnavailableError(
                f"{os.fspath(root)!r} is {'a file, not a folder' if folder.exists() else 'no folder'} of images, and "
                f"no data set of that name is known (lecture11 data lists them)"
            )
        own = all((folder / name).is_dir() for name in ("train", "test"))
        self.root = folder / split if own else folder
        paths = _images(self.root)
        if not paths:
            raise DataUnavailableError(
                f"{self.root} holds no image: what ends in {', '.join(_suffixes())} is read, in sub-folders too"
            )
        inside = all(path.parent != self.root for path in paths)
        names = [path.relative_to(self.root).parts[0] for path in paths]
        self.classes = tuple(sorted(set(names))) if inside else ()
        number = {name: i for i, name in enumerate(self.classes)}
        numbers = [number[name] for name in names] if inside else [0] * len(paths)
        kept = [i for i in range(len(paths)) if own or (i % HELD_OUT == HELD_OUT - 1) == (split == "test")]
        if not kept:
            raise DataUnavailableError(f"{self.root} holds {len(paths)} images: too few for a test, which gets a tenth")
        if labels and not inside:
            raise ValueError(f"{self.root} has images outside sub-folders, so that their classes are not known")
        self.paths = [paths[i] for i in kept]
        self.y = torch.tensor([numbers[i] for i in kept])
        self.labels, self.split, self.value_range = labels, split, value_range
        self.channels = channels or (1 if _open(self.paths[0]).mode in ("1", "L", "LA", "I;16", "I") else 3)
        self.shape = (self.channels, side, side)
        self.workers = min(8, _processors() - 1) if workers is None else whole("workers", workers, 0)

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        classes = f"{len(self.classes)} classes" if self.classes else "no classes"
        low, high = self.value_range
        return (
            f"<{self.root.name} {self.split}: {len(self):,} images of shape {self.shape}, values in "
            f"[{low:g}, {high:g}], {classes}, read when needed>"
        )

    def __getitem__(self, i: int) -> tuple[Tensor, ...]:
        """Raises CorruptDataError, with the path, if the file is no image."""
        from torchvision.transforms.v2 import functional as change

        side = self.shape[1]
        try:
            image = _open(self.paths[i]).convert("L" if self.channels == 1 else "RGB")
        except OSError as error:
            raise CorruptDataError(f"{self.paths[i]} cannot be read: {error}. Remove it, or get it again") from error
        x = change.to_dtype(change.to_image(image), torch.float32, scale=True)
        x = change.center_crop(change.resize(x, [side], antialias=True), [side, side]).clamp(0, 1)
        low, high = self.value_range
        x = low + (high - low) * torch.Tensor(x)
        return (x, self.y[i]) if self.labels else (x,)

    def part(self, rows: Int[Tensor, " n"]) -> "Folder":
        """These images alone."""
        part = copy.copy(self)
        part.__dict__.pop("_digest", None)
        part.paths, part.y = [self.paths[i] for i in rows.tolist()], self.y[rows]
        return part

    def batches(self, order: Int[Tensor, "batches size"]) -> Iterator[tuple[Tensor, ...]]:
        """The examples of each row of ``order``, read ahead by ``workers`` processes."""
        loader: DataLoader = DataLoader(
            self, batch_sampler=order.tolist(), num_workers=self.workers, pin_memory=torch.cuda.is_available(),
            generator=torch.Generator(),  # else it would draw from torch's own, which others use
        )  # fmt: skip
        try:
            for batch in loader:
                yield tuple(batch)
        except CorruptDataError as error:  # of a worker: the last line of its traceback is the message
            raise CorruptDataError(str(error).strip().rsplit("CorruptDataError: ", 1)[-1]) from error

    def first(self, n: int) -> tuple[Float[Tensor, "n channels height width"], Int[Tensor, " n"]]:
        """The first ``n`` images, or as many as there are, and their classes (zeros where there are none).

        Taken evenly over the folder, in the order of names.
        """
        rows = torch.linspace(0, len(self) - 1, min(n, len(self))).round().long()
        images = torch.cat([batch[0] for batch in self.batches(rows[None].view(-1, 1))])
        return images, self.y[rows]

    @functools.cached_property
    def _digest(self) -> str:
        names = "\n".join(f"{path.relative_to(self.root)} {path.stat().st_size}" for path in self.paths)
        return hashlib.sha256(names.encode()).hexdigest()[:16]

    def fingerprint(self) -> str:
        """What tells these examples from others: their number and shape, and a hash of the files' names and sizes."""
        return f"{len(self)} images {self.shape} in {self.value_range}, labels {self.labels}, {self._digest}"


def _processors() -> int:
    """Those that this process may use, where the system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _suffixes() -> Sequence[str]:
    from torchvision.datasets.folder import IMG_EXTENSIONS

    return IMG_EXTENSIONS


def _images(folder: Path) -> list[Path]:
    suffixes = set(_suffixes())
    hidden = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    return sorted(path for path in hidden if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _open(path: Path):  # type: ignore[no-untyped-def]  # PIL's Image
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(path)
    except UnidentifiedImageError as error:
        raise CorruptDataError(f"{path} is no image that can be read: remove it, or get it again") from error
