"""The benchmarks run, on little; what they record is what the results page shows."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tools import results

from lecture11 import data, models, training

ROOT = Path(__file__).resolve().parents[1]


def test_the_results_page_shows_what_was_measured() -> None:
    page = results.PAGE.read_text(encoding="utf-8")
    assert results.filled(page) == page, "run: python book/tools/results.py"


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


def run(tmp_path: Path, *arguments: str, script: str = "vae.py") -> subprocess.CompletedProcess[str]:
    """The benchmark from a copy, so that its records are not those of the repository."""
    copy = tmp_path / "benchmarks"
    copy.mkdir(exist_ok=True)
    for name in (script, "record.py"):
        (copy / name).write_text((ROOT / "benchmarks" / name).read_text())
    command = [sys.executable, str(copy / script), *arguments]
    return subprocess.run(command, cwd=tmp_path, env=os.environ, text=True, capture_output=True)


@pytest.fixture
def mnist_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the full data: the benchmark is told to load the small set under the other's name."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "from lecture11 import data\n"
        "load = data.load\n"
        "def small(name, split, *, root=None, device=None, value_range=(0, 1)):\n"
        "    return load('mnist-small', split, device=device, n=200, value_range=value_range)\n"
        "data.load = small\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site))
    assert data.load("mnist-small", "train", n=200).shape == (1, 28, 28)
    return tmp_path


def test_burda_s_protocol_trains_resumes_and_records(mnist_like: Path) -> None:
    options = ["--protocol", "burda", "--mnist", "/data", "--k", "2", "--batch", "50", "--draws", "3"]
    first = run(mnist_like, *options, "--epochs", "1")
    assert first.returncode == 0, first.stderr
    second = run(mnist_like, *options, "--epochs", "3")
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
    start = ["--start", "checkpoints/burda-k2.safetensors", "--k", "1", "--epochs", "1", "--lr", "0"]
    third = run(mnist_like, *options, *start)
    assert third.returncode == 0, third.stderr
    (other,) = json.loads((mnist_like / "benchmarks/results/burda-k1.json").read_text())["rows"]
    assert other[5] == row[5]


def test_both_starts_are_compared(mnist_like: Path) -> None:
    options = ["--mnist", "/data", "--epochs", "20", "--batch", "50", "--lr", "3e-3"]
    finished = run(mnist_like, "--protocol", "start", *options)
    assert finished.returncode == 0, finished.stderr
    rows = json.loads((mnist_like / "benchmarks/results/vae-start.json").read_text())["rows"]
    assert [row[:2] for row in rows] == [[b, s] for s in "01" for b in ("as PyTorch draws it", "at the mean image")]
    for drawn, at_mean in zip(rows[::2], rows[1::2], strict=True):
        assert float(at_mean[2]) < float(drawn[2])
        assert 1 < int(at_mean[4]) <= 50


def test_a_protocol_that_lacks_its_data_says_so(tmp_path: Path) -> None:
    finished = run(tmp_path, "--protocol", "burda")
    assert finished.returncode == 2
    assert "--mnist: this protocol needs the original files" in finished.stderr


def diffusion(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    finished = run(folder, *arguments, "--mnist", "/data", script="diffusion.py")
    assert finished.returncode == 0, finished.stderr
    return finished


def test_samples_are_judged_and_drawn(mnist_like: Path) -> None:
    diffusion(mnist_like, "--protocol", "quality", "--images", "20", "--steps", "2")
    measured = json.loads((mnist_like / "benchmarks/results/diffusion-quality.json").read_text())
    names = [row[0] for row in measured["rows"]]
    assert names[:2] == ["training images", "2 steps with noise (eta = 1)"]
    real, *samples = (float(row[2]) for row in measured["rows"])
    assert all(math.isfinite(distance) and distance > real for distance in samples)
    (accuracy,) = json.loads((mnist_like / "benchmarks/results/classifier.json").read_text())["rows"]
    assert float(accuracy[1].removesuffix(" %")) > 97
    rows = json.loads((mnist_like / "benchmarks/results/diffusion-neighbours.json").read_text())["rows"]
    assert all(0 < float(row[2]) <= float(row[1]) < 1 for row in rows)
    for name in ("samples", "neighbours"):
        assert (mnist_like / f"book/images/diffusion-mnist-{name}.png").stat().st_size > 1000


def test_the_bound_s_parts_add_up(mnist_like: Path) -> None:
    diffusion(mnist_like, "--protocol", "bound", "--images", "30", "--draws", "1")
    measured = json.loads((mnist_like / "benchmarks/results/diffusion-bound.json").read_text())
    beta, posterior, histogram, uniform = measured["rows"]
    for row in (beta, posterior):
        *parts, total = (float(cell.split(" ± ")[0]) for cell in row[1:])
        assert sum(parts) == pytest.approx(total, abs=0.02)
        assert 0.5 < total < 6
    assert 1 < float(histogram[4].split(" ± ")[0]) < 8
    assert uniform[4] == "8"


def test_a_contestant_is_trained_for_its_seconds(mnist_like: Path) -> None:
    contest = ["--protocol", "peers", "--contestant", "here", "--seconds", "1", "--images", "4"]
    result = json.loads(diffusion(mnist_like, *contest).stdout.splitlines()[-1])
    assert result["steps"] >= 1
    assert result["parameters"] < 2_000_000
    assert math.isfinite(result["distance"])


def test_the_curve_is_of_the_copies_in_the_order_of_training(mnist_like: Path) -> None:
    recipe = models.recipe("diffusion-mnist")
    options = dict(recipe.options) | {"batch_size": 2}
    trainer = training.Trainer(recipe.build(), recipe.loss, (torch.zeros(2, 1, 28, 28),), seed=0, **options)
    for steps, name in ((1, "b"), (2, "a")):
        for _ in trainer.run(steps=steps):
            pass
        trainer.save(mnist_like / f"checkpoints/diffusion-mnist-{name}.checkpoint")
    diffusion(mnist_like, "--protocol", "curve", "--images", "3")
    rows = json.loads((mnist_like / "benchmarks/results/diffusion-curve.json").read_text())["rows"]
    assert [row[1] for row in rows] == ["1", "2"]
    assert all(math.isfinite(float(row[2])) for row in rows)
