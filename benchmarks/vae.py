"""Measures the VAE half against published numbers and against another library.

    python benchmarks/vae.py --protocol burda --mnist FOLDER [--k 50] [--epochs 100 | --seconds 6000]
    python benchmarks/vae.py --protocol start --mnist FOLDER --epochs 16 --batch 100 --lr 3e-3
    python benchmarks/vae.py --protocol memory
    python benchmarks/vae.py --protocol pythae        (pip install -e ".[bench]" before)

``burda``: Burda et al. 2016, table 1, one stochastic layer: 50 latents, two layers of 200 tanh units on both sides,
binary images redrawn from the grey values each time one is seen, and the 5,000-sample bound on the test set. The run
is checkpointed: started again with the same arguments, it goes on. ``start``: the same training with the decoder's
last bias as PyTorch draws it, and at the mean image.

FOLDER holds the four original files of MNIST. Each protocol writes its table to benchmarks/results.
"""

import argparse
import importlib.metadata
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import torch
from record import record
from torch import Tensor, nn

from lecture11 import data, evaluation, gaussian, models, training, vae
from lecture11.networks import MLP

PUBLISHED = {1: 86.76, 5: 85.54, 50: 84.78}  # Burda et al. 2016, table 1, IWAE column, one stochastic layer
CURVE_EXAMPLES, CURVE_DRAWS = 1000, 100


def mnist(root: Path, device: torch.device) -> tuple[Tensor, Tensor]:
    """Grey training images, and test images drawn once."""
    train = data.load("mnist", "train", root=root, device=device)
    test = data.load("mnist", "test", root=root, device=device)
    return train.x, test.binarised(generator=torch.Generator().manual_seed(0)).x


def bound(model: vae.VAE, x: Tensor, draws: int) -> evaluation.Estimate:
    """The importance-weighted bound, in nats, with the same noise each time."""
    rng = torch.Generator(x.device).manual_seed(0)
    return evaluation.estimate(model.log_marginal(x, draws, generator=rng))


def trainer_of(model: vae.VAE, train: Tensor, options: argparse.Namespace, seed: int) -> training.Trainer:
    # The bound is a sum over 784 pixels, and so is its gradient: the usual limit of 1 would cut every step.
    return training.Trainer(
        model, partial(vae.negative_bound, k=options.k, redraw=True), train, batch_size=options.batch,
        lr=options.lr, clip_norm=784.0, seed=seed, mixed_precision=options.precision,
    )  # fmt: skip


