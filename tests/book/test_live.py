"""The live figures: their numbers are the package's, and mouse, finger and keyboard move them."""

import functools
import gzip
import math
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from live import LIVE, MODELS, WEIGHTS, opening_tag, tables, write_models, write_modules
from playwright.sync_api import Browser, Locator, Page, expect

from lecture11 import autoencoder, data, diffusion, em, gaussian, models, networks, training, vae
from lecture11.data.planar import gaussian_mixture
from tools.browser import served

# What each figure is operated by: its plot or canvas is dragged, and the slider of this name answers the arrow keys.
FIGURES = {
    "sample": "seed",
    "schedule": "β at 667",
    "bells": "x₀",
    "plane": "start, across",
    "plane break-it": "start, up",
    "encoder": "σ",
    "em": "W",
    "reparametrise": "draws",
    "loss": "latents k",
    "drawing": "draw of z: seed",
    "map": "z₁",
}


def page_of(name: str) -> str:
    return f"{name.replace(' ', '-')}.html"


STILL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A page for each figure, with modules and weights as the site has them; and the folder of the weights."""
    folder = tmp_path_factory.mktemp("bench")
    static, weights = folder / "_static", folder / "_static" / "models"
    write_modules(static / "live")
    write_models(weights)
    shutil.copyfile(WEIGHTS / "diffusion-digits.safetensors", weights / "diffusion-digits.safetensors")
    shutil.copyfile(LIVE.parent / "book.css", static / "book.css")
    for name in FIGURES:
        page = (
            f'<!doctype html><html lang="en"><title>{name}</title><meta name="viewport" content="width=device-width">'
            f'<link rel="stylesheet" href="_static/book.css"><article class="bd-article">'
            f"{opening_tag(name.partition(' ')[0], weights)}"
            f'<img class="live-{name}" alt="Still." src="{STILL}"></figure></article>'
            f'<script type="module" src="_static/live/live.js"></script></html>'
        )
        (folder / page_of(name)).write_text(page, encoding="utf-8")
    (folder / "empty.html").write_text("<!doctype html><title>empty</title>", encoding="utf-8")
    with served(folder) as address:
        yield address, weights


@pytest.fixture(scope="module")
def empty(chromium: Browser, bench: tuple[str, Path]) -> Iterator[Page]:
    """A page that runs the modules."""
    page = chromium.new_page()
    page.goto(f"{bench[0]}/empty.html")
    yield page
    page.close()


def computed(page: Page, script: str, given: Any = None) -> Any:
    """What the modules compute: ``gauss``, ``nets``, ``weights`` and ``figure(name)`` are at hand."""
    head = """const [gauss, nets, weights, sampling] = await Promise.all(
      ['gauss', 'nets', 'weights', 'sampling'].map((name) => import(`/_static/live/${name}.js`)));
    const figure = (name) => import(`/_static/live/${name}.js`);
    const image = (data, n) => ({channels: 1, height: n, width: n, data: Float32Array.from(data)});"""
    return page.evaluate(f"async (given) => {{ {head} {script} }}", given)


def close(found: Any, expected: torch.Tensor, at_most: float = 1e-4) -> None:
    difference = (torch.tensor(found, dtype=torch.float64) - expected.double().flatten()).abs().max().item()
    assert difference <= at_most


def gauss_hermite() -> tuple[torch.Tensor, torch.Tensor]:
    """Nodes and weights of a mean over N(0, 1)."""
    nodes, weights = (torch.tensor(part) for part in np.polynomial.hermite_e.hermegauss(64))
    return nodes, weights / weights.sum()


@pytest.mark.parametrize("n", [16, 200, 784])
def test_a_seed_gives_pytorchs_noise(empty: Page, n: int) -> None:
    script = "const g = new gauss.Generator(11); return [...g.normal(given), ...g.normal(given)]"
    generator = torch.Generator().manual_seed(11)
    close(computed(empty, script, n), torch.cat([torch.randn(n, generator=generator) for _ in range(2)]), 1e-5)


def test_schedules(empty: Page) -> None:
    schedules = {
        "linear(1000)": diffusion.NoiseSchedule.linear(1000),
        "linear(10, 0.05, 0.5)": diffusion.NoiseSchedule.linear(10, 0.05, 0.5),
        "cosine(1000)": diffusion.NoiseSchedule.cosine(1000),
        "cosine(1000, 0.05)": models.SCHEDULE,
    }
    for name, s in schedules.items():
        script = f"""const s = gauss.NoiseSchedule.{name};
          return ['beta', 'alphaBar', 'noiseVariance', 'posteriorVariance'].map((key) => [...s[key].slice(1)])"""
        every = torch.arange(1, s.T + 1)
        tables = (s.beta, s.alpha_bar, s.noise_variance, s.posterior_variance)
        for found, table in zip(computed(empty, script), tables, strict=True):
            close(found, table(every), 1e-12)
        means = computed(empty, f"const s = gauss.NoiseSchedule.{name}; return s.posteriorMean(7)")
        of_x_0 = diffusion.posterior_mean_from_x0(s, torch.ones(1, 1).double(), torch.zeros(1, 1).double(), 7)
        of_x_t = diffusion.posterior_mean_from_x0(s, torch.zeros(1, 1).double(), torch.ones(1, 1).double(), 7)
        close(means, torch.cat([of_x_t, of_x_0]), 1e-12)


NOISE = """const net = new nets.UNet(await weights.load(given.file));
  return given.ts.flatMap((t) => [...net.eps(image(given.x, given.n), t, given.y ?? undefined)])"""


@pytest.mark.parametrize("name", ["diffusion-digits", "diffusion-mnist"])
def test_the_shipped_networks_answer_as_in_pytorch(empty: Page, name: str) -> None:
    model, n = models.load(name), {"diffusion-digits": 8, "diffusion-mnist": 28}[name]
    x = gaussian.standard_normal(1, 1, n, n, seed=5)
    ts = [1, 400, 1000]
    given = {"file": name, "x": x.flatten().tolist(), "n": n, "ts": ts}
    with torch.no_grad():
        expected = [model(x, torch.tensor([t])) for t in ts]
    close(computed(empty, NOISE, given), torch.cat(expected))


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("velocity", [False, True])
def test_any_unet_answers_as_in_pytorch(empty: Page, bench: tuple[str, Path], classes: int, velocity: bool) -> None:
    """Also for classes, for v, for two blocks a size, in single precision."""
    torch.manual_seed(2)
    unet = networks.UNet(1, (8, 16, 24), blocks=2, embedding=32, classes=classes)
    for parameter in unet.parameters():  # none stays at zero, where it would hide what comes before it
        torch.nn.init.normal_(parameter, std=0.2)
    model = diffusion.VelocityModel(unet, models.SCHEDULE) if velocity else unet
    name = f"any-{classes}-{velocity}"  # of its own: the browser keeps what it has fetched
    training.save_weights(model, bench[1] / f"{name}.safetensors")
    x = gaussian.standard_normal(1, 1, 12, 12, seed=5)
    given = {"file": name, "x": x.flatten().tolist(), "n": 12, "ts": [9, 700]}
    for y in (None, 2) if classes else (None,):
        with torch.no_grad():
            label = () if y is None else (torch.tensor([y]),)
            expected = [model(x, torch.tensor([t]), *label) for t in given["ts"]]
        scale = max(part.abs().max().item() for part in expected)
        close(computed(empty, NOISE, {**given, "y": y}), torch.cat(expected), 1e-4 * max(1, scale))


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_twenty_steps_of_ddim(empty: Page, eta: float) -> None:
    model = models.load("diffusion-digits")
    script = """const net = new nets.UNet(await weights.load('diffusion-digits'));
      const generator = new gauss.Generator(4);
      const eps = async (x, t) => net.eps(image(x, 8), t);
      const stages = [];
      for await (const stage of sampling.ddimChain(eps, gauss.SCHEDULE, generator.normal(64), 20, given, generator))
        stages.push(stage);
      return [stages.map(({t}) => t), [...stages[10].guess], [...stages.at(-1).x]]"""
    ts, guess, x_0 = computed(empty, script, eta)
    generator = torch.Generator().manual_seed(4)
    chain = list(diffusion.ddim_chain(model, models.SCHEDULE, (1, 1, 8, 8), steps=20, eta=eta, generator=generator))
    assert ts == [stage.t for stage in chain]
    close(guess, chain[10].x_0)
    close(x_0, chain[-1].x_0)


def test_the_classifier(empty: Page) -> None:
    x = data.load("mnist-small", "test", value_range=(-1, 1)).x[3:4]
    script = """const net = new nets.Classifier(await weights.load('classifier-mnist'));
      return [...net.probabilities(image(given, 28))]"""
    expected = models.load("classifier-mnist")(x).softmax(1)
    close(computed(empty, script, x.flatten().tolist()), expected)


def test_the_terms_of_the_bound(empty: Page) -> None:
    model = models.load("vae-mnist")
    x = (data.load("mnist-small", "test").x[4:5] > 0.5).float()
    eps = gaussian.standard_normal(1, 50, seed=6)
    script = """const tensors = await weights.load('vae-mnist');
      const part = (name) => new nets.MLP(tensors, `${name}.`);
      const {elbo} = await figure('drawing');
      const found = elbo(part('encoder'), part('decoder'), Float32Array.from(given.x), given.eps);
      return [found.reconstruction, found.kl, ...found.mean]"""
    found = computed(empty, script, {"x": x.flatten().tolist(), "eps": eps.flatten().tolist()})
    bound = model.elbo(x, eps=eps)
    mu, log_var = model.encode(x)
    mean = model.mean(gaussian.reparametrise(mu, log_var, eps=eps))
    close(found[:2], torch.cat([bound.reconstruction, bound.kl]), 1e-3)  # sums of 784 terms, near 100, in float32
    close(found[2:], mean)


def test_the_encoder_is_judged_as_in_its_chapter(empty: Page) -> None:
    """The decoder that bends, with a rule of integration of its own: a mean over nodes of Gauss and Hermite."""
    nodes, weights = gauss_hermite()
    mu, sigma = 0.8, 0.5
    z = mu + sigma * nodes
    dec = 4 * torch.stack([torch.sin(1.2 * z), torch.cos(1.2 * z)], dim=-1)
    point = torch.tensor([0.3, -3.0], dtype=torch.float64).expand_as(dec)
    at_nodes = gaussian.log_prob(point, dec, torch.zeros_like(dec))
    kl = gaussian.kl_to_standard_normal(torch.tensor([[mu]]).double(), torch.tensor([[2 * torch.tensor(sigma).log()]]))
    expected = torch.stack([at_nodes @ weights, kl[0].double()])
    script = "const m = await figure('encoder'); const t = m.terms(0.8, 0.5); return [t.reconstruction, t.kl]"
    close(computed(empty, script), expected, 1e-6)
    close([computed(empty, "return (await figure('encoder')).LOG_EVIDENCE")], torch.tensor([-6.287]), 1e-2)


def test_the_steps_of_em(empty: Page) -> None:
    train = 4 * data.load("digits", "train").x.flatten(1).double()
    x = autoencoder.PCA(train, 1).encode(train) / 2
    script = """const m = await figure('em');
      let w = 0.4, found = [m.S];
      for (let round = 0; round < 3; round++) {
        const [a, v] = m.eStep(w); found.push(m.elbo(w, a, v)); w = m.mStep(a, v); found.push(m.elbo(w, a, v), w);
      }
      return found"""
    start = vae.LinearGaussian(torch.tensor([[0.4]]).double(), torch.zeros(1).double())
    states = list(em.fit(start, x, steps=6))
    expected = [x.square().mean().item()]
    for e, m in zip(states[::2], states[1::2], strict=True):
        expected += [e.bound, m.bound, m.model.weight.item()]
    close(computed(empty, script), torch.tensor(expected, dtype=torch.float64), 1e-6)


def test_the_heights_of_the_bound(empty: Page) -> None:
    """On each line of the landscape the bound, of the encoder that is the posterior of another W, is what it says."""
    script = """const m = await figure('em'), s = m.S;
      const heights = [-2.6, -2.1, -1.94];
      return heights.map((h) => m.contour(h).map(([w, of]) => [w, of, h])).concat([[[s, s, s]]])"""
    *lines, [[s, _, _]] = computed(empty, script)
    for line in lines:
        w, of, height = torch.tensor(line, dtype=torch.float64).T
        assert len(w) > 60
        variance = 1 / (1 + of.square())
        a = of * variance
        p_x_z = -(s * (1 - a * w).square() + variance * w.square() + math.log(2 * math.pi)) / 2
        kl = torch.distributions.kl_divergence(
            torch.distributions.Normal(torch.zeros_like(a), variance.sqrt()), torch.distributions.Normal(0.0, 1.0)
        )
        assert (p_x_z - kl - a.square() * s / 2 - height).abs().max() < 1e-9


def wavy(z: torch.Tensor) -> torch.Tensor:
    return (z.square() + (3 * z).sin()).sum(-1)


def test_both_estimators_of_a_slope(empty: Page) -> None:
    eps = gaussian.standard_normal(16, 1, seed=3, dtype=torch.float64)
    mu, log_var = torch.tensor([[0.6], [0.0]], dtype=torch.float64)

    script = (
        "const m = await figure('reparametrise'); const e = m.estimates(0.6, given); return [...e.through, ...e.score]"
    )
    expected = [
        vae.reparametrised_gradient(wavy, mu, log_var, eps)[0],
        vae.score_function_gradient(wavy, mu, log_var, eps)[0],
    ]
    close(computed(empty, script, eps.flatten().tolist()), torch.cat(expected), 1e-9)


@pytest.mark.parametrize("phi", [-2.0, -0.1, 0.6, 2.0])
def test_how_far_an_estimator_scatters(empty: Page, phi: float) -> None:
    nodes, weights = gauss_hermite()
    mu, log_var = torch.tensor([[phi], [0.0]], dtype=torch.float64)
    expected = []
    for estimator in (vae.reparametrised_gradient, vae.score_function_gradient):
        each = estimator(wavy, mu, log_var, nodes[:, None])[0][:, 0]
        expected.append((weights @ (each - weights @ each).square()).sqrt())
    close(computed(empty, "return (await figure('reparametrise')).spreads(given)", phi), torch.stack(expected))


def test_a_step_back_in_the_plane(empty: Page) -> None:
    s, x = diffusion.NoiseSchedule.linear(100, 1e-3, 0.2), torch.tensor([[0.3, -1.2]]).double()
    eps, z = gaussian.standard_normal(2, 1, 2, seed=8, dtype=torch.float64)
    script = """const {stepBack} = await figure('plane'), s = gauss.NoiseSchedule.linear(100, 1e-3, 0.2);
      return ['right', 'E10', 'E13'].flatMap((kind) => stepBack(kind, s, given.x, 40, given.eps, 1, given.z))"""
    given = {name: part[0].tolist() for name, part in (("x", x), ("eps", eps), ("z", z))}
    right = diffusion.p_step(s, x, 40, eps, z)
    noise = s.posterior_variance(40).sqrt() * z
    e_10 = (x - s.beta(40).sqrt() * eps) / s.alpha(40).sqrt() + noise
    e_13 = (right - noise) * (s.alpha(40) / s.alpha_bar(40)).sqrt() + noise
    close(computed(empty, script, given), torch.cat([right, e_10, e_13]), 1e-9)


@pytest.mark.parametrize("kind", ["right", "E9"])
def test_what_a_perfect_network_answers_in_the_plane(empty: Page, kind: str) -> None:
    """For the misprinted training: the noise of one step, in a point of that one step."""
    s, x = diffusion.NoiseSchedule.linear(100, 1e-3, 0.2), gaussian.standard_normal(5, 2, seed=9, dtype=torch.float64)
    script = """const {predictor} = await figure('plane'), s = gauss.NoiseSchedule.linear(100, 1e-3, 0.2);
      return given.x.flatMap((x) => predictor(given.kind, s)(x, 40))"""
    asked = (s, 40) if kind == "right" else (diffusion.NoiseSchedule([s.beta(40).item()]), 1)
    expected = diffusion.optimal_eps(asked[0], gaussian_mixture(), x, asked[1])
    close(computed(empty, script, {"kind": kind, "x": x.tolist()}), expected, 1e-9)


def test_what_a_loss_implies(empty: Page) -> None:
    # c ||x - x~||^2 + w KL is a multiple of minus the ELBO, constant left out, with the variance that it says.
    c, w = 1 / 784, 0.3
    variance = computed(empty, "return (await figure('loss')).impliedVariance(given[0], given[1])", [c, w])
    squared, kl = 31.0, 7.0
    assert (c * squared + w * kl) / (squared / (2 * variance) + kl) == pytest.approx(w)


def test_reconstructions_of_a_loss(empty: Page) -> None:
    """The best linear VAE's; with more noise than an image has variance, it answers the mean."""
    x = data.load("mnist-small", "train").x.flatten(1).double()
    test = data.load("mnist-small", "test").x[[2, 3, 7, 9]].flatten(1).double()
    script = """const m = await figure('loss'), data = await weights.table('principal');
      return [0, 1, 2, 3].flatMap((i) =>
        [...m.reconstruction(data, data.images.subarray(784 * i, 784 * (i + 1)), given.k, given.variance)])"""
    for k, variance in ((20, 0.5), (5, 10.0)):
        used = int((tables()["principal"]["variances"][:k] > variance).sum())
        expected = x.mean(0).expand_as(test)
        if used:
            model = vae.LinearGaussian.optimum(x, used, variance=variance)
            expected = model.posterior(test)[0] @ model.weight.T + model.bias
        close(computed(empty, script, {"k": k, "variance": variance}), expected)


