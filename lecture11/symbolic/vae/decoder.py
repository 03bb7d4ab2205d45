"""The decoder's distribution, the likelihood of an image, and the distribution of its code (F6-F11)."""

from typing import Any

from sympy import Derivative, Expr, Integer, Sum, Symbol, cos, exp, log, pi, sin, sqrt

from lecture11.symbolic.autoencoder import N, d, i, j, n, over_axes, over_data
from lecture11.symbolic.chain import Code, Experiment
from lecture11.symbolic.facts import HYPOTHESIS, Assumption, Definition, Derivation, Induction, Step
from lecture11.symbolic.terms import Mean, Normal, density, indexed

x, z = Symbol("x", real=True), Symbol("z", real=True)
k = Symbol("k", integer=True, nonnegative=True)
p, prior, q = density("p", r"p_\theta"), density("prior", "p"), density("q_phi", r"q_\phi")
data = density("data", "p")
likelihood = p(x, z)
posterior, marginal = density("posterior", r"p_\theta")(z, x), density("marginal", r"p_\theta")(x)

PRIOR = Definition("F9", "the distribution of codes", prior(z), Normal(z, 0, 1))
MARGINAL = Definition("F9", "over all codes", marginal, Mean(likelihood, z, prior(z)))


def random_numbers(*shape: int, seed: int = 0) -> Any:
    """Standard normal numbers, in float64."""
    import torch

    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- Codes that are normal (F6) ---------------------------------------------------------------------------------------

centre, spread = indexed("centre", r"\mu_\phi", real=True), indexed("spread", r"\sigma^2_\phi", positive=True)
image = indexed("image", "x", real=True)
EXACT = Definition(
    "posterior", "the posterior of a code: Bayes' rule", posterior, likelihood * prior(z) / marginal, by=(MARGINAL,)
)
IMAGE_MASS = Definition("F6", "the decoder's density has mass 1", Mean(1, x, likelihood), Integer(1))
ENCODER = Definition("F11", "the encoder's distribution", q(z, x), Normal(z, centre(x), spread(x)))
ENCODERS = ENCODER.at({x: image(n)})


def _aggregated_log_prob() -> tuple[Any, dict[Expr, Any]]:
    from lecture11 import vae

    z_, mu, log_var = random_numbers(1000, 1), random_numbers(3, 1, seed=1), random_numbers(3, 1, seed=2)
    at: dict[Expr, Any] = {z: z_[:, 0]}
    at |= {centre(image(i + 1)): mu[i, 0] for i in range(3)}
    at |= {spread(image(i + 1)): log_var[i, 0].exp() for i in range(3)}
    return vae.aggregated_log_prob(z_, mu, log_var), at


F6 = Derivation(
    key="F6",
    statement="if q is the exact posterior and the data follow the model, the aggregated posterior is the prior",
    start=Mean(posterior, x, marginal),
    steps=(
        Step(Mean(likelihood * prior(z) / marginal, x, marginal), "Bayes' rule", by=(EXACT,)),
        Step(prior(z) * Mean(1, x, likelihood), "the distribution of images cancels"),
        Step(prior(z), "a density has mass 1", by=(IMAGE_MASS,)),
    ),
)

F6_SQUARE = Derivation(
    key="F6.square",
    statement="the mean square of codes under the aggregated posterior; for it to be the prior's, this must be 1",
    start=Mean(Mean(z**2, z, q(z, x)), x, data(x)),
    steps=(
        Step(Mean(Mean(z**2, z, ENCODER.right), x, data(x)), "the encoder's distribution", by=(ENCODER,)),
        Step(Mean(centre(x) ** 2, x, data(x)) + Mean(spread(x), x, data(x)), "squared mean plus variance"),
    ),
)

