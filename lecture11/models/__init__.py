"""Trained models that come with the course, and the recipes that made them.

| name | what | trained on | made by |
|---|---|---|---|
| ``vae-mnist`` | VAE, 50 latents, binary images | MNIST, redrawn each time | ``lecture11 train vae-mnist`` |
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from lecture11 import data, training, vae
from lecture11.networks import MLP


class UnknownModelError(ValueError):
    """No model has this name."""


@dataclass(frozen=True)
class Recipe:
    """All that makes a model, but for the hours.

    Attributes:
        build: the untrained model.
        loss: what the trainer minimises, one number per example.
        dataset: name of the data, of which the training split is used, with values in [0, 1].
        epochs, batch_size, lr: of the full run; the rate falls to zero along a cosine.
    """

    build: Callable[[], nn.Module]
    loss: Callable[..., Tensor]
    dataset: str
    epochs: int
    batch_size: int
    lr: float


def burda_vae() -> vae.VAE:
    """The network of Burda et al. 2016, section 5: 50 latents, two layers of 200 tanh units on either side."""
    shape, hidden = (1, 28, 28), (200, 200)
    return vae.VAE(MLP(shape, hidden, (2, 50), nn.Tanh), MLP((50,), hidden, shape, nn.Tanh), "bernoulli")


RECIPES = {
    "vae-mnist": Recipe(
        build=burda_vae,
        loss=partial(vae.negative_bound, redraw=True),
        dataset="mnist",
        epochs=320,
        batch_size=50,
        lr=1e-3,
    )
}


def recipe(name: str) -> Recipe:
    """Raises UnknownModelError if there is none of this name."""
    if name not in RECIPES:
        raise UnknownModelError(f"no model is called {name!r}. There are: {', '.join(RECIPES)}")
    return RECIPES[name]


def load(name: str, *, device: torch.device | str | None = None) -> nn.Module:
    """The trained model, ready for use: in float32, its weights fixed, on ``device`` (the CPU by default).

    Raises:
        UnknownModelError: no such model.
    """
    model = recipe(name).build()
    training.load_weights(model, Path(__file__).with_name(f"{name}.safetensors"))
    return model.to(device).requires_grad_(False).eval()


def train(
    name: str,
    *,
    root: str | os.PathLike | None = None,
    epochs: int | None = None,
    checkpoint: str | os.PathLike | None = None,
    seed: int = 0,
) -> Iterator[training.State]:
    """Trains the model by its recipe; yields the state after each step. A run that was cut off goes on.

    Args:
        root: folder of the data's original files; without it they are downloaded (see ``data.load``).
        epochs: fewer than the recipe's, for a try.
        checkpoint: file that the run is resumed from if it exists, and saved to after each epoch.

    Raises:
        UnknownModelError: no such model. And what ``data.load`` and ``training.Trainer`` raise.
    """
    how = recipe(name)
    x = data.load(how.dataset, "train", root=root).x
    torch.manual_seed(seed)
    trainer = training.Trainer(how.build(), how.loss, x, batch_size=how.batch_size, lr=how.lr, seed=seed)
    if checkpoint is not None and Path(checkpoint).exists():
        trainer.resume(checkpoint)
    steps_per_epoch = len(x) // how.batch_size
    yield from trainer.run(
        steps=(epochs or how.epochs) * steps_per_epoch, progress=name,
        checkpoint=checkpoint, checkpoint_every=steps_per_epoch,
    )  # fmt: skip
