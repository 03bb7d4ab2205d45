"""Measures the VAE half against published numbers and against another library.

    python benchmarks/vae.py --protocol burda --mnist FOLDER [--k 50] [--epochs 100 | --seconds 6000]
    python benchmarks/vae.py --protocol memory
    python benchmarks/vae.py --protocol pythae --mnist FOLDER

``burda``: Burda et al. 2016, table 1, one stochastic layer: 50 latents, two layers of 200 tanh units on both sides,
binary images redrawn from the grey values each time one is seen, and the 5,000-sample bound on the test set. The run
is checkpointed: started again with the same arguments, it goes on.

FOLDER holds the four original files of MNIST. Each protocol writes its table to benchmarks/results.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import torch
from record import record
from torch import Tensor, nn

from lecture11 import data, evaluation, networks, training, vae

PUBLISHED = {1: 86.76, 5: 85.54, 50: 84.78}  # Burda et al. 2016, table 1, IWAE column, one stochastic layer
CURVE_EXAMPLES, CURVE_DRAWS = 1000, 100


def burda_model(seed: int) -> vae.VAE:
    torch.manual_seed(seed)
    return vae.VAE(
        networks.MLP((784,), (200, 200), (2, 50), nn.Tanh),
        networks.MLP((50,), (200, 200), (784,), nn.Tanh),
        "bernoulli",
    )


def mnist(root: Path, device: torch.device) -> tuple[Tensor, Tensor]:
    """Grey training images, and test images drawn once, as vectors."""
    train = data.load("mnist", "train", root=root, device=device)
    test = data.load("mnist", "test", root=root, device=device)
    return train.x.flatten(1), test.binarised(generator=torch.Generator().manual_seed(0)).x.flatten(1)


def bound(model: vae.VAE, x: Tensor, draws: int) -> evaluation.Estimate:
    """The importance-weighted bound, in nats, with the same noise each time."""
    rng = torch.Generator(x.device).manual_seed(0)
    return evaluation.estimate(model.log_marginal(x, draws, generator=rng))


def burda(options: argparse.Namespace, device: torch.device) -> None:
    train, test = mnist(options.mnist, device)
    steps_per_epoch = len(train) // options.batch
    model = burda_model(options.seed)
    trainer = training.Trainer(
        model, partial(vae.negative_bound, k=options.k, redraw=True), train,
        batch_size=options.batch, lr=options.lr, seed=options.seed, mixed_precision=options.precision,
    )  # fmt: skip
    name = f"burda-k{options.k}"
    checkpoint = options.checkpoints / f"{name}.safetensors"
    log = checkpoint.with_suffix(".curve.json")
    curve: dict[str, float] = {}
    if checkpoint.exists():
        trainer.resume(checkpoint)
        curve = json.loads(log.read_text())
        print(f"resumed at epoch {trainer.step / steps_per_epoch:.2f}", flush=True)

    # The curve is measured at the ends of epochs 1, 2, 4, 8, ..., and every tenth.
    budget = {"seconds": options.seconds} if options.seconds else {"steps": options.epochs * steps_per_epoch}
    for state in trainer.run(**budget, checkpoint=checkpoint, checkpoint_every=steps_per_epoch):
        epoch, rest = divmod(state.step, steps_per_epoch)
        if rest == 0 and (epoch & (epoch - 1) == 0 or epoch % 10 == 0):
            curve[str(epoch)] = bound(model, test[:CURVE_EXAMPLES], CURVE_DRAWS).mean
            log.write_text(json.dumps(curve))
            print(f"epoch {epoch}, {state.seconds:.0f} s: bound {curve[str(epoch)]:.2f} nats", flush=True)

    begin = time.perf_counter()
    result = bound(model, test, options.draws)
    elbo = evaluation.estimate(model.log_marginal(test, 1, generator=torch.Generator(device).manual_seed(1)))
    epochs = trainer.step / steps_per_epoch
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"evaluated in {time.perf_counter() - begin:.0f} s, peak memory of the process {peak:.0f} MiB", flush=True)
    objective = "ELBO" if options.k == 1 else f"IWAE, k = {options.k}"
    record(
        name,
        f"Burda et al. 2016, table 1, one stochastic layer: {objective}. Negative {options.draws:,}-sample bound on the "
        f"10,000 test images of MNIST, in nats.",
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
        f"The same run: negative {CURVE_DRAWS}-sample bound on {CURVE_EXAMPLES:,} test images against epochs. The learning "
        f"rate falls to zero at the end, so that a point on the way is above what a run of that length reaches.",
        ["epochs", "-bound"],
        [[epoch, f"{-value:.2f}"] for epoch, value in curve.items()],
        device,
    )


def memory(options: argparse.Namespace, device: torch.device) -> None:
    """Peak memory of a process that evaluates the bound, for each number of draws a process of its own."""
    rows = []
    for k in (1, 10, 100, 1000, 5000):
        code = (
            "import resource, torch, sys; sys.path.insert(0, 'benchmarks'); from vae import burda_model\n"
            "model = burda_model(0); rng = torch.Generator().manual_seed(0)\n"
            f"x = torch.bernoulli(torch.rand({options.examples}, 784, generator=rng), generator=rng)\n"
            f"before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; model.log_marginal(x, {k}, generator=rng)\n"
            "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; print(before, after)"
        )
        root = Path(__file__).parents[1]
        out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root).stdout
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", required=True, choices=["burda", "memory", "pythae"])
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="folder of the four original files")
    parser.add_argument("--k", type=int, default=1, help="draws of the training objective; 1 is the ELBO")
    parser.add_argument("--epochs", type=int, default=3280, help="default: %(default)s, the published schedule's")
    parser.add_argument("--seconds", type=float, help="train for a time instead of a number of epochs")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--precision", choices=["no", "bf16"], default="no", help="of the training, not of the bound")
    parser.add_argument("--draws", type=int, default=5000, help="of the bound that is reported")
    parser.add_argument("--examples", type=int, default=1000, help="images of --protocol memory")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    options = parser.parse_args()
    if options.mnist is None and options.protocol != "memory":
        parser.error("--mnist: this protocol needs the original files")
    {"burda": burda, "memory": memory}[options.protocol](options, training.default_device())


if __name__ == "__main__":
    main()
