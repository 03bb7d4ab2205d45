"""Measures the diffusion half: the shipped models, other libraries, and what a step costs.

    python benchmarks/diffusion.py --protocol quality --mnist FOLDER [--images 5000] [--model diffusion-fashion]
    python benchmarks/diffusion.py --protocol best --mnist FOLDER [--images 5000] [--model diffusion-fashion]
    python benchmarks/diffusion.py --protocol other-judge --mnist FOLDER --images 3000
    python benchmarks/diffusion.py --protocol bound --mnist FOLDER [--model diffusion-fashion]
    python benchmarks/diffusion.py --protocol peers --mnist FOLDER [--seconds 600]    (pip install -e ".[bench]" before)
    python benchmarks/diffusion.py --protocol growth
    python benchmarks/diffusion.py --protocol curve --mnist FOLDER [--images 2000]

``quality``: samples of the shipped model in the eyes of the shipped classifier, and beside their nearest
training images, over samplers, steps and guidance; ``best``: the best of these alone, and pictures of it.
``other-judge``: the same in the eyes of another classifier, trained here, of which no choice of ours knew. ``bound``:
its bound on the test set in bits/dim. ``peers``: the same data, batches, optimiser and seconds of one core for this
package, diffusers and denoising-diffusion-pytorch; a library that was measured is not measured again, its result is
kept in the folder of the checkpoints. ``growth``: cost of a step against size.
``curve``: quality against training time, from copies of the checkpoint of ``lecture11 train diffusion-mnist`` that were
kept while it ran, CHECKPOINTS/diffusion-mnist-*.checkpoint.

FOLDER holds the four original files of MNIST, or of Fashion-MNIST for the model of that. Each protocol writes its
tables to benchmarks/results, and its pictures to book/images.
"""

import argparse
import copy
import importlib.metadata
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from record import record
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lecture11 import checkpoints, data, diffusion, evaluation, figures, models, training
from lecture11.networks import ImageClassifier, UNet

PICTURES = Path(__file__).parents[1] / "book" / "images"
BATCH = 128  # of training and of sampling
Sampler = Callable[..., Tensor]
Way = tuple[str, Sampler, int, float]  # a name, a sampler, its steps, the scale of guidance