F6_EXAMPLES = Derivation(
    key="F6.examples",
    statement="the log-density of the aggregated posterior of N examples",
    start=log(over_data(q(z, image(n))) / N),
    steps=(
        Step(log(over_data(ENCODERS.right) / N), "the encoder's distributions", by=(ENCODERS,)),
        Step(
            log(over_data(exp(-((z - centre(image(n))) ** 2) / (2 * spread(image(n)))) / sqrt(spread(image(n)))))
            - log(2 * pi) / 2
            - log(N),
            "the densities written out",
        ),
    ),
    code=Code("vae.aggregated_log_prob", _aggregated_log_prob, of=lambda e: e.subs(N, 3).doit()),
)

# --- The decoder (F7, F8) ---------------------------------------------------------------------------------------------

pixel, mean = indexed("x", "x", real=True), indexed("answer", "m", real=True)
v = Symbol("v", positive=True)  # the variance of the decoder's noise; the lecture's is 1


def _log_prob() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import gaussian

    x_, mean_ = random_numbers(2, 1000, 3)
    values = gaussian.log_prob(x_, mean_, torch.full_like(x_, 0.4).log())
    return values, {pixel(c + 1): x_[:, c] for c in range(3)} | {mean(c + 1): mean_[:, c] for c in range(3)} | {v: 0.4}


_squared_distance = over_axes((pixel(j) - mean(j)) ** 2)

F7 = Derivation(
    key="F7",
    statement="the log-density of d pixels x around the decoder's answer m, with independent noise of variance v: it "
    "needs the squared distance alone; the lecture's v is 1",
    start=over_axes(log(Normal(pixel(j), mean(j), v))),
    steps=(
        Step(
            over_axes(-((pixel(j) - mean(j)) ** 2) / (2 * v) - log(2 * pi * v) / 2),
            "the logarithm of a normal density",
        ),
        Step(-_squared_distance / (2 * v) - d * log(2 * pi * v) / 2, "the sum term by term"),
    ),
    code=Code("gaussian.log_prob", _log_prob, of=lambda e: e.subs(d, 3).doit()),
    printed=(("E3", -_squared_distance / (2 * v) - k * log(2 * pi * v) / 2),),
)

dec = indexed("dec", r"\operatorname{Dec}_\theta", real=True)
one, eps, others = Symbol("x_1", real=True), Symbol(r"\epsilon", real=True), Symbol("x'", real=True)
f = indexed("goal", "f", real=True)  # any function
h, start, scale = indexed("integrand", "h", real=True), Symbol("a", real=True), Symbol("b", positive=True)
OTHER = Definition(
    "integral", "an integral over another variable, a + b y for x",
    Mean(h(one), one, 1), Mean(scale * h(start + scale * eps), eps, 1),
)  # fmt: skip

F7_SUM = Derivation(
    key="F7.sum",
    statement="the same as a sum, with v = 1: Dec(z) and standard normal noise, added, have the decoder's "
    "distribution. Whatever f "
    r"is, its means are equal: $x_1$ is one pixel, x' are all others, which get noise of their own, one after the "
    r"other",
    start=Mean(f(one, others) * Normal(one, dec(z), 1), one, 1),
    steps=(
        Step(
            Mean(f(dec(z) + eps, others) * Normal(dec(z) + eps, dec(z), 1), eps, 1),
            r"put in $x_1 = \operatorname{Dec}_\theta(z) + \epsilon$",
            by=(OTHER.at({h(one): f(one, others) * Normal(one, dec(z), 1), start: dec(z), scale: 1}),),
        ),
        Step(Mean(f(dec(z) + eps, others) * Normal(eps, 0, 1), eps, 1), "the density depends on the difference alone"),
    ),
)

pixels, fit, other = (
    indexed(name, latex, real=True) for name, latex in (("pixels", "x"), ("fit", "m"), ("other", "m'"))
)


def _differences() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import gaussian

    x_, *means = random_numbers(3, 4, 1000, 3)
    left, right = (torch.stack([gaussian.log_prob(a, b, 0 * a) for a, b in zip(x_, m, strict=True)]) for m in means)
    letters = {pixels: x_, fit: means[0], other: means[1]}
    at = {
        letter(a + 1, b + 1): values[a, :, b] for letter, values in letters.items() for a in range(4) for b in range(3)
    }
    return (left - right).sum(0), at