def test_what_the_decoders_of_two_latents_draw(empty: Page) -> None:
    z = gaussian.standard_normal(8, 2, seed=4)
    script = """const m = await figure('map'), net = new nets.MLP(await weights.load(given.file), 'decoder.');
      return given.z.flatMap((z) => [...m.decode(net, z, given.bernoulli)])"""
    plain, flat = models.load("autoencoder-mnist-2d"), models.load("vae-mnist-2d")
    for file, expected in (("vae-mnist-2d", flat.mean(z)), ("autoencoder-mnist-2d", plain.decode(z))):
        given = {"file": file, "z": z.tolist(), "bernoulli": file.startswith("vae")}
        close(computed(empty, script, given), expected)
    x = data.load("mnist-small", "test").x[990:1000]
    script = "const t = await weights.table('codes-2'); return [...t.vae.slice(1980), ...t.autoencoder.slice(1980)]"
    close(computed(empty, script), torch.cat([flat.encode(x)[0], plain.encode(x)]))


def test_a_digit_follows_in_less_than_ten_milliseconds(empty: Page) -> None:
    script = """const m = await figure('map'), net = new nets.MLP(await weights.load('vae-mnist-2d'), 'decoder.');
      return Array.from({length: 20}, (_, i) => {
        const start = performance.now(); m.decode(net, [i / 10, 1], true); return performance.now() - start; })"""
    assert min(computed(empty, script)) < 5  # what the machine does meanwhile is not the figure's


