"""The models that the package ships are what their recipes make, and as good as the book says."""

import dataclasses
import functools
import math
from pathlib import Path

import jaxtyping
import pytest
import torch

from lecture11 import autoencoder, cli, data, diffusion, models, networks, training, vae

FOLDER = Path(models.__file__).parent


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> models.Recipe:
    """The shipped VAE's recipe, on data that are here."""
    how = models.RECIPES["vae-mnist"]
    recipe = dataclasses.replace(how, dataset="fashion-small", epochs=2, options={"batch_size": 500, "lr": 1e-3})
    monkeypatch.setitem(models.RECIPES, "vae-mnist", recipe)
    return recipe


LOSSES = {
    "diffusion": (
        lambda: diffusion.VelocityModel(networks.UNet(1, (8,), embedding=8, classes=3), models.SCHEDULE),
        functools.partial(models.class_loss, classes=3),
    ),
    "vae": (
        lambda: vae.VAE(networks.MLP((1, 4, 4), (8,), (2, 2)), networks.MLP((2,), (8,), (1, 4, 4)), "bernoulli"),
        functools.partial(vae.negative_bound, redraw=True),
    ),
    "iwae": (
        lambda: vae.VAE(networks.MLP((1, 4, 4), (8,), (2, 2)), networks.MLP((2,), (8,), (1, 4, 4)), "sigma-gaussian"),
        functools.partial(vae.negative_bound, k=3),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_one_graph(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``torch.compile`` takes it whole, and its values and gradients stay what they are."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the tests' own checks of types are no graph
    build, loss = LOSSES[name]
    model, x = build(), torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    batch = (2 * x - 1, torch.tensor([0, 1, 2])) if name == "diffusion" else (x,)
    results = []
    for function in (loss, torch.compile(loss, fullgraph=True, backend="eager")):
        model.zero_grad()
        torch.manual_seed(0)
        losses = function(model, *batch)
        losses.mean().backward()
        results.append([losses.detach(), *(p.grad.clone() for p in model.parameters())])
    for plain, compiled in zip(*results, strict=True):
        assert torch.equal(plain, compiled)


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
    assert bound.mean() > -91


def test_the_models_of_the_latent_map_are_as_good_as_two_latents_allow() -> None:
    """An image is worth more to the auto-encoder's two numbers than to two principal components."""
    x = data.load("mnist-small", "test", n=500).x
    bound = models.load("vae-mnist-2d").elbo(x.round(), generator=torch.Generator().manual_seed(0)).total
    assert bound.mean() > -150
    pca = autoencoder.PCA(data.load("mnist-small", "train", n=2000).x, 2)
    error = autoencoder.reconstruction_error(models.load("autoencoder-mnist-2d"), x).mean()
    assert error < 0.75 * autoencoder.reconstruction_error(pca, x).mean()


def test_the_model_of_the_ring_is_close_to_the_best_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """And the command that draws images says that it has none."""
    model, s, law = models.load("diffusion-ring"), models.RING_SCHEDULE, data.gaussian_mixture()
    x_0 = law.sample(2000, generator=torch.Generator().manual_seed(1))[0]
    eps = torch.randn(2000, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for t in (5, 20, 100, 200):
        x_t = diffusion.q_sample(s, x_0, t, eps)
        found = model(x_t.float(), torch.full((2000,), t))
        assert (found - diffusion.optimal_eps(s, law, x_t, t)).square().sum(1).mean() < 0.05
    assert cli.main(["sample", "diffusion-ring"]) == 1
    assert "draws points, not images" in capsys.readouterr().out


def test_the_recipe_of_the_ring_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "ring.safetensors"
    assert cli.main(["train", "diffusion-ring", "--epochs", "1", "--output", str(output)]) == 0
    assert "20 steps" in capsys.readouterr().out
    assert models.load(output)(torch.zeros(3, 2), torch.tensor([1, 50, 200])).shape == (3, 2)


def test_the_vae_starts_at_the_mean_image(small: models.Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    train = data.load("fashion-small", "train")
    mean = train.x.mean(0).clamp(1e-3, 1 - 1e-3)
    assert train.x.mean(0).min() == 0  # some pixel is never white, and its logit would not be finite
    model = models.burda_vae()
    models.start_at_mean(model, train.x)
    *_, last = model.decoder.layers
    last.weight.data.zero_()  # what is left is the bias: each pixel on its own
    x = train.binarised(generator=torch.Generator().manual_seed(0)).x[:50]
    each_pixel = torch.distributions.Bernoulli(mean).log_prob(x).sum((1, 2, 3))
    assert torch.allclose(model.log_likelihood(x, torch.zeros(50, 50)), each_pixel, atol=1e-3)

    monkeypatch.setitem(
        models.RECIPES, "vae-mnist", dataclasses.replace(small, options={"batch_size": 500, "lr": 1e-12})
    )
    state = next(models.train("vae-mnist"))
    *_, last = state.model.decoder.layers
    assert torch.allclose(last.bias.sigmoid(), mean.flatten(), atol=1e-6)


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
    with pytest.raises(models.UnknownModelError, match=r"'gan-mnist'\. There are: vae-mnist, "):
        models.load("gan-mnist")
    with pytest.raises(models.UnknownModelError, match=r"no model and no file is called '.*none.safetensors'"):
        models.load(tmp_path / "none.safetensors")
    training.save_weights(torch.nn.Linear(1, 1), tmp_path / "own")
    with pytest.raises(training.CheckpointError, match=r"does not name a recipe.*training.load_weights\(model, path\)"):
        models.load(tmp_path / "own")
    training.save_weights(torch.nn.Linear(1, 1), tmp_path / "lie", recipe="vae-mnist")
    with pytest.raises(training.CheckpointError, match="of another model: it has"):
        models.load(tmp_path / "lie")
    for epochs in (0, -3):
        with pytest.raises(ValueError, match="epochs must be at least 1, got"):
            next(models.train("vae-mnist", epochs=epochs))
    assert cli.main(["train", "gan-mnist"]) == 1
    assert cli.main(["train", "vae-mnist", "--root", str(tmp_path)]) == 1
    assert "lacks" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "least"), [("mnist", 0.99), ("fashion", 0.89)])
def test_the_classifier_is_as_good_as_the_book_says(name: str, least: float) -> None:
    test = data.load(f"{name}-small", "test", value_range=(-1, 1), n=1000)
    guess = models.load(f"classifier-{name}")(test.x).argmax(1)
    assert (guess == test.y).double().mean() > least


@pytest.mark.parametrize(("name", "bound"), [("mnist", 40.0), ("fashion", 75.0), ("digits", 16.0)])
def test_the_diffusion_models_know_the_noise(name: str, bound: float) -> None:
    """F21 on test images: the loss is a sum over pixels, and 784 or 64 for a model that answers zero."""
    x_0 = data.load(name if name == "digits" else f"{name}-small", "test", n=250, value_range=(-1, 1)).x
    model = models.load(f"diffusion-{name}")
    with torch.no_grad():
        loss = models.scheduled_loss(model, x_0, generator=torch.Generator().manual_seed(0))
    assert loss.mean() < bound


def test_the_model_of_mnist_knows_the_digit() -> None:
    """Where little is left of the image, the right class helps to see the noise, none helps less, a wrong one least."""
    images = data.load("mnist-small", "test", n=60, value_range=(-1, 1))
    model = models.load("diffusion-mnist")
    losses = []
    for y in (images.y, None, (images.y + 3) % 10):
        asked = functools.partial(model, y=y)
        rng = torch.Generator().manual_seed(0)
        with torch.no_grad():
            loss = diffusion.simple_loss(asked, models.SCHEDULE, images.x, t=900, generator=rng)
        losses.append(loss.mean() / models.SCHEDULE.alpha_bar(900))
    right, none, wrong = losses
    assert right < 165
    assert right < none - 15 < wrong - 30


def test_one_label_in_ten_is_dropped_and_the_loss_is_that_of_v() -> None:
    asked = []

    class Spy(torch.nn.Module):
        def forward(self, x_t: torch.Tensor, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            asked.extend((y, t))
            return torch.zeros_like(x_t)

    y = torch.arange(4000) % 10
    model = diffusion.VelocityModel(Spy(), models.SCHEDULE)
    x_0 = torch.full((4000, 1, 2, 2), 0.5)
    loss = models.class_loss(model, x_0, y, classes=10, generator=torch.Generator().manual_seed(0))
    dropped = asked[0] != y
    assert (asked[0][dropped] == 10).all()
    assert 300 < dropped.sum() < 500
    # v of four pixels: alpha_bar times unit noise, and the rest times 1/4.
    t = asked[1]
    expected = 4 * (models.SCHEDULE.alpha_bar(t) + models.SCHEDULE.noise_variance(t) / 4)
    assert loss.mean() == pytest.approx(expected.mean().item(), rel=0.05)


def test_early_steps_are_drawn_more_often() -> None:
    asked = []

    class Spy(torch.nn.Module):
        def forward(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            asked.append(t)
            return torch.zeros_like(x_t)

    x_0, rng = torch.zeros(20_000, 1, 2, 2), torch.Generator().manual_seed(0)
    models.class_loss(diffusion.VelocityModel(Spy(), models.SCHEDULE), x_0, classes=10, generator=rng)
    (t,) = asked
    assert (t.min(), t.max()) == (1, 1000)
    # ln 2 / ln 1000 of the early ones are at t = 1, and half of these below sqrt(1000).
    for steps, share in ((t == 1, 0.3 * math.log(2) / math.log(1000) + 0.7 / 1000), (t <= 31, 0.15 + 0.7 * 0.031)):
        assert steps.double().mean().item() == pytest.approx(share, abs=4 * math.sqrt(share / len(t)))


def test_half_precision_sees_the_noise_of_the_first_step() -> None:
    """On a black pixel, -1, bfloat16 tells 0.004 at best, and that noise is 0.006."""
    network, seen = networks.UNet(1, (8, 8)), []
    network.fold.register_forward_hook(lambda _, inputs, output: seen.append(output))
    x, t = torch.full((1, 1, 8, 8), -1.0), torch.ones(1, dtype=torch.long)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        network(x, t)
        network(x + 0.001, t)
    expected = torch.nn.functional.conv2d(torch.full((1, 4, 4, 4), 0.001), network.fold.weight, padding=1)
    assert torch.allclose(seen[1] - seen[0], expected, atol=1e-6)


def test_the_last_step_of_the_schedule_forgets_the_data_and_needs_no_clipping() -> None:
    alpha_bar = models.SCHEDULE.alpha_bar(models.SCHEDULE.T)
    assert 1e-4 < alpha_bar < 1e-3
    x = data.load("mnist-small", "test", n=50, value_range=(-1, 1)).x
    assert diffusion.prior_divergence(models.SCHEDULE, x).max() / (784 * math.log(2)) < 1e-3  # bits/dim


def test_the_classifier_s_images_are_moved_and_not_changed() -> None:
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return torch.zeros(len(x), 10)

    x = torch.zeros(200, 1, 28, 28)
    x[:, :, 10, 12] = 1
    rng = torch.Generator().manual_seed(0)
    loss = models.shifted_cross_entropy(Spy(), x, torch.arange(200) % 10, generator=rng)
    assert torch.allclose(loss, torch.full((200,), math.log(10)))
    rows, columns = seen[0].nonzero()[:, 2:].unbind(1)
    assert len(rows) == 200
    assert set(rows.tolist()) == set(range(8, 13))
    assert set(columns.tolist()) == set(range(10, 15))


def test_a_recipe_with_labels_and_an_average_trains(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("classifier-mnist", "diffusion-mnist"):
        how = models.RECIPES[name]
        options = {**how.options, "batch_size": 32, "mixed_precision": "no"}
        small = dataclasses.replace(how, dataset="digits", epochs=1, options=options)
        build = {
            "classifier-mnist": lambda: networks.ImageClassifier((1, 8, 8), 10, width=8),
            "diffusion-mnist": lambda: diffusion.VelocityModel(networks.UNet(1, (8,), classes=10), models.SCHEDULE),
        }[name]
        small = dataclasses.replace(small, build=build)
        monkeypatch.setitem(models.RECIPES, name, small)
        output = tmp_path / f"{name}.safetensors"
        assert cli.main(["train", name, "--output", str(output)]) == 0
        assert "46 steps" in capsys.readouterr().out
        trained = small.build()
        training.load_weights(trained, output)
        checkpoint = small.build()
        averaged = "ema_decay" in how.options
        training.load_weights(checkpoint, tmp_path / f"{output.name}.checkpoint", averaged=averaged)
        for a, b in zip(trained.parameters(), checkpoint.parameters(), strict=True):
            assert torch.equal(a, b.half().float())
