"""Verdicts, estimates with their errors, tables and the quality of samples, in the form in which notebooks print them.

A number that depends on the machine is printed behind the mark ``≈``: the comparison of stored outputs masks it.
The verdict beside it is compared.
"""

import html
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lecture11.checks import Count, checked, finite, fits_module, signed_pixels
from lecture11.networks import ImageClassifier
from lecture11.precision import double


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error."""

    mean: float
    standard_error: float

    def __str__(self) -> str:
        """Digits up to the second one of the error: more would be noise."""
        if self.standard_error == 0:
            return measured(self.mean, 4)
        decimals = max(0, 1 - math.floor(math.log10(self.standard_error)))
        return _printable(f"≈{self.mean:.{decimals}f} ± {self.standard_error:.{decimals}f}")


def _printable(text: str) -> str:
    """``text`` as the console can show it: one of ASCII or of Windows' old code pages knows no ``≈``."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("≈", "~").replace("±", "+-").encode(encoding, "replace").decode(encoding)
    return text


@checked
def estimate(values: Float[Tensor, " n"]) -> Estimate:
    """The mean of independent values and its standard error.

    Raises:
        ValueError: not one axis, fewer than two values, or one that is not finite.
    """
    finite(values=values)
    if len(values) < 2:
        raise ValueError("values must be at least two: one has no standard error")
    values = double(values)
    return Estimate(values.mean().item(), (values.std() / math.sqrt(len(values))).item())


@checked
def measured(value: float, digits: Count = 3) -> str:
    """``value`` as a measured number: ``≈`` (``~`` on a console that has no such sign) and ``digits`` digits."""
    return _printable("≈" + f"{value:#.{digits}g}".rstrip("."))


@checked
def verdict(
    claim: str, value: float, *, at_most: float | None = None, at_least: float | None = None, unit: str = ""
) -> None:
    """Prints whether a measured value keeps its bound; raises if it does not.

    >>> verdict("test error", 0.0271, at_most=0.03)
    test error at most 0.03: yes, ≈0.0271

    Raises:
        AssertionError: the bound is not kept, or the value is not a number.
        ValueError: not exactly one bound is given.
    """
    if (at_most is None) == (at_least is None):
        raise ValueError(f"give exactly one bound, got at_most={at_most}, at_least={at_least}")
    holds = value <= at_most if at_most is not None else value >= at_least  # type: ignore[operator]
    unit = f" {unit}" if unit else ""
    bound = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
    line = f"{claim} {bound}{unit}: {'yes' if holds else 'NO'}, {measured(value)}{unit}"
    if not holds:
        raise AssertionError(line)
    print(_printable(line))