def _log_densities(answer: Any) -> Expr:
    return over_data(over_axes(log(Normal(pixels(n, j), answer(n, j), 1))))


def _distances(answer: Any) -> Expr:
    return over_data(over_axes((pixels(n, j) - answer(n, j)) ** 2))


F8 = Derivation(
    key="F8",
    statement="of two decoders, that with the larger likelihood has the smaller squared error: $x_{n,j}$ is pixel j of "
    "example n, $m_{n,j}$ the answer of the one, $m'_{n,j}$ that of the other",
    start=_log_densities(fit) - _log_densities(other),
    steps=(
        Step(
            over_data(-over_axes((pixels(n, j) - fit(n, j)) ** 2) / 2 - d * log(2 * pi) / 2)
            - over_data(-over_axes((pixels(n, j) - other(n, j)) ** 2) / 2 - d * log(2 * pi) / 2),
            "the log-density of each image, with v = 1",
        ),
        Step((_distances(other) - _distances(fit)) / 2, "the constants cancel"),
    ),
    code=Code("gaussian.log_prob", _differences, of=lambda e: e.subs({N: 4, d: 3}).doit()),
)

# --- The likelihood, and its estimate (F9, F10) -----------------------------------------------------------------------

g_of = indexed("seen_by", "f", real=True)

F9 = Derivation(
    key="F9",
    statement=r"whatever the decoder: draw a code, then an image, and the image has the density $p_\theta(x)$, "
    r"the integral "
    "over all codes. For that is what the mean of any function f of the image is: z stands for all k latents",
    start=Mean(Mean(g_of(x), x, likelihood), z, prior(z)),
    steps=(
        Step(Mean(g_of(x), x, Mean(likelihood, z, prior(z))), "the means in the other order"),
        Step(Mean(g_of(x), x, marginal), "name the density", by=(MARGINAL,)),
    ),
)

draws, drawn = (
    Symbol("e", real=True),
    indexed("drawn", "z", real=True),
)  # all codes that are drawn, and the j-th of them
draws_law = density("draws", "p")(draws)
K, second = Symbol("K", integer=True, positive=True), Symbol("s", positive=True)


def over_draws(f: Expr) -> Mean:
    """The mean over all that may be drawn."""
    return Mean(f, draws, draws_law)


def weight_of(j: Expr) -> Expr:
    """What the j-th draw says: the density of the image given its code."""
    return p(x, drawn(draws, j))


ALIKE = Assumption(
    "F10", "each code is drawn from the prior", over_draws(weight_of(j)), Mean(likelihood, z, prior(z)), (j,)
)  # fmt: skip
SQUARES = Assumption("F10", "s is the mean square of a weight", over_draws(weight_of(j) ** 2), second, (j,))
APART = Assumption(
    "F10", "two draws are independent", over_draws(weight_of(i) * weight_of(j)), marginal**2, (i, j), (j - i - 1,)
)

F10_UNBIASED = Derivation(
    key="F10.unbiased",
    statement="the estimate from K draws has the likelihood as its mean, whatever K and the decoder: e are all K draws "
    r"together, and $z_{e,j}$ the j-th",
    start=over_draws(Sum(weight_of(j), (j, 1, K)) / K),
    steps=(
        Step(Sum(over_draws(weight_of(j)), (j, 1, K)) / K, "the mean of a sum"),
        Step(Mean(likelihood, z, prior(z)), "K means that are alike", by=(ALIKE,)),
        Step(marginal, "over all codes", by=(MARGINAL,)),
    ),
)

F10_SQUARE_BASE = Derivation(
    key="F10.square.base",
    statement="of one draw e, the mean square s of its weight",
    start=over_draws(Sum(weight_of(j), (j, 1, 1)) ** 2),
    steps=(
        Step(over_draws(weight_of(1) ** 2), "one draw"),
        Step(second + marginal**2 * 1 * (1 - 1), "their mean square", by=(SQUARES.at({j: 1}),)),
    ),
)

