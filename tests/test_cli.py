"""``lecture11 train`` of a shipped model: what it writes, and each wrong turn in one line with its exit code."""

import contextlib
import dataclasses
import json
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import several
import torch
from torch import nn

from lecture11 import cli, models, training
from lecture11.commands import train
from lecture11.data import DataUnavailableError

NAME = "diffusion-digits"


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(8, 8))

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x * self.scale


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The recipe of the digits with the smallest network, and the folder that the command is called in."""
    options = {"batch_size": 250, "lr": 1e-2, "clip_norm": 64.0, "ema_decay": 0.9}
    recipe = dataclasses.replace(models.RECIPES[NAME], build=Tiny, options=options, epochs=2)
    monkeypatch.setitem(models.RECIPES, NAME, recipe)
    monkeypatch.chdir(tmp_path)
    # Samples of it on the way would take longer than the training.
    monkeypatch.setattr(train.Log, "_draw", lambda self, state: self.picture.write_bytes(b"picture"))
    return tmp_path


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str]:
        try:
            code = cli.main(["train", *arguments])
        except SystemExit as error:  # argparse's
            code = error.code
        out, err = capfd.readouterr()
        return code, out + err

    return run


def lines(text: str) -> list[str]:
    """What was printed, but for the progress bar."""
    return [line for line in text.splitlines() if line.strip() and "it/s" not in line]


def one_line(text: str) -> str:
    (line,) = lines(text)
    return line


def test_a_run_goes_on_and_a_finished_one_writes_its_weights_again(small: Path, run: Run) -> None:
    code, text = run(NAME, "--epochs", "1", "--output", "m-0.1")
    assert code == 0
    assert re.search(r"m-0.1: the run is finished, 6 steps in \d.* s, loss of the last batch \d", text)
    kept = ["m-0.1", "m-0.1.checkpoint", "m-0.1.jsonl", "m-0.1.png"]
    assert sorted(path.name for path in small.iterdir()) == kept
    first = (small / "m-0.1").read_bytes()
    (small / "m-0.1").unlink()
    assert run(NAME, "--epochs", "1", "--output", "m-0.1") == (0, f"{one_line(text)}\n")
    assert (small / "m-0.1").read_bytes() == first

    model = models.load(small / "m-0.1")
    assert isinstance(model, Tiny)
    kept = Tiny()
    training.load_weights(kept, small / "m-0.1.checkpoint", averaged=True)
    assert torch.equal(model.scale, kept.scale.half().float())
    assert model.scale.abs().min() > 0

    code, text = run(NAME, "--output", "m-0.1")  # the recipe's two epochs: the run goes on
    assert (code, "12 steps" in text) == (0, True)
    code, text = run(NAME, "--epochs", "1", "--output", "m-0.1")
    assert code == 1
    assert "has done 12 steps already, and steps=6 is their total" in one_line(text)
    code, text = run(NAME, "--epochs", "1", "--output", "m-0.2")  # a run of its own
    assert (code, "6 steps" in text) == (0, True)


@pytest.mark.parametrize("epochs", ["0", "-3", "2.5", "nan", "True", "", "²"])
def test_a_count_of_epochs_that_is_none_is_wrong_usage(small: Path, run: Run, epochs: str) -> None:
    code, text = run(NAME, f"--epochs={epochs}")
    assert code == 2
    assert "argument --epochs: must be a whole number, at least 1, got" in text
    assert not list(small.iterdir())


def test_what_cannot_be_written_is_noticed_before_the_training(
    small: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "fit", lambda *_, **__: pytest.fail("it trains"))
    (small / "file").write_text("")
    (small / "notes").write_text("what took a week to write")
    (small / "folder").mkdir()
    for output, fault in (
        ("notes", "notes exists, and is no model of this course: give another --output"),
        ("folder", "cannot be written: it is a folder, give the name of a file"),
        (".", "it is a folder"),
        ("/dev/null", "it is no ordinary file"),
        ("file/m", "cannot be written"),
        ("m" * 300, "cannot be written: File name too long"),
        ("/proc/m", "cannot be written"),
        ("m.checkpoint", "has the name of a checkpoint: call the weights m.safetensors"),
    ):
        code, text = run(NAME, "--output", output)
        assert code == 1
        assert re.match(f"lecture11 train: .*{re.escape(fault)}", one_line(text)), text
    assert sorted(path.name for path in small.iterdir()) == ["file", "folder", "notes"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere: run the tests as a user")
def test_a_folder_without_the_right_to_write_is_noticed_before_the_training(small: Path, run: Run) -> None:
    (small / "folder").mkdir(mode=0o555)
    code, text = run(NAME, "--output", "folder/m")
    assert (code, one_line(text)) == (1, "lecture11 train: folder/m: cannot be written: Permission denied")


def test_a_checkpoint_that_does_not_fit_is_refused_and_kept(small: Path, run: Run, monkeypatch) -> None:
    checkpoint = small / "m.checkpoint"
    checkpoint.write_bytes(b"junk")
    code, text = run(NAME, "--output", "m")
    assert code == 1
    assert one_line(text).startswith("lecture11 train: m.checkpoint is truncated, or no safetensors file")
    checkpoint.unlink()

    assert run(NAME, "--epochs", "1", "--output", "m")[0] == 0
    kept = checkpoint.read_bytes()
    recipe = models.RECIPES[NAME]
    monkeypatch.setitem(models.RECIPES, NAME, dataclasses.replace(recipe, options={**recipe.options, "lr": 0.5}))
    code, text = run(NAME, "--output", "m")
    assert code == 1
    assert "m.checkpoint is of another run: lr was 0.01, is 0.5" in one_line(text)
    assert checkpoint.read_bytes() == kept


def test_a_run_that_is_under_way_is_not_started_twice(small: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused in a line, and the first goes on as if nothing had been; afterwards the same command is free again."""
    steps, second = training.Trainer._take_step, []

    def take(self: training.Trainer, lr: float) -> None:
        if self.step == 8:
            second.append(run(NAME, "--output", "m"))
        steps(self, lr)

    monkeypatch.setattr(training.Trainer, "_take_step", take)
    assert run(NAME, "--output", "m")[0] == 0
    ((code, text),) = second
    assert code == 1
    assert one_line(text) == (
        "lecture11 train: m is being trained by another process: wait for it, or give another --output"
    )
    assert [json.loads(line)["step"] for line in (small / "m.jsonl").read_text().splitlines()] == [6, 12]
    assert run(NAME, "--output", "m")[0] == 0


