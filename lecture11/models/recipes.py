"""The recipes of the models that come with the course: all that makes one, but for the hours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lecture11 import autoencoder, diffusion, vae
from lecture11.networks import MLP, ImageClassifier, TimeMLP, UNet


class UnknownModelError(ValueError):
    """No model has this name."""


@dataclass(frozen=True)
class Recipe:
    """How a model is made.

    Attributes:
        build: the untrained model.
        loss: what the trainer minimises, one number per example.
        dataset: name of the data, of which the training split is used.
        epochs: of the full run; the learning rate falls to zero along a cosine.
        options: of ``training.Trainer``. With ``ema_decay``, the moving average is the model.
        value_range: of the pixels.
        labels: whether the loss takes them too, after the images.
        prepare: called with the untrained model and the training images before the first step.
    """

    build: Callable[[], nn.Module]
    loss: Callable[..., Tensor]
    dataset: str
    epochs: int
    options: Mapping[str, Any]
    value_range: tuple[float, float] = (0.0, 1.0)
    labels: bool = False
    prepare: Callable[..., None] | None = None


def burda_vae() -> vae.VAE:
    """The network of Burda et al. 2016, section 5: 50 latents, two layers of 200 tanh units on either side."""
    shape, hidden = (1, 28, 28), (200, 200)
    return vae.VAE(MLP(shape, hidden, (2, 50), nn.Tanh), MLP((50,), hidden, shape, nn.Tanh), "bernoulli")


def squared_error(model: nn.Module, x: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """The reconstruction error (F2), for the trainer: nothing in it is drawn."""
    return autoencoder.reconstruction_error(model, x)


def plane_mlps(outputs: tuple[int, ...]) -> tuple[MLP, MLP]:
    """Encoder and decoder of the models with two latents: so small that a page computes them while a finger moves."""
    shape, hidden = (1, 28, 28), (100, 50)
    return MLP(shape, hidden, outputs), MLP((2,), hidden[::-1], shape)


def plane_vae() -> vae.VAE:
    """The VAE of ``vae-mnist-2d``."""
    return vae.VAE(*plane_mlps((2, 2)), "bernoulli")


def plane_autoencoder() -> autoencoder.AutoEncoder:
    """The auto-encoder of ``autoencoder-mnist-2d``: the networks of ``plane_vae``, but for the sigmas."""
    return autoencoder.AutoEncoder(*plane_mlps((2,)))


@torch.no_grad()
def start_at_mean(model: vae.VAE, x: Tensor) -> None:
    """Sets the bias of a Bernoulli decoder's last layer so that it starts near the mean of the images ``x``.

    Left to learn that mean first, from codes that are noise to it, the decoder learns to pass over most of them, and
    they stay unused. The program of Burda et al. 2016 starts so too (github.com/yburda/iwae).

    Args:
        x: ``(n, 1, height, width)``, values in [0, 1].
    """
    *_, last = (layer for layer in model.decoder.modules() if isinstance(layer, nn.Linear))
    last.bias.copy_(x.mean(0).flatten().logit(eps=1e-3))  # a pixel that is never white must not start at -inf


# The diffusion models that the package ships walk on this schedule. It spends more of its steps than the linear one
# where a digit takes shape; the last betas are cut, so that Algorithm 2 works as it is printed, with nothing clipped.
SCHEDULE = diffusion.NoiseSchedule.cosine(1000, max_beta=0.05)
# That of the ring: as many steps as a page takes while one waits, and as little left at the end as above.
RING_SCHEDULE = diffusion.NoiseSchedule.linear(200, 5e-4, 0.1)


def scheduled_loss(
    model: nn.Module,
    x_0: Tensor,
    *,
    s: diffusion.NoiseSchedule = SCHEDULE,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The loss of Algorithm 1 on the schedule of a model that the package ships (F21)."""
    return diffusion.simple_loss(model, s, x_0, generator=generator)


def digit_unet() -> diffusion.VelocityModel:
    """The U-Net of ``diffusion-mnist`` and ``-fashion``: for ``v``, asked for one of ten classes or for any.

    Its weights are channels last.
    """
    return diffusion.VelocityModel(UNet(1, (32, 128), classes=10), SCHEDULE).to(memory_format=torch.channels_last)