def clock(device: torch.device) -> float:
    """Seconds of work. On the CPU those of this process, on one thread, so that its neighbours do not count."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def in_batches(draw: Callable[[int], Tensor], n: int) -> Tensor:
    """``n`` samples, cut to the range of images, from a function that draws some."""
    return torch.cat([draw(min(BATCH, n - done)).clamp(-1, 1) for done in range(0, n, BATCH)])


def half_precision(model: nn.Module, device: torch.device) -> Callable[..., Tensor]:
    """The model with its convolutions in bfloat16: the samples are kept in float32 by the sampler."""

    def ask(x_t: Tensor, t: Tensor, *y: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            return model(x_t, t, *y).float()

    return ask


def shipped_classifier(device: torch.device, of: str = "mnist") -> ImageClassifier:
    model = models.load(f"classifier-{of}", device=device)
    assert isinstance(model, ImageClassifier)
    return model


def describe(quality: evaluation.SampleQuality) -> list[str]:
    return [
        f"{quality.distance / quality.mixed_halves:.1f}",
        f"{quality.distance / quality.halves:.2f}",
        f"{100 * quality.confident:.1f} % ({100 * quality.real_confident:.1f} %)",
        f"{100 * min(quality.shares):.1f} to {100 * max(quality.shares):.1f} %",
    ]


def quality(options: argparse.Namespace, device: torch.device) -> None:
    noisy, thing = partial(diffusion.ddim_sample, eta=1.0), THINGS[options.model]
    ways: list[Way] = [
        ("DDIM", ddim_sample, 50, 1.0),
        ("DDIM, guided, scale 1.25", ddim_sample, 50, 1.25),
        ("DPM-Solver++(2M)", dpm_sample, 25, 1.0),
        ("DPM-Solver++(2M)", dpm_sample, 15, 1.0),
        ("the same, guided, scale 1.25", dpm_sample, 15, 1.25),
        ("the same, guided, scale 1.5", dpm_sample, 15, 1.5),
        (f"the same, no {thing} asked for", dpm_sample, 15, 0.0),
        ("the same, guided, scale 2", dpm_sample, 15, 2.0),
        ("with noise (eta = 1)", noisy, options.steps, 1.0),
    ]
    judge(ways, "quality", options, device)


def best(options: argparse.Namespace, device: torch.device) -> None:
    judge([("DPM-Solver++(2M), guided, scale 1.25", dpm_sample, 15, 1.25)], "best", options, device)


def other_judge(options: argparse.Namespace, device: torch.device) -> None:
    ways: list[Way] = [
        ("DDIM", ddim_sample, 50, 1.0),
        ("DDIM, guided, scale 1.25", ddim_sample, 50, 1.25),
        ("DPM-Solver++(2M), guided, scale 1.25", dpm_sample, 15, 1.25),
    ]
    train = data.load(
        models.recipe(options.model).dataset, "train", root=options.mnist, value_range=(-1, 1), device=device
    )
    assert train.y is not None
    torch.manual_seed(1)
    other = OtherClassifier().to(device)
    trainer = training.Trainer(other, lambda m, x, y, generator: nn.functional.cross_entropy(m(x), y, reduction="none"),
                               (train.x, train.y), batch_size=100, lr=1e-3, seed=1)  # fmt: skip
    for _ in trainer.run(steps=4 * len(train.y) // 100, progress="another classifier"):
        pass
    judge(ways, "other-judge", options, device, other.eval().requires_grad_(False))


class OtherClassifier(ImageClassifier):
    """Wide windows, strides in the place of maxima, batch normalisation and ReLU; 100 features."""

    def __init__(self) -> None:
        super().__init__((1, 28, 28), 10)
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 5, stride=2, padding=2), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 49, 100),
        )  # fmt: skip
        self.logits = nn.Linear(100, 10)


def judge(
    ways: Sequence[Way],
    table: str,
    options: argparse.Namespace,
    device: torch.device,
    classifier: ImageClassifier | None = None,
) -> None:
    """Samples drawn in each of the ways, as the table of that name; pictures of the first."""
    of, called = options.model.removeprefix("diffusion-"), NAMES[options.model]
    dataset = models.recipe(options.model).dataset
    real = data.load(dataset, "test", root=options.mnist, value_range=(-1, 1), device=device)
    train = data.load(dataset, "train", root=options.mnist, value_range=(-1, 1), device=device)
    shipped = classifier is None
    classifier = classifier or shipped_classifier(device, of)
    assert real.y is not None
    accuracy = (in_parts(classifier, real.x).argmax(1) == real.y).double().mean().item()
    by = "" if shipped else f", by a classifier that was made for this alone (accuracy {100 * accuracy:.2f} %)"
    if shipped:
        record(
            "classifier" if of == "mnist" else f"classifier-{of}",
            "The classifier whose features the distances below are measured in.",
            ["parameters", "test accuracy"],
            [[f"{sum(p.numel() for p in classifier.parameters()):,}", f"{100 * accuracy:.2f} %"]],
            device,
        )
    model, n = models.load(options.model, device=device), options.images
    rng = torch.Generator(device).manual_seed(options.seed)
    # Every way is asked for the same digits, each as often as it comes in the data.
    assert train.y is not None
    asked = train.y[torch.randint(len(train.y), (n,), generator=rng, device=device)]
    judged = evaluation.sample_quality(classifier, train.x[:n], real.x)
    rows = [["training images", "-", "-", *describe(judged), "-"]]
    for name, sampler, steps, scale in ways:
        begin, parts = clock(device), []
        for y in asked.split(BATCH):
            guided = diffusion.Guided(model, y, scale)
            parts.append(sampler(guided, models.SCHEDULE, (len(y), 1, 28, 28), steps=steps, generator=rng).clamp(-1, 1))
        samples, cost = torch.cat(parts), (clock(device) - begin) / n
        right = (in_parts(classifier, samples).argmax(1) == asked).double().mean().item()
        judged = evaluation.sample_quality(classifier, samples, real.x)
        rows.append([name, f"{steps}", f"{cost:.3f} s", *describe(judged), f"{100 * right:.1f} %" if scale else "-"])
        record(  # after each, so that a run that is cut off keeps what it has measured
            table_name(table, options),
            f"{n:,} samples of the shipped {called} model against 5,000 test images{by}, by sampler, its steps, and "
            f"the scale of guidance (1 where none is given): Fréchet distance, in units of that between two random "
            f"halves of the test set, and of that between its first 5,000 and its last; share classified with "
            f"confidence above 0.9 (in brackets: of the test set); smallest and largest share of a class; share "
            f"classified as the {THINGS[options.model]} asked for.",
            ["samples", "steps", "cost of one", "distance / random halves", "distance / halves", "confident", "classes",
             "as asked"],
            rows,
            device,
        )  # fmt: skip
        if len(rows) == 2 and shipped:
            show(samples, asked, real.x, train.x, options, device)


# What the pages call the models that can be judged.
NAMES = {"diffusion-mnist": "MNIST", "diffusion-fashion": "Fashion-MNIST"}
THINGS = {"diffusion-mnist": "digit", "diffusion-fashion": "garment"}  # which they can be asked for


def table_name(table: str, options: argparse.Namespace) -> str:
    """Tables of MNIST have the short names."""
    return f"diffusion-{table}" if options.model == "diffusion-mnist" else f"{options.model}-{table}"


def show(
    samples: Tensor, asked: Tensor, real: Tensor, train: Tensor, options: argparse.Namespace, device: torch.device
) -> None:
    """Pictures of samples, in the order of the digits asked for, and beside their nearest training images."""
    nearest, gaps = neighbours(samples[:1000], train)
    _, real_gaps = neighbours(real[:1000], train)
    record(
        table_name("neighbours", options),
        "Distance to the nearest training image, root mean square over the pixels of images in [0, 1]: median, and "
        "what one in a hundred goes below. A model that copied would be nearer than test images are.",
        [f"of {len(gaps):,}", "median", "1 %"],
        [[name, f"{x.median():.3f}", f"{x.quantile(0.01):.3f}"]
         for name, x in {"samples": gaps, "test images": real_gaps}.items()],
        device,
    )  # fmt: skip
    figures.use_style()
    PICTURES.mkdir(parents=True, exist_ok=True)
    hundred = asked[:100].argsort(stable=True)
    picture(samples[hundred], 10, PICTURES / f"{options.model}-samples.png")
    pairs = torch.stack([samples[:20].cpu(), train[nearest[:20]].cpu()])
    rows_of_pairs = pairs.reshape(2, 2, 10, 1, 28, 28).transpose(0, 1).flatten(0, 2)
    picture(rows_of_pairs, 10, PICTURES / f"{options.model}-neighbours.png")


def on_few_steps(sampler: Sampler) -> Sampler:
    """The sampler on the steps of Karras et al., of which few lie where little of an image is left."""

    def draw(model: Callable[..., Tensor], s: diffusion.NoiseSchedule, shape: tuple[int, ...], *, steps: int,
             generator: torch.Generator) -> Tensor:  # fmt: skip
        return sampler(model, s, shape, steps=diffusion.karras_steps(s, steps), generator=generator)

    return draw


dpm_sample, ddim_sample = on_few_steps(diffusion.dpm_sample), on_few_steps(diffusion.ddim_sample)


def curve(options: argparse.Namespace, device: torch.device) -> None:
    real = data.load("mnist", "test", root=options.mnist, value_range=(-1, 1), device=device).x
    classifier = shipped_classifier(device)
    rows = []
    for progress in sorted(map(progress_of, options.checkpoints.glob("diffusion-mnist-*.checkpoint"))):
        network = models.recipe("diffusion-mnist").build().to(device).eval()
        training.load_weights(network, progress.path, averaged=True)
        rng = torch.Generator(device).manual_seed(options.seed)
        samples = in_batches(partial(draw, half_precision(network, device), rng), options.images)
        judged = evaluation.sample_quality(classifier, samples, real)
        rows.append([f"{progress.seconds / 60:.0f}", f"{progress.step:,}",
                     f"{judged.distance / judged.mixed_halves:.1f}", f"{100 * judged.confident:.1f} %"])  # fmt: skip
        print(rows[-1], flush=True)
    if not rows:
        raise SystemExit(f"no copies of checkpoints, diffusion-mnist-*.checkpoint, in {options.checkpoints}")
    record(
        "diffusion-curve",
        f"Quality of the MNIST model while it was trained (moving average of the weights): {options.images:,} samples "
        f"of 50 steps of DDIM. Distance in units of that between two random halves of the test set.",
        ["minutes of training", "steps", "distance", "confident"],
        rows,
        device,
    )


def draw(
    model: diffusion.forward.Model,
    rng: torch.Generator,
    n: int,
    *,
    steps: int = 50,
    eta: float = 0.0,
    clip: bool = False,
) -> Tensor:
    """``n`` images of a model on the schedule of those that the package ships."""
    shape = (n, 1, 28, 28)
    return diffusion.ddim_sample(model, models.SCHEDULE, shape, steps=steps, eta=eta, clip=clip, generator=rng)


@dataclass(frozen=True, order=True)
class Progress:
    """How far a run was when its checkpoint was copied."""

    step: int
    seconds: float
    path: Path


def progress_of(path: Path) -> Progress:
    description = checkpoints.read(path).description
    return Progress(description["step"], description["seconds"], path)


def in_parts(network: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([network(part) for part in x.split(500)])


def neighbours(x: Tensor, train: Tensor) -> tuple[Tensor, Tensor]:
    """Index of the nearest training image of each, and the distance to it."""
    nearest = [torch.cdist(part.flatten(1), train.flatten(1)).min(1) for part in x.split(250)]
    distances = torch.cat([distance for distance, _ in nearest])
    return torch.cat([index for _, index in nearest]), distances / 2 / math.sqrt(x[0].numel())


def picture(images: Tensor, columns: int, path: Path) -> None:
    rows = len(images) // columns
    grid = images.cpu().reshape(rows, columns, 28, 28).permute(0, 2, 1, 3).reshape(28 * rows, 28 * columns)
    plt.imsave(path, grid.repeat_interleave(2, 0).repeat_interleave(2, 1), cmap="gray", vmin=-1, vmax=1)


def bound(options: argparse.Namespace, device: torch.device) -> None:
    dataset = models.recipe(options.model).dataset
    real = data.load(dataset, "test", root=options.mnist, value_range=(-1, 1), device=device)
    train = data.load(dataset, "train", root=options.mnist, device=device)
    x, s = real.x[: options.images], models.SCHEDULE
    model = models.load(options.model, device=device)
    bits = 1 / (x[0].numel() * math.log(2))
    rng = torch.Generator(device).manual_seed(options.seed)
    # From the same draws, at once: the mean over the pixels of one is the other.
    by_pixel = diffusion.optimal_variance(
        model, s, 2 * train.x - 1, draws=options.variance_draws, per_dim=True, clip=True, generator=rng
    )
    variances: dict[str, diffusion.sampling.Variance] = {
        "beta": "beta",
        "posterior": "posterior",
        "optimal, one for each step": by_pixel.flatten(1).mean(1),
        "optimal, one for each step and pixel": by_pixel,
    }
    rows = []
    for name, variance in variances.items():
        rng = torch.Generator(device).manual_seed(options.seed)
        parts: dict[str, list[Tensor]] = {"L_T": [], "L_0": [], "all": []}
        for part in x.split(500):
            noise = torch.randn(part.shape, generator=rng, device=device)
            x_1 = diffusion.q_sample(s, part, 1, noise)
            with torch.no_grad():
                parts["L_T"].append(diffusion.prior_divergence(s, part))
                parts["L_0"].append(-diffusion.decoder_log_prob(model, s, part, x_1, variance=variance, clip=True))
                parts["all"].append(
                    diffusion.sampled_bound(model, s, part, draws=options.draws, variance=variance, clip=True,
                                            generator=rng)
                )  # fmt: skip
        nats = {name: torch.cat(values).double() * bits for name, values in parts.items()}
        nats["L_1 .. L_{T-1}"] = nats["all"] - nats["L_T"] - nats["L_0"]
        cells = [str(evaluation.estimate(nats[part])).lstrip("≈") for part in ("L_T", "L_1 .. L_{T-1}", "L_0", "all")]
        rows.append([f"variance {name}", *cells])
        print(rows[-1], flush=True)
    levels = (train.x * 255).round().long().flatten(1)
    counts = torch.zeros(levels.shape[1], 256, device=device, dtype=torch.float64)
    counts.scatter_add_(1, levels.T, torch.ones_like(levels.T, dtype=torch.float64))
    log_prob = ((counts + 0.01) / (len(levels) + 2.56)).log2()
    test_levels = ((x + 1) * 127.5).round().long().flatten(1)
    histogram = -log_prob.gather(1, test_levels.T).mean(0)
    rows.append(["histogram of each pixel", "-", "-", "-", str(evaluation.estimate(histogram)).lstrip("≈")])
    rows.append(["uniform", "-", "-", "-", "8"])
    record(
        table_name("bound", options),
        f"The bound on -log p(x) of the shipped {NAMES[options.model]} model in bits/dim, and its three parts, on "
        f"{len(x):,} test images; x_0 clipped, {options.draws} of the T - 1 middle terms drawn for each image. The "
        f"optimal variances are measured on {options.variance_draws} training images a step. Below: what knows less.",
        ["model", "L_T", "L_1 .. L_{T-1}", "L_0", "bound"],
        rows,
        device,
    )


@dataclass(frozen=True)
class Contestant:
    """A library with a network.

    Attributes:
        network: what is trained, and whose moving average is drawn from.
        loss: mean over a batch of images in [-1, 1].
        sample: draws with 50 steps of DDIM from a network.
    """

    network: nn.Module
    loss: Callable[[Tensor], Tensor]
    sample: Callable[[nn.Module, int], Tensor]


def here(device: torch.device) -> Contestant:
    network = UNet(1, (32, 128)).to(device)

    def sample(net: nn.Module, n: int) -> Tensor:
        return draw(half_precision(net, device), torch.Generator(device).manual_seed(n), n, clip=True)

    return Contestant(network, partial(diffusion_loss, network), sample)


def diffusion_loss(network: nn.Module, x: Tensor) -> Tensor:
    """The mean of Algorithm 1's loss over pixels, as the other libraries take it: one learning rate suits all."""
    return diffusion.simple_loss(network, models.SCHEDULE, x).mean() / x[0].numel()


