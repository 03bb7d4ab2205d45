"""Data sets: what the files hold, the ranges, what is drawn, and every way in which loading can fail."""

import gzip
import hashlib
import http.server
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lecture11 import data
from lecture11.data import images, small

POINTS = ("gaussian-mixture", "moons", "swiss-roll")
CLOSED_PORT = "http://127.0.0.1:1/"


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def mnist_like_files(n_train: int = 40, n_test: int = 20) -> dict[str, bytes]:
    """Four small files in the format of MNIST; every image is different, its label is its number modulo ten."""
    noise = np.random.default_rng(0)
    files = {}
    for prefix, n in (("train", n_train), ("t10k", n_test)):
        files[f"{prefix}-images-idx3-ubyte"] = idx(noise.integers(0, 256, (n, 28, 28)))
        files[f"{prefix}-labels-idx1-ubyte"] = idx(np.arange(n) % 10)
    return files


def take_for_original(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    sums = {name: hashlib.md5(contents).hexdigest() for name, contents in files.items()}
    monkeypatch.setattr(images, "MD5", {"mnist": sums, "fashion-mnist": sums})
    return files


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Small stand-ins for the four original files."""
    return take_for_original(mnist_like_files(), monkeypatch)


def write(folder: Path, files: dict[str, bytes], *, gz: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, contents in files.items():
        if gz:
            (folder / f"{name}.gz").write_bytes(gzip.compress(contents))
        else:
            (folder / name).write_bytes(contents)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, nothing from Debian, no proxy between the tests and this machine's own ports."""
    monkeypatch.setenv("LECTURE11_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(images, "DEBIAN_FASHION_MNIST", tmp_path / "no-debian")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(variable, "127.0.0.1")
    return tmp_path / "cache"


# What the shipped sets hold


@pytest.mark.parametrize(("split", "per_class"), [("train", 1000), ("test", 200)])
def test_mnist_small_is_balanced_in_every_prefix(split: str, per_class: int) -> None:
    d = data.load("mnist-small", split)
    assert d.x.shape == (10 * per_class, 1, 28, 28)
    assert d.shape == (1, 28, 28)
    assert (d.x.dtype, d.y.dtype) == (torch.float32, torch.int64)
    assert torch.equal(d.y, torch.arange(10).repeat(per_class))
    assert (d.x.min(), d.x.max()) == (0, 1)
    # All 256 grey levels, each exactly k / 255.
    assert torch.equal((d.x * 255).round().unique(), torch.arange(256.0))
    assert torch.equal((d.x * 255).round() / 255, d.x)


def test_mnist_small_looks_like_mnist_and_its_splits_share_no_image() -> None:
    train, test = data.load("mnist-small", "train"), data.load("mnist-small", "test")
    # Mean and standard deviation of the whole of MNIST, known to every tutorial.
    assert train.x.mean().item() == pytest.approx(0.1307, abs=0.002)
    assert train.x.std().item() == pytest.approx(0.3081, abs=0.003)
    distinct = {row.tobytes() for d in (train, test) for row in d.x.flatten(1).numpy()}
    assert len(distinct) == 12_000
    # Labels belong to their images: the nearest of ten class means is right for 4 of 5 test images, chance is 1 of 10.
    centres = torch.stack([train.x[train.y == c].mean(0).flatten() for c in range(10)])
    nearest = torch.cdist(test.x.flatten(1), centres).argmin(1)
    assert (nearest == test.y).float().mean() > 0.78


def test_fashion_small_is_a_balanced_part_of_fashion_mnist() -> None:
    train, test = data.load("fashion-small", "train"), data.load("fashion-small", "test")
    assert train.shape == (1, 28, 28)
    assert torch.equal(train.y, torch.arange(10).repeat(100))
    assert torch.equal(test.y, torch.arange(10).repeat(100))
    # Mean and standard deviation of the whole of Fashion-MNIST, known to every tutorial.
    assert train.x.mean().item() == pytest.approx(0.2860, abs=0.01)
    assert train.x.std().item() == pytest.approx(0.3530, abs=0.01)
    distinct = {row.tobytes() for d in (train, test) for row in d.x.flatten(1).numpy()}
    assert len(distinct) == 2000
    assert len(images.SMALL["fashion-small"][0].read_bytes()) < 1_000_000


def test_digits_are_those_of_scikit_learn_each_once() -> None:
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    train, test = data.load("digits", "train"), data.load("digits", "test")
    assert (train.x.shape, test.x.shape) == ((1500, 1, 8, 8), (297, 1, 8, 8))
    assert torch.equal(train.y, torch.arange(10).repeat(150))
    assert test.y.bincount().tolist() == [28, 32, 27, 33, 31, 32, 31, 29, 24, 30]
    ours = torch.cat([torch.cat([d.x.flatten(1) * 16, d.y[:, None]], 1) for d in (train, test)])
    theirs = np.concatenate([pixels, labels[:, None]], 1)
    assert sorted(ours.tolist()) == sorted(theirs.tolist())
    assert (train.x.min(), train.x.max()) == (0, 1)


def test_loading_is_fast() -> None:
    def seconds() -> float:
        # Processor time: other processes on the machine do not count.
        begin = time.process_time()
        data.load("mnist-small", "train")
        return time.process_time() - begin

    assert min(seconds() for _ in range(3)) < 0.5


# Points of the plane


def test_gaussian_mixture_has_the_moments_that_it_says() -> None:
    law = data.gaussian_mixture()
    weights, means, covariances = law.weights, law.means, law.covariances
    assert weights.dtype == means.dtype == covariances.dtype == torch.float64
    n = 200_000
    d = data.load("gaussian-mixture", "train", n=n)
    assert d.x.dtype == torch.float32
    x = d.x.double()
    count = d.y.bincount(minlength=len(weights))
    # Five standard errors everywhere.
    assert ((count / n - weights).abs() < 5 * (weights * (1 - weights) / n).sqrt()).all()
    for c in range(len(weights)):
        own = x[d.y == c]
        variance = covariances[c].diagonal()
        assert ((own.mean(0) - means[c]).abs() < 5 * (variance / len(own)).sqrt()).all()
        # The variance of a sample covariance is (c_ii c_jj + c_ij^2) / n.
        error = ((torch.outer(variance, variance) + covariances[c] ** 2) / len(own)).sqrt()
        assert ((own.T.cov() - covariances[c]).abs() < 5 * error).all()
    torch.testing.assert_close(x.T.cov(), torch.eye(2, dtype=torch.float64), atol=0.02, rtol=0)


def test_gaussian_mixture_has_an_exact_density() -> None:
    mixture = data.gaussian_mixture()
    mean = (mixture.weights[:, None] * mixture.means).sum(0)
    second = mixture.covariances + mixture.means[:, :, None] * mixture.means[:, None, :]
    covariance = (mixture.weights[:, None, None] * second).sum(0)
    torch.testing.assert_close(mean, torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(covariance, torch.eye(2, dtype=torch.float64), atol=1e-12, rtol=0)
    # The mean log-density of the points is minus the entropy: eight Gaussians that hardly overlap.
    x = data.load("gaussian-mixture", "test", n=20_000).x.double()
    entropy = np.log(8) + 1 + np.log(2 * np.pi * 0.02)
    assert mixture.log_prob(x).mean().item() == pytest.approx(-entropy, abs=0.04)


@pytest.mark.parametrize("name", POINTS)
def test_points_are_centred_with_unit_variance(name: str) -> None:
    d = data.load(name, "train", n=100_000)
    assert d.shape == (2,)
    assert d.value_range is None
    assert d.x.dtype == torch.float32
    assert d.x.mean(0).abs().max() < 0.02
    assert d.x.var(0).mean().item() == pytest.approx(1, abs=0.01)


def test_moons_are_two_equal_half_circles_with_little_noise() -> None:
    d = data.load("moons", "train")
    assert d.y.unique().tolist() == [0, 1]
    radii = []
    for c in (0, 1):
        x = d.x[d.y == c].double().numpy()
        # x^2 + y^2 = 2 a x + 2 b y + k is a circle about (a, b) of squared radius k + a^2 + b^2.
        (a, b, k), *_ = np.linalg.lstsq(np.c_[2 * x, np.ones(len(x))], (x**2).sum(1), rcond=None)
        radius = np.sqrt(k + a**2 + b**2)
        deviation = np.hypot(x[:, 0] - a, x[:, 1] - b) / radius - 1
        assert deviation.std() == pytest.approx(0.05, abs=0.005)
        radii.append(radius)
    assert radii[0] == pytest.approx(radii[1], rel=0.01)


def test_swiss_roll_is_the_spiral_on_which_radius_is_angle() -> None:
    x = data.load("swiss-roll", "train").x.double().numpy()
    t = np.linspace(1.5 * np.pi, 4.5 * np.pi, 200_001)
    spiral = np.c_[t * np.cos(t), t * np.sin(t)]
    # Noise of 0.5 per axis was added.
    x = x * np.sqrt(spiral.var(0).mean() + 0.25) + spiral.mean(0)
    radius = np.hypot(*x.T)
    # On the spiral the angle is the radius; what remains is noise, across the arm.
    turn = np.arctan2(x[:, 1], x[:, 0]) - radius
    across = (turn + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(across).mean() < 0.5
    assert across.std() == pytest.approx(0.5, abs=0.05)
    assert (radius.min(), radius.max()) == (pytest.approx(1.5 * np.pi, abs=2), pytest.approx(4.5 * np.pi, abs=2))
    assert data.load("swiss-roll", "train").y is None


@pytest.mark.parametrize("name", POINTS)
def test_points_come_from_the_generator_and_nothing_else(name: str) -> None:
    def draw(split: str, seed: int | None) -> torch.Tensor:
        return data.load(name, split, n=50, generator=None if seed is None else rng(seed)).x

    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002 (the global state is the point)
    first = draw("train", None)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()  # noqa: NPY002
    torch.manual_seed(123)
    np.random.seed(123)  # noqa: NPY002
    assert torch.equal(first, draw("train", None))
    assert torch.equal(draw("train", 7), draw("train", 7))
    assert not torch.isin(draw("train", 7), draw("train", 8)).any()
    # One seed for both splits must not leak one into the other.
    assert not torch.isin(draw("train", 7), draw("test", 7)).any()
    assert not torch.isin(draw("train", None), draw("test", None)).any()
    assert (len(data.load(name, "train")), len(data.load(name, "test"))) == (10_000, 2_000)


# The object


@pytest.mark.parametrize("name", [*POINTS, "digits", "mnist-small"])
def test_tensors_live_on_the_device_asked_for_and_are_the_same(name: str, device: torch.device) -> None:
    here, there = data.load(name, "test", n=200), data.load(name, "test", n=200, device=device)
    assert there.x.device.type == device.type
    assert torch.equal(there.x.cpu(), here.x)
    if here.y is not None:
        assert there.y.device.type == device.type
        assert torch.equal(there.y.cpu(), here.y)


def test_binarised_draw_is_the_same_on_every_device(device: torch.device) -> None:
    here = data.load("digits", "test").binarised(generator=rng())
    there = data.load("digits", "test", device=device).binarised(generator=rng())
    assert torch.equal(there.x.cpu(), here.x)


def test_n_takes_the_first() -> None:
    whole = data.load("mnist-small", "test")
    for part in (data.load("mnist-small", "test", n=30), whole.take(30)):
        assert torch.equal(part.x, whole.x[:30])
        assert torch.equal(part.y, whole.y[:30])
        assert (len(part), part.name, part.split) == (30, "mnist-small", "test")
    assert data.load("swiss-roll", "test").take(3).y is None


def test_value_range_of_diffusion() -> None:
    grey = data.load("mnist-small", "test", n=50)
    d = data.load("mnist-small", "test", n=50, value_range=(-1, 1))
    assert d.value_range == (-1, 1)
    assert torch.equal(d.x, 2 * grey.x - 1)
    assert torch.equal(d.x, grey.rescaled(-1, 1).x)


def test_repr_tells_what_a_reader_asks() -> None:
    text = repr(data.load("mnist-small", "train", value_range=(-1, 1)))
    assert text == "<mnist-small train: 10,000 examples of shape (1, 28, 28), values in [-1, 1], labels 0..9, on cpu>"
    text = repr(data.load("swiss-roll", "test"))
    assert text == "<swiss-roll test: 2,000 examples of shape (2,), values unbounded, no labels, on cpu>"


ends = st.floats(-100, 100, width=32)
ranges = st.tuples(ends, ends).filter(lambda r: r[0] + 1e-3 < r[1])


@given(seed=st.integers(0, 2**32), old=ranges, new=ranges, n=st.integers(1, 4), size=st.integers(1, 5))
def test_rescaled_is_linear_and_meets_the_ends(seed, old, new, n, size) -> None:
    unit = torch.rand(n, 1, size, size, generator=rng(seed), dtype=torch.float64)
    unit[0, 0, 0, 0] = seed % 2
    x = (old[0] + (old[1] - old[0]) * unit).float().clamp(*old)
    d = data.Dataset(x, None, "noise", "train", old).rescaled(*new)
    assert d.value_range == new
    assert d.x[0, 0, 0, 0].item() == new[seed % 2]
    exact = new[0] + (x.double() - old[0]) * ((new[1] - new[0]) / (old[1] - old[0]))
    # Rounding of the old values counts relative to their range.
    span = 1e-6 * (new[1] - new[0]) * (1 + max(map(abs, old)) / (old[1] - old[0])) + 1e-6 * max(map(abs, new))
    torch.testing.assert_close(d.x.double(), exact, atol=span, rtol=0)
    assert (d.x.flatten()[x.flatten().argsort()].diff() >= -span).all()


@given(seed=st.integers(0, 2**32), n=st.integers(1, 5), size=st.integers(1, 6))
def test_binarised_keeps_black_and_white_and_the_generator_decides(seed, n, size) -> None:
    x = torch.rand(n, 1, size, size, generator=rng(seed + 1)).mul(1.5).sub(0.25).clamp(0, 1)
    d = data.Dataset(x, None, "noise", "train", (0.0, 1.0))
    b = d.binarised(generator=rng(seed)).x
    assert set(b.unique().tolist()) <= {0.0, 1.0}
    assert (b[x == 0] == 0).all()
    assert (b[x == 1] == 1).all()
    assert torch.equal(b, d.binarised(generator=rng(seed)).x)


def test_binarised_frequencies_are_the_grey_values() -> None:
    grey = torch.linspace(0, 1, 11).expand(40_000, 11)
    drawn = data.Dataset(grey, None, "ramp", "train", (0.0, 1.0)).binarised(generator=rng()).x
    assert (drawn.mean(0) - grey[0]).abs().max() < 5 * 0.5 / 200
    other = data.Dataset(grey, None, "ramp", "train", (0.0, 1.0)).binarised(generator=rng(1)).x
    assert (drawn != other).any()


# Files


@pytest.mark.parametrize("gz", [False, True])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("layout", [".", "torchvision"])
def test_original_files_are_read_from_a_folder(
    name: str, gz: bool, layout: str, files, tmp_path: Path, cache: Path
) -> None:
    loader = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}[name]
    write(tmp_path / "own" / ("." if layout == "." else f"{loader}/raw"), files, gz=gz)
    for split, prefix in (("train", "train"), ("test", "t10k")):
        d = data.load(name, split, root=str(tmp_path / "own"))
        expected = np.frombuffer(files[f"{prefix}-images-idx3-ubyte"][16:], np.uint8).reshape(-1, 1, 28, 28)
        torch.testing.assert_close(d.x, torch.tensor(expected) / 255, atol=0, rtol=0)
        assert d.y.tolist() == [i % 10 for i in range(len(expected))]
    assert not cache.exists()


def test_fashion_mnist_is_found_where_debian_puts_it(files, tmp_path: Path, cache: Path, monkeypatch) -> None:
    monkeypatch.setattr(images, "DEBIAN_FASHION_MNIST", write(tmp_path / "debian", files, gz=True))
    assert len(data.load("fashion-mnist", "train")) == 40


@pytest.mark.skipif(
    not images.DEBIAN_FASHION_MNIST.is_dir(), reason="needs Debian's package: apt install dataset-fashion-mnist"
)
def test_debians_fashion_mnist_is_whole() -> None:
    d = data.load("fashion-mnist", "test")
    assert d.x.shape == (10_000, 1, 28, 28)
    assert d.y.bincount().tolist() == [1000] * 10
    assert d.x.mean().item() == pytest.approx(0.2868, abs=1e-3)


def kaggle(folder: Path, name: str, contents: bytes) -> None:
    """A folder with the file's name, and in it the file, spelled with a dot."""
    (folder / name).mkdir()
    (folder / name / name.replace("-idx", ".idx")).write_bytes(contents)


@pytest.mark.parametrize(
    "place",
    [
        lambda folder, name, contents: (folder / name.replace("-idx", ".idx")).write_bytes(contents),
        lambda folder, name, contents: (folder / f"{name.replace('-idx', '.idx')}.gz").write_bytes(
            gzip.compress(contents)
        ),
        kaggle,
        # A browser unpacked the file and kept its name, or the other way about.
        lambda folder, name, contents: (folder / f"{name}.gz").write_bytes(contents),
        lambda folder, name, contents: (folder / name).write_bytes(gzip.compress(contents)),
    ],
)
def test_files_are_found_as_others_spell_them(place, files, tmp_path: Path, cache: Path) -> None:
    for name, contents in files.items():
        place(tmp_path, name, contents)
    d = data.load("mnist", "test", root=tmp_path)
    assert d.y.tolist() == [i % 10 for i in range(20)]
    assert small.select(d.y.numpy(), 1).tolist() == list(range(10))
    for name in files:
        assert images.find_idx(name, tmp_path) is not None


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_root_that_is_none_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(data.DataUnavailableError, match=r"root='.*nowhere' does not exist: give the folder"):
        data.load(name, "train", root=tmp_path / "nowhere")
    with pytest.raises(data.DataUnavailableError, match=r"root='.*file' is a file, not a folder"):
        data.load(name, "train", root=tmp_path / "file")


def test_a_file_that_cannot_be_read_is_named(files, tmp_path: Path, monkeypatch) -> None:
    def forbidden(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    root = write(tmp_path / "own", files)
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    with pytest.raises(data.DataUnavailableError, match="train-images-idx3-ubyte cannot be read: Permission denied"):
        data.load("mnist", "train", root=root)


def test_images_and_labels_of_different_length_are_refused(tmp_path: Path, monkeypatch) -> None:
    files = mnist_like_files()
    files["train-labels-idx1-ubyte"] = idx(np.arange(39) % 10)
    root = write(tmp_path / "own", take_for_original(files, monkeypatch))
    with pytest.raises(data.CorruptDataError, match=r"has 40 images, and .* 39 labels: they do not belong together"):
        data.load("mnist", "train", root=root)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("train-images-idx3-ubyte", lambda b: b[:-1], r"announces \(40, 28, 28\), that is 31,376 bytes; it has 31,375"),
        ("train-images-idx3-ubyte", lambda b: b + b"x", r"it has 31,377"),
        ("train-images-idx3-ubyte", lambda b: b[:10], r"truncated or damaged.*it has 10"),
        ("train-images-idx3-ubyte", lambda b: b"", r"begins with nothing, expected 00000803"),
        ("train-labels-idx1-ubyte", lambda b: b"<!DOCTYPE html>", r"3c21444f, expected 00000801; it is a web page"),
        ("train-labels-idx1-ubyte", lambda b: b[:-1] + b"x", r"not the original file of 'mnist': its MD5"),
    ],
)
def test_damaged_files_are_named(name: str, change, message: str, files, tmp_path: Path, cache: Path) -> None:
    root = write(tmp_path / "own", files | {name: change(files[name])})
    with pytest.raises(data.CorruptDataError, match=message) as error:
        data.load("mnist", "train", root=root)
    assert str(root / name) in str(error.value)


def test_one_set_is_not_taken_for_another_with_the_same_file_names(
    files, tmp_path: Path, cache: Path, monkeypatch
) -> None:
    monkeypatch.setattr(images, "MD5", images.MD5 | {"fashion-mnist": dict.fromkeys(files, "0" * 32)})
    root = write(tmp_path / "own", files)
    assert len(data.load("mnist", "train", root=root)) == 40
    with pytest.raises(data.CorruptDataError, match=r"'fashion-mnist'.* expected 0{32}.* or belongs to another set"):
        data.load("fashion-mnist", "train", root=root)


def flip(contents: bytes) -> bytes:
    return contents[:-12] + bytes([contents[-12] ^ 1]) + contents[-11:]


@pytest.mark.parametrize("change", [lambda b: b[: len(b) // 2], flip, lambda b: b"not gzip"])
def test_damaged_gzip_files_are_named(change, files, tmp_path: Path, cache: Path) -> None:
    root = write(tmp_path / "own", files, gz=True)
    path = root / "train-images-idx3-ubyte.gz"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(data.CorruptDataError, match=r"truncated, or no gzip file.*delete it and get it again") as error:
        data.load("mnist", "train", root=root)
    assert str(path) in str(error.value)
    assert error.value.__cause__ is not None


def test_missing_files_are_named(files, tmp_path: Path, cache: Path) -> None:
    del files["t10k-labels-idx1-ubyte"]
    root = write(tmp_path / "own", files)
    with pytest.raises(
        data.DataUnavailableError, match=r"lacks t10k-labels-idx1-ubyte \(or.*or leave root out"
    ) as error:
        data.load("mnist", "test", root=root)
    assert str(root) in str(error.value)
    assert "images" not in str(error.value)
    assert len(data.load("mnist", "train", root=root)) == 40
    with pytest.raises(data.DataUnavailableError, match="lacks train-images-idx3-ubyte and train-labels-idx1-ubyte"):
        data.load("fashion-mnist", "train", root=tmp_path)
    with pytest.raises(data.DataUnavailableError, match=r"lacks data_batch_1, .*batches.meta.*cifar-10-python.tar.gz"):
        data.load("cifar10", "train", root=tmp_path)


def cifar_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Two colour images a batch in torchvision's layout, with torchvision's table of MD5 sums set to match."""
    import pickle

    from torchvision.datasets import CIFAR10

    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)

    def write_one(name: str, contents: dict) -> list[str]:
        (folder / name).write_bytes(pickle.dumps(contents))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    table = [
        write_one(name, {"data": pixels[2 * i : 2 * i + 2].reshape(2, -1), "labels": [i, 9 - i]})
        for i, name in enumerate(names)
    ]
    monkeypatch.setattr(CIFAR10, "train_list", table[:5])
    monkeypatch.setattr(CIFAR10, "test_list", table[5:])
    meta = write_one("batches.meta", {"label_names": list("abcdefghij")})
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": meta[1]})
    return pixels


def test_cifar10_is_read_with_channels_first(tmp_path: Path, cache: Path, monkeypatch) -> None:
    pixels = cifar_files(tmp_path / "cifar-10-batches-py", monkeypatch)
    train, test = (data.load("cifar10", split, root=tmp_path) for split in ("train", "test"))
    assert train.shape == (3, 32, 32)
    assert torch.equal(train.x, torch.tensor(pixels[:10]) / 255)
    assert torch.equal(test.x, torch.tensor(pixels[10:]) / 255)
    assert train.y.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        data.CorruptDataError, match=r"cifar-10-batches-py are not the original ones.*Delete that folder"
    ):
        data.load("cifar10", "train", root=tmp_path)


# The network


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path):
    """A web server on this machine, and the folder that it serves."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()
        thread.join()


def point_torchvision_at(url: str, monkeypatch: pytest.MonkeyPatch, folder: Path | None = None) -> None:
    from torchvision import datasets

    for loader in (datasets.MNIST, datasets.FashionMNIST):
        monkeypatch.setattr(loader, "mirrors", [url])
        if folder is not None:
            sums = [(p.name, hashlib.md5(p.read_bytes()).hexdigest()) for p in sorted(folder.iterdir())]
            monkeypatch.setattr(loader, "resources", sums)
    monkeypatch.setattr(datasets.CIFAR10, "url", f"{url}cifar-10-python.tar.gz")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_download_goes_to_the_cache_once(name: str, files, mirror, cache: Path, monkeypatch) -> None:
    url, folder = mirror
    write(folder, files, gz=True)
    point_torchvision_at(url, monkeypatch, folder)
    first = data.load(name, "train")
    assert len(first) == 40
    point_torchvision_at(CLOSED_PORT, monkeypatch)
    assert torch.equal(data.load(name, "train").x, first.x)
    assert len(data.load(name, "test")) == 20
    # An interrupted download may leave a file half unpacked: torchvision itself would not notice.
    (path,) = cache.glob("*/raw/train-images-idx3-ubyte")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(data.CorruptDataError, match=r"it has 1,000\. Delete it and get it again"):
        data.load(name, "train")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10"])
def test_without_network_the_error_names_the_offline_choices(name: str, cache: Path, monkeypatch) -> None:
    point_torchvision_at(CLOSED_PORT, monkeypatch)
    with pytest.raises(data.DataUnavailableError, match=f"'{name}' is not in .*downloading it failed") as error:
        data.load(name, "train")
    message = str(error.value)
    assert str(cache) in message
    assert "refused" in message
    for choice in ("'mnist-small'", "'digits'", "'gaussian-mixture'", "'moons'", "'swiss-roll'", "root="):
        assert choice in message
    assert ("dataset-fashion-mnist" in message) == (name == "fashion-mnist")
    assert error.value.__cause__ is not None


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_server_that_never_answers_does_not_hang(name: str, cache: Path, monkeypatch) -> None:
    monkeypatch.setattr(images, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        point_torchvision_at(f"http://127.0.0.1:{server.getsockname()[1]}/", monkeypatch)
        begin = time.monotonic()
        with pytest.raises(data.DataUnavailableError, match="timed out"):
            data.load(name, "train")
        assert time.monotonic() - begin < 10
    assert socket.getdefaulttimeout() is None


def test_a_file_that_changed_on_the_server_is_refused(files, mirror, cache: Path, monkeypatch) -> None:
    url, folder = mirror
    write(folder, files, gz=True)
    point_torchvision_at(url, monkeypatch, folder)
    write(folder, mnist_like_files(n_train=50), gz=True)
    with pytest.raises(data.DataUnavailableError, match="File not found or corrupted"):
        data.load("mnist", "train")


def test_a_cache_that_cannot_be_written_is_no_network_problem(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LECTURE11_DATA", str(tmp_path / "file"))
    with pytest.raises(data.DataUnavailableError, match=r"cannot be kept in .*file: File exists\. Set LECTURE11_DATA"):
        data.load("mnist", "train")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch) -> None:
    monkeypatch.delenv("LECTURE11_DATA", raising=False)

    def homeless(self: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(data.DataUnavailableError, match=r"Could not determine home.* Set LECTURE11_DATA to a folder"):
        data.load("mnist", "train")


def test_the_cache_is_in_the_home_folder_by_default(monkeypatch) -> None:
    monkeypatch.delenv("LECTURE11_DATA", raising=False)
    assert images.cache_folder() == Path.home() / ".cache" / "lecture11"


# Bad arguments


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "message"),
    [
        (("mnist-smal", "train"), {}, data.UnknownDataError, "called 'mnist-smal'. Did you mean 'mnist-small'"),
        (("MNIST", "train"), {}, data.UnknownDataError, "Did you mean 'mnist'"),
        (("moon", "train"), {}, data.UnknownDataError, "Did you mean 'moons'"),
        (("imagenet64x64", "train"), {}, data.UnknownDataError, f"'imagenet64x64'. There are: {', '.join(data.NAMES)}"),
        (("digits", "valid"), {}, data.UnknownDataError, "'digits' has the splits 'train' and 'test', got 'valid'"),
        (("digits", "test"), {"n": 298}, ValueError, "'digits' (test) has 297 examples, n = 298 asks for more"),
        (("digits", "test"), {"n": 0}, ValueError, "n must be at least 1, got 0"),
        (("moons", "test"), {"n": -3}, ValueError, "n must be at least 1, got -3"),
        (("moons", "test"), {"n": 2.0}, TypeError, "n must be a whole number, got 2.0 of type float"),
        (("moons", "test"), {"n": True}, TypeError, "n must be a whole number, got True of type bool"),
        (("digits", "test"), {"value_range": "01"}, TypeError, "must be (low, high), two numbers, got '01'"),
        (("digits", "test"), {"value_range": (0, 1, 2)}, TypeError, "must be (low, high), two numbers, got (0, 1, 2)"),
        ((5, "test"), {}, data.UnknownDataError, "no data set is called 5"),
        (("digits", "test"), {"value_range": (1, 0)}, ValueError, "low < high in float32, got (1, 0)"),
        (("digits", "test"), {"value_range": (0, 1e-60)}, ValueError, "low < high in float32, got (0, 1e-60)"),
        (("digits", "test"), {"value_range": (0, float("inf"))}, ValueError, "both finite"),
        (("digits", "test"), {"value_range": (float("nan"), 1)}, ValueError, "use (0, 1), diffusion models (-1, 1)"),
        (
            ("moons", "test"),
            {"value_range": (-1, 1)},
            ValueError,
            "'moons' has no bounds, so no value_range, got (-1, 1)",
        ),
        (
            ("digits", "test"),
            {"root": "somewhere"},
            ValueError,
            "'digits' reads no files from a folder: leave out root",
        ),
        (("digits", "test"), {"generator": rng()}, ValueError, "'digits' is fixed, nothing in it is drawn: leave out"),
    ],
)
def test_bad_arguments_of_load(arguments, options, kind, message: str, monkeypatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the check that only the tests have
    with pytest.raises(kind, match=re.escape(message)):
        data.load(*arguments, **options)


@pytest.mark.parametrize("x", [torch.zeros(2, 3, dtype=torch.uint8), np.zeros((2, 3)), [0.0, 1.0]])
def test_examples_must_be_a_tensor_of_real_numbers(x, monkeypatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(TypeError, match="x must be a tensor of real numbers, got"):
        data.Dataset(x, None, "own", "train", (0.0, 1.0))


def test_bad_use_of_a_data_set() -> None:
    grey = data.load("digits", "test", n=10)
    for n in (0, 11):
        with pytest.raises(ValueError, match=rf"n .*at least 1; got 0|has 10 examples: n must lie in 1..10, got {n}"):
            grey.take(n)
    with pytest.raises(ValueError, match=r"low < high in float32, got \(2, 1\)"):
        grey.rescaled(2, 1)
    with pytest.raises(ValueError, match="'moons' has no bounds, so nothing to rescale"):
        data.load("moons", "test").rescaled(0, 1)
    with pytest.raises(ValueError, match=r"value_range \(-1, 1\): binarise first, rescale afterwards"):
        grey.rescaled(-1, 1).binarised(generator=rng())
    with pytest.raises(ValueError, match="value_range None: binarise first"):
        data.load("moons", "test").binarised(generator=rng())
    with pytest.raises(AttributeError):
        grey.name = "other"


@pytest.mark.parametrize(
    ("values", "value_range", "message"),
    [
        ([0.0, float("nan")], (0.0, 1.0), "reach from nan to nan"),
        ([0.0, float("nan")], None, "must be finite"),
        ([0.0, float("inf")], None, "reach from 0 to inf"),
        ([0.0, 255.0], (0.0, 1.0), r"lie in \[0, 1\], but they reach from 0 to 255: scale them first"),
        ([-1.0, 1.0], (0.0, 1.0), "reach from -1 to 1"),
        ([], None, "x is empty"),
    ],
)
def test_data_out_of_range_is_refused(values, value_range, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        data.Dataset(torch.tensor(values).reshape(-1, 1), None, "own", "train", value_range)


def test_labels_must_be_as_many_as_examples(monkeypatch) -> None:
    # In the tests the check of shapes comes first; users have only the package's own.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=r"y must have the shape \(n\), where n = 3 as in x; got \(2,\)"):
        data.Dataset(torch.zeros(3, 1), torch.tensor([0, 1]), "own", "train", None)


# The shipped file and its making


def test_changed_or_missing_shipped_file_is_noticed(tmp_path: Path, monkeypatch) -> None:
    whole = images.SMALL["mnist-small"][0].read_bytes()
    assert len(whole) < 2_000_000
    copy = tmp_path / "mnist-small.npz"
    monkeypatch.setitem(images.SMALL, "mnist-small", (copy, images.SMALL["mnist-small"][1]))
    with pytest.raises(data.DataUnavailableError, match="a part of this package, is missing: install"):
        data.load("mnist-small", "train")
    middle = len(whole) // 2
    for changed in (whole[:middle], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], b""):
        copy.write_bytes(changed)
        with pytest.raises(data.CorruptDataError, match=r"has the SHA-256 .*, expected .*python -m lecture11"):
            data.load("mnist-small", "train")
    copy.write_bytes(whole)
    assert len(data.load("mnist-small", "test")) == 2000


@given(labels=st.lists(st.integers(0, 9), max_size=100), per_class=st.integers(1, 5))
def test_selection_takes_turns_and_spreads(labels, per_class: int) -> None:
    labels = np.array(labels + list(range(10)) * per_class)
    rows = small.select(labels, per_class)
    assert labels[rows].tolist() == list(range(10)) * per_class
    assert len(set(rows.tolist())) == 10 * per_class
    for c in range(10):
        own = np.flatnonzero(labels == c)
        ranks = np.searchsorted(own, rows[labels[rows] == c])
        gaps = np.diff([*ranks, len(own)])
        assert ranks[0] == 0
        assert set(gaps.tolist()) <= {len(own) // per_class, -(-len(own) // per_class)}


def test_rebuild_is_the_same_from_plain_and_gzipped_files(files, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(small.PARTS, "mnist-small", ("mnist", {"train": 2, "test": 1}))
    contents = small.build("mnist-small", write(tmp_path / "plain", files))
    clock = time.localtime(0)
    monkeypatch.setattr(time, "localtime", lambda *_: clock)
    assert small.build("mnist-small", write(tmp_path / "gz", files, gz=True)) == contents

    output = tmp_path / "mnist-small.npz"
    assert small.main(["mnist-small", str(tmp_path / "gz"), "--output", str(output)]) == 1
    assert "differs from the shipped file" in capsys.readouterr().err
    assert output.read_bytes() == contents
    monkeypatch.setitem(images.SMALL, "mnist-small", (output, hashlib.sha256(contents).hexdigest()))
    assert small.main(["mnist-small", str(tmp_path / "plain"), "--output", str(output)]) == 0
    d = data.load("mnist-small", "train")
    assert d.y.tolist() == [*range(10), *range(10)]
    original = np.frombuffer(files["train-images-idx3-ubyte"][16:], np.uint8).reshape(-1, 1, 28, 28)
    # Four of each class in 40: the first and the third of each.
    assert torch.equal(d.x, torch.tensor(original[[*range(10), *range(20, 30)]]) / 255)


def test_rebuild_refuses_files_that_are_not_the_original(tmp_path: Path, monkeypatch, capsys) -> None:
    files = mnist_like_files()
    folder = write(tmp_path / "own", files)
    output = tmp_path / "mnist-small.npz"
    with pytest.raises(SystemExit, match="1"):
        small.main(["mnist-small", str(folder), "--output", str(output)])
    message = capsys.readouterr().err
    assert re.search(
        r"train-images-idx3-ubyte is not the original file of 'mnist': its MD5 .unpacked. is \w{32}, expected 6bbc9ace",
        message,
    )
    take_for_original(files, monkeypatch)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(data.DataUnavailableError, match="has no t10k-labels-idx1-ubyte or t10k-labels"):
        small.build("mnist-small", folder)
    assert not output.exists()


@pytest.mark.skipif(not images.DEBIAN_FASHION_MNIST.is_dir(), reason="Debian's dataset-fashion-mnist is not here")
def test_rebuild_of_fashion_from_the_original_files_is_the_shipped_file() -> None:
    assert small.build("fashion-small", images.DEBIAN_FASHION_MNIST) == images.SMALL["fashion-small"][0].read_bytes()


@pytest.mark.skipif(
    "LECTURE11_MNIST" not in os.environ, reason="set LECTURE11_MNIST to the folder with the four files of MNIST"
)
def test_rebuild_from_the_original_files_is_the_shipped_file(tmp_path: Path) -> None:
    output = tmp_path / "mnist-small.npz"
    command = [sys.executable, "-W", "error", "-m", "lecture11.data.small", "mnist-small"]
    subprocess.run([*command, os.environ["LECTURE11_MNIST"], "--output", str(output)], check=True)
    assert output.read_bytes() == images.SMALL["mnist-small"][0].read_bytes()
    assert data.load("mnist", "test", root=os.environ["LECTURE11_MNIST"]).x.shape == (10_000, 1, 28, 28)


# Imports


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_is_instant_and_imports_no_torch() -> None:
    loaded = modules_after("import lecture11")
    assert "lecture11" in loaded
    assert not loaded & {"torch", "numpy", "sklearn", "torchvision", "matplotlib"}
    code = "import time; t = time.perf_counter(); import lecture11; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(3)]
    assert min(map(float, runs)) < 0.1


def test_importing_data_leaves_torchvision_and_sklearn_for_those_who_need_them() -> None:
    loaded = modules_after("import lecture11.data")
    assert "lecture11.data" in loaded
    assert not loaded & {"torchvision", "sklearn", "lecture11.data.small"}
