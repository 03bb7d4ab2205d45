"""What happened is written down and travels; judging it needs neither the answer nor a trusted sender."""

import ast
import json
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import lecture11.homework
from lecture11.homework import NotDoneYet, WrongAnswer, check, variation
from lecture11.homework.checks import observations, verdict
from lecture11.homework.comparison import agree
from lecture11.homework.diagnosis import diagnose
from lecture11.homework.observation import Case, Given, Observation, Seeded, observe
from lecture11.homework.part import changed
from lecture11.homework.parts import PARTS
from lecture11.homework.shown import literal, outcome

FOLDER = Path(lecture11.homework.__file__).parent


def one(**args: Any) -> Case:
    return Case("a case", args)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_cases_and_observations_travel(part: Any) -> None:
    cases = part.cases("Ada")
    assert all(same(vars(Case.from_bytes(case.to_bytes())), vars(case)) for case in cases)
    assert all(same(vars(a), vars(b)) for a, b in zip(cases, part.cases("Ada"), strict=True))
    observed = [observe(part.reference, Case.from_bytes(case.to_bytes())) for case in cases]
    arrived = [Observation.from_bytes(o.to_bytes()) for o in observed]
    assert all(same(vars(a), vars(b)) for a, b in zip(arrived, observed, strict=True))
    assert diagnose(part, arrived, seed="Ada").ok
    if not part.personal:
        assert any(not same(vars(a), vars(b)) for a, b in zip(cases, part.cases("Bob"), strict=True))


def test_what_comes_out_is_described() -> None:
    def structure(answer: Any) -> Any:
        return observe(answer, one()).structure

    assert structure(lambda: None) == {"kind": "none"}
    assert structure(lambda: ...) == {"kind": "ellipsis"}
    assert structure(7) == {"kind": "number", "value": 7}
    assert structure(lambda: "text") == {"kind": "text", "value": "text"}
    assert structure(lambda: 10**400)["kind"] == "other"
    assert structure(lambda: object()) == {"kind": "other", "type": "builtins.object"}
    assert structure(lambda: (torch.ones(2), [1.5])) == {
        "kind": "list",
        "items": [{"kind": "tensor", "at": 0}, {"kind": "list", "items": [{"kind": "number", "value": 1.5}]}],
    }
    assert len(structure(lambda: iter(range(2_000)))["items"]) == 1_000
    assert structure(lambda: torch.ones(2, dtype=torch.complex64))["kind"] == "other"


def test_what_happens_beside_the_result_is_seen() -> None:
    x = torch.ones(2, dtype=torch.float64)

    def careless(x: Any, generator: Any) -> Any:
        print("hello")
        x += 1
        return x + torch.randn(2)

    case = Case("a case", {"x": x, "generator": Seeded(1)}, ("x",), ("generator",))
    state = torch.get_rng_state()
    o = observe(careless, case)
    assert (o.changed, o.unused, o.global_random, o.printed) == (("x",), ("generator",), True, "hello\n")
    assert torch.equal(x, torch.ones(2, dtype=torch.float64))
    assert torch.equal(state, torch.get_rng_state())

    o = observe(lambda x, generator: x.detach() * torch.rand(2, generator=generator), case)
    assert (o.changed, o.unused, o.global_random, o.gradients) == ((), (), False, {"x": None})


def test_an_error_is_kept_with_its_line() -> None:
    def answer(x: Any) -> Any:
        y = 2 * x
        return y / 0

    o = observe(answer, one(x=1))
    assert o.error is not None
    assert (o.error.type, o.error.text, o.error.not_done) == ("ZeroDivisionError", "division by zero", False)
    assert o.error.line.endswith("return y / 0")
    for leave in (SystemExit(0), BaseException("out")):
        raised = observe(lambda leave=leave: (_ for _ in ()).throw(leave).__next__(), one()).error
        assert raised is not None
        assert raised.type == type(leave).__name__


def test_printing_without_end_fills_nothing() -> None:
    def loud() -> None:
        for _ in range(100):
            print("x" * 1000)

    assert len(observe(loud, one()).printed) == 2000


def test_a_loop_ends_in_another_thread_too() -> None:
    def endless() -> None:
        while True:
            torch.ones(1)

    found = []
    thread = threading.Thread(target=lambda: found.append(observe(endless, one(), limit=0.2)))
    begin = time.perf_counter()
    thread.start()
    thread.join(20)
    assert time.perf_counter() - begin < 20
    assert [o.timed_out for o in found] == [True]