def diffusers(device: torch.device, *, ours: bool) -> Contestant:
    """The loop of the library's own tutorial (unconditional image generation), its cosine schedule."""
    from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel

    network = here(device).network if ours else UNet2DModel(
        sample_size=28, in_channels=1, out_channels=1, layers_per_block=2, block_out_channels=(32, 64, 128),
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    ).to(device)  # fmt: skip
    noising = DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")

    def ask(net: nn.Module, x: Tensor, t: Tensor) -> Tensor:
        return net(x, t + 1) if ours else net(x, t).sample

    def loss(x: Tensor) -> Tensor:
        noise, t = torch.randn_like(x), torch.randint(0, 1000, (len(x),), device=device)
        return nn.functional.mse_loss(ask(network, noising.add_noise(x, noise, t), t), noise)

    @torch.no_grad()
    def sample(net: nn.Module, n: int) -> Tensor:
        ddim = DDIMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")
        ddim.set_timesteps(50)
        x = torch.randn(n, 1, 28, 28, device=device)
        for t in ddim.timesteps:
            with torch.autocast(device.type, torch.bfloat16):
                eps = ask(net, x, t.to(device).expand(n)).float()
            x = ddim.step(eps, t, x).prev_sample
        return x

    return Contestant(network, loss, sample)


