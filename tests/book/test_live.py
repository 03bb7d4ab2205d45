"""The live figures: their numbers are the package's, and mouse, finger and keyboard move them."""

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from book_source import ROOT, served
from live import LIVE, MODELS, WEIGHTS, opening_tag
from playwright.sync_api import Browser, Locator, Page

from lecture11 import autoencoder, data, diffusion, em, gaussian, models, networks, training, vae
from lecture11.data.planar import gaussian_mixture

# What each figure is operated by: its plot or canvas is dragged, and the slider of this name answers the arrow keys.
FIGURES = {
    "sample": "seed",
    "schedule": "β at 667",
    "bells": "x at 0",
    "plane": "start, across",
    "encoder": "σ",
    "em": "w",
    "reparametrise": "draws",
    "loss": "latents k",
    "drawing": "draw of z: seed",
}
DRAGGED = [name for name in FIGURES if name not in ("sample", "loss")]
STILL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A page for each figure, with modules and weights as the site has them; and the folder of the weights."""
    folder = tmp_path_factory.mktemp("bench")
    static, weights = folder / "_static", folder / "_static" / "models"
    shutil.copytree(LIVE, static / "live")
    shutil.copyfile(LIVE.parent / "book.css", static / "book.css")
    weights.mkdir()
    for name in ("diffusion-mnist", "diffusion-digits", "classifier-mnist", "vae-mnist"):
        shutil.copyfile(WEIGHTS / f"{name}.safetensors", weights / f"{name}.safetensors")
    for name in FIGURES:
        page = (
            f'<!doctype html><html lang="en"><title>{name}</title><meta name="viewport" content="width=device-width">'
            f'<link rel="stylesheet" href="_static/book.css"><article class="bd-article">{opening_tag(name)}'
            f'<img class="live-{name}" alt="Still." src="{STILL}"></figure></article>'
            f'<script type="module" src="_static/live/live.js"></script></html>'
        )
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
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


def test_mixtures(empty: Page) -> None:
    law, s = gaussian_mixture(), diffusion.NoiseSchedule.linear(1000)
    points = gaussian.standard_normal(20, 2, seed=1, dtype=torch.float64)
    script = """const s = gauss.NoiseSchedule.linear(1000);
      const law = gauss.RING;
      return given.flatMap((x) => [law.logProb(x), ...law.score(x), ...law.optimalEps(s, x, 300)])"""
    eps = diffusion.optimal_eps(s, law, points, 300)
    expected = torch.cat([law.log_prob(points)[:, None], law.score(points), eps], dim=1)
    close(computed(empty, script, points.tolist()), expected, 1e-9)


NOISE = """const net = new nets.UNet(await weights.load(given.url));
  return given.ts.flatMap((t) => [...net.eps(image(given.x, given.n), t, given.y ?? undefined)])"""


@pytest.mark.parametrize("name", ["diffusion-digits", "diffusion-mnist"])
def test_the_shipped_networks_answer_as_in_pytorch(empty: Page, name: str) -> None:
    model, n = models.load(name), {"diffusion-digits": 8, "diffusion-mnist": 28}[name]
    x = gaussian.standard_normal(1, 1, n, n, seed=5)
    ts = [1, 400, 1000]
    given = {"url": f"/_static/models/{name}.safetensors", "x": x.flatten().tolist(), "n": n, "ts": ts}
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
    name = f"any-{classes}-{velocity}.safetensors"  # of its own: the browser keeps what it has fetched
    training.save_weights(model, bench[1] / name)
    x = gaussian.standard_normal(1, 1, 12, 12, seed=5)
    given = {"url": f"/_static/models/{name}", "x": x.flatten().tolist(), "n": 12, "ts": [9, 700]}
    for y in (None, 2) if classes else (None,):
        with torch.no_grad():
            label = () if y is None else (torch.tensor([y]),)
            expected = [model(x, torch.tensor([t]), *label) for t in given["ts"]]
        scale = max(part.abs().max().item() for part in expected)
        close(computed(empty, NOISE, {**given, "y": y}), torch.cat(expected), 1e-4 * max(1, scale))


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_twenty_steps_of_ddim(empty: Page, eta: float) -> None:
    model = models.load("diffusion-digits")
    script = """const net = new nets.UNet(await weights.load('/_static/models/diffusion-digits.safetensors'));
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
    script = """const net = new nets.Classifier(await weights.load('/_static/models/classifier-mnist.safetensors'));
      return [...net.probabilities(image(given, 28))]"""
    expected = models.load("classifier-mnist")(x).softmax(1)
    close(computed(empty, script, x.flatten().tolist()), expected)