def test_an_import_may_end_and_is_not_the_time_of_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_to_import.py").write_text("import time\ntime.sleep(0.5)\nready = 7\n")
    monkeypatch.syspath_prepend(tmp_path)

    def answer() -> Any:
        import slow_to_import

        return slow_to_import.ready

    o = observe(answer, one(), limit=0.2)
    assert (o.timed_out, o.structure) == (False, {"kind": "number", "value": 7})

    def endless() -> Any:
        answer()
        while True:
            pass

    assert observe(endless, one(), limit=0.2).timed_out


def test_nan_everywhere_has_no_name() -> None:
    for part in PARTS.values():
        if not part.personal:
            nan = changed(part.reference, lambda r: tuple(map(_nan, r)) if isinstance(r, tuple) else _nan(r))
            found = diagnose(part, [part.observed_on(i, nan, "Ada") for i in range(len(part.cases("Ada")))], seed="Ada")
            assert (found.kind, found.mistake) == ("value", "")


def _nan(result: torch.Tensor) -> torch.Tensor:
    return result * torch.nan


def test_inputs_are_printed_whole_and_can_be_typed_in() -> None:
    from lecture11.homework import given

    for part in PARTS.values():
        for case in part.cases("Ada"):
            for value in case.args.values():
                space = {"torch": torch, "variation": variation, "lecture11": lecture11}
                made = eval(literal(value, "Ada"), space)
                if isinstance(value, Given):
                    assert type(made) is type(given.make(value.name, **value.options))
                elif isinstance(value, Seeded):
                    assert made.initial_seed() == value.seed
                else:
                    assert same(made, value), f"{part.id}, {case.name}: {literal(value, 'Ada')}"


def test_results_that_differ_are_printed_differently() -> None:
    a = torch.arange(200.0, dtype=torch.float64) / 7
    for at, by in ((0, 1e-3), (150, 1.0), (199, 1e-7)):
        b = a.clone()
        b[at] += max(by, by * float(a[at]))
        wanted, got = outcome(a, b)
        assert wanted != got
        assert (f"from entry {at} on" in got) == (at > 0)
    assert outcome(torch.tensor(1.0 + 1e-12), torch.tensor(1.0))[0] == "1  () float32"


def test_no_first_case_has_numbers_that_coincide() -> None:
    # With alpha = 1/2, alpha and 1 - alpha cannot be told apart: so for all that the formulas are made of.
    for part in ("alpha-bar", "q-step", "q-sample", "posterior", "mu-theta", "sampler", "loss-weight"):
        for case in PARTS[part].cases()[:2]:
            if "alpha_bar" in case.args and int(case.args["t"].max()) > 1:
                now, before = (float(case.args["alpha_bar"][case.args["t"][0] - i]) for i in (0, 1))
                shares = [now, before, now / before]
            elif "alpha_bar" in case.args:
                continue
            else:
                betas = case.args["betas"] if "betas" in case.args else case.args["beta"]
                shares = [*(1 - betas).tolist(), *(1 - betas).cumprod(0).tolist()[1:]]
            all_of_them = [f(share) for share in shares for f in (lambda s: s, lambda s: 1 - s)]
            apart = [abs(a - b) for i, a in enumerate(all_of_them) for b in all_of_them[:i]]
            assert min(apart) > 0.01, f"{part}, {case.name}: {all_of_them}"


def test_foreign_bytes_are_refused() -> None:
    good = observe(lambda: torch.ones(3), one()).to_bytes()
    for data in (b"", b"x" * 100, good[:-4], good[:40], b"\xff" * 16, good.replace(b"tensor", b"tensOr")):
        with pytest.raises(ValueError, match="these bytes are no observation"):
            Observation.from_bytes(data)
    with pytest.raises(ValueError, match="these bytes are no case"):
        Case.from_bytes(good)

    size = int.from_bytes(good[:8], "little")
    outer = json.loads(good[8 : 8 + size])
    inner = json.loads(outer["__metadata__"]["lecture11"])
    for change in (
        {"structure": {"kind": "tensor", "at": 5}},
        {"structure": {"kind": "tensor", "at": -1}},
        {"structure": {"kind": "number", "value": 10**400}},
        {"outputs": 10**9},
        {"gradients": [["x", {"generator": 3}]]},
        {"error": {"type": "E"}},
        {"changed": 3},
    ):
        outer["__metadata__"]["lecture11"] = json.dumps({**inner, **change})
        header = json.dumps(outer).encode()
        with pytest.raises(ValueError, match="these bytes are no observation"):
            Observation.from_bytes(len(header).to_bytes(8, "little") + header + good[8 + size :])