def burda(options: argparse.Namespace, device: torch.device) -> None:
    train, test = mnist(options.mnist, device)
    steps_per_epoch = len(train) // options.batch
    torch.manual_seed(options.seed)
    model = models.burda_vae()
    models.start_at_mean(model, train)
    if options.start:
        training.load_weights(model, options.start)
    trainer = trainer_of(model, train, options, options.seed)
    name = f"burda-k{options.k}"
    checkpoint = options.checkpoints / f"{name}.safetensors"
    log = checkpoint.with_suffix(".curve.json")
    curve: dict[str, float] = {}
    if checkpoint.exists():
        trainer.resume(checkpoint)
        # The checkpoint is written first: a run may have been cut off between the two.
        curve = json.loads(log.read_text()) if log.exists() else {}
        print(f"resumed at epoch {trainer.step / steps_per_epoch:.2f}", flush=True)

    # The curve is measured at the ends of epochs 1, 2, 4, 8, ..., of every tenth up to 100, and of every hundredth.
    budget = {"seconds": options.seconds} if options.seconds else {"steps": options.epochs * steps_per_epoch}
    for state in trainer.run(**budget, checkpoint=checkpoint, checkpoint_every=steps_per_epoch):
        epoch, rest = divmod(state.step, steps_per_epoch)
        if rest == 0 and (epoch & (epoch - 1) == 0 or epoch % (10 if epoch <= 100 else 100) == 0):
            curve[str(epoch)] = bound(model, test[:CURVE_EXAMPLES], CURVE_DRAWS).mean
            log.write_text(json.dumps(curve))
            print(f"epoch {epoch}, {state.seconds:.0f} s: bound {curve[str(epoch)]:.2f} nats", flush=True)

    training.save_weights(model, checkpoint.with_suffix(".weights.safetensors"), dtype=torch.float16)
    begin = time.perf_counter()
    result = bound(model, test, options.draws)
    elbo = evaluation.estimate(model.log_marginal(test, 1, generator=torch.Generator(device).manual_seed(1)))
    epochs = trainer.step / steps_per_epoch
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"evaluated in {time.perf_counter() - begin:.0f} s, peak memory of the process {peak:.0f} MiB", flush=True)
    objective = "ELBO" if options.k == 1 else f"IWAE, k = {options.k}"
    record(
        name,
        f"Burda et al. 2016, table 1, one stochastic layer: {objective}. Negative {options.draws:,}-sample bound on "
        f"the 10,000 test images of MNIST, in nats.",
        ["objective", "epochs", "batch", "precision", "training", "-bound", "published", "above it", "-ELBO"],
        [[objective, f"{epochs:.0f}", str(options.batch), options.precision.replace("no", "float32"),
          f"{trainer.seconds / 60:.0f} min", f"{-result.mean:.2f} ± {result.standard_error:.2f}",
          f"{PUBLISHED[options.k]}" if options.k in PUBLISHED else "-",
          f"{-result.mean - PUBLISHED[options.k]:+.2f}" if options.k in PUBLISHED else "-",
          f"{-elbo.mean:.2f} ± {elbo.standard_error:.2f}"]],
        device,
    )  # fmt: skip
    record(
        f"{name}-curve",
        f"{objective}, the run above: negative {CURVE_DRAWS}-sample bound on {CURVE_EXAMPLES:,} test images against "
        f"epochs. The learning rate falls to zero at the end, so that a point on the way is above what a run of that "
        f"length reaches.",
        ["epochs", "-bound"],
        [[epoch, f"{-value:.2f}"] for epoch, value in curve.items()],
        device,
    )