F10_SQUARE = Derivation(
    key="F10.square",
    statement="the mean square of the sum of the weights of K draws: K squares, and the products of two that are "
    "independent",
    start=over_draws(Sum(weight_of(j), (j, 1, K)) ** 2),
    steps=(
        Step(over_draws((Sum(weight_of(j), (j, 1, K - 1)) + weight_of(K)) ** 2), "the last draw apart"),
        Step(
            over_draws(Sum(weight_of(j), (j, 1, K - 1)) ** 2)
            + 2 * Sum(over_draws(weight_of(j) * weight_of(K)), (j, 1, K - 1))
            + over_draws(weight_of(K) ** 2),
            "the mean of a square of a sum",
        ),
        Step(
            (K - 1) * second + (K - 1) * (K - 2) * marginal**2 + 2 * (K - 1) * marginal**2 + second,
            "the statement for K - 1, and K - 1 products",
            by=(HYPOTHESIS, APART.at({i: j, j: K}), SQUARES.at({j: K})),
        ),
        Step(K * second + K * (K - 1) * marginal**2, "sort"),
    ),
    induction=Induction(K, F10_SQUARE_BASE),
)

# --- A linear decoder: everything is known (F9-F11) -------------------------------------------------------------------

w, r, y = indexed("w", "w", real=True), indexed("r", "r", real=True), indexed("y", "y", real=True)
R, c, g = Symbol("R", real=True), Symbol("c", real=True), Symbol("g", nonnegative=True)
away, fitted = indexed("away", "S", nonnegative=True), indexed("fitted", r"\ell", real=True)  # for the code z
DISTANCE = Definition("F9", "a linear decoder with one latent", away(z), over_axes((r(j) - z * w(j)) ** 2))
REST = Definition("F9", "R is the squared length of r", R, over_axes(r(j) ** 2))
PULL = Definition("F9", "c is the product of r and w", c, over_axes(r(j) * w(j)))
LENGTH = Definition("F9", "g is the squared length of w", g, over_axes(w(j) ** 2))
FITTED = Definition(
    "F7", "the pixels are independent given the code", fitted(z), over_axes(log(Normal(r(j), z * w(j), v)))
)
LIKELIHOOD = Assumption("F7", r"$\ell_z$ is the logarithm of the decoder's density", likelihood, exp(fitted(z)), (z,))
constant = Symbol("C", real=True)
CONSTANT = Definition("F7", "C is the constant", constant, d * log(2 * pi * v) / 2)

F7_CONSTANT = Derivation(
    key="F7.constant",
    statement=r"the same given the code z: $\ell_z$ is the log-density, S_z the squared distance, and C a name for "
    "what does not depend on z",
    start=fitted(z),
    steps=(
        Step(
            -away(z) / (2 * v) - d * log(2 * pi * v) / 2,
            "the log-density of d pixels",
            by=(FITTED, DISTANCE),
        ),
        Step(-away(z) / (2 * v) - constant, "name the constant", by=(CONSTANT,)),
    ),
)

F9_DISTANCE = Derivation(
    key="F9.distance",
    statement="the squared distance S of an image from a linear decoder's answer: the code z sees its part along "
    "w; r = x - b",
    start=away(z),
    steps=(
        Step(over_axes((r(j) - z * w(j)) ** 2), "a linear decoder", by=(DISTANCE,)),
        Step(
            over_axes(r(j) ** 2) - 2 * z * over_axes(r(j) * w(j)) + z**2 * over_axes(w(j) ** 2), "the sum term by term"
        ),
        Step(R - 2 * z * c + z**2 * g, "three sums", by=(REST, PULL, LENGTH)),
    ),
)

_distance = R - 2 * z * c + z**2 * g
_given_code = exp(-_distance / (2 * v) - constant)
_linear_posterior = Normal(z, c / (v + g), v / (v + g))
_linear_marginal = exp(-(R - c**2 / (v + g)) / (2 * v) - constant) / sqrt(1 + g / v)


def of_three_pixels(e: Expr) -> Expr:
    """A formula with the constant for d = 3."""
    return e.subs(constant, CONSTANT.right).subs(d, 3)