def class_loss(
    model: nn.Module,
    x_0: Tensor,
    y: Tensor | None = None,
    *,
    classes: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """``||v - v_theta(x_t, t, y)||^2`` on ``SCHEDULE``: Algorithm 1 divided by ``alpha_bar_t``, one for each example.

    One label in ten is dropped, so that the model learns that of all images too (Ho and Salimans 2022, Alg. 1). Three
    steps in ten are drawn with a uniform logarithm. Else 2 % of all steps are for the first twenty, which have most of
    the bits of the bound, and there the network must magnify what it sees.

    Args:
        model: a ``VelocityModel`` of a network with ``classes``; that number itself asks for any.
        y: the classes; None for a model that knows none.
    """
    draw = partial(torch.rand, x_0.shape[:1], generator=generator, device=x_0.device)
    t = torch.randint(1, SCHEDULE.T + 1, x_0.shape[:1], generator=generator, device=x_0.device)
    t = torch.where(draw() < 0.3, (SCHEDULE.T ** draw()).long(), t)
    asked: Callable[..., Tensor] = model
    if y is not None:
        asked = partial(model, y=y.masked_fill(draw() < 0.1, classes))
    loss = diffusion.simple_loss(asked, SCHEDULE, x_0, t=t, generator=generator)
    return loss / SCHEDULE.alpha_bar(t).to(loss)


def shifted_cross_entropy(
    model: nn.Module, x: Tensor, label: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """``-log p(label | x)`` of images moved by up to two pixels in a random direction: nats, one for each example."""
    moves = torch.randint(-2, 3, (len(x), 2), generator=generator, device=x.device)
    rows, columns = (
        (torch.arange(size, device=x.device) - move[:, None]).clamp(0, size - 1)  # the outermost row comes again
        for size, move in zip(x.shape[2:], moves.unbind(1), strict=True)
    )
    moved = x[torch.arange(len(x), device=x.device)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return nn.functional.cross_entropy(model(moved.movedim(3, 1)), label, reduction="none")


# A U-Net that is asked for one of ten classes, on images of 28x28 pixels.
by_class = partial(
    Recipe,
    build=digit_unet,
    loss=partial(class_loss, classes=10),
    # The loss is a sum over 784 pixels, and so is its gradient: the usual limit of 1 is 784 here.
    options={"batch_size": 128, "lr": 1e-3, "warmup": 50, "clip_norm": 784.0, "ema_decay": 0.999},
    value_range=(-1.0, 1.0),
    labels=True,
)
# A classifier of the same images, by which samples are judged.
classifier = partial(
    Recipe,
    build=partial(ImageClassifier, (1, 28, 28), 10),
    loss=shifted_cross_entropy,
    options={"batch_size": 128, "lr": 2e-3, "weight_decay": 1e-2, "mixed_precision": "bf16"},
    value_range=(-1.0, 1.0),
    labels=True,
)

RECIPES = {
    "vae-mnist": Recipe(
        build=burda_vae,
        loss=partial(vae.negative_bound, redraw=True),
        dataset="mnist",
        epochs=1600,
        # The bound is a sum over 784 pixels, and so is its gradient: the usual limit of 1 would cut every step.
        options={"batch_size": 100, "lr": 3e-3, "clip_norm": 784.0},
        prepare=start_at_mean,
    ),
    # The pair of the latent map.
    "vae-mnist-2d": Recipe(
        build=plane_vae,
        loss=partial(vae.negative_bound, redraw=True),
        dataset="mnist",
        epochs=60,
        options={"batch_size": 100, "lr": 2e-3, "clip_norm": 784.0},
        prepare=start_at_mean,
    ),
    "autoencoder-mnist-2d": Recipe(
        build=plane_autoencoder,
        loss=squared_error,
        dataset="mnist",
        epochs=60,
        options={"batch_size": 100, "lr": 2e-3, "clip_norm": 784.0},
    ),
    # In bfloat16 (--set mixed_precision=bf16) 101 minutes of one core, and 79.
    "diffusion-mnist": by_class(dataset="mnist", epochs=24),
    "diffusion-fashion": by_class(dataset="fashion-mnist", epochs=18),
    "diffusion-digits": Recipe(
        build=partial(UNet, 1, (32, 64)),
        loss=scheduled_loss,
        dataset="digits",
        epochs=200,  # after 500 it knew the training images better, and those of the test worse
        options={"batch_size": 125, "lr": 2e-3, "warmup": 200, "clip_norm": 64.0, "ema_decay": 0.999},
        value_range=(-1.0, 1.0),
    ),
    "diffusion-ring": Recipe(
        build=partial(TimeMLP, 2, (64, 64)),
        loss=partial(scheduled_loss, s=RING_SCHEDULE),
        dataset="gaussian-mixture",
        epochs=1000,
        options={"batch_size": 500, "lr": 2e-3, "warmup": 100, "ema_decay": 0.999},
    ),
    # The shipped weights were made when what an image lost on one side came in again on the other; now its outermost
    # row is repeated. The two differ where a stroke is moved out of the image: in 3 % of the moved images of MNIST.
    "classifier-mnist": classifier(dataset="mnist", epochs=12),
    "classifier-fashion": classifier(dataset="fashion-mnist", epochs=5),
}  # fmt: skip


def recipe(name: str) -> Recipe:
    """Raises UnknownModelError if there is none of this name."""
    if name not in RECIPES:
        raise UnknownModelError(f"no model is called {name!r}. There are: {', '.join(RECIPES)}")
    return RECIPES[name]