def denoising_diffusion_pytorch(device: torch.device, *, ours: bool) -> Contestant:
    """The library's defaults (sigmoid schedule, v as target), with its network at a width that a CPU can train."""
    import denoising_diffusion_pytorch as library

    class Ours(nn.Module):
        """This package's network behind the interface that the library asks for."""

        def __init__(self) -> None:
            super().__init__()
            self.network: nn.Module = here(device).network
            self.channels, self.out_dim, self.self_condition = 1, 1, False

        def forward(self, x: Tensor, t: Tensor, x_self_cond: Tensor | None = None) -> Tensor:
            return self.network(x, t + 1)

    network = Ours() if ours else library.Unet(dim=32, dim_mults=(1, 2, 4), channels=1)
    process = library.GaussianDiffusion(network, image_size=28, sampling_timesteps=50).to(device)

    def sample(net: nn.Module, n: int) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            return net.sample(batch_size=n).float() * 2 - 1  # type: ignore[operator]

    return Contestant(process, lambda x: process((x + 1) / 2), sample)


CONTESTANTS: dict[str, Callable[[torch.device], Contestant]] = {
    "here": here,
    "diffusers": lambda device: diffusers(device, ours=False),
    "diffusers, network from here": lambda device: diffusers(device, ours=True),
    "denoising-diffusion-pytorch": lambda device: denoising_diffusion_pytorch(device, ours=False),
    "denoising-diffusion-pytorch, network from here": lambda device: denoising_diffusion_pytorch(device, ours=True),
}