def start(options: argparse.Namespace, device: torch.device) -> None:
    """Trains with both starts of the decoder's last bias, with two seeds each."""
    train, test = mnist(options.mnist, device)
    rows = []
    for seed in (options.seed, options.seed + 1):
        for name in ("as PyTorch draws it", "at the mean image"):
            torch.manual_seed(seed)
            model = models.burda_vae().to(device)
            if name == "at the mean image":
                models.start_at_mean(model, train)
            for _ in trainer_of(model, train, options, seed).run(steps=options.epochs * (len(train) // options.batch)):
                pass
            with torch.no_grad():
                mu, log_var = model.encode(test)
            columns = zip(mu.T[..., None], log_var.T[..., None], strict=True)
            by_dimension = torch.stack([gaussian.kl_to_standard_normal(*column).mean() for column in columns])
            value = -bound(model, test[:CURVE_EXAMPLES], CURVE_DRAWS).mean
            rows.append(
                [name, str(seed), f"{value:.2f}", f"{by_dimension.sum():.2f}", str(int((by_dimension > 0.1).sum()))]
            )
            print(rows[-1], flush=True)
    record(
        "vae-start",
        f"The network and data of Burda et al. 2016, trained for {options.epochs} epochs from two starts of the "
        f"decoder's last bias: negative {CURVE_DRAWS}-sample bound on {CURVE_EXAMPLES:,} test images and KL of all, in "
        f"nats, and how many of the 50 latent dimensions have a KL above 0.1.",
        ["last bias", "seed", "-bound", "KL", "in use"],
        rows,
        device,
    )


def memory(options: argparse.Namespace, device: torch.device) -> None:
    """Peak memory of a process that evaluates the bound, for each number of draws a process of its own."""
    rows = []
    for k in (1, 10, 100, 1000, 5000):
        code = (
            "import resource, torch; from lecture11 import models\n"
            "model = models.burda_vae(); rng = torch.Generator().manual_seed(0)\n"
            f"x = torch.bernoulli(torch.rand({options.examples}, 1, 28, 28, generator=rng), generator=rng)\n"
            f"before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; model.log_marginal(x, {k}, generator=rng)\n"
            "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; print(before, after)"
        )
        out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        before, after = (int(value) / 1024 for value in out.split())
        rows.append([f"{k:,}", f"{options.examples:,}", f"{before:.0f} MiB", f"{after:.0f} MiB"])
        print(rows[-1], flush=True)
    record(
        "vae-memory",
        "Peak memory of a process that evaluates the importance-weighted bound, before and after.",
        ["draws k", "images", "before", "after"],
        rows,
        device,
    )


def pythae(options: argparse.Namespace, device: torch.device) -> None:
    """The same networks, data, batches and Adam in pythae and here: time per step, and time to a given bound."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    lr, batch, epochs, goal = 1e-3, 100, 40, -115.0
    rng = torch.Generator().manual_seed(0)
    x = data.load("mnist-small", "train").binarised(generator=rng).x.to(device)
    test = data.load("mnist-small", "test").binarised(generator=rng).x[:500].to(device)

    def networks_of(seed: int) -> tuple[nn.Module, nn.Module]:
        torch.manual_seed(seed)
        return MLP((1, 28, 28), (400,), (2, 20)).to(device), MLP((20,), (400,), (1, 28, 28)).to(device)

    class Encoder(BaseEncoder):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> ModelOutput:
            mu, log_var = self.network(x).unbind(1)
            return ModelOutput(embedding=mu, log_covariance=log_var)

    class Decoder(BaseDecoder):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.network(z).sigmoid())

    def theirs_of(encoder: nn.Module, decoder: nn.Module) -> VAE:
        config = VAEConfig(input_dim=(1, 28, 28), latent_dim=20, reconstruction_loss="bce")
        return VAE(config, Encoder(encoder), Decoder(decoder)).to(device)

    class Clock(TrainingCallback):
        """Adds up the epochs' times, and measures the bound between them, off the clock."""

        def __init__(self, judge: vae.VAE) -> None:
            self.judge, self.seconds = judge, 0.0
            self.reached: float | None = None

        def on_epoch_begin(self, training_config: object, **kwargs: object) -> None:
            self.begin = time.perf_counter()

        def on_epoch_end(self, training_config: object, **kwargs: object) -> None:
            self.seconds += time.perf_counter() - self.begin
            if self.reached is None and bound(self.judge, test, 1).mean >= goal:
                self.reached = self.seconds

    def run_theirs(seed: int) -> tuple[float, float | None]:
        encoder, decoder = networks_of(seed)
        clock = Clock(vae.VAE(encoder, decoder, "bernoulli"))
        with tempfile.TemporaryDirectory() as folder:
            config = BaseTrainerConfig(
                output_dir=folder, num_epochs=epochs, learning_rate=lr, per_device_train_batch_size=batch,
                optimizer_cls="Adam", no_cuda=device.type == "cpu", seed=seed,
            )  # fmt: skip
            dataset = BaseDataset(x.cpu(), torch.zeros(len(x)))
            BaseTrainer(theirs_of(encoder, decoder), dataset, training_config=config, callbacks=[clock]).train()
        return clock.seconds / (epochs * len(x) / batch), clock.reached

    def run_ours(seed: int) -> tuple[float, float | None]:
        model = vae.VAE(*networks_of(seed), "bernoulli")
        trainer = training.Trainer(
            model, vae.negative_bound, x, batch_size=batch, lr=lr, schedule="constant", clip_norm=math.inf, seed=seed
        )
        reached = None
        for state in trainer.run(steps=epochs * len(x) // batch):
            at_end = state.step % (len(x) // batch) == 0
            if at_end and reached is None and bound(model, test, 1).mean >= goal:
                reached = state.seconds
        return trainer.seconds / trainer.step, reached

    def loss_here(model: vae.VAE) -> Tensor:
        return vae.negative_bound(model, x[:batch]).mean()

    def loss_in_pythae(model: VAE) -> Tensor:
        return model({"data": x[:batch]}).loss

    def bare_step(loss: Callable[[], Tensor], parameters: Iterable[Tensor], n: int = 200) -> float:
        """Median time of forward, backward and Adam on one batch, with no loop of either library around."""
        optimizer = torch.optim.Adam(parameters, lr=lr)
        times = []
        for _ in range(n):
            begin = time.perf_counter()
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    loops: dict[str, list[tuple[float, float | None]]] = {"here": [], "pythae": []}
    steps: dict[str, list[float]] = {"here": [], "pythae": []}
    for seed in range(3):  # taking turns, so that a slow minute of the machine meets both
        loops["here"].append(run_ours(seed))
        loops["pythae"].append(run_theirs(seed))
        ours, theirs = vae.VAE(*networks_of(seed), "bernoulli"), theirs_of(*networks_of(seed))
        steps["here"].append(bare_step(partial(loss_here, ours), ours.parameters()))
        steps["pythae"].append(bare_step(partial(loss_in_pythae, theirs), theirs.parameters()))
        print({name: (loops[name][-1], steps[name][-1]) for name in loops}, flush=True)

    def medians(name: str) -> list[float]:
        to_goal = [reached for _, reached in loops[name] if reached is not None]
        assert len(to_goal) == 3, f"{name} did not reach {goal} nats in {epochs} epochs: {loops[name]}"
        return [
            statistics.median(steps[name]),
            statistics.median(s for s, _ in loops[name]),
            statistics.median(to_goal),
        ]

    measured = {name: medians(name) for name in loops}
    rows = [[name, f"{a * 1e3:.2f} ms", f"{b * 1e3:.2f} ms", f"{c:.1f} s"] for name, (a, b, c) in measured.items()]
    ratios = [a / b for a, b in zip(measured["here"], measured["pythae"], strict=True)]
    rows.append(["here / pythae", *(f"{ratio:.2f}" for ratio in ratios)])
    record(
        "vae-pythae",
        f"The same networks (784-400-20-400-784), data (10,000 binary images), batches of {batch} and Adam in this "
        f"package and in pythae {importlib.metadata.version('pythae')}, taking turns; medians of three seeds.",
        ["library", "bare training step", "step in the library's loop", f"time to an ELBO of {goal:g} nats"],
        rows,
        device,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", required=True, choices=["burda", "start", "memory", "pythae"])
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="folder of the four original files")
    parser.add_argument("--k", type=int, default=1, help="draws of the training objective; 1 is the ELBO")
    parser.add_argument("--epochs", type=int, default=3280, help="default: %(default)s, the published schedule's")
    parser.add_argument("--seconds", type=float, help="train for a time instead of a number of epochs")
    parser.add_argument("--start", type=Path, metavar="WEIGHTS", help="train these on (Burda et al. 2016, table 2)")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--precision", choices=["no", "bf16"], default="no", help="of the training, not of the bound")
    parser.add_argument("--draws", type=int, default=5000, help="of the bound that is reported")
    parser.add_argument("--examples", type=int, default=1000, help="images of --protocol memory")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    options = parser.parse_args()
    if options.mnist is None and options.protocol in ("burda", "start"):
        parser.error("--mnist: this protocol needs the original files")
    {"burda": burda, "start": start, "memory": memory, "pythae": pythae}[options.protocol](
        options, training.default_device()
    )


if __name__ == "__main__":
    main()
