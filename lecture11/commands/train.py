"""``lecture11 train``: a model that ships, by its recipe, or one of one's own on any images."""

import argparse
import dataclasses
import functools
import itertools
import json
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lecture11.commands.common import count, described, in_a_line, sets, with_root, write_sheet

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.tensorboard import SummaryWriter

    from lecture11 import models, training
    from lecture11.models import own

LOG_EVERY = 20  # steps
TEXT = f"""\
Trains, and keeps the weights OUTPUT and beside them OUTPUT.checkpoint, from which the same command goes on after an
interruption, OUTPUT.jsonl with a line of numbers every {LOG_EVERY} steps, and OUTPUT.png with samples of each epoch.
Of a model of one's own the loss is measured after each epoch on images that are held out of the training: OUTPUT.best
has the weights where it was lowest, and --set patience=5 ends the run when it has not fallen for five epochs.

  lecture11 train vae-mnist                                 a model that the course ships, by its recipe
  lecture11 train diffusion --data mnist-small              one's own, in minutes
  lecture11 train diffusion --data photos --set side=64 widths=64,128,128 epochs=50
  lecture11 train vae --data fashion-mnist --preset colab --set patience=5 --output runs/vae.safetensors

Kinds: autoencoder, vae, diffusion, classifier. A folder of images is read while it trains; its sub-folders are classes.
A folder with files as MNIST's (IDX) or CIFAR's (binary version) is read whole.

Settings (--set KEY=VALUE ...; a model that ships has those of the training, a kind also the others):
  training     epochs batch_size accumulate lr warmup schedule (cosine, constant) weight_decay clip_norm (of the
               gradient; inf: none) ema_decay (0: none) mixed_precision (no, bf16, fp16) seed
  data         validation (a share) patience (epochs; 0: any) side channels (of a folder's images)
  autoencoder  latents hidden (such as 512,256)
  vae          latents hidden likelihood (bernoulli, gaussian, sigma-gaussian) k (draws; above 1: an IWAE)
  diffusion    widths (such as 32,64) blocks
  classifier   width

In several processes: torchrun --no-python --nproc-per-node 2 lecture11 train ...
"""


def add(commands: Any) -> None:
    train = commands.add_parser("train", help="train a model that the course ships, or one's own on any images")
    described(train, TEXT)
    train.add_argument("model", help="a model that ships, such as vae-mnist, or a kind, such as diffusion")
    train.add_argument("--data", help="of a kind: name of a data set (see lecture11 data), or a folder of images")
    with_root(train)
    train.add_argument("--preset", help="of a kind: cpu, colab or paper (default: cpu)")
    train.add_argument("--set", nargs="+", action="append", metavar="KEY=VALUE", help="change settings, listed above")
    train.add_argument("--epochs", type=count, help="in place of the recipe's or the preset's")
    train.add_argument("--output", type=Path, help="file of the weights (default: named after the model and the data)")
    train.add_argument("--tensorboard", action="store_true", help="the numbers of OUTPUT.jsonl for TensorBoard too")
    train.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    # Here, so that --help does not wait for PyTorch.
    from lecture11 import processes

    job = Job(options)
    before = signal.getsignal(signal.SIGINT)
    if before == signal.default_int_handler:  # a shell has its background processes ignore it
        signal.signal(signal.SIGINT, job.interrupt)
    try:
        return in_a_line("train", job.run, say=processes.is_main)
    except KeyboardInterrupt:
        if processes.is_main():
            print(f"lecture11 train: stopped{job.where()}")
        return 130
    finally:
        signal.signal(signal.SIGINT, before)
        job.release()