@checked
def frechet_distance(a: Float[Tensor, "n features"], b: Float[Tensor, "m features"]) -> float:
    """Squared Fréchet distance of the two Gaussians that have the means and covariances of ``a`` and ``b``.

    ``|m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2))`` (Heusel et al. 2017, eq. 6). It depends on where the features
    come from and, upwards, on few examples: give it beside the distance of two sets of real data of the same size.

    Raises:
        ValueError: other features in ``a`` than in ``b``, fewer than two examples, or values that are not finite.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a and b must hold two examples or more, got shapes {tuple(a.shape)}, {tuple(b.shape)}")
    finite(a=a, b=b)
    a, b = double(a), double(b)
    cov_a, cov_b = torch.cov(a.T).reshape(a.shape[1], -1), torch.cov(b.T).reshape(b.shape[1], -1)
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    # root S_b root has the eigenvalues of S_a S_b, and is symmetric: no complex numbers by rounding.
    overlap = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    shift = (a.mean(0) - b.mean(0)).square().sum()
    return (shift + cov_a.trace() + cov_b.trace() - 2 * overlap).item()


@dataclass(frozen=True)
class SampleQuality:
    """How samples of labelled images compare with real ones, in the eyes of a classifier.

    Attributes:
        distance: Fréchet distance of its features to those of a random half of the real images, the mean over both.
        mixed_halves: distance between these random halves: what two samples of one distribution have.
        halves: distance between the first and the second half of the real images, the unit to give ``distance`` in. It
            is the larger one where the halves differ, as those of MNIST's test set do: other people wrote them.
        confident: share of the samples that are given one class with a probability above 0.9; ``real_confident``: of
            the real images.
        shares: part of the samples that each class has.
    """

    distance: float
    mixed_halves: float
    halves: float
    confident: float
    real_confident: float
    shares: tuple[float, ...]


@checked
@torch.no_grad()
def sample_quality(
    classifier: ImageClassifier,
    samples: Float[Tensor, "n channels height width"],
    real: Float[Tensor, "m channels height width"],
) -> SampleQuality:
    """Judges samples by a classifier of the project's own (``models.load("classifier-mnist")``, images in [-1, 1]).

    As many samples as there are real images in a half of ``real`` make the distances comparable: all are too large
    where examples are few.

    Raises:
        ValueError: images in [0, 1] or on the scale of bytes, which the values show (see ``checks.signed_pixels``;
            samples may leave [-1, 1] by themselves); fewer than two samples or four real images; and as
            ``frechet_distance``.
    """
    fits_module(classifier, samples=samples, real=real)
    signed_pixels(real=real)
    signed_pixels(samples=samples, strict=False)
    if len(samples) < 2 or len(real) < 4:
        raise ValueError(
            f"samples must be two images or more, and real two halves of two; got {len(samples)} and {len(real)}"
        )

    def features(images: Tensor) -> Tensor:
        return torch.cat([classifier.features(part) for part in images.split(500)])

    ours, theirs = features(samples), features(real)
    one, other = theirs[torch.randperm(len(real), generator=torch.Generator().manual_seed(0)).to(real.device)].chunk(2)
    guess, real_guess = (classifier.logits(h).softmax(1) for h in (ours, theirs))
    counts = guess.argmax(1).bincount(minlength=guess.shape[1])
    return SampleQuality(
        distance=(frechet_distance(ours, one) + frechet_distance(ours, other)) / 2,
        mixed_halves=frechet_distance(one, other),
        halves=frechet_distance(*theirs.chunk(2)),
        confident=(guess.amax(1) > 0.9).double().mean().item(),
        real_confident=(real_guess.amax(1) > 0.9).double().mean().item(),
        shares=tuple((counts / len(samples)).tolist()),
    )


class Table:
    """A small table that a notebook shows as HTML, and a terminal as text.

    Args:
        header: names of the columns.
        rows: cells; anything with a ``str``. Format numbers before: only the caller knows which are measured.
        caption: what the table shows, in a sentence.

    Raises:
        ValueError: a row of another length than the header.
    """

    @checked
    def __init__(self, header: Sequence[object], rows: Sequence[Sequence[object]], caption: str) -> None:
        self.header = [str(cell) for cell in header]
        self.rows = [[str(cell) for cell in row] for row in rows]
        self.caption = caption
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError(
                f"header has {len(self.header)} cells, and so must each of the rows: they have "
                f"{[len(row) for row in self.rows]}"
            )

    def __repr__(self) -> str:
        # No padding: it would change with the digits of measured numbers, which the comparison masks.
        return "\n".join([self.caption, *(" | ".join(row) for row in [self.header, *self.rows])])

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], opening: str, closing: str) -> str:
            return "<tr>" + "".join(f"{opening}{html.escape(cell)}{closing}" for cell in cells) + "</tr>"

        head = row(self.header, '<th scope="col">', "</th>")
        body = "".join(row(cells, "<td>", "</td>") for cells in self.rows)

        return (
            f'<table class="table"><caption>{html.escape(self.caption)}</caption>'
            f"<thead>{head}</thead><tbody>{body}</tbody></table>"
        )
