"""``lecture11 evaluate``: how good a model is on the test images, in the package's own measures."""

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

from lecture11.commands.common import count, described, in_a_line, with_root

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lecture11.models import own

TEXT = """\
Measures a model on test images, and prints one number a line, with its standard error; --json for programs.

  lecture11 evaluate vae-mnist --data mnist-small
  lecture11 evaluate diffusion-mnist --data mnist-small --images 500
  lecture11 evaluate runs/clothes.safetensors --judge runs/classifier.safetensors

auto-encoder  squared error of an image, beside that of PCA with as many numbers
VAE           -ELBO and its two parts, -log p (importance-weighted, 100 draws), in nats and bits/dim
diffusion     the bound in bits/dim; of samples: Frechet distance in units of random halves, share of confident answers
classifier    accuracy

As many samples as test images are compared with twice as many, where there are so many: few give a rough number.
Samples are judged by a classifier of the same images: the package's own for MNIST and Fashion-MNIST,
else --judge, else not at all.
"""
BATCH = 100
JUDGES = {
    "mnist": "classifier-mnist", "mnist-small": "classifier-mnist",
    "fashion-mnist": "classifier-fashion", "fashion-small": "classifier-fashion",
}  # fmt: skip


def add(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="measure a model on test images")
    described(evaluate, TEXT)
    evaluate.add_argument("model", help="a model that ships, or the file that lecture11 train wrote")
    evaluate.add_argument("--data", help="other data than the model was trained on: a data set's name, or a folder")
    with_root(evaluate)
    evaluate.add_argument("--images", type=count, default=1000, help="at most so many (default: %(default)s)")
    evaluate.add_argument("--judge", help="classifier of the samples: a model that ships, or a file")
    evaluate.add_argument("--steps", type=count, default=25, help="of the samples (default: %(default)s)")
    evaluate.add_argument("--seed", type=int, default=0)
    evaluate.add_argument("--json", action="store_true", help="one line of JSON instead of text")
    evaluate.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    def work() -> None:
        import torch

        from lecture11 import data, models, training
        from lecture11.models import own

        device = training.default_device()
        settings, model = models.about(options.model), models.load(options.model, device=device)
        settings = own.COMMON | settings | ({"data": options.data} if options.data else {})
        images = own.read(settings, "test", options.root)
        if tuple(images.shape) != tuple(settings["shape"]):
            raise ValueError(
                f"{options.model} takes images of {tuple(settings['shape'])}, {settings['data']} has {images.shape}"
            )
        twice = 2 * options.images  # samples are compared with both halves of these
        if isinstance(images, data.Folder):
            real, y = images.first(twice)
        else:
            real, y = images.x[:twice], torch.zeros(len(images)) if images.y is None else images.y
        real, rng = real.to(device), torch.Generator(device).manual_seed(options.seed)
        x, y = real[: options.images], y[: min(options.images, len(real))].to(device)
        if settings["kind"] == "autoencoder":
            found = autoencoder(model, x, own.read(settings, "train", options.root))
        elif settings["kind"] == "vae":
            found = vae(model, x, rng)
        elif settings["kind"] == "diffusion":
            judge = judge_of(options.judge, settings, device)
            found = diffusion(model, x, real, settings, rng, judge, options.steps)
        else:
            found = {"accuracy": (torch.cat([model(part).argmax(1) for part in x.split(BATCH)]) == y).double()}
        report(found, options.json, f"{options.model} on {len(x):,} test images of {settings['data']}")

    return in_a_line("evaluate", work)


def report(found: "dict[str, Tensor | float]", as_json: bool, title: str) -> None:
    """Prints means with their standard errors, and plain numbers as they are."""
    from torch import Tensor

    from lecture11 import evaluation

    if as_json:
        means = {name: value.double().mean().item() if isinstance(value, Tensor) else value
                 for name, value in found.items()}  # fmt: skip
        print(json.dumps(means))
        return
    print(title)
    for name, value in found.items():
        text = str(evaluation.estimate(value)) if isinstance(value, Tensor) else f"{value:.4g}"
        print(f"{name}: {text.lstrip('≈~')}")  # as a console without the one has it


