"""Trained models that come with the course, and the recipes that made them.

| name | what | trained on | made by |
|---|---|---|---|
| ``vae-mnist`` | VAE, 50 latents, binary images | MNIST, redrawn each time | ``lecture11 train vae-mnist`` |
| ``diffusion-mnist`` | U-Net, noise of 28x28 images | MNIST | ``lecture11 train diffusion-mnist`` |
| ``diffusion-digits`` | U-Net, noise of 8x8 images | digits | ``lecture11 train diffusion-digits`` |
| ``classifier-mnist`` | classifier of 28x28 images | MNIST, moved | ``lecture11 train classifier-mnist`` |

The diffusion models predict the noise on ``SCHEDULE``. Those and the classifier take images in [-1, 1].
"""

import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from lecture11 import checkpoints, data, processes, training
from lecture11.arguments import whole
from lecture11.models.recipes import (
    RECIPES,
    SCHEDULE,
    Recipe,
    UnknownModelError,
    burda_vae,
    recipe,
    scheduled_loss,
    shifted_cross_entropy,
    start_at_mean,
)

__all__ = [
    "RECIPES",
    "SCHEDULE",
    "Recipe",
    "UnknownModelError",
    "burda_vae",
    "load",
    "recipe",
    "scheduled_loss",
    "shifted_cross_entropy",
    "start_at_mean",
    "train",
]


def load(name: str | os.PathLike, *, device: torch.device | str | None = None) -> nn.Module:
    """A trained model, ready for use: in float32, its weights fixed, on ``device`` (the CPU by default).

    Args:
        name: of a model that ships, or the file that ``lecture11 train`` wrote.

    Raises:
        UnknownModelError: no such model, and no such file.
        CheckpointError: the file is damaged, or does not say by which recipe its model is made.
    """
    if name in RECIPES:
        path, how = Path(__file__).with_name(f"{name}.safetensors"), RECIPES[str(name)]
    elif not Path(name).is_file():
        raise UnknownModelError(f"no model and no file is called {os.fspath(name)!r}. There are: {', '.join(RECIPES)}")
    else:
        path = Path(name)
        made_by = checkpoints.read(path).description.get("recipe")
        if made_by not in RECIPES:
            raise checkpoints.CheckpointError(
                f"{path} does not name a recipe of this package (it says {made_by!r}): build its model, and give it "
                f"the weights with training.load_weights(model, path)"
            )
        how = RECIPES[made_by]
    model = how.build()
    training.load_weights(model, path)
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

    A run that is finished yields its last state once more.

    Args:
        root: folder of the data's original files; without it they are downloaded (see ``data.load``).
        epochs: fewer than the recipe's, for a try.
        checkpoint: file that the run is resumed from if it exists, and saved to after each epoch.

    Raises:
        UnknownModelError: no such model. And what ``data.load`` and ``training.Trainer`` raise.
    """
    how = recipe(name)
    epochs = how.epochs if epochs is None else whole("epochs", epochs)
    training.check_split(how.options["batch_size"], how.options.get("accumulate", 1))
    train = processes.in_turn(lambda: data.load(how.dataset, "train", root=root, value_range=how.value_range))
    examples = (train.x,) if train.y is None or not how.labels else (train.x, train.y)
    torch.manual_seed(seed)
    model = how.build()
    if how.prepare is not None:
        how.prepare(model, train.x)
    trainer = training.Trainer(model, how.loss, examples, seed=seed, **how.options)
    if checkpoint is not None:
        trainer.resume(checkpoint, missing_ok=True)
    steps_per_epoch = len(train.x) // how.options["batch_size"]
    steps = epochs * steps_per_epoch
    run = trainer.run(steps=steps, progress=name, checkpoint=checkpoint, checkpoint_every=steps_per_epoch)
    yield from [trainer.state] if trainer.step == steps else run