def test_what_runs_answers_knows_no_solutions() -> None:
    # A grader's sandbox may lack these modules: nothing that observes imports them, but for checks, when it is called.
    hidden = {"part", "parts", "diagnosis", "build"}
    for name in ("__init__", "checks", "comparison", "given", "observation", "shown", "variation"):
        tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
        modules = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
        assert {str(module).split("homework.")[-1].split(".")[0] for module in modules} & hidden == set()


def test_another_number_of_observations_is_refused() -> None:
    with pytest.raises(ValueError, match="8 cases for this seed, got 0 observations"):
        diagnose(PARTS["elbo-kl"], [])


def test_a_check_says_right_or_raises_its_message_alone(capsys: pytest.CaptureFixture[str]) -> None:
    check.elbo_kl(PARTS["elbo-kl"].reference, seed="Ada")
    assert capsys.readouterr().out == "right: the KL in closed form, 2 points\n"

    with pytest.raises(WrongAnswer, match=r"^elbo_kl: judged by its numbers, the factor 1/2 is missing\n") as caught:
        check.elbo_kl(lambda mu, log_var: (mu**2 + log_var.exp() - 1 - log_var).sum(1))
    assert isinstance(caught.value, AssertionError)
    shown = "\n".join(caught.value._render_traceback_())
    assert "Traceback" not in shown
    for word in (
        "given     mu = torch.tensor([[0.6]], dtype=torch.float64)",
        "expected  [0.2544]",
        "got       [0.5087]",
        "nats",
    ):
        assert word in shown

    with pytest.raises(NotDoneYet, match=r"^elbo_kl: not done yet$") as not_done:
        check.elbo_kl(...)
    assert not_done.value._render_traceback_() == ["NotDoneYet: elbo_kl: not done yet"]

    def helper(mu: Any, log_var: Any) -> Any:
        raise NotDoneYet

    with pytest.raises(NotDoneYet, match=r"^elbo_kl: it calls helper, which is not done yet$"):
        check.elbo_kl(lambda mu, log_var: helper(mu, log_var).sum(1))
    with pytest.raises(NotDoneYet, match=r"^elbo_kl: not done yet$"):
        check.elbo_kl(helper)
    with pytest.raises(AttributeError, match=r"no part is called elbo_lk\. Did you mean elbo_kl\?"):
        _ = check.elbo_lk
    assert "sampler" in dir(check)


def test_an_unknown_mistake_gets_the_smallest_case_and_what_is_common() -> None:
    reference = PARTS["mu-theta"].reference
    with pytest.raises(WrongAnswer, match="all of your numbers are 3 times as large as they should be") as caught:
        check.mu_theta(lambda *args: 3 * reference(*args))
    assert "case      one number, T = 2" in str(caught.value)
    with pytest.raises(WrongAnswer, match="the sign is the wrong way round"):
        check.mu_theta(lambda *args: -reference(*args))
    with pytest.raises(WrongAnswer, match=r"all of your numbers differ by 0\.5 from what is asked for"):
        check.mu_theta(lambda *args: 0.5 + reference(*args))
    with pytest.raises(WrongAnswer, match="printed   look here"):
        check.mu_theta(lambda *args: print("look here") or reference(*args) + args[1] ** 3)

    curve = PARTS["error-curve"].reference
    for power, name in ((0.5, "root"), (2, "square")):
        with pytest.raises(WrongAnswer, match=f"this is the {name} of what is asked for"):
            check.error_curve(lambda x, power=power: curve(x).clamp(min=0) ** power)
    kl = PARTS["elbo-kl"].reference
    with pytest.raises(WrongAnswer, match="Not all of your numbers are finite") as caught:
        check.elbo_kl(lambda mu, log_var: kl(mu, log_var) + (log_var.sum(1) > 0.4).to(mu).log() + 1)
    assert "inf" in str(caught.value).split("got ")[1], "the case that is shown has such a number"


