"""The benchmarks run, on little. That the results page shows what they recorded is in test_generate.py."""

import io
import json
import math
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import pytest
import torch

from lecture11 import data, diffusion, models, training
from tools import results

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow
Run = Callable[..., "Finished"]


def test_a_table_is_filled_in_and_one_without_a_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    measurement = {"caption": "Speed.", "header": ["a", "b"], "rows": [["1", "2"], ["3", "4"]], "date": "2026-01-02",
                   "hardware": "one core", "versions": "torch 2", "command": "python x.py"}  # fmt: skip
    (tmp_path / "speed.json").write_text(json.dumps(measurement))
    page = "Text.\n<!-- table: speed -->\nold\n<!-- end -->\nMore."
    filled = results.filled(page)
    assert "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |" in filled
    assert "2026-01-02, one core, torch 2:* `python x.py`" in filled
    assert "old" not in filled
    assert filled.startswith("Text.\n")
    assert filled.endswith("\nMore.")
    assert results.filled(filled) == filled
    (tmp_path / "speed.json").write_text(json.dumps(measurement | {"rows": [["1", "2"]]}))
    assert "|  | measured |\n| --- | --- |\n| a | 1 |\n| b | 2 |" in results.filled(page)
    with pytest.raises(ValueError, match="no place for speed"):
        results.filled("Text.")


@dataclass
class Finished:
    """What a run of a benchmark came to."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a benchmark from a copy, so that its records are not those of the repository.

    In this process, where PyTorch is imported already, and with the state of libraries put back afterwards.
    """
    copy = tmp_path / "benchmarks"
    copy.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(copy)

    def run(*arguments: str, script: str = "vae.py") -> Finished:
        for name in (script, "record.py"):
            text = (ROOT / "benchmarks" / name).read_text(encoding="utf-8")
            # A step on 128 images takes seconds.
            (copy / name).write_text(text.replace("\nBATCH = 128", "\nBATCH = 8"), encoding="utf-8")
        monkeypatch.setattr(sys, "argv", [str(copy / script), *arguments])
        code = 0
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            try:
                runpy.run_path(str(copy / script), run_name="__main__")
            except SystemExit as stopped:
                code = stopped.code if isinstance(stopped.code, int) else 1
        return Finished(code, out.getvalue(), err.getvalue())

    with matplotlib.rc_context(), torch.random.fork_rng():
        yield run
    sys.modules.pop("record", None)