def test_codes_among_the_others(empty: Page) -> None:
    """The plane is Fisher's, as scikit-learn finds it; and the nearest codes are those that are near."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    test = data.load("mnist-small", "test")
    mu, y = models.load("vae-mnist").encode((test.x[:1000] > 0.5).float())[0].double(), test.y[:1000]
    script = """const m = await figure('drawing'), c = await figure('codes'), t = await weights.table('codes-50');
      const near = c.nearest({codes: t.codes, classes: t.classes}, 1, -0.5);
      return [...m.seen(t.directions, Float32Array.from(given)), near.digit, near.count, near.distance]"""
    *found, digit, count, distance = computed(empty, script, mu[7].tolist())
    codes = tables()["codes-50"]["codes"]
    close(found, codes[7])
    theirs = torch.tensor(LinearDiscriminantAnalysis(n_components=2).fit_transform(mu, y))
    assert torch.corrcoef(torch.cat([codes.double(), theirs], 1).T)[[0, 1], [2, 3]].abs().min() > 0.999
    gaps = (codes - torch.tensor([1.0, -0.5])).norm(dim=1)
    counts = y[gaps.argsort()[:20]].bincount(minlength=10)
    assert [digit, count] == [counts.argmax(), counts.max()]
    assert distance == pytest.approx(gaps.min().item(), abs=1e-5)


@pytest.mark.parametrize("kind", ["right", "network"])
def test_the_way_from_where_one_presses(empty: Page, kind: str) -> None:
    """Twenty steps of DDIM of the package, on the schedule of the network."""
    s, start = models.RING_SCHEDULE, torch.tensor([[1.5, -2.0]])
    script = """const m = await figure('plane'), s = m.FULL.coarse(20), full = m.FULL.steps(20).reverse();
      const net = new nets.TimeMLP(await weights.load('diffusion-ring'));
      const predict = given === 'right' ? m.predictor('right', s) : (x, t) => net.eps(x, full[t - 1]);
      return [...m.back(predict, given, s, [[1.5, -2]], 0)].flat(2)"""
    network = models.load("diffusion-ring")
    model = network if kind == "network" else lambda x, t: diffusion.optimal_eps(s, gaussian_mixture(), x, t)
    x_T = start if kind == "network" else start.double()
    chain = list(diffusion.ddim_chain(model, s, (1, 2), steps=20, x_T=x_T))
    close(computed(empty, script, kind), torch.cat([stage.x_t for stage in chain]))


def test_the_chapters_noise_gives_the_chapters_picture(empty: Page) -> None:
    """The third of the six that chapter 10 draws together, here in five steps; its fifty are the same code."""
    script = """const net = new nets.UNet(await weights.load('diffusion-mnist'));
      const {beginning} = await figure('sample'), {x, generator} = beginning('2', 99);
      const eps = async (x, t) => net.eps(image(x, 28), t);
      let last;
      for await (last of sampling.ddimChain(eps, gauss.SCHEDULE, x, 5, 1, generator));
      return [...last.x]"""
    x_T = gaussian.standard_normal(6, 1, 28, 28, seed=3)
    rng, model = torch.Generator().manual_seed(0), models.load("diffusion-mnist")
    expected = diffusion.ddim_sample(model, models.SCHEDULE, x_T.shape, steps=5, eta=1.0, x_T=x_T, generator=rng)
    close(computed(empty, script), expected[2])


def test_the_digit_is_that_of_the_data(empty: Page) -> None:
    x = data.load("mnist-small", "test", value_range=(-1, 1)).x[2]
    close(computed(empty, "return [...(await figure('digit')).TWO]"), x, 1 / 15 + 1e-6)


# (For all tests of a width in a row, since a new context begins with an empty cache.)
@pytest.fixture(scope="session", params=[1280, 390])
def hand(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A page on a screen of this width, with a mouse and for fingers."""
    context = chromium.new_context(viewport={"width": request.param, "height": 844}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def begin(page: Page, address: str, name: str) -> Locator:
    """The figure, running."""
    page.context.set_offline(False)
    page.goto(f"{address}/{page_of(name)}")
    figure = page.locator("figure.live")
    if name in MODELS and name != "plane":
        figure.get_by_role("button").click()
    page.wait_for_selector("figure.live-on")
    page.wait_for_function("() => document.querySelector('.live-words').textContent.length > 20")
    return figure


@pytest.fixture(scope="module", params=FIGURES)
def running(
    request: pytest.FixtureRequest, hand: Page, bench: tuple[str, Path]
) -> tuple[str, Page, Locator, list[str]]:
    """A figure, its page, and the page's errors, with the network off after the figure's first load."""
    errors: list[str] = []
    hand.on("pageerror", lambda error: errors.append(str(error)))
    figure = begin(hand, bench[0], request.param)
    if request.param == "sample":
        figure.get_by_label("steps", exact=True).press("Home")  # five: what moves it does not ask for more
    if request.param == "plane":
        figure.get_by_label("beside it").select_option("network")
        expect(figure.locator(".live-words")).to_contain_text("Network:", timeout=60_000)
    hand.context.set_offline(True)
    return request.param, hand, figure, errors


Running = tuple[str, Page, Locator, list[str]]
# What is seen, as text: below the figure, and at each of its pictures.
SEEN = """() => [document.querySelector('.live-words'), ...document.querySelectorAll('.live-stage [role=img]')]
  .map((e) => e.getAttribute('aria-label') ?? e.textContent)"""
CHANGED = f"(before) => ({SEEN})().some((text, i) => text !== before[i])"


def words(figure: Locator) -> str:
    return figure.locator(".live-words").inner_text()


def drag(page: Page, element: Locator, by: str) -> None:
    """Along the element with the mouse, or with a finger: each to a place of its own."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    begin = 0.3 if by == "mouse" else 0.65
    points = [
        {"x": box["x"] + box["width"] * (begin + 0.05 * k), "y": box["y"] + box["height"] * (0.45 + 0.02 * k)}
        for k in range(6)
    ]
    if by == "mouse":
        page.mouse.move(**points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(**point)
        page.mouse.up()
        return
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [points[0]]})
    for point in points[1:]:
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()


def surfaces(figure: Locator) -> Locator:
    """What can be dragged: plots and canvases, or, where there is none, sliders."""
    found = figure.locator(".live-drag")
    return found if found.count() else figure.locator("input[type=range]")


@pytest.mark.parametrize("by", ["mouse", "finger"])
def test_mouse_and_finger_move_it(running: Running, by: str) -> None:
    _, page, figure, errors = running
    before = page.evaluate(SEEN)
    drag(page, surfaces(figure).first, by)
    page.wait_for_function(CHANGED, arg=before)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= page.evaluate("() => innerWidth")
    assert errors == []


def test_the_keyboard_moves_it_and_what_is_seen_is_said(running: Running) -> None:
    name, page, figure, errors = running
    slider = figure.get_by_label(FIGURES[name], exact=True)
    before, value = page.evaluate(SEEN), slider.get_attribute("aria-valuetext")
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_function(CHANGED, arg=before)
    assert slider.get_attribute("aria-valuetext") not in (value, None)
    for picture in figure.locator("svg[role=img]:visible, canvas[role=img]:visible").all():
        assert picture.get_attribute("aria-label")
    assert errors == []


@pytest.mark.parametrize("hand", [1280], indirect=True, scope="session")  # a narrow page has no more to do
def test_no_frame_is_long(hand: Page, running: Running) -> None:
    """While it is dragged, and while any of its sliders moves. The best of some tries: another process is no fault."""
    name, page, figure, _ = running
    page.evaluate("""() => { window.long = []; new PerformanceObserver((list) => long.push(
      ...list.getEntries().map((entry) => entry.duration))).observe({type: 'longtask'}); }""")

    def moved(what: Callable[[], None]) -> list[float]:
        page.evaluate("() => { long.length = 0; }")
        what()
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))")
        return page.evaluate("() => long")

    def keys(slider: Locator) -> None:
        for key in ("Home", "ArrowRight", "End"):
            slider.press(key)

    surface = surfaces(figure).first
    work = [(name, lambda: drag(page, surface, "mouse"))]
    if name != "sample":  # whose sliders start a worker anew
        sliders = figure.locator("input[type=range]").all()
        work += [(slider.get_attribute("id") or "", functools.partial(keys, slider)) for slider in sliders]
    for what, do in work:
        tries = [moved(do)]
        while tries[-1] and len(tries) < 4:
            tries.append(moved(do))
        assert not tries[-1], f"{what}: {tries}"


def test_the_pen_is_moved_by_keys(hand: Page, bench: tuple[str, Path]) -> None:
    figure = begin(hand, bench[0], "drawing")
    figure.get_by_role("button", name="Wipe it").click()
    hand.wait_for_timeout(100)
    empty = words(figure)
    canvas = figure.locator("canvas.live-drag")
    canvas.focus()
    canvas.press(" ")
    for _ in range(5):
        canvas.press("ArrowDown")
    hand.wait_for_function("(before) => document.querySelector('.live-words').textContent !== before", arg=empty)


def test_the_map_has_a_switch_and_a_draw_from_the_prior(hand: Page, bench: tuple[str, Path]) -> None:
    figure = begin(hand, bench[0], "map")
    plot = figure.locator("svg")
    assert plot.locator(".cloud").count() == 10
    assert "by the VAE" in (plot.get_attribute("aria-label") or "")
    circle = plot.locator("circle.axis")
    radius = float(circle.get_attribute("r") or 0)
    figure.get_by_label("model").select_option("autoencoder")
    expect(plot).to_have_attribute("aria-label", re.compile("by the auto-encoder"))
    assert float(circle.get_attribute("r") or 0) < radius / 3  # its codes lie far beyond the prior
    before = words(figure)
    figure.get_by_role("button", name="Draw z").click()
    expect(figure.locator(".live-words")).not_to_have_text(before)
    expect(figure.locator(".live-words")).to_contain_text("inside the circle")


def test_em_climbs(hand: Page, bench: tuple[str, Path]) -> None:
    figure = begin(hand, bench[0], "em")
    for _ in range(3):
        for name in ("E-step", "M-step"):
            figure.get_by_role("button", name=name).click()
            hand.wait_for_function("(n) => document.querySelector('.live-words').textContent.startsWith(n)", arg=name)
            rise = re.search(r"rose by (-?\d+\.\d+)", words(figure))
            assert rise is not None
            assert float(rise[1]) >= 0


def test_a_sample_is_drawn_paused_and_looked_back_at(chromium: Browser, bench: tuple[str, Path]) -> None:
    page = chromium.new_page(reduced_motion="no-preference")
    figure = begin(page, bench[0], "sample")
    steps = figure.get_by_label("steps", exact=True)
    steps.press("Home")  # five steps
    figure.get_by_label("digit").select_option("4")
    page.wait_for_selector("figure[data-state=done]", timeout=60_000)
    page.wait_for_function("() => document.querySelector('.live-words').textContent.includes('reads a 4')")
    guess = figure.locator("canvas").nth(1)
    assert guess.get_attribute("aria-label") == "the guess of x₀"
    figure.get_by_label("look at step").press("Home")
    page.wait_for_function("() => document.querySelector('.live-words').textContent.includes('t = 1000')")
    pause, state = figure.get_by_role("button", name="Pause"), "figure[data-state=drawing]"
    expect(pause).to_be_disabled()  # nothing runs
    steps.press("End")  # a thousand
    page.wait_for_selector(state)
    pause.click()
    expect(figure.locator(".live-words")).to_contain_text("Paused.")
    before = words(figure)
    page.wait_for_timeout(300)
    assert words(figure) == before
    figure.get_by_role("button", name="Go on").click()
    expect(figure.locator(".live-words")).to_contain_text("Drawing.")
    pause.click()
    # What is asked for now does not wait for the end of a pause.
    figure.get_by_label("noise at the start").select_option("the chapter's first")
    for label, value in (("steps", "50"), ("fresh noise η", "1, DDPM"), ("guidance", "1.0")):
        assert figure.get_by_label(label, exact=True).get_attribute("aria-valuetext") == value
    figure.get_by_label("digit").select_option("7")
    steps.press("Home")
    page.wait_for_selector("figure[data-state=done]", timeout=60_000)
    page.close()


def test_with_less_motion_only_the_result_is_shown(chromium: Browser, bench: tuple[str, Path]) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.goto(f"{bench[0]}/sample.html")
    page.evaluate("""() => { window.seen = []; new MutationObserver(() =>
      window.seen.push(document.querySelector('.live-words').textContent)).observe(
      document.body, {subtree: true, childList: true, characterData: true}); }""")
    page.get_by_role("button").click()
    page.get_by_label("steps", exact=True).press("Home")  # five
    page.wait_for_selector("figure[data-state=done]", timeout=60_000)
    page.wait_for_function("() => document.querySelector('.live-words').textContent.includes('t = 0')")
    shown = {found[1] for text in page.evaluate("window.seen") if (found := re.search(r"t = (\d+)", text))}
    assert shown <= {"0", "1000"}
    page.close()


def test_without_its_weights_a_figure_says_so_and_keeps_its_picture(chromium: Browser, bench: tuple[str, Path]) -> None:
    page = chromium.new_page()
    page.route("**/*.safetensors", lambda route: route.abort())
    page.goto(f"{bench[0]}/drawing.html")
    page.get_by_role("button").click()
    page.wait_for_function("() => document.querySelector('.live-words').textContent.includes('could not be loaded')")
    assert page.locator("figure img").is_visible()
    page.close()


def test_paper_and_a_page_without_javascript_show_the_still_picture(chromium: Browser, bench: tuple[str, Path]) -> None:
    page = chromium.new_page()
    figure = begin(page, bench[0], "bells")
    assert not figure.locator("img").is_visible()
    page.emulate_media(media="print")
    assert figure.locator("img").is_visible()
    assert not figure.locator(".live-stage").is_visible()
    page.close()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{bench[0]}/bells.html")
    assert page.locator("figure img").is_visible()
    context.close()


def test_what_a_page_loads_is_small(tmp_path: Path) -> None:
    """All modules, as they are served: with no comments, and nothing else gone."""
    write_modules(tmp_path)
    files = {path.name: path.read_bytes() for path in sorted(tmp_path.glob("*.js"))}
    assert {name.partition(" ")[0] for name in FIGURES} < {name.removesuffix(".js") for name in files}
    assert len(gzip.compress(b"".join(files.values()), 9)) <= 25_000


def test_a_size_is_that_of_what_is_fetched(bench: tuple[str, Path]) -> None:
    assert 'data-size="2.9 MB"' in opening_tag("sample", bench[1])
    for name, needed in MODELS.items():
        size = sum((bench[1] / f"{file}.safetensors").stat().st_size for file in needed)
        shown = re.search(r'data-size="([\d.]+) ([kM])B"', opening_tag(name, bench[1]))
        assert shown is not None
        assert float(shown[1]) * {"k": 1e3, "M": 1e6}[shown[2]] == pytest.approx(size, rel=0.1)
    assert "data-size" not in opening_tag("bells", bench[1])


def test_all_misprints_are_seen_beside_what_is_right(bench: tuple[str, Path], chromium: Browser) -> None:
    """What E10 does to the spread, and E13 to everything, is in the chapter's table."""
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    figure = begin(page, bench[0], "plane break-it")
    assert figure.locator("svg").count() == 5
    expect(figure.locator(".live-words")).to_contain_text(re.compile("right 19"), timeout=60_000)
    page.wait_for_timeout(500)  # the last steps of the others
    found = {name: (int(n), float(spread)) for name, n, spread in
             re.findall(r"(right|E9|E10|E11) (\d+) \(([\d.]+)\)", words(figure))}  # fmt: skip
    assert list(found) == ["right", "E9", "E10", "E11"]
    assert found["E10"][0] >= found["right"][0] >= 190
    assert found["E10"][1] < 0.5 < found["E9"][1] < found["right"][1] < 1 < found["E11"][1]
    page.close()