def train_contestant(name: str, options: argparse.Namespace, device: torch.device) -> None:
    """Trains one for its seconds of work, draws, and prints what came of it; run in a process of its own."""
    torch.manual_seed(options.seed)
    contestant = CONTESTANTS[name](device)
    x = data.load("mnist", "train", root=options.mnist, value_range=(-1, 1), device=device).x
    average = copy.deepcopy(contestant.network)
    optimizer = torch.optim.AdamW(contestant.network.parameters(), lr=options.lr)
    spent, steps = 0.0, 0
    while spent < options.seconds:
        begin = clock(device)
        for group in optimizer.param_groups:
            cosine = 0.5 * (1 + math.cos(math.pi * spent / options.seconds))
            group["lr"] = options.lr * min(1, (steps + 1) / 100) * cosine
        step(contestant, optimizer, x[torch.randint(len(x), (BATCH,), device=device)])
        training.update_average(average, contestant.network, decay=0.999, n=steps)
        spent, steps = spent + clock(device) - begin, steps + 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**20
    average.eval()
    begin = clock(device)
    samples = in_batches(lambda n: contestant.sample(average, n), options.images)
    per_sample = (clock(device) - begin) / options.images
    real = data.load("mnist", "test", root=options.mnist, value_range=(-1, 1), device=device).x
    judged = evaluation.sample_quality(shipped_classifier(device), samples, real)
    result = {
        "parameters": sum(p.numel() for p in contestant.network.parameters()),
        "steps": steps, "peak": peak, "per_sample": per_sample, "distance": judged.distance / judged.mixed_halves,
        "confident": judged.confident,
    }  # fmt: skip
    print(json.dumps(result))


