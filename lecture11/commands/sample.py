"""``lecture11 sample``: images from a model, as one picture and as an array."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecture11.commands.common import count, described, in_a_line, write_sheet

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from lecture11.models import own

TEXT = """\
Draws images from a VAE or a diffusion model: OUTPUT.png shows them all, OUTPUT.npz holds them as bytes, with the
classes that were asked for.

  lecture11 sample diffusion-mnist                               a hundred digits, in 25 steps
  lecture11 sample diffusion-mnist --steps 15 --guidance 1.25    the best of the results page
  lecture11 sample diffusion-mnist --class 7 --guidance 1.25
  lecture11 sample runs/photos.safetensors --n 16 --sampler ddpm --steps 1000 --output samples/photos
"""
SAMPLERS = ("dpm", "ddim", "ddpm")
BATCH = 100  # images at once


def add(commands: Any) -> None:
    sample = commands.add_parser("sample", help="draw images from a model")
    described(sample, TEXT)
    sample.add_argument("model", help="a model that ships, or the file that lecture11 train wrote")
    sample.add_argument("--n", type=count, default=100, help="how many (default: %(default)s)")
    sample.add_argument("--class", type=int, dest="label", help="the number of a class (default: all in turn)")
    sample.add_argument("--guidance", type=float, default=1.0, help="above 1: more typical, less diverse (default: 1)")
    sample.add_argument("--steps", type=count, default=25, help="of a diffusion model (default: %(default)s)")
    sample.add_argument("--sampler", choices=SAMPLERS, default="dpm", help="DPM-Solver++(2M), DDIM, or with noise")
    sample.add_argument("--seed", type=int, default=0)
    sample.add_argument("--output", type=Path, default=Path("samples"), help="(default: %(default)s)")
    sample.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    def work() -> None:
        import numpy as np
        import torch

        from lecture11 import checkpoints, models, training

        picture, arrays = (Path(f"{options.output}.{suffix}") for suffix in ("png", "npz"))
        for path in (picture, arrays):
            checkpoints.check_writable(path)
        device = training.default_device()
        settings, model = models.about(options.model), models.load(options.model, device=device)
        classes = settings["classes"]
        if settings["kind"] not in ("vae", "diffusion"):
            raise ValueError(f"{options.model} is a model of the kind {settings['kind']}: it draws nothing")
        if len(settings["shape"]) != 3:
            raise ValueError(f"{options.model} draws points, not images: diffusion.ddim_sample takes it as it is")
        if options.label is not None and not (classes and 0 <= options.label < classes):
            known = f"the classes 0 to {classes - 1}" if classes else "no classes"
            raise ValueError(f"--class {options.label}: {options.model} knows {known}")
        if options.guidance != 1 and not classes:
            raise ValueError(f"--guidance {options.guidance:g}: {options.model} knows no classes to be guided to")
        y = None
        if classes:
            y = torch.arange(options.n, device=device) % classes
            y = y if options.label is None else torch.full_like(y, options.label)
        rng = torch.Generator(device).manual_seed(options.seed)
        images = draw(
            model, settings, options.n, y, rng,
            steps=options.steps, sampler=options.sampler, guidance=options.guidance,
        )  # fmt: skip
        write_sheet(images, picture, 0.0)
        contents: dict[str, Any] = {"images": (images.cpu() * 255).round().to(torch.uint8).numpy()}
        if y is not None:
            contents["classes"] = y.cpu().numpy()
        np.savez_compressed(arrays, **contents)
        print(f"{picture} and {arrays}: {options.n} images of {tuple(images.shape[1:])}")

    return in_a_line("sample", work)


def draw(
    model: Any,
    settings: "own.Settings",
    n: int,
    y: "Tensor | None",
    rng: "torch.Generator",
    *,
    steps: int = 25,
    sampler: str = "dpm",
    guidance: float = 1.0,
) -> "Tensor":
    """``n`` images with values in [0, 1]: of a VAE the means of their pixels, without the noise of the last step.

    Args:
        y: the class of each, for a diffusion model that knows classes.
        steps, sampler, guidance: of a diffusion model.
    """
    import torch

    from lecture11 import diffusion
    from lecture11.models import SCHEDULE

    shape = tuple(settings["shape"])
    if settings["kind"] == "vae":
        with torch.no_grad():
            return model.mean(torch.randn(n, model.latents, generator=rng, device=rng.device)).clamp(0, 1)
    parts = []
    for rows in torch.arange(n).split(BATCH):
        ask = model if y is None else diffusion.Guided(model, y[rows.to(y.device)], guidance)
        if sampler == "ddpm":
            drawn = diffusion.ddim_sample(ask, SCHEDULE, (len(rows), *shape), steps=steps, eta=1.0, generator=rng)
        else:
            solve = diffusion.dpm_sample if sampler == "dpm" else diffusion.ddim_sample
            strides = diffusion.karras_steps(SCHEDULE, steps) if steps > 1 else [SCHEDULE.T]
            drawn = solve(ask, SCHEDULE, (len(rows), *shape), steps=strides, generator=rng)
        parts.append((drawn.clamp(-1, 1) + 1) / 2)
    return torch.cat(parts)


def sheet_of(model: "nn.Module", settings: "own.Settings", images: "own.Images") -> "Tensor | None":
    """Forty images, values in [0, 1], that show what a model can do so far; None for a classifier, and of points.

    Of an auto-encoder ten images and below them what becomes of them, twice; of the others samples.
    """
    import torch

    from lecture11 import data

    device = next(model.parameters()).device
    if settings["kind"] == "autoencoder":
        x = (images.first(20)[0] if isinstance(images, data.Folder) else images.x[:20]).to(device)
        with torch.no_grad():
            pairs = torch.stack([x, model(x)], 1)
        return torch.cat([part.transpose(0, 1).flatten(0, 1) for part in pairs.split(10)])
    if settings["kind"] not in ("vae", "diffusion") or len(settings["shape"]) != 3:
        return None
    y = torch.arange(40, device=device) % settings["classes"] if settings["classes"] else None
    return draw(model, settings, 40, y, torch.Generator(device).manual_seed(0), steps=15)