def test_the_terms_of_the_bound(empty: Page) -> None:
    model = models.load("vae-mnist")
    x = (data.load("mnist-small", "test").x[4:5] > 0.5).float()
    eps = gaussian.standard_normal(1, 50, seed=6)
    script = """const tensors = await weights.load('/_static/models/vae-mnist.safetensors');
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
    import numpy as np

    nodes, weights = (torch.tensor(part) for part in np.polynomial.hermite_e.hermegauss(64))
    mu, sigma = 0.8, 0.5
    z = mu + sigma * nodes
    dec = 4 * torch.stack([torch.sin(1.2 * z), torch.cos(1.2 * z)], dim=-1)
    point = torch.tensor([0.3, -3.0], dtype=torch.float64).expand_as(dec)
    at_nodes = gaussian.log_prob(point, dec, torch.zeros_like(dec))
    kl = gaussian.kl_to_standard_normal(torch.tensor([[mu]]).double(), torch.tensor([[2 * torch.tensor(sigma).log()]]))
    expected = torch.stack([(at_nodes @ weights) / weights.sum(), kl[0].double()])
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


def test_both_estimators_of_a_slope(empty: Page) -> None:
    eps = gaussian.standard_normal(16, 1, seed=3, dtype=torch.float64)
    mu, log_var = torch.tensor([[0.6], [0.0]], dtype=torch.float64)

    def f(z: torch.Tensor) -> torch.Tensor:
        return (z.square() + (3 * z).sin()).sum(-1)

    script = (
        "const m = await figure('reparametrise'); const e = m.estimates(0.6, given); return [...e.through, ...e.score]"
    )
    expected = [
        vae.reparametrised_gradient(f, mu, log_var, eps)[0],
        vae.score_function_gradient(f, mu, log_var, eps)[0],
    ]
    close(computed(empty, script, eps.flatten().tolist()), torch.cat(expected), 1e-9)


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
    variances = autoencoder.PCA(data.load("mnist-small", "train").x, 40).variances
    shown = torch.tensor(computed(empty, "return (await figure('loss')).VARIANCES"))
    assert (shown / variances - 1).abs().max() < 0.005  # three digits
    # c ||x - x~||^2 + w KL is a multiple of minus the ELBO, constant left out, with the variance that it says.
    c, w = 1 / 784, 0.3
    variance = computed(empty, "return (await figure('loss')).impliedVariance(given[0], given[1])", [c, w])
    squared, kl = 31.0, 7.0
    assert (c * squared + w * kl) / (squared / (2 * variance) + kl) == pytest.approx(w)


def test_the_digit_is_that_of_the_data(empty: Page) -> None:
    x = data.load("mnist-small", "test", value_range=(-1, 1)).x[2]
    close(computed(empty, "return [...(await figure('digit')).TWO]"), x, 1 / 15 + 1e-6)


@pytest.fixture(scope="module", params=["mouse at 1280", "finger at 390"])
def hand(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    wide = request.param == "mouse at 1280"
    size = {"width": 1280 if wide else 390, "height": 844}
    context = chromium.new_context(viewport=size, has_touch=not wide)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def begin(page: Page, address: str, name: str) -> Locator:
    """The figure, running."""
    page.goto(f"{address}/{name}.html")
    figure = page.locator("figure.live")
    if name in MODELS:
        figure.get_by_role("button").click()
    page.wait_for_selector("figure.live-on")
    page.wait_for_function("() => document.querySelector('.live-words').textContent.length > 20")
    return figure


def words(figure: Locator) -> str:
    return figure.locator(".live-words").inner_text()


def drag(page: Page, element: Locator) -> None:
    """Along the element with the mouse, or with a finger."""
    box = element.bounding_box()
    assert box is not None
    ends = [(box["x"] + box["width"] * part, box["y"] + box["height"] * 0.45) for part in (0.3, 0.55)]
    if page.viewport_size and page.viewport_size["width"] > 1000:
        page.mouse.move(*ends[0])
        page.mouse.down()
        page.mouse.move(*ends[1], steps=4)
        page.mouse.up()
    else:
        page.touchscreen.tap(*ends[1])


@pytest.mark.parametrize("name", DRAGGED)
def test_mouse_and_finger_move_it(hand: Page, bench: tuple[str, Path], name: str) -> None:
    errors: list[str] = []
    hand.on("pageerror", lambda error: errors.append(str(error)))
    figure = begin(hand, bench[0], name)
    surface = figure.locator(".live-drag").first
    surface.scroll_into_view_if_needed()
    before = words(figure)
    drag(hand, surface)
    hand.wait_for_function("(before) => document.querySelector('.live-words').textContent !== before", arg=before)
    assert hand.evaluate("() => document.documentElement.scrollWidth") <= hand.evaluate("() => innerWidth")
    assert errors == []


@pytest.mark.parametrize("name", FIGURES)
def test_the_keyboard_moves_it(hand: Page, bench: tuple[str, Path], name: str) -> None:
    figure = begin(hand, bench[0], name)
    slider = figure.get_by_label(FIGURES[name], exact=True)
    before, value = words(figure), slider.get_attribute("aria-valuetext")
    slider.focus()
    slider.press("ArrowRight")
    hand.wait_for_function("(before) => document.querySelector('.live-words').textContent !== before", arg=before)
    assert slider.get_attribute("aria-valuetext") not in (value, None)
    # What is seen is said, at the picture too.
    for picture in figure.locator("svg[role=img]:visible, canvas[role=img]:visible").all():
        assert picture.get_attribute("aria-label")


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


def test_no_frame_is_long_while_it_is_dragged(chromium: Browser, bench: tuple[str, Path]) -> None:
    """The work of a move; the least of some, since what the machine does meanwhile is not the figure's."""
    page = chromium.new_page()
    page.add_init_script("""const before = requestAnimationFrame; window.times = [];
      window.requestAnimationFrame = (draw) => before((now) => {
        const start = performance.now(); draw(now); times.push(performance.now() - start); });""")
    for name in ("schedule", "plane", "encoder"):  # which compute most
        slider = begin(page, bench[0], name).get_by_label(FIGURES[name], exact=True)
        page.evaluate("times.length = 0")
        for key in ("End", "Home", "ArrowRight", "ArrowRight"):
            slider.press(key)
            page.evaluate("() => new Promise((done) => setTimeout(done, 30))")
        times = page.evaluate("times")
        assert times
        assert min(times) < 50, name
    page.close()


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
    page.wait_for_selector("figure[data-state=done]", timeout=60_000)
    page.wait_for_function("() => document.querySelector('.live-words').textContent.includes('classifier reads')")
    figure.get_by_label("look at step").press("Home")
    page.wait_for_function("() => document.querySelector('.live-words').textContent.includes('t = 1000')")
    figure.get_by_role("button", name="Pause").click()
    figure.get_by_role("button", name="Another one").click()
    page.wait_for_timeout(300)
    assert figure.get_attribute("data-state") == "drawing"
    figure.get_by_role("button", name="Go on").click()
    page.wait_for_selector("figure[data-state=done]", timeout=60_000)
    page.close()


def test_with_less_motion_only_the_result_is_shown(chromium: Browser, bench: tuple[str, Path]) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.goto(f"{bench[0]}/sample.html")
    page.evaluate("""() => { window.seen = []; new MutationObserver(() =>
      window.seen.push(document.querySelector('.live-words').textContent)).observe(
      document.body, {subtree: true, childList: true, characterData: true}); }""")
    page.get_by_role("button").click()
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


def test_what_a_page_loads_is_small() -> None:
    files = {path.name: path.read_bytes() for path in sorted(LIVE.glob("*.js"))}
    assert set(FIGURES) < {name.removesuffix(".js") for name in files}
    assert len(gzip.compress(b"".join(files.values()), 9)) <= 25_000


def test_a_size_is_that_of_the_weights() -> None:
    for name, needed in MODELS.items():
        size = sum((ROOT / "lecture11" / "models" / f"{model}.safetensors").stat().st_size for model in needed)
        assert f'data-size="{size / 1e6:.1f} MB"' in opening_tag(name)
    assert "data-size" not in opening_tag("bells")
    assert json.dumps(sorted(MODELS)) == '["drawing", "sample"]'