def linear_models() -> Any:
    """50 models with d = 3 and one latent, 20 images each; and R, c, g, v for them."""
    from lecture11 import vae

    weights, biases = random_numbers(2, 50, 3)
    models = [vae.LinearGaussian(a[:, None], b, 0.7) for a, b in zip(weights, biases, strict=True)]
    x_ = random_numbers(50, 20, 3, seed=1)
    rest = x_ - biases[:, None]
    columns = weights[:, None].expand_as(rest)
    sums = {R: rest.square(), c: rest * columns, g: columns.square()}
    at: dict[Expr, Any] = {key: value.sum(2).flatten() for key, value in sums.items()}
    return models, x_, at | {v: 0.7}


def _log_marginal() -> tuple[Any, dict[Expr, Any]]:
    import torch

    models, x_, at = linear_models()
    return torch.cat([model.log_prob(images) for model, images in zip(models, x_, strict=True)]), at


F9_CODE = Derivation(
    key="F9.code",
    statement="the mean of a normal density, of which the exponent is a parabola in the code, over all codes",
    start=Mean(_given_code, z, Normal(z, 0, 1)),
    steps=(
        Step(
            _linear_marginal * Mean(1, z, _linear_posterior),
            "complete the square in z: a density of it, and what is left",
        ),
        Step(_linear_marginal, "a density has mass 1"),
    ),
)

F9_LINEAR = Derivation(
    key="F9.linear",
    statement="the likelihood of an image of d pixels under a linear decoder with one latent: R is the squared "
    "length of x - b, c its product with the column w, g the squared length of w, v the variance of the "
    "noise, and C a constant",
    start=marginal,
    steps=(
        Step(Mean(likelihood, z, prior(z)), "over all codes", by=(MARGINAL,)),
        Step(
            Mean(_given_code, z, Normal(z, 0, 1)),
            "the decoder's density and the prior's",
            by=(LIKELIHOOD, F7_CONSTANT, F9_DISTANCE, PRIOR),
        ),
        Step(_linear_marginal, "the mean over the code"),
    ),
    code=Code("vae.LinearGaussian.log_prob", _log_marginal, of=lambda p_x: of_three_pixels(log(p_x))),
)

INVERSE = Definition(
    "F9", "y is the candidate for the inverse, applied to r", y(j), (r(j) - w(j) * c / (v + g)) / v
)  # fmt: skip

F9_INVERSE = Derivation(
    key="F9.inverse",
    statement=r"so the distribution is $\mathcal{N}(b, w w^T + v I)$. In the exponent of F9.linear stands a matrix, "
    r"with r on both "
    r"sides; y is that matrix times r. It is the inverse of $w w^T + v I$, since that leads from y back to r, here in "
    "row i; and a density with this exponent is that Gaussian",
    start=w(i) * over_axes(w(j) * y(j)) + v * y(i),
    steps=(
        Step(
            w(i) * over_axes(w(j) * (r(j) - w(j) * c / (v + g))) / v + r(i) - w(i) * c / (v + g),
            "the candidate",
            by=(INVERSE, INVERSE.at({j: i})),
        ),
        Step(
            w(i) * (over_axes(r(j) * w(j)) - over_axes(w(j) ** 2) * c / (v + g)) / v + r(i) - w(i) * c / (v + g),
            "the sum term by term",
        ),
        Step(r(i), "what multiplies w_i is zero", by=(PULL, LENGTH)),
    ),
)

F9_EXPONENT = Derivation(
    key="F9.exponent",
    statement=r"and $r^T y$, times $-\frac12$, is what stands in the exponent of F9.linear",
    start=over_axes(r(j) * y(j)),
    steps=(
        Step(over_axes(r(j) * (r(j) - w(j) * c / (v + g)) / v), "the candidate", by=(INVERSE,)),
        Step((over_axes(r(j) ** 2) - over_axes(r(j) * w(j)) * c / (v + g)) / v, "the sum term by term"),
        Step((R - c**2 / (v + g)) / v, "two sums", by=(REST, PULL)),
    ),
)

