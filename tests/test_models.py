"""The models that the package ships are what their recipes make, and as good as the book says."""

from pathlib import Path

import pytest
import torch

from lecture11 import cli, data, models, training, vae

FOLDER = Path(models.__file__).parent


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> models.Recipe:
    """The shipped VAE's recipe, on data that are here."""
    how = models.RECIPES["vae-mnist"]
    recipe = models.Recipe(how.build, how.loss, "mnist-small", epochs=2, batch_size=5000, lr=how.lr)
    monkeypatch.setitem(models.RECIPES, "vae-mnist", recipe)
    return recipe


@pytest.mark.parametrize("name", models.RECIPES)
def test_each_recipe_has_its_weights_and_each_file_a_recipe(name: str) -> None:
    assert {path.stem for path in FOLDER.glob("*.safetensors")} == set(models.RECIPES)
    assert (FOLDER / f"{name}.safetensors").stat().st_size < 4_000_000
    model = models.load(name)
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_the_vae_is_as_good_as_the_book_says() -> None:
    """Burda et al. report -86.8 nats; these are the first 200 of the package's own test images."""
    x = data.load("mnist-small", "test", n=200).binarised(generator=torch.Generator().manual_seed(0)).x
    bound = models.load("vae-mnist").log_marginal(x, 50, generator=torch.Generator().manual_seed(0))
    assert bound.mean() > -93


def test_a_cut_off_training_goes_on(small: models.Recipe, tmp_path: Path) -> None:
    *_, whole = models.train("vae-mnist")
    run = models.train("vae-mnist", checkpoint=tmp_path / "run")
    for _ in range(3):
        next(run)
    run.close()
    first, *rest = models.train("vae-mnist", checkpoint=tmp_path / "run")
    assert first.step == 3  # the checkpoint is that of the epoch's end
    for a, b in zip(whole.model.parameters(), rest[-1].model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_command_trains_and_writes_half_precision(
    small: models.Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "vae.safetensors"
    assert cli.main(["train", "vae-mnist", "--epochs", "1", "--output", str(output)]) == 0
    assert "2 steps" in capsys.readouterr().out
    model = small.build()
    training.load_weights(model, output)
    assert isinstance(model, vae.VAE)
    assert output.stat().st_size < 2.1 * sum(p.numel() for p in model.parameters())


def test_what_does_not_exist_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(models.UnknownModelError, match=r"'gan-mnist'. There are: vae-mnist"):
        models.load("gan-mnist")
    assert cli.main(["train", "gan-mnist"]) == 1
    assert cli.main(["train", "vae-mnist", "--root", str(tmp_path)]) == 1
    assert "lacks" in capsys.readouterr().out