def step(contestant: Contestant, optimizer: torch.optim.Optimizer, x: Tensor) -> None:
    """Forward and backward with convolutions in bfloat16, the gradient's norm cut to 1, and the optimiser's step."""
    with torch.autocast(x.device.type, torch.bfloat16):
        loss = contestant.loss(x)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(contestant.network.parameters(), 1.0)
    optimizer.step()


def arithmetic(contestant: Contestant, x: Tensor) -> float:
    """Floating-point operations of a training step, but for the optimiser's: where a network's time goes."""
    with FlopCounterMode(display=False) as counter:
        contestant.loss(x).backward()
    contestant.network.zero_grad()
    return counter.get_total_flops()


def step_costs(options: argparse.Namespace, device: torch.device) -> dict[str, tuple[float, float]]:
    """Median seconds of a training step of each, taking turns, and its floating-point operations."""
    every = {name: make(device) for name, make in CONTESTANTS.items()}
    optimizers = {name: torch.optim.AdamW(one.network.parameters(), lr=1e-3) for name, one in every.items()}
    x = torch.rand(BATCH, 1, 28, 28, device=device) * 2 - 1
    times: dict[str, list[float]] = {name: [] for name in every}
    for _ in range(options.repeats):
        for name, one in every.items():
            begin = clock(device)
            step(one, optimizers[name], x)
            times[name].append(clock(device) - begin)
    return {name: (statistics.median(times[name]), arithmetic(one, x)) for name, one in every.items()}


def peers(options: argparse.Namespace, device: torch.device) -> None:
    if options.contestant:
        return train_contestant(options.contestant, options, device)
    results = {}
    for name in CONTESTANTS:
        kept = options.checkpoints / f"peers-{name.replace(', ', '-').replace(' ', '-')}.json"
        if not kept.exists():
            command = [sys.executable, __file__, "--protocol", "peers", "--contestant", name, "--mnist",
                       str(options.mnist), "--seconds", str(options.seconds), "--images", str(options.images),
                       "--seed", str(options.seed), "--lr", str(options.lr)]  # fmt: skip
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(out.splitlines()[-1])
        results[name] = json.loads(kept.read_text())
        print(name, results[name], flush=True)
    costs = step_costs(options, device)
    rows = [
        [name, f"{r['parameters'] / 1e6:.2f} M", f"{costs[name][1] / 1e9:.0f} GFLOP", f"{costs[name][0]:.3f} s",
         f"{costs['here'][0] / costs[name][0]:.2f}", f"{r['steps']:,}", f"{r['per_sample']:.3f} s",
         f"{r['peak']:.0f} MiB", f"{r['distance']:.1f}", f"{100 * r['confident']:.0f} %"]
        for name, r in results.items()
    ]  # fmt: skip
    libraries = ("diffusers", "denoising-diffusion-pytorch")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in libraries)
    record(
        "diffusion-peers",
        f"MNIST, batches of {BATCH}, AdamW at {options.lr:g} falling along a cosine, bfloat16 and a moving average for "
        f"all, {options.seconds:g} s of work for each; {options.images:,} samples of 50 DDIM steps. Distance in units "
        f"of that between two random halves of the test set. {versions}.",
        ["library", "parameters", "arithmetic of a step", "time of a step", "here / it", "steps", "one sample",
         "peak memory", "distance", "confident"],
        rows,
        device,
    )  # fmt: skip