class Job:
    """One call of the command."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.last: training.State | None = None
        self.checkpoint: Path | None = None
        self.claimed: TextIO | None = None
        self.unlock: Callable[[], None] = lambda: None
        self.interrupted = False

    def interrupt(self, *_: object) -> None:
        """What Ctrl-C does. It is remembered: Python passes over an exception while it starts a process."""
        self.interrupted = True
        raise KeyboardInterrupt

    def where(self) -> str:
        """How far the run had come, and what is kept of it."""
        at = f" at step {self.last.step:,}" if self.last else ""
        if self.checkpoint is not None and self.checkpoint.exists():
            return f"{at}. The same command goes on from {self.checkpoint}"
        return f"{at}. The same command begins anew: no epoch was finished"

    def claim(self, output: Path) -> None:
        """Makes this the only process that writes OUTPUT.jsonl, and so the others, until it ends, however it ends.

        Raises:
            ValueError: another has done so.
        """
        try:
            import fcntl
        except ImportError:  # Windows has other locks
            return
        file = Path(f"{output}.jsonl").open("a", encoding="utf-8")  # noqa: SIM115 (closed by release)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Given back by name: a process that was just started has the file for another moment.
            self.unlock = functools.partial(fcntl.flock, file, fcntl.LOCK_UN)
        except BlockingIOError as error:
            file.close()
            raise ValueError(
                f"{output} is being trained by another process: wait for it, or give another --output"
            ) from error
        except OSError:
            pass  # some file systems of clusters have no locks: to train there is better than to refuse
        # The lock is held as long as one process has the file. Those that read images outlive a process that is killed.
        os.register_at_fork(after_in_child=file.close)
        self.claimed = file

    def release(self) -> None:
        """Lets others write; no empty file remains of a run that did not begin."""
        if self.claimed is not None:
            path = Path(self.claimed.name)
            if path.exists() and path.stat().st_size == 0:
                path.unlink()
            self.unlock()
            self.claimed.close()

    def run(self) -> None:
        from lecture11 import checkpoints, data, models, processes
        from lecture11.models import own

        options = self.options
        if options.model in own.KINDS:
            settings, output = own_settings(options)
            changed: own.Settings = {}
        else:
            how, changed = shipped_recipe(options)
            settings = own.of_recipe(options.model, how) | changed
            output = options.output or Path(f"{options.model}.safetensors")
        if output.suffix == ".checkpoint":
            raise ValueError(f"{output} has the name of a checkpoint: call the weights {output.stem}.safetensors")
        # Added to the whole name, so that m-0.1 and m-0.2 have one each.
        self.checkpoint = Path(f"{output}.checkpoint")
        processes.in_main(lambda: checkpoints.check_writable(output))
        processes.in_main(lambda: check_is_model(output))
        processes.in_main(lambda: self.claim(output))

        writer = tensorboard(output) if options.tensorboard else None

        made_by: dict[str, Any] = {"recipe": options.model, "changed": changed}
        held_out = None
        if options.model in own.KINDS:
            images = processes.in_turn(lambda: own.read(settings, "train", options.root))
            settings = own.completed(settings, images)
            images, held_out = own.held_out(settings, images)
            how, made_by = own.recipe(settings), {"settings": settings}
        else:
            images = processes.in_turn(
                lambda: data.load(how.dataset, "train", root=options.root, value_range=how.value_range)
            )
        validation = None if held_out is None else Validation(output, how, held_out, made_by)
        log = Log(output, settings, images, how.options["batch_size"], validation, writer)
        patience = settings.get("patience", 0)

        def is_over() -> bool:
            """Whether the loss has not fallen for too long: known to one process, and decided for all."""
            behind = processes.of_main(0.0 if validation is None else float(validation.behind))
            return 0 < patience <= behind

        if processes.is_main() and self.checkpoint.exists():
            log.read()
        for state in models.fit(
            how, images, checkpoint=self.checkpoint, seed=settings.get("seed", 0), progress=output.stem,
            is_over=is_over if patience else None,
        ):  # fmt: skip
            self.last = state
            if processes.is_main():
                log.add(state)
            if self.interrupted:
                raise KeyboardInterrupt
        processes.in_main(lambda: self._write(state, output, made_by, log))

    def _write(self, state: "training.State", output: Path, made_by: dict[str, Any], log: "Log") -> None:
        import torch

        from lecture11 import training

        training.save_weights(averaged(state), output, dtype=torch.float16, **made_by)
        how = (
            "the run is finished" if log.validation is None else log.validation.ending(log.settings.get("patience", 0))
        )
        print(
            f"{output}: {how}, {state.step:,} steps in {time_of(state.seconds)}, "
            f"loss of the last batch {state.loss:.4g}; {output.stat().st_size:,} bytes"
        )


def own_settings(options: argparse.Namespace) -> "tuple[own.Settings, Path]":
    """Those of a model of one's own, and the file of its weights.

    Raises:
        ValueError: a setting that there is not, or not with this value.
    """
    from lecture11 import training
    from lecture11.models import own

    if options.data is None:
        raise ValueError(f"a {options.model} needs --data: a data set's name, or a folder of images")
    settings = own.settings(options.model, options.data, options.preset or "cpu", sets(options.set))
    if options.epochs is not None:
        settings["epochs"] = options.epochs
    training.check_split(settings["batch_size"], settings["accumulate"])
    return settings, options.output or own.file_name(settings)


def shipped_recipe(options: argparse.Namespace) -> "tuple[models.Recipe, own.Settings]":
    """The recipe of a model that ships, and what was changed in it.

    Raises:
        ValueError: no such model, or options that are for a kind of model.
    """
    from lecture11 import models, training
    from lecture11.models import own

    how = models.recipe(options.model)
    if options.data or options.preset:
        raise ValueError(f"{options.model} has a recipe: --data and --preset are for a kind of model")
    how, changed = own.with_changes(how, sets(options.set))
    if options.epochs is not None:
        how = dataclasses.replace(how, epochs=options.epochs)
    training.check_split(how.options["batch_size"], how.options.get("accumulate", 1))
    return how, changed


def check_is_model(output: Path) -> None:
    """Whether what is there already may be replaced: a slip of the fingers must not cost a file of another kind.

    Raises:
        ValueError
    """
    from lecture11 import checkpoints

    if output.is_file() and output.stat().st_size > 0:
        try:
            checkpoints.read(output)
        except checkpoints.CheckpointError as error:
            raise ValueError(f"{output} exists, and is no model of this course: give another --output") from error


def time_of(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def averaged(state: "training.State") -> "nn.Module":
    """The moving average of the weights where there is one."""
    return state.model if state.averaged is None else state.averaged


def tensorboard(output: Path) -> "SummaryWriter | None":
    """A writer to OUTPUT.tensorboard, in the main process.

    Raises:
        ValueError: TensorBoard is not installed.
    """
    from lecture11 import processes

    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError("--tensorboard: it is not installed, pip install tensorboard") from error
    return SummaryWriter(f"{output}.tensorboard") if processes.is_main() else None


class Validation:
    """The loss on images that are held out, after each epoch, and the weights where it was lowest."""

    def __init__(self, output: Path, how: "models.Recipe", images: "own.Images", made_by: dict[str, Any]) -> None:
        self.best = Path(f"{output}.best")
        self.how, self.images, self.made_by = how, images, made_by
        self.losses: list[float] = []

    @property
    def behind(self) -> int:
        """How many epochs ago the loss was lowest."""
        return len(self.losses) - 1 - self.losses.index(min(self.losses)) if self.losses else 0

    def measure(self, model: "nn.Module") -> float:
        """The mean loss, with the same noise each time; of the lowest so far the weights are kept."""
        import torch

        from lecture11 import data, training

        device = next(model.parameters()).device
        size = self.how.options["batch_size"]
        batches: Iterable[tuple[Tensor, ...]]
        if isinstance(self.images, data.Folder):
            rows = torch.arange(len(self.images))
            batches = itertools.chain.from_iterable(self.images.batches(part[None]) for part in rows.split(size))
        else:
            x, y = self.images.x, self.images.y
            batches = zip(*(t.split(size) for t in ([x, y] if self.how.labels and y is not None else [x])), strict=True)
        rng = torch.Generator(device).manual_seed(0)
        with torch.no_grad():
            losses = [self.how.loss(model, *(t.to(device) for t in batch), generator=rng) for batch in batches]
        loss = torch.cat(losses).mean().item()
        if not self.losses or loss < min(self.losses):
            training.save_weights(model, self.best, dtype=torch.float16, **self.made_by)
        self.losses.append(loss)
        return loss

    def ending(self, patience: int) -> str:
        epoch = len(self.losses) - self.behind
        how = f"no lower loss for {patience} epochs" if 0 < patience <= self.behind else "the run is finished"
        return (
            f"{how}, validation loss {self.losses[-1]:.4g} (lowest {min(self.losses):.4g} after epoch "
            f"{epoch}: {self.best})"
        )


class Log:
    """Numbers every so many steps as lines of JSON, and a picture after each epoch."""

    def __init__(
        self,
        output: Path,
        settings: "own.Settings",
        images: "own.Images",
        batch_size: int,
        validation: Validation | None = None,
        writer: "SummaryWriter | None" = None,
    ) -> None:
        self.lines, self.picture = Path(f"{output}.jsonl"), Path(f"{output}.png")
        self.settings, self.images, self.validation, self.writer = settings, images, validation, writer
        self.steps_per_epoch, self.batch_size = len(images) // batch_size, batch_size
        self.before: tuple[int, float] | None = None

    def add(self, state: "training.State") -> None:
        if self.before is None:
            self._forget_from(state.step)
            self.read()
            self.before = (state.step, state.seconds)
        ends = state.step % self.steps_per_epoch == 0
        if ends or state.step % LOG_EVERY == 0:
            step, seconds = self.before
            took = state.seconds - seconds
            line = {
                "step": state.step,
                "epoch": round(state.step / self.steps_per_epoch, 3),
                "loss": state.loss,
                "grad_norm": state.grad_norm,
                "lr": state.lr,
                "seconds": round(state.seconds, 3),
                "examples_per_second": round((state.step - step) * self.batch_size / took, 1) if took > 0 else None,
            }
            if ends and self.validation is not None:
                model = averaged(state)
                training = model.training
                line["validation"] = self.validation.measure(model.eval())
                model.train(training)
            with self.lines.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            if self.writer is not None:
                for name in line.keys() - {"step"}:
                    self.writer.add_scalar(name, line[name] or 0.0, state.step)
                self.writer.flush()
            self.before = (state.step, state.seconds)
        if ends:
            self._draw(state)

    def _forget_from(self, step: int) -> None:
        """What was written after the checkpoint that the run goes on from: it comes again."""
        if self.lines.exists():
            kept = [line for line in self.lines.read_text("utf-8").splitlines() if json.loads(line)["step"] < step]
            self.lines.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def read(self) -> None:
        """The losses on the images held out, of the epochs before."""
        if self.validation is not None and self.lines.exists():
            lines = map(json.loads, self.lines.read_text("utf-8").splitlines())
            self.validation.losses = [line["validation"] for line in lines if "validation" in line]

    def _draw(self, state: "training.State") -> None:
        from lecture11.commands.sample import sheet_of

        model = averaged(state)
        training = model.training
        pictures = sheet_of(model.eval(), self.settings, self.images)
        model.train(training)
        if pictures is not None:
            write_sheet(pictures, self.picture, 0.0)