z1, z2, angle = Symbol("z_1", real=True), Symbol("z_2", real=True), Symbol(r"\varphi", real=True)
c1, c2, between = Symbol("c_1", real=True), Symbol("c_2", real=True), Symbol("h", real=True)
g1, g2 = Symbol("g_1", nonnegative=True), Symbol("g_2", nonnegative=True)


def _log_marginal_of_two() -> tuple[Any, dict[Expr, Any]]:
    import torch

    from lecture11 import vae

    columns, biases, x_ = random_numbers(50, 3, 2), random_numbers(50, 3, seed=1), random_numbers(50, 20, 3, seed=2)
    columns = torch.linalg.qr(columns).Q * torch.tensor([1.5, 0.6], dtype=torch.float64)
    rest = x_ - biases[:, None]
    products = rest @ columns
    at: dict[Expr, Any] = {R: rest.square().sum(2).flatten(), v: 0.7, lengths(1): 1.5**2, lengths(2): 0.6**2}
    models = [vae.LinearGaussian(a, b, 0.7) for a, b in zip(columns, biases, strict=True)]
    values = torch.cat([model.log_prob(images) for model, images in zip(models, x_, strict=True)])
    return values, at | {pulls(a + 1): products[:, :, a].flatten() for a in (0, 1)}


pulls, lengths = indexed("pulls", "c", real=True), indexed("lengths", "g", nonnegative=True)
r_all, many = Symbol("z'", real=True), indexed("many", "M", positive=True)  # the first latents together; their mean
share, together = indexed("share", "f", positive=True), density("together", "p")
_pull_of = exp((2 * z * pulls(k) - z**2 * lengths(k)) / (2 * v))


def over_latents(f: Expr) -> Sum:
    """The sum over the first k latents."""
    return Sum(f, (i, 1, k))


MANY = Definition(
    "F9", "the mean over the first k latents, z'", many(k), Mean(share(r_all, k), r_all, together(r_all, k))
)
ONE_MORE = Assumption(
    "F9", "the k-th latent, z, apart: it is independent of those before it, and has its own factor",
    Mean(share(r_all, k), r_all, together(r_all, k)),
    Mean(Mean(share(r_all, k - 1) * _pull_of, z, Normal(z, 0, 1)), r_all, together(r_all, k - 1)),
    (k,), (k - 1,),
)  # fmt: skip
NO_FACTOR = Definition("F9", "no latent, no factor", share(r_all, 0), Integer(1))
NO_LATENTS = Definition("F9", "a density has mass 1", Mean(1, r_all, together(r_all, 0)), Integer(1))
_of_all = exp(over_latents(pulls(i) ** 2 / (v + lengths(i))) / (2 * v) - over_latents(log(1 + lengths(i) / v)) / 2)


def _log_of_two(mean_over_codes: Expr) -> Expr:
    """The log-likelihood for two latents."""
    (exponent,) = mean_over_codes.args
    return of_three_pixels(-R / (2 * v) - constant) + exponent.subs(k, 2).doit()


F9_LATENTS_BASE = Derivation(
    key="F9.latents.base",
    statement="without a latent the mean is 1",
    start=many(0),
    steps=(
        Step(Mean(1, r_all, together(r_all, 0)), "there is no factor", by=(MANY.at({k: 0}), NO_FACTOR)),
        Step(_of_all.subs(k, 0), "a density has mass 1", by=(NO_LATENTS,)),
    ),
)