def test_what_a_special_size_hides_is_not_blamed_on_the_batch() -> None:
    e_step = PARTS["e-step"].reference  # its one case with one example has one latent too

    def by_entry(x: Any, W: Any) -> Any:
        mean, covariance = e_step(x, W)
        return mean, covariance * torch.eye(len(covariance), dtype=W.dtype)

    with pytest.raises(WrongAnswer, match=r"right in one case alone: one point, d = 2, k = 1\. Sizes of 1 hide much"):
        check.e_step(by_entry)
    elbo = PARTS["elbo"].reference  # its case with three examples has d = k = 3
    with pytest.raises(
        WrongAnswer, match=r"right in one case alone: three examples, d = 3, k = 3\. Two sizes are equal"
    ):
        check.elbo(lambda x, encoder, decoder, eps: elbo(x, encoder, decoder, eps) + 3 * (x.shape[1] - eps.shape[1]))
    kl = PARTS["elbo-kl"].reference
    with pytest.raises(WrongAnswer, match="right in all cases with one example, and wrong in all with"):
        check.elbo_kl(lambda mu, log_var: kl(mu, log_var) + mu.std(0, correction=0).sum())


def test_what_is_right_in_several_cases_is_not_said_to_be_so_in_one() -> None:
    kl = PARTS["kl-per-latent"].reference  # two of its cases have three examples
    with pytest.raises(WrongAnswer, match=r"these cases alone: three examples, three latents; nine latents\. Is"):
        check.kl_per_latent(lambda mu, log_var: kl(mu, log_var) * len(mu) / 3)


def test_none_is_not_said_to_come_from_a_function() -> None:
    for found in (lambda: check.half_signal(None), lambda: check.elbo_kl(None), lambda: check.elbo_kl(print)):
        with pytest.raises(WrongAnswer, match=r"there is no result: this is None\. Is a return missing"):
            found()


def test_to_seed_is_not_to_draw() -> None:
    def seeded(alpha_bar: Any, x_0: Any, t: Any, eps: Any) -> Any:
        torch.manual_seed(42)
        return eps.abs() + x_0

    with pytest.raises(WrongAnswer, match="none of the mistakes that we know"):
        check.q_sample(seeded)


def test_what_a_result_is_instead() -> None:
    with pytest.raises(WrongAnswer, match="this is the input y itself"):
        check.best_denoiser(lambda y, *_: y)
    with pytest.raises(WrongAnswer, match="it draws random numbers of its own; all that is random is given, in eps"):
        check.denoising_loss(lambda model, x, s, eps: model(x + torch.randn_like(x)).flatten(1).sum(1))
    with pytest.raises(WrongAnswer, match="it draws random numbers, and nothing is random here"):
        check.elbo_kl(lambda mu, log_var: torch.randn_like(mu).sum(1))
    kl = PARTS["elbo-kl"].reference
    with pytest.raises(WrongAnswer, match="right to five digits or more, and not to all"):
        check.elbo_kl(lambda mu, log_var: kl(mu.float(), log_var.float()).to(mu.dtype))


def test_a_mean_in_place_of_a_sum_is_seen_from_the_sizes() -> None:
    posterior, mu_theta = PARTS["posterior"].reference, PARTS["mu-theta"].reference
    size = "the number of entries of each example in x_t"
    with pytest.raises(WrongAnswer, match=f"all of your numbers are divided by {size}: is a mean taken where a sum"):
        check.mu_theta(lambda ab, x_t, t, eps: mu_theta(ab, x_t, t, eps) / x_t[0].numel())
    with pytest.raises(
        WrongAnswer, match=f"all of your numbers are multiplied with {size}: is a sum taken where a mean"
    ):
        check.mu_theta(lambda ab, x_t, t, eps: mu_theta(ab, x_t, t, eps) * x_t[0].numel())
    # A third in a case with three examples, and right in one with one: that is said of no number as such.
    kl = PARTS["elbo-kl"].reference
    with pytest.raises(WrongAnswer, match="divided by the size of dimension 0 of mu"):
        check.elbo_kl(lambda mu, log_var: kl(mu, log_var) / len(mu))
    with pytest.raises(WrongAnswer, match=r"result 2 is 1 / sqrt\(alpha_t\) times what is asked for"):
        check.posterior(
            lambda ab, x_0, x_t, t: (
                (made := posterior(ab, x_0, x_t, t))[0],
                made[1] / (ab[t] / ab[t - 1]).sqrt().to(made[1]),
            )
        )
    with pytest.raises(WrongAnswer, match="result 1 is right; result 2 is not, and we do not know the mistake"):
        check.posterior(lambda *args: ((made := posterior(*args))[0], made[1] ** 3))


