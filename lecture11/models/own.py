"""Models of one's own: a kind, a data set, a preset and what one sets oneself, as a dictionary that a file can keep."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lecture11 import autoencoder, data, diffusion, training, vae
from lecture11.arguments import real, whole
from lecture11.models.recipes import SCHEDULE, Recipe, class_loss, shifted_cross_entropy, squared_error, start_at_mean
from lecture11.networks import MLP, ImageClassifier, UNet

Settings = dict[str, Any]
Images = data.Dataset | data.Folder


class SettingError(ValueError):
    """A setting that does not exist, or a value that it cannot have."""


@dataclass(frozen=True)
class Kind:
    """A kind of model that can be trained on any images.

    Attributes:
        network: the settings of its network and of its loss.
        build: ``build(shape, classes, **network)``, the untrained model.
        loss: ``loss(classes, **network)``, what the trainer minimises.
        value_range: of the pixels that it takes.
        labels: whether it is told the classes: ``"never"``, ``"if any"`` or ``"always"``.
        presets: what ``cpu`` (minutes), ``colab`` (a GPU, an hour or less) and ``paper`` (as published) change.
    """

    network: Mapping[str, Any]
    build: Callable[..., nn.Module]
    loss: Callable[..., Callable[..., Tensor]]
    value_range: tuple[float, float]
    labels: str
    presets: Mapping[str, Mapping[str, Any]]


def _autoencoder(shape: Sequence[int], classes: int, *, latents: int, hidden: Sequence[int]) -> nn.Module:
    return autoencoder.AutoEncoder(MLP(shape, hidden, (latents,)), MLP((latents,), hidden[::-1], shape))


def _vae(
    shape: Sequence[int], classes: int, *, latents: int, hidden: Sequence[int], likelihood: str, k: int
) -> nn.Module:
    encoder, decoder = MLP(shape, hidden, (2, latents)), MLP((latents,), hidden[::-1], shape)
    return vae.VAE(encoder, decoder, likelihood)  # type: ignore[arg-type]


def _diffusion(shape: Sequence[int], classes: int, *, widths: Sequence[int], blocks: int) -> nn.Module:
    network = UNet(shape[0], widths, blocks, classes=classes)
    return diffusion.VelocityModel(network, SCHEDULE).to(memory_format=torch.channels_last)


def _negative_bound(classes: int, *, likelihood: str, k: int, **_: Any) -> Callable[..., Tensor]:
    loss = partial(vae.negative_bound, redraw=likelihood == "bernoulli")
    return partial(loss, k=k) if k > 1 else loss


# The options of ``training.Trainer``, all of them. Zero stands for no average, and for the limit of the gradient's norm
# that the kind of model has.
TRAINING: Settings = {
    "batch_size": 128, "lr": 1e-3, "warmup": 100, "weight_decay": 0.0, "schedule": "cosine", "clip_norm": 0.0,
    "ema_decay": 0.0, "mixed_precision": "no", "accumulate": 1, "seed": 0,
}  # fmt: skip
# What every kind has: of the data (a folder's images are brought to ``side`` and ``channels``), and of the training.
COMMON: Settings = {
    "side": 32, "channels": 0, "epochs": 10, **TRAINING,
    # The share of the training images that the loss is only measured on, and how many epochs it may not fall (0: any).
    "validation": 0.05, "patience": 0,
}  # fmt: skip

KINDS: dict[str, Kind] = {
    "autoencoder": Kind(
        network={"latents": 16, "hidden": (512, 256)},
        build=_autoencoder,
        loss=lambda classes, **_: squared_error,
        value_range=(0.0, 1.0),
        labels="never",
        presets={"cpu": {}, "colab": {"epochs": 100}, "paper": {"epochs": 300, "hidden": (1000, 500, 250)}},
    ),
    "vae": Kind(
        # An empty likelihood: Bernoulli for grey images, a Gaussian with a learned scale for colour. With k > 1, the
        # importance-weighted bound of k draws.
        network={"latents": 20, "hidden": (400,), "likelihood": "", "k": 1},
        build=_vae,
        loss=_negative_bound,
        value_range=(0.0, 1.0),
        labels="never",
        presets={
            "cpu": {},
            "colab": {"epochs": 200, "latents": 50, "hidden": (200, 200)},
            # Burda et al. 2016, but for the steps in which their rate falls.
            "paper": {"epochs": 3280, "batch_size": 20, "latents": 50, "hidden": (200, 200)},
        },
    ),
    "diffusion": Kind(
        network={"widths": (32, 64), "blocks": 1},
        build=_diffusion,
        loss=lambda classes, **_: partial(class_loss, classes=classes),
        value_range=(-1.0, 1.0),
        labels="if any",
        presets={
            "cpu": {"epochs": 5, "lr": 2e-3, "ema_decay": 0.99},
            "colab": {"epochs": 30, "widths": (64, 128), "ema_decay": 0.999, "mixed_precision": "fp16"},
            # Batch, rate, average and steps of Ho et al. 2020 on CIFAR-10 (800,000 of 128 images).
            "paper": {"epochs": 2048, "widths": (128, 256, 256), "blocks": 2, "lr": 2e-4, "warmup": 5000,
                      "ema_decay": 0.9999, "mixed_precision": "bf16"},
        },
    ),
    "classifier": Kind(
        network={"width": 32},
        build=lambda shape, classes, *, width: ImageClassifier(shape, classes, width),
        loss=lambda classes, **_: shifted_cross_entropy,
        value_range=(-1.0, 1.0),
        labels="always",
        presets={"cpu": {"epochs": 3}, "colab": {"epochs": 12}, "paper": {"epochs": 40}},
    ),
}  # fmt: skip
PRESETS = ("cpu", "colab", "paper")
IMAGE_SETS = ("cifar10", "digits", "fashion-mnist", "fashion-small", "mnist", "mnist-small")


def settings(kind: str, dataset: str, preset: str, given: Sequence[str] = ()) -> Settings:
    """All settings of a run: the defaults, then the preset, then ``given``, texts such as ``"lr=1e-3"``.

    Raises:
        SettingError: no such kind, preset or setting, or a value of another type.
    """
    if kind not in KINDS:
        raise SettingError(f"no kind of model is called {kind!r}. There are: {', '.join(KINDS)}")
    if preset not in PRESETS:
        raise SettingError(f"no preset is called {preset!r}. There are: {', '.join(PRESETS)}")
    defaults = {**KINDS[kind].network, **COMMON, **KINDS[kind].presets[preset]}
    chosen = defaults | changes(defaults, given)
    for key, least in (("epochs", 1), ("patience", 0), *((key, 1) for key in KINDS[kind].network)):
        for value in chosen[key] if isinstance(chosen[key], tuple) else [chosen[key]]:
            if not isinstance(value, str):
                whole(key, value, least)
    real("validation", chosen["validation"], "[0, 1)")
    training.check_options(**_options(chosen))
    if chosen["patience"] and not chosen["validation"]:
        raise SettingError("patience is for the loss on validation images, and validation=0 keeps none")
    return {"kind": kind, "data": dataset, **chosen}


def changes(settings: Settings, given: Sequence[str]) -> Settings:
    """What texts such as ``"lr=1e-3"`` change in the settings.

    Raises:
        SettingError: no setting is called so, or a value of another type than it has.
    """
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise SettingError(f"--set {text}: give KEY=VALUE, such as {next(iter(settings))}={value or '...'}")
        if key not in settings:
            raise SettingError(f"--set {text}: no setting is called {key!r}. There are: {', '.join(sorted(settings))}")
        found[key] = _read(key, value, settings[key])
    return found


def _options(chosen: Settings) -> dict[str, Any]:
    """The arguments of ``training.Trainer``, where zero does not mean that there is none."""
    return {key: chosen[key] for key in TRAINING if chosen[key] or key not in ("ema_decay", "clip_norm")}


def with_changes(how: Recipe, given: Sequence[str]) -> tuple[Recipe, Settings]:
    """A recipe that is trained otherwise, and what ``given`` changes in it: of its epochs and of ``TRAINING``.

    Raises:
        SettingError, TypeError, ValueError: as ``settings``.
    """
    # What a recipe leaves to the trainer is as the trainer has it.
    plain: Settings = {"epochs": how.epochs, **TRAINING, "warmup": 0, "clip_norm": 1.0, **how.options}
    changed = changes(plain, given)
    options = dict(how.options) | {key: value for key, value in changed.items() if key in TRAINING and key != "seed"}
    if not options.get("ema_decay", 1):
        del options["ema_decay"]
    whole("epochs", changed.get("epochs", 1), 1)
    training.check_options(**options, seed=changed.get("seed", 0))
    return replace(how, epochs=changed.get("epochs", how.epochs), options=options), changed


def _read(key: str, text: str, like: Any) -> Any:
    """The value that ``text`` stands for, of the type of ``like``."""
    try:
        if isinstance(like, tuple):
            return tuple(int(part) for part in text.split(",") if part)
        return type(like)(text)
    except ValueError as error:
        wanted = {int: "a whole number", float: "a number", tuple: "whole numbers with commas between them"}[type(like)]
        raise SettingError(f"--set {key}={text}: {key} is {wanted}, such as {_written(like)}") from error


def _written(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def read(chosen: Settings, split: str, root: str | os.PathLike | None = None) -> Images:
    """The images of a run: a data set by its name, or files as MNIST's or CIFAR's, whole; a folder of images, streamed.

    Raises:
        SettingError: data that are no images, a folder without classes for a model that is told them.
        And what ``data.load`` and ``data.Folder`` raise.
    """
    kind, name = KINDS[chosen["kind"]], chosen["data"]
    if name in IMAGE_SETS:
        return data.load(name, split, root=root, value_range=kind.value_range)
    if name in data.NAMES:
        raise SettingError(f"{name!r} are points, not images: the command takes {', '.join(IMAGE_SETS)}, or a folder")
    if root is not None:
        raise SettingError(f"--root is for a data set with a name: --data {name} is a folder itself")
    files = data.from_files(name, split, value_range=kind.value_range)
    if files is not None:
        if kind.labels == "always" and files.y is None:
            raise SettingError(f"a {chosen['kind']} needs classes, and {name} has no file of labels")
        return files
    how = {"side": chosen["side"], "channels": chosen["channels"] or None, "value_range": kind.value_range}
    images = data.Folder(name, split, **how)
    images.labels = kind.labels == "always" or (kind.labels == "if any" and bool(images.classes))
    if images.labels and not images.classes:
        raise SettingError(f"a {chosen['kind']} needs classes: put the images of each into a sub-folder of {name}")
    return images


def held_out(chosen: Settings, images: Images) -> tuple[Images, Images | None]:
    """Images to train on, and those that are held out to measure the loss on; None if they are none.

    They are drawn, always the same ones, and a thousand at most: enough for a mean.
    """
    n = min(1000, int(len(images) * chosen["validation"]))
    if n == 0:
        return images, None
    rows = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return images.part(rows[n:].sort().values), images.part(rows[:n].sort().values)


def completed(chosen: Settings, images: Images) -> Settings:
    """The settings with what the data decide: the shape, the classes, the likelihood, the limit of the gradient.

    Raises:
        SettingError: images that the model does not take, or a size asked for of images that have theirs.
    """
    kind = KINDS[chosen["kind"]]
    if isinstance(images, data.Folder):
        classes = len(images.classes)
    else:
        for key in ("side", "channels"):
            if chosen[key] != COMMON[key]:
                raise SettingError(
                    f"--set {key}={chosen[key]} is for a folder's images; those of {chosen['data']} stay as they are, "
                    f"{images.shape[1]} x {images.shape[2]}"
                )
        classes = 0 if images.y is None else int(images.y.max()) + 1
    if chosen["kind"] == "diffusion" and any(size % 2 for size in images.shape[1:]):
        raise SettingError(
            f"a diffusion model takes images of even height and width, and those of {chosen['data']} are of "
            f"{images.shape[1]} x {images.shape[2]}: a folder's images have --set side=..."
        )
    more = {"shape": tuple(images.shape), "classes": 0 if kind.labels == "never" else classes}
    if chosen.get("likelihood") == "":
        more["likelihood"] = "bernoulli" if images.shape[0] == 1 else "sigma-gaussian"
    if not chosen["clip_norm"]:
        # Losses are sums over pixels, and so are their gradients; that of a classifier is not.
        more["clip_norm"] = 1.0 if chosen["kind"] == "classifier" else float(math.prod(images.shape))
    return {**chosen, **more}


def build(chosen: Settings) -> nn.Module:
    """The untrained model of completed settings, which may come from a file: lists stand for tuples there."""
    kind = KINDS[chosen["kind"]]
    own = {key: chosen.get(key, default) for key, default in kind.network.items()}  # a file may be older than a setting
    own = {key: tuple(value) if isinstance(value, list) else value for key, value in own.items()}
    return kind.build(tuple(chosen["shape"]), chosen["classes"], **own)


def recipe(chosen: Settings) -> Recipe:
    """The recipe of completed settings."""
    kind = KINDS[chosen["kind"]]
    own = {key: chosen[key] for key in kind.network}
    options = {key: value for key, value in _options(chosen).items() if key != "seed"}
    return Recipe(
        build=partial(build, chosen),
        loss=kind.loss(chosen["classes"], **own),
        dataset=chosen["data"],
        epochs=chosen["epochs"],
        options=options,
        value_range=kind.value_range,
        labels=chosen["classes"] > 0,
        prepare=start_at_mean if chosen.get("likelihood") == "bernoulli" else None,
    )


def of_recipe(name: str, how: Recipe) -> Settings:
    """What is known of a model that the package ships, in the form of settings: enough to sample and to judge it."""
    shape = {"digits": (1, 8, 8), "gaussian-mixture": (2,)}.get(how.dataset, (1, 28, 28))
    return {"kind": name.partition("-")[0], "data": how.dataset, "shape": shape, "classes": 10 if how.labels else 0}


def file_name(chosen: Settings) -> Path:
    """Where the weights go if nothing else is said."""
    return Path(f"{chosen['kind']}-{Path(chosen['data']).resolve().name}.safetensors")