def growth(options: argparse.Namespace, device: torch.device) -> None:
    """Seconds of a training step, and of one sampling step for T, against each size in turn."""
    base = {"side": 28, "width": 32, "batch": 64}
    sizes: dict[str, Sequence[int]] = {"side": (14, 28, 56), "width": (16, 32, 64), "batch": (16, 64, 256)}
    rng = torch.Generator(device).manual_seed(options.seed)
    rows = []
    for name, values in sizes.items():
        times = []
        for value in values:
            at = base | {name: value}
            network = UNet(1, (at["width"], 4 * at["width"])).to(device)
            x = torch.rand(at["batch"], 1, at["side"], at["side"], device=device) * 2 - 1
            one = Contestant(network, partial(diffusion_loss, network), lambda net, n: draw(net, rng, n))
            optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
            times.append(min(timed(partial(step, one, optimizer, x), device) for _ in range(options.repeats)))
        rows.append([name, *row_of(values, times)])
        print(rows[-1], flush=True)
    network = UNet(1, (32, 128)).to(device)
    values, times = (25, 50, 100), []
    for T in values:
        s = diffusion.NoiseSchedule.cosine(T)
        walk = partial(diffusion.sample, network, s, (8, 1, 28, 28))
        times.append(min(timed(walk, device) for _ in range(3)))
    rows.append(["T, of a sample", *row_of(values, times)])
    record(
        "diffusion-growth",
        "Seconds of a training step of the U-Net (widths 32 and 128, images of 28x28, batches of 64) as one size "
        "changes, of 8 samples as T does, and the exponent that fits: cost ~ size^exponent.",
        ["size", "values", "seconds", "exponent"],
        rows,
        device,
    )


def timed(work: Callable[[], object], device: torch.device) -> float:
    begin = clock(device)
    work()
    return clock(device) - begin


def row_of(values: Sequence[int], times: Sequence[float]) -> list[str]:
    x, y = torch.tensor(values).double().log(), torch.tensor(times).double().log()
    exponent = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return [", ".join(map(str, values)), ", ".join(f"{t:.3f}" for t in times), f"{exponent:.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    protocols = {"quality": quality, "best": best, "other-judge": other_judge, "bound": bound, "peers": peers,
                 "growth": growth, "curve": curve}  # fmt: skip
    parser.add_argument("--protocol", required=True, choices=protocols)
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="folder of the four original files")
    parser.add_argument("--images", type=int, help="how many samples, or test images of the bound")
    parser.add_argument("--steps", type=int, default=200, help="of the sampler with noise; default: %(default)s")
    parser.add_argument("--draws", type=int, default=20, help="terms of the bound drawn for each image")
    parser.add_argument("--variance-draws", type=int, default=60, help="training images a step, for the variances")
    parser.add_argument("--model", choices=NAMES, default="diffusion-mnist", help="of best, quality and bound")
    parser.add_argument("--seconds", type=float, default=600, help="of training, for each of the peers")
    parser.add_argument("--lr", type=float, default=1e-3, help="of the peers' training")
    parser.add_argument("--repeats", type=int, default=7, help="of a timed step")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    options = parser.parse_args()
    if options.mnist is None and options.protocol != "growth":
        parser.error("--mnist: this protocol needs the original files")
    if options.images is None:
        images = {"bound": 10_000, "peers": 2000, "growth": 0, "curve": 2000}
        options.images = images.get(options.protocol, 5000)
    torch.manual_seed(options.seed)
    protocols[options.protocol](options, training.default_device())


if __name__ == "__main__":
    main()