def test_a_factor_that_is_to_be_zero_is_shown_as_zero() -> None:
    def kept(alpha_bar: Any, x_0: Any, x_t: Any, t: Any) -> Any:
        mean, variance = PARTS["posterior"].reference(alpha_bar, x_0, x_t, t)
        return mean + (t == 1).to(x_t).view(-1, *[1] * (x_t.ndim - 1)) * 0.7 * x_t, variance

    with pytest.raises(WrongAnswer, match=r"In front of x_t it is 0\.7 for one of the examples, where 0 belongs\."):
        check.posterior(kept)


def test_a_wrong_factor_is_found_whatever_it_is() -> None:
    def noised(of_x: Any, of_eps: Any) -> Any:
        def answer(alpha_bar: Any, x_0: Any, t: Any, eps: Any) -> Any:
            a = alpha_bar[t].to(x_0).view(-1, *[1] * (x_0.ndim - 1))
            return of_x(a) * x_0 + of_eps(a) * eps

        return answer

    def root(a: Any) -> Any:
        return a.sqrt()

    with pytest.raises(WrongAnswer, match="factor in front of eps is not right; that in front of x_0 is") as caught:
        check.q_sample(noised(root, lambda a: (1 - a) ** 1.3))
    with pytest.raises(
        WrongAnswer, match=r"in front of eps, the factor is sqrt\(alpha_bar_t\) times what it should be"
    ):
        check.q_sample(noised(root, lambda a: (a * (1 - a)).sqrt()))
    assert re.search(r"In front of eps it is 0\.\d+ for one of the examples, where 0\.\d+ belongs\.", str(caught.value))
    with pytest.raises(WrongAnswer, match="the factors in front of x_0 and of eps are both not right"):
        check.q_sample(noised(lambda a: a**1.3, lambda a: (1 - a) ** 1.3))
    with pytest.raises(WrongAnswer, match="none of the mistakes that we know"):  # not a sum of both with factors
        check.q_sample(lambda alpha_bar, x_0, t, eps: noised(root, root)(alpha_bar, x_0, t, eps) ** 3)


def test_two_mistakes_are_both_named_where_they_are_made_in_one_answer() -> None:
    def wrong(mu: Any, log_var: Any) -> Any:  # ||mu|| is not squared, and 1 is subtracted once
        return 0.5 * ((mu + log_var.exp() - log_var).sum(1) - 1)

    with pytest.raises(
        WrongAnswer, match=r"two things\. First: k counts once for all.*Second: the mean is not squared"
    ):
        check.elbo_kl(wrong)
    with pytest.raises(WrongAnswer, match=r"log det Sigma is 3 times as large as it should be"):
        check.elbo_kl(lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - 3 * log_var).sum(1))
    # Of one term only one of its mistakes can be made, and what looks like two of them has no name.
    kl = PARTS["elbo-kl"].reference
    constant = [PARTS["elbo-kl"].mistake(id).function for id in ("k-once", "k-is-batch")]
    with pytest.raises(WrongAnswer) as caught:
        check.elbo_kl(lambda *args: sum(function(*args) for function in constant) - kl(*args))
    assert "two things" not in str(caught.value)


def test_mistakes_in_different_places_make_an_answer_with_both() -> None:
    part = PARTS["mu-theta"]
    one, other, both = next(
        pair for pair in part.pairs if pair[0].id == "front-no-alpha" and pair[1].id == "noise-added"
    )
    found = verdict("mu-theta", both, seed="Ada")
    assert found.mistake == "front-no-alpha, noise-added"
    assert found.headline == f"two things. First: {one.message}. Second: {other.message}"
    assert all(
        agree(a, b) for a, b in zip(part.observed(both, "Ada"), observations("mu-theta", both, seed="Ada"), strict=True)
    )
    places = [{one.id, other.id} for one, other, _ in part.pairs]
    assert {"front-no-alpha", "front-alpha-turned"} not in places, "one place holds one thing"


def test_a_seed_changes_sizes_schedules_and_data() -> None:
    people = [variation(name) for name in ("Ada", "Bob", "Cyd", "Dan", "Eve", "Fay")]
    assert len({p.T for p in people}) > 2
    assert len({p.classes for p in people}) > 3
    assert len({tuple(p.betas.tolist()) for p in people}) == 6
    answers = [PARTS["half-signal"].reference(p.betas) for p in people]
    assert len(set(answers)) > 3
    assert variation("Ada").digits.shape == (260, 64)
    assert all(p.betas.cumsum(0)[-1] > 3 for p in people), "little of the signal is left at the end"
    assert isinstance(PARTS["elbo"].cases()[0].args["encoder"], Given)