F9_LATENTS = Derivation(
    key="F9.latents",
    statement="k latents with columns at right angles: the squared distance is R less $2 z_i c_i - z_i^2 g_i$ for each "
    r"latent, so that its exponential is $e^{-R / 2v}$ times a factor for each. $M_k$ is the mean of the first k of "
    "them, over their codes",
    start=many(k),
    steps=(
        Step(
            Mean(Mean(share(r_all, k - 1) * _pull_of, z, Normal(z, 0, 1)), r_all, together(r_all, k - 1)),
            "the last latent apart",
            by=(MANY, ONE_MORE),
        ),
        Step(many(k - 1) * Mean(_pull_of, z, Normal(z, 0, 1)), "it is independent", by=(MANY.at({k: k - 1}),)),
        Step(
            many(k - 1) * exp(pulls(k) ** 2 / (2 * v * (v + lengths(k)))) / sqrt(1 + lengths(k) / v),
            "complete the square in z",
        ),
        Step(_of_all, "the statement for k - 1", by=(HYPOTHESIS,)),
    ),
    induction=Induction(k, F9_LATENTS_BASE, first=0),
    code=Code("vae.LinearGaussian.log_prob", _log_marginal_of_two, of=_log_of_two),
)

F9_ROTATION = Derivation(
    key="F9.rotation",
    statement="codes can be turned until the columns are at right angles: their distribution does not change",
    start=Normal(cos(angle) * z1 - sin(angle) * z2, 0, 1) * Normal(sin(angle) * z1 + cos(angle) * z2, 0, 1),
    steps=(
        Step(
            exp(-((cos(angle) * z1 - sin(angle) * z2) ** 2 + (sin(angle) * z1 + cos(angle) * z2) ** 2) / 2) / (2 * pi),
            "the squared length is in the exponent",
        ),
        Step(exp(-(z1**2 + z2**2) / 2) / (2 * pi), "a rotation keeps it"),
        Step(Normal(z1, 0, 1) * Normal(z2, 0, 1), "the distribution of the codes as they were"),
    ),
)

_ratio = (v + g) / sqrt(v * (v + 2 * g)) * exp(c**2 / ((v + g) * (v + 2 * g)))

F10_LINEAR = Derivation(
    key="F10.linear",
    statement="what F10 speaks of, for a linear decoder, in the letters of F9.linear",
    start=Mean(likelihood**2, z, prior(z)) / marginal**2,
    steps=(
        Step(
            Mean(_given_code**2, z, Normal(z, 0, 1)) / _linear_marginal**2,
            "a linear decoder with one latent",
            by=(LIKELIHOOD, F7_CONSTANT, F9_DISTANCE, PRIOR, F9_LINEAR),
        ),
        Step(
            exp(-(R - 2 * c**2 / (v + 2 * g)) / v - 2 * constant) / sqrt(1 + 2 * g / v) / _linear_marginal**2,
            "complete the square in z, as for v / 2",
        ),
        Step(_ratio, "R cancels"),
    ),
)

F10_PIXELS = Derivation(
    key="F10.pixels",
    statement="it grows with the number d of pixels. The exponential in F10.linear is not less than 1, and the "
    "square of "
    "the rest is more than g / 2v, where g, the squared length of w, is a sum over d pixels",
    start=(v + g) ** 2 / (v * (v + 2 * g)) - over_axes(w(j) ** 2) / (2 * v),
    steps=(
        Step((v + g) ** 2 / (v * (v + 2 * g)) - g / (2 * v), "the squared length", by=(LENGTH,)),
        Step((2 * v + 3 * g) / (2 * (v + 2 * g)), "one fraction"),
    ),
    nonnegative=True,
)

ratio, factor = indexed("ratio", r"\rho", positive=True), Symbol("rho", positive=True)
NO_LATENT = Definition("F10", "without a latent all draws are alike", ratio(0), Integer(1))
LATENT = Definition("F10", "independent latents multiply", ratio(k), factor * ratio(k - 1), (k - 1,))

F10_BASE = Derivation(
    key="F10.growth.base",
    statement="without a latent the ratio of F10.linear is 1",
    start=ratio(0),
    steps=(Step(factor**0, "all draws are alike", by=(NO_LATENT,)),),
)

F10_GROWTH = Derivation(
    key="F10.growth",
    statement=r"with k latents, each with the ratio $\rho$ of F10.linear, it is a power: the draws needed for one good "
    "estimate grow exponentially",
    start=ratio(k),
    steps=(
        Step(factor * ratio(k - 1), "independent latents multiply", by=(LATENT,)),
        Step(factor**k, "the statement for k - 1", by=(HYPOTHESIS,)),
    ),
    induction=Induction(k, F10_BASE, first=0),
)