@pytest.fixture
def mnist_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the full data: the benchmark that loads it gets the small set, and samples in few steps."""
    load, ddim, karras = data.load, diffusion.ddim_sample, diffusion.karras_steps

    def small(
        name: str, split: str, *, root: Path | None = None, device: Any = None, value_range: tuple[int, int] = (0, 1)
    ) -> data.Dataset:
        assert (name, root) == ("mnist", Path("/data"))
        return load("mnist-small", split, device=device, n=100, value_range=value_range)

    monkeypatch.setattr(data, "load", small)

    def few(*of: Any, steps: int | list[int], **how: Any) -> torch.Tensor:
        return ddim(*of, steps=min(steps, 3) if isinstance(steps, int) else steps, **how)

    monkeypatch.setattr(diffusion, "ddim_sample", few)
    monkeypatch.setattr(diffusion, "karras_steps", lambda s, n: karras(s, min(n, 3)))
    return tmp_path


def test_burda_s_protocol_trains_resumes_and_records(mnist_like: Path, run: Run) -> None:
    options = ["--protocol", "burda", "--mnist", "/data", "--k", "2", "--batch", "50", "--draws", "3"]
    first = run(*options, "--epochs", "1")
    assert first.returncode == 0, first.stderr
    second = run(*options, "--epochs", "3")
    assert second.returncode == 0, second.stderr
    assert "resumed at epoch 1.00" in second.stdout
    measured = json.loads((mnist_like / "benchmarks/results/burda-k2.json").read_text())
    (row,) = measured["rows"]
    assert row[:4] == ["IWAE, k = 2", "3", "50", "float32"]
    assert 100 < float(row[5].split(" ± ")[0]) < 700
    assert row[6:8] == ["-", "-"]
    assert "/data" not in measured["command"]
    curve = json.loads((mnist_like / "benchmarks/results/burda-k2-curve.json").read_text())
    assert [epochs for epochs, _ in curve["rows"]] == ["1", "2"]
    # From those weights, with a rate that moves nothing, the bound is that of the run that made them.
    start = ["--start", "checkpoints/burda-k2.safetensors", "--k", "1", "--epochs", "1", "--lr", "1e-30"]
    third = run(*options, *start)
    assert third.returncode == 0, third.stderr
    (other,) = json.loads((mnist_like / "benchmarks/results/burda-k1.json").read_text())["rows"]
    assert other[5] == row[5]


def test_both_starts_are_compared(mnist_like: Path, run: Run) -> None:
    options = ["--mnist", "/data", "--epochs", "20", "--batch", "50", "--lr", "3e-3"]
    finished = run("--protocol", "start", *options)
    assert finished.returncode == 0, finished.stderr
    rows = json.loads((mnist_like / "benchmarks/results/vae-start.json").read_text())["rows"]
    assert [row[:2] for row in rows] == [[b, s] for s in "01" for b in ("as PyTorch draws it", "at the mean image")]
    for drawn, at_mean in zip(rows[::2], rows[1::2], strict=True):
        assert float(at_mean[2]) < float(drawn[2])
        assert 1 < int(at_mean[4]) <= 50


def test_a_protocol_that_lacks_its_data_says_so(run: Run) -> None:
    finished = run("--protocol", "burda")
    assert finished.returncode == 2
    assert "--mnist: this protocol needs the original files" in finished.stderr


def sampled(run: Run, *arguments: str) -> Finished:
    finished = run(*arguments, "--mnist", "/data", script="diffusion.py")
    assert finished.returncode == 0, finished.stderr
    return finished


def test_samples_are_judged_and_drawn(mnist_like: Path, run: Run) -> None:
    sampled(run, "--protocol", "quality", "--images", "20", "--steps", "2")
    measured = json.loads((mnist_like / "benchmarks/results/diffusion-quality.json").read_text())
    names = [row[0] for row in measured["rows"]]
    assert names[:2] == ["training images", "DDIM"]
    assert measured["rows"][-1][:2] == ["with noise (eta = 1)", "2"]
    real, *samples = (float(row[3]) for row in measured["rows"])
    assert all(math.isfinite(distance) and distance > real for distance in samples)
    # After three steps of DDIM: what was asked for is what is seen, mostly, and more so where it is overdrawn.
    asked = {row[0]: float(row[7].removesuffix(" %")) for row in measured["rows"] if row[7] != "-"}
    assert asked["DDIM"] > 50
    assert asked["the same, guided, scale 2"] > 80
    (accuracy,) = json.loads((mnist_like / "benchmarks/results/classifier.json").read_text())["rows"]
    assert float(accuracy[1].removesuffix(" %")) > 97
    rows = json.loads((mnist_like / "benchmarks/results/diffusion-neighbours.json").read_text())["rows"]
    assert all(0 < float(row[2]) <= float(row[1]) < 1 for row in rows)
    for name in ("samples", "neighbours"):
        assert (mnist_like / f"book/images/diffusion-mnist-{name}.png").stat().st_size > 1000


def test_the_bound_s_parts_add_up(mnist_like: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured_variance(model: object, s: diffusion.NoiseSchedule, x_0: torch.Tensor, **how: object) -> torch.Tensor:
        assert -1 <= x_0.min() < -0.9 < 0.9 < x_0.max() <= 1
        assert (how["draws"], how["per_dim"], how["clip"]) == (60, True, True)
        return s.beta(torch.arange(1, s.T + 1))[:, None, None, None].repeat(1, *x_0.shape[1:])

    monkeypatch.setattr(diffusion, "optimal_variance", measured_variance)
    sampled(run, "--protocol", "bound", "--images", "30", "--draws", "1")
    measured = json.loads((mnist_like / "benchmarks/results/diffusion-bound.json").read_text())
    beta, posterior, by_step, by_pixel, histogram, uniform = measured["rows"]
    assert beta[1:] == by_step[1:] == by_pixel[1:]
    for row in (beta, posterior):
        *parts, total = (float(cell.split(" ± ")[0]) for cell in row[1:])
        assert sum(parts) == pytest.approx(total, abs=0.02)
        assert 0.5 < total < 6
    assert 1 < float(histogram[4].split(" ± ")[0]) < 8
    assert uniform[4] == "8"


def test_a_contestant_is_trained_for_its_seconds(mnist_like: Path, run: Run) -> None:
    contest = ["--protocol", "peers", "--contestant", "here", "--seconds", "1", "--images", "4"]
    result = json.loads(sampled(run, *contest).stdout.splitlines()[-1])
    assert result["steps"] >= 1
    assert result["parameters"] < 2_000_000
    assert math.isfinite(result["distance"])


def test_the_curve_is_of_the_copies_in_the_order_of_training(mnist_like: Path, run: Run) -> None:
    recipe = models.recipe("diffusion-mnist")
    options = dict(recipe.options) | {"batch_size": 2}
    examples = (torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.long))
    trainer = training.Trainer(recipe.build(), recipe.loss, examples, seed=0, **options)
    for steps, name in ((1, "b"), (2, "a")):
        for _ in trainer.run(steps=steps):
            pass
        trainer.save(mnist_like / f"checkpoints/diffusion-mnist-{name}.checkpoint")
    sampled(run, "--protocol", "curve", "--images", "3")
    rows = json.loads((mnist_like / "benchmarks/results/diffusion-curve.json").read_text())["rows"]
    assert [row[1] for row in rows] == ["1", "2"]
    assert all(math.isfinite(float(row[2])) for row in rows)