def test_a_full_disk_ends_in_a_line_and_leaves_the_last_checkpoint(small: Path, run: Run) -> None:
    assert run(NAME, "--epochs", "1", "--output", "m")[0] == 0
    kept = (small / "m.checkpoint").read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        code = cli.main(["train", NAME, "--output", str(small / "m")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert code == 1
    assert (small / "m.checkpoint").read_bytes() == kept
    assert sorted(path.name for path in small.iterdir()) == ["m", "m.checkpoint", "m.jsonl", "m.png"]  # no litter


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataUnavailableError("'mnist' is not here"), "'mnist' is not here"),
        (training.TrainingDivergedError("the loss is nan at step 4"), "the loss is nan at step 4"),
        (OSError(28, "No space left on device", "m.checkpoint"), "m.checkpoint: No space left on device"),
    ],
)
def test_what_stops_a_training_is_one_line(
    small: Path, run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def fit(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(models, "fit", fit)
    code, text = run(NAME)
    assert (code, one_line(text)) == (1, f"lecture11 train: {line}")


def test_an_unknown_model_or_folder_is_one_line(small: Path, run: Run) -> None:
    for arguments, fault in (
        (["gan-mnist"], "no model is called 'gan-mnist'. There are: vae-mnist"),
        (["vae-mnist", "--root", "nowhere"], "root='nowhere' does not exist"),
        ([NAME, "--root", "nowhere"], "'digits' reads no files from a folder: leave out root"),
    ):
        code, text = run(*arguments)
        assert code == 1
        assert one_line(text).startswith(f"lecture11 train: {fault}")
    assert not list(small.iterdir())


def test_an_interrupted_run_says_how_to_go_on(small: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = training.Trainer._take_step

    def interrupted_at(step: int) -> None:
        def take(self: training.Trainer, lr: float) -> None:
            if self.step == step:
                raise KeyboardInterrupt
            steps(self, lr)

        monkeypatch.setattr(training.Trainer, "_take_step", take)

    interrupted_at(3)
    code, text = run(NAME, "--output", "m")
    assert (code, one_line(text)) == (
        130, "lecture11 train: stopped at step 3. The same command begins anew: no epoch was finished"
    )  # fmt: skip
    interrupted_at(8)
    code, text = run(NAME, "--output", "m")
    assert (code, one_line(text)) == (
        130, "lecture11 train: stopped at step 8. The same command goes on from m.checkpoint"
    )  # fmt: skip
    interrupted_at(-1)
    assert run(NAME, "--output", "m")[0] == 0
    assert run(NAME, "--output", "whole")[0] == 0
    assert torch.equal(models.load(small / "m").scale, models.load(small / "whole").scale)


def test_an_interrupt_that_python_passes_over_is_remembered(
    small: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does with an exception in what runs when a process is forked: one that reads images, for instance."""
    steps = training.Trainer._take_step

    def take(self: training.Trainer, lr: float) -> None:
        if self.step == 3:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        steps(self, lr)

    monkeypatch.setattr(training.Trainer, "_take_step", take)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where a shell began this with &
    try:
        code, text = run(NAME, "--output", "m")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == 130
    assert one_line(text).startswith("lecture11 train: stopped at step 4.")


def test_what_a_run_has_started_does_not_keep_others_out(
    small: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that reads images outlives one that was killed by some seconds."""
    steps, started = training.Trainer._take_step, []

    def take(self: training.Trainer, lr: float) -> None:
        if self.step == 8 and not started:
            started.append(multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,)))
            started[0].start()
            raise KeyboardInterrupt
        steps(self, lr)

    monkeypatch.setattr(training.Trainer, "_take_step", take)
    assert run(NAME, "--output", "m")[0] == 130
    code, text = run(NAME, "--output", "m")
    assert started[0].is_alive()
    started[0].kill()
    assert code == 0, text


def test_of_several_processes_the_main_one_prints_and_writes(small: Path) -> None:
    """And a batch that they cannot share is refused before anything is loaded, by all."""
    (small / "in the way").mkdir()

    def work(i: int) -> list:
        out = open(small.parent / f"{small.name}-{i}", "w")  # noqa: SIM115 (kept until the process ends)
        sys.stdout = sys.stderr = out
        codes = [cli.main(["train", NAME, "--epochs", "1", "--output", "m"])]
        codes.append(cli.main(["train", NAME, "--output", "in the way"]))
        recipe = models.RECIPES[NAME]
        models.RECIPES[NAME] = dataclasses.replace(
            recipe, dataset="none", options={**recipe.options, "batch_size": 125}
        )
        codes.append(cli.main(["train", NAME, "--output", "n"]))
        out.flush()
        return codes

    assert several.run(work) == [[0, 1, 1]] * 2
    said = lines((small.parent / f"{small.name}-0").read_text())
    assert "m: the run is finished, 6 steps" in said[0]
    assert "in the way: cannot be written: it is a folder" in said[1]
    assert "batch_size 125 must be a multiple of 2" in said[2]
    assert len(said) == 3
    assert (small.parent / f"{small.name}-1").read_text() == ""
    assert sorted(path.name for path in small.iterdir()) == [
        "in the way", "m", "m.checkpoint", "m.jsonl", "m.png"
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_console_without_a_character_shows_another(encoding: str) -> None:
    code = """
import argparse, sys
from lecture11 import cli
def run(options):
    print("error \\u2248 0.027 \\u03b1", file=sys.stderr)
    print("error \\u2248 0.027")
    return 0
cli.train.run = run
sys.exit(cli.main(["train", "x"]))
"""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "error ? 0.027\n")
    assert done.stderr == "error ? 0.027 ?\n"


def test_ctrl_c_ends_the_command_in_a_line(tmp_path: Path) -> None:
    """The signal itself, while the command reads data or trains, in a process of its own."""

    def work() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background processes ignore it
        sys.stdout = sys.stderr = out = open(tmp_path / "out", "w")  # noqa: SIM115 (kept until the process ends)
        code = cli.main(["train", NAME, "--output", str(tmp_path / "m")])
        out.flush()
        os._exit(code)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    begin = time.monotonic()
    while not (tmp_path / "m.jsonl").exists():
        assert time.monotonic() - begin < 60
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    process.join(60)
    assert process.exitcode == 130
    said = (tmp_path / "out").read_text()
    assert "Traceback" not in said
    assert re.match("lecture11.*: stopped", one_line(said))
