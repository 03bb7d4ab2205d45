"""Trained models that come with the course, and the recipes that made them.

========================  ==============================  ========================
name                      what                            trained on
========================  ==============================  ========================
``vae-mnist``             VAE, 50 latents, binary images  MNIST, redrawn each time
``vae-mnist-2d``          VAE, 2 latents, binary images   MNIST, redrawn each time
``autoencoder-mnist-2d``  auto-encoder, 2 latents         MNIST
``diffusion-mnist``       U-Net, 28x28 images, by class   MNIST
``diffusion-fashion``     U-Net, 28x28 images, by class   Fashion-MNIST
``diffusion-digits``      U-Net, noise of 8x8 images      digits
``diffusion-ring``        MLP, noise of points            a ring of eight Gaussians
``classifier-mnist``      classifier of 28x28 images      MNIST, moved
``classifier-fashion``    classifier of 28x28 images      Fashion-MNIST, moved
========================  ==============================  ========================

``lecture11 train NAME`` makes each again. That of the ring predicts the noise on ``RING_SCHEDULE``, of 200 steps, the
others on ``SCHEDULE``, ``eps = model(x_t, t)``; those of MNIST and Fashion-MNIST can be asked for a class,
``model(x_t, t, y)``, and guided (``diffusion.Guided``). Those of images and the classifiers take images in [-1, 1].
"""

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from lecture11 import checkpoints, data, processes, training
from lecture11.arguments import whole
from lecture11.models import own
from lecture11.models.recipes import (
    RECIPES,
    RING_SCHEDULE,
    SCHEDULE,
    Recipe,
    UnknownModelError,
    burda_vae,
    class_loss,
    digit_unet,
    recipe,
    scheduled_loss,
    shifted_cross_entropy,
    start_at_mean,
)

__all__ = [
    "RECIPES",
    "RING_SCHEDULE",
    "SCHEDULE",
    "Recipe",
    "UnknownModelError",
    "about",
    "burda_vae",
    "class_loss",
    "digit_unet",
    "fit",
    "load",
    "own",
    "recipe",
    "scheduled_loss",
    "shifted_cross_entropy",
    "start_at_mean",
    "train",
]


def about(name: str | os.PathLike) -> own.Settings:
    """How a model was made, in the form of settings: of one that ships, or of the file that ``lecture11 train`` wrote.

    Raises:
        UnknownModelError: no such model, and no such file.
        CheckpointError: the file is damaged, or does not say how its model is made.
    """
    if name in RECIPES:
        return own.of_recipe(str(name), RECIPES[str(name)])
    description = _description(name)
    if "settings" in description:
        return description["settings"]
    return own.of_recipe(description["recipe"], RECIPES[description["recipe"]])


def load(name: str | os.PathLike, *, device: torch.device | str | None = None) -> nn.Module:
    """A trained model, ready for use: in float32, its weights fixed, on ``device`` (the CPU by default).

    Args:
        name: of a model that ships, or the file that ``lecture11 train`` wrote.

    Raises:
        UnknownModelError: no such model, and no such file.
        CheckpointError: the file is damaged, or does not say how its model is made.
    """
    if name in RECIPES:
        path, model = Path(__file__).with_name(f"{name}.safetensors"), RECIPES[str(name)].build()
    else:
        path, description = Path(name), _description(name)
        settings = description.get("settings")
        model = RECIPES[description["recipe"]].build() if settings is None else own.build(settings)
    training.load_weights(model, path)
    return model.to(device).requires_grad_(False).eval()


def _description(name: str | os.PathLike) -> dict:
    """What a file says of how its model is made: by a recipe, or by settings."""
    if not Path(name).is_file():
        raise UnknownModelError(f"no model and no file is called {os.fspath(name)!r}. There are: {', '.join(RECIPES)}")
    description = checkpoints.read(name).description
    if description.get("recipe") not in RECIPES and description.get("settings", {}).get("kind") not in own.KINDS:
        raise checkpoints.CheckpointError(
            f"{name} does not name a recipe of this package (it says {description.get('recipe')!r}): build its model, "
            f"and give it the weights with training.load_weights(model, path)"
        )
    return description


def train(
    name: str,
    *,
    root: str | os.PathLike | None = None,
    epochs: int | None = None,
    checkpoint: str | os.PathLike | None = None,
    seed: int = 0,
) -> Iterator[training.State]:
    """Trains the model by its recipe; yields the state after each step. A run that was cut off goes on.

    A run that is finished yields its last state once more.

    Args:
        root: folder of the data's original files; without it they are downloaded (see ``data.load``).
        epochs: fewer than the recipe's, for a try.
        checkpoint: file that the run is resumed from if it exists, and saved to after each epoch.

    Raises:
        UnknownModelError: no such model. And what ``data.load`` and ``training.Trainer`` raise.
    """
    how = recipe(name)
    if epochs is not None:
        how = dataclasses.replace(how, epochs=whole("epochs", epochs))
    training.check_split(how.options["batch_size"], how.options.get("accumulate", 1))
    images = processes.in_turn(lambda: data.load(how.dataset, "train", root=root, value_range=how.value_range))
    yield from fit(how, images, checkpoint=checkpoint, seed=seed, progress=name)


def fit(
    how: Recipe,
    images: own.Images,
    *,
    checkpoint: str | os.PathLike | None = None,
    seed: int = 0,
    progress: str | None = None,
    is_over: Callable[[], bool] | None = None,
) -> Iterator[training.State]:
    """Trains what a recipe builds on images that are there; otherwise as ``train``.

    Args:
        is_over: asked after each epoch, and of a run that goes on before its first step, in all processes: whether the
            run ends there.
    """
    examples: tuple[Tensor, ...] | data.Folder
    if isinstance(images, data.Folder):
        examples = images
    else:
        examples = (images.x,) if images.y is None or not how.labels else (images.x, images.y)
    torch.manual_seed(seed)
    model = how.build()
    if how.prepare is not None:
        how.prepare(model, images.first(1000)[0] if isinstance(images, data.Folder) else images.x)
    trainer = training.Trainer(model, how.loss, examples, seed=seed, **how.options)
    if checkpoint is not None:
        trainer.resume(checkpoint, missing_ok=True)
    steps_per_epoch = len(images) // how.options["batch_size"]
    steps = how.epochs * steps_per_epoch
    run = trainer.run(steps=steps, progress=progress, checkpoint=checkpoint, checkpoint_every=steps_per_epoch)
    if trainer.step == steps or (trainer.step > 0 and is_over is not None and is_over()):
        yield trainer.state
        return
    for state in run:
        yield state
        if is_over is not None and state.step % steps_per_epoch == 0 and is_over():
            return