def judge_of(name: str | None, settings: "own.Settings", device: "torch.device") -> "nn.Module | None":
    """The classifier of samples: as asked for, or the package's own for MNIST and Fashion-MNIST.

    Raises:
        ValueError: no classifier, or of images of another shape.
    """
    from lecture11 import models

    name = name or JUDGES.get(settings["data"])
    if name is None:
        return None
    about = models.about(name)
    if about["kind"] != "classifier" or tuple(about["shape"]) != tuple(settings["shape"]):
        raise ValueError(
            f"--judge {name} is a model of the kind {about['kind']} for images of {tuple(about['shape'])}: a "
            f"classifier for {tuple(settings['shape'])} is needed"
        )
    return models.load(name, device=device)


def autoencoder(model: "nn.Module", x: "Tensor", train: "own.Images") -> "dict[str, Tensor | float]":
    from lecture11 import autoencoder, data

    k = model.encode(x[:1]).shape[1]  # type: ignore[operator]
    known = train.first(5000)[0].to(x.device) if isinstance(train, data.Folder) else train.x[:10_000].to(x.device)
    pca = autoencoder.PCA(known, k)
    return {
        "squared error": autoencoder.reconstruction_error(model, x),
        f"of PCA, {k} components": autoencoder.reconstruction_error(pca, x),
    }


def vae(model: "nn.Module", x: "Tensor", rng: "torch.Generator") -> "dict[str, Tensor | float]":
    import torch

    if model.likelihood == "bernoulli":  # black-and-white images, drawn once
        x = torch.bernoulli(x, generator=rng)
    with torch.no_grad():
        elbos = [model.elbo(part, generator=rng) for part in x.split(BATCH)]  # type: ignore[operator]
        log_p = torch.cat([model.log_marginal(part, 100, generator=rng) for part in x.split(BATCH)])  # type: ignore[operator]
    return {
        "-ELBO, nats": -torch.cat([elbo.total for elbo in elbos]),
        "reconstruction, nats": -torch.cat([elbo.reconstruction for elbo in elbos]),
        "KL, nats": torch.cat([elbo.kl for elbo in elbos]),
        "-log p, nats": -log_p,
        "-log p, bits/dim": -log_p / (x[0].numel() * math.log(2)),
    }


def diffusion(
    model: "nn.Module",
    x: "Tensor",
    real: "Tensor",
    settings: "own.Settings",
    rng: "torch.Generator",
    judge: "nn.Module | None",
    steps: int,
) -> "dict[str, Tensor | float]":
    import torch

    from lecture11 import diffusion, evaluation, models
    from lecture11.commands.sample import draw

    # Images that were brought to a size lie between the 256 levels; the bound is of images on them.
    x = ((x + 1) * 127.5).round() / 127.5 - 1
    with torch.no_grad():
        bound = torch.cat([
            diffusion.sampled_bound(model, models.SCHEDULE, part, draws=10, clip=True, generator=rng)
            for part in x.split(BATCH)
        ])  # fmt: skip
    found: dict[str, Tensor | float] = {"bound on -log p, bits/dim": bound / (x[0].numel() * math.log(2))}
    if judge is None:
        return found
    y = torch.arange(len(x), device=x.device) % settings["classes"] if settings["classes"] else None
    samples = 2 * draw(model, settings, len(x), y, rng, steps=steps) - 1
    quality = evaluation.sample_quality(judge, samples, real)  # type: ignore[arg-type]
    return found | {
        "Frechet distance / random halves": quality.distance / quality.mixed_halves,
        "confident": quality.confident,
        "of the test images": quality.real_confident,
    }