def _posterior() -> tuple[Any, dict[Expr, Any]]:
    import torch

    models, x_, at = linear_models()
    laws = [model.posterior(images) for model, images in zip(models, x_, strict=True)]
    return torch.cat([mean_[:, 0] + covariance[0, 0] for mean_, covariance in laws]), at


F11 = Derivation(
    key="F11",
    statement="F11 is a choice of distributions. For a linear decoder with one latent, in the letters of F9.linear, "
    "the posterior "
    "is one of them: it is normal",
    start=posterior,
    steps=(
        Step(likelihood * prior(z) / marginal, "Bayes' rule", by=(EXACT,)),
        Step(
            _given_code * Normal(z, 0, 1) / _linear_marginal,
            "two densities, and the likelihood",
            by=(LIKELIHOOD, F7_CONSTANT, F9_DISTANCE, PRIOR, F9_LINEAR),
        ),
        Step(
            sqrt((v + g) / (2 * pi * v)) * exp(-(v + g) / (2 * v) * (z - c / (v + g)) ** 2), "complete the square in z"
        ),
        Step(_linear_posterior, "a normal density"),
    ),
    code=Code("vae.LinearGaussian.posterior", _posterior, of=lambda law: law.args[1] + law.args[2]),
)

_factor_k = exp(pulls(k) ** 2 / (2 * v * (v + lengths(k)))) / sqrt(1 + lengths(k) / v)

F11_LATENTS = Derivation(
    key="F11.latents",
    statement="and with k latents whose columns are at right angles, in the letters of F9.latents, it is a "
    "diagonal one: "
    "the posterior of k latents is that of the first k - 1, z', times a Gaussian of the last",
    start=share(r_all, k - 1) * together(r_all, k - 1) * _pull_of * Normal(z, 0, 1) / many(k),
    steps=(
        Step(
            share(r_all, k - 1) * together(r_all, k - 1) * _pull_of * Normal(z, 0, 1) / (many(k - 1) * _factor_k),
            "the mean over one latent more",
            by=(F9_LATENTS, F9_LATENTS.at({k: k - 1})),
        ),
        Step(
            share(r_all, k - 1) * together(r_all, k - 1) / many(k - 1)
            * Normal(z, pulls(k) / (v + lengths(k)), v / (v + lengths(k))),
            "complete the square in z",
        ),
    ),
    where=(k - 1,),
)  # fmt: skip

F11_CORRELATED = Derivation(
    key="F11.correlated",
    statement="two latents, with columns whose product is h: minus the log-posterior is a "
    "parabola, and what it has between the two codes, their precision, is h / v. So a diagonal "
    "covariance is exact for h = 0 alone",
    start=Derivative(
        (R - 2 * z1 * c1 - 2 * z2 * c2 + z1**2 * g1 + 2 * z1 * z2 * between + z2**2 * g2) / (2 * v)
        + (z1**2 + z2**2) / 2,
        z1,
        z2,
    ),
    steps=(
        Step(Derivative((z1 * g1 + z2 * between - c1) / v + z1, z2), "the slope along the first code"),
        Step(between / v, "and of that along the second"),
    ),
)

DERIVATIONS = (
    F6, F6_SQUARE, F6_EXAMPLES, F7, F7_SUM, F8, F9, F10_UNBIASED, F10_SQUARE_BASE, F10_SQUARE, F7_CONSTANT, F9_DISTANCE,
    F9_CODE, F9_LINEAR, F9_INVERSE, F9_EXPONENT, F9_LATENTS_BASE, F9_LATENTS, F9_ROTATION, F10_LINEAR, F10_PIXELS,
    F10_BASE, F10_GROWTH, F11, F11_LATENTS, F11_CORRELATED,
)  # fmt: skip
EXPERIMENTS = (
    Experiment(
        "F10",
        "the naive estimate is unbiased where it can be checked",
        "tests/test_vae.py::test_naive_estimate_is_unbiased_where_it_can_be_checked",
    ),
)
