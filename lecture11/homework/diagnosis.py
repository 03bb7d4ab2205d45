"""Judges what was observed of an answer, and names the mistake. Runs nothing that a student wrote."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from lecture11.homework.comparison import (
    agree,
    close,
    close_in_float32,
    finite,
    has_numbers,
    numeric,
    of_a_size,
    product_of,
    relation,
    result,
    same,
)
from lecture11.homework.observation import Case, Observation
from lecture11.homework.part import CHANGES, ON_TOP, Mistake, Part
from lecture11.homework.shown import given, kind, outcome

Kind = Literal[
    "right", "not done", "time", "package", "none", "error", "type", "shape", "dtype", "changed", "generator",
    "broadcast", "dims", "batch", "edge", "gradient", "mistake", "precision", "random", "input", "factor", "value",
]  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What is to be said of an answer.

    Attributes:
        ok: it is right.
        message: for the student: the headline, then the smallest case that shows it.
        kind: what was found.
        headline: the first sentence alone: equal for equal mistakes, so that a class's can be counted.
        mistake: the id of the known mistake, where it is one.
    """

    ok: bool
    message: str
    kind: Kind
    headline: str
    mistake: str = ""


@dataclass(frozen=True)
class Seen:
    """What a rule looks at.

    Attributes:
        observations: what was seen of the answer, one for each case.
        right: what the right answer does that this one comes closest to.
        failing: numbers of the cases where they differ.
    """

    part: Part
    seed: str | int
    cases: Sequence[Case]
    observations: Sequence[Observation]
    right: Sequence[Observation]
    failing: Sequence[int]

    @property
    def plain(self) -> range:
        """The cases in which mistakes are told from one another; the edges come after them."""
        return range(len(self.cases) - len(self.part.edges(self.seed)))

    def inputs(self, i: int) -> str:
        """The name of a case and what the answer was given."""
        return given(self.cases[i], self.seed)

    def detail(self, i: int) -> str:
        """A case, with what was expected and what came; nothing where the expected value is the answer itself."""
        if self.part.personal:
            return ""
        o = self.observations[i]
        wanted, got = outcome(result(self.right[i]), result(o))
        if o.error is not None:
            got = f"{o.error.type}: {o.error.text[:200]}"
        unit = f", {self.part.unit}" if self.part.unit else ""
        lines = [self.inputs(i), f"expected  {wanted}{unit}", f"got       {got}", _printed(o)]
        return "\n".join(line for line in lines if line)


def diagnose(part: Part, observations: Sequence[Observation], *, seed: str | int = 0) -> Verdict:
    """Judges what ``observe`` saw of an answer on ``part.cases(seed)``, one observation for each case, in this order.

    The first of ``RULES`` that has something to say is right about it; an answer that none of them speaks of is right.

    Raises:
        ValueError: another number of observations than of cases.
    """
    cases = part.cases(seed)
    if len(observations) != len(cases):
        raise ValueError(f"{part.id} has {len(cases)} cases for this seed, got {len(observations)} observations")
    # Of several right answers, the one that this comes closest to.
    answers = [part.observed(answer, seed) for answer in (part.reference, *part.also)]
    right = min(answers, key=lambda r: sum(not agree(a, b) for a, b in zip(observations, r, strict=True)))
    failing = [i for i, o in enumerate(observations) if not agree(o, right[i])]
    seen = Seen(part, seed, cases, observations, right, failing)
    for rule in RULES:
        verdict = rule(seen)
        if verdict is not None:
            return verdict
    points = f"{part.points} point" if part.points == 1 else f"{part.points} points"
    return Verdict(True, f"right: {part.title}, {points}", "right", "right")


def _verdict(kind: Kind, headline: str, *details: str) -> Verdict:
    return Verdict(False, "\n".join([headline, *(text for text in details if text)]), kind, headline)


# --- rules, whatever the values are


def not_done(seen: Seen) -> Verdict | None:
    """An answer that is still empty, or calls one that is."""
    for o in seen.observations:
        if o.structure["kind"] == "ellipsis" or (o.error is not None and o.error.not_done):
            other = o.error.function if o.error is not None else ""
            return _verdict("not done", f"it calls {other}, which is not done yet" if other else "not done yet")
    return None


def endless(seen: Seen) -> Verdict | None:
    """A call that did not end within the limit."""
    for i, o in enumerate(seen.observations):
        if o.timed_out:
            return _verdict(
                "time",
                "this takes too long. Is there a loop that never ends? An import belongs above the function",
                seen.inputs(i),
            )
    return None


def package_called(seen: Seen) -> Verdict | None:
    """A call of the package's own solution."""
    called = {name for o in seen.observations for name in o.package if name not in seen.part.may_use}
    if called:
        return _verdict("package", f"this calls the package's {min(called)}. Write it yourself, then compare with it")
    return None


def nothing_returned(seen: Seen) -> Verdict | None:
    """None came back; or None is the answer itself, where a number is asked for."""
    if any(o.structure["kind"] == "none" and o.error is None for o in seen.observations):
        text = "there is no result: this is None. Is a return missing on some way out, or does print(...) stand there?"
        return _verdict("none", text)
    return None


def input_changed(seen: Seen) -> Verdict | None:
    """An argument is not the same after the call."""
    for i, o in enumerate(seen.observations):
        if o.changed:
            return _verdict(
                "changed",
                f"it changed its input {o.changed[0]}, which belongs to the caller. Look for +=, *=, x[...] = "
                f"and methods that end with _",
                seen.inputs(i),
            )
    return None


def generator_unused(seen: Seen) -> Verdict | None:
    """A generator was given, and nothing drawn from it."""
    for i, (o, r) in enumerate(zip(seen.observations, seen.right, strict=True)):
        if o.unused and not r.unused and o.error is None:
            drawn = " It drew from PyTorch's global generator instead." if o.global_random else ""
            return _verdict(
                "generator",
                f"nothing was drawn from {o.unused[0]}.{drawn} The same generator must give the same numbers again",
                seen.inputs(i),
            )
    return None


# --- rules for results that are not right


def _mistake(seen: Seen, text: str, name: str) -> Verdict:
    return replace(_verdict("mistake", text, seen.detail(seen.failing[0])), mistake=name)


def _by_numbers(seen: Seen, text: str, name: str) -> Verdict:
    """A mistake that gives the same numbers. Another one may give them too, and so much is said."""
    found = _mistake(seen, text, name)
    return replace(found, message=f"judged by its numbers, {found.message}")


def known_mistake(seen: Seen) -> Verdict | None:
    """One of the part's mistakes: it does the same on all plain cases; or, right on these, on the edges too."""
    if not seen.failing:
        return None
    right_on_plain = seen.failing[0] not in seen.plain
    compared = range(len(seen.cases)) if right_on_plain else seen.plain
    for mistake in seen.part.mistakes:
        # Most of them run on the first case only.
        if all(agree(seen.observations[i], seen.part.observed_on(i, mistake.function, seen.seed)) for i in compared):
            if not any(seen.observations[i].error is None and has_numbers(seen.observations[i]) for i in compared):
                continue  # the same error, or nan, everywhere: that has many reasons
            return _by_numbers(seen, mistake.message, mistake.id)
    return None


def two_mistakes(seen: Seen) -> Verdict | None:
    """A known mistake, and something done to its result that is one too: such as the mean over the examples."""
    if not seen.failing or seen.failing[0] not in seen.plain:
        return None
    got = [result(seen.observations[i]) for i in seen.plain]
    if not all(isinstance(value, Tensor) and value.is_floating_point() and value.isfinite().any() for value in got):
        return None
    for done in (mistake for mistake in seen.part.mistakes if mistake.id in ON_TOP):
        change = CHANGES[done.id][1]
        own = result(seen.part.observed_on(seen.plain[0], done.function, seen.seed))
        if not _is_changed(own, seen.right[seen.plain[0]], change):
            continue  # the part has another mistake of this name, which is done before its last step
        for mistake in seen.part.mistakes:
            if mistake is not done and all(
                _is_changed(got[i], seen.part.observed_on(i, mistake.function, seen.seed), change) for i in seen.plain
            ):
                return _two(seen, mistake, replace(done, message=ON_TOP[done.id]))
    return None


def two_places(seen: Seen) -> Verdict | None:
    """Two known mistakes in different places of one answer."""
    if not seen.failing or seen.failing[0] not in seen.plain:
        return None
    got, right = (_rows([some[i] for i in seen.plain]) for some in (seen.observations, seen.right))
    if got is None or right is None or 2 * got.isfinite().sum() <= len(got):
        return None  # nan agrees with nan, whatever it comes from
    if got.shape == right.shape and torch.allclose(got, right, rtol=1e-5, atol=1e-6):
        return None  # of another precision or dtype, and no mistake of the formula
    # Where one of the two changes nothing, the other one alone is seen: so most pairs need not be run.
    first = seen.plain[0]
    changes, looks = set(), set()
    for mistake in seen.part.mistakes:
        made = seen.part.observed_on(first, mistake.function, seen.seed)
        changes |= set() if agree(made, seen.right[first]) else {mistake.id}
        looks |= {mistake.id} if agree(seen.observations[first], made) else set()
    for one, other, both in seen.part.pairs:
        active = {one.id, other.id} & changes or {one.id}
        if (len(active) == 2 or active <= looks) and all(
            agree(seen.observations[i], seen.part.observed_on(i, both, seen.seed)) for i in seen.plain
        ):
            return _two(seen, one, other)
    return None


def two_terms(seen: Seen) -> Verdict | None:
    """A term of a sum has another weight; or two terms have a known mistake each.

    Then the result is off by as much as by each of them alone.
    """
    if not seen.failing or seen.failing[0] not in seen.plain:
        return None
    exact = [i for i in seen.plain if _is_exact(result(seen.right[i]))]
    got = _rows([seen.observations[i] for i in exact])
    right = _rows([seen.right[i] for i in exact])
    if got is None or right is None or len(got) != len(right):
        return None
    if 2 * got.isfinite().sum() <= len(got):
        return None  # nan agrees with nan, whatever it comes from
    off: dict[Mistake, Tensor] = {}  # by how much each of them is
    for mistake in sorted(seen.part.mistakes, key=lambda mistake: mistake.id):
        made = _rows([seen.part.observed_on(i, mistake.function, seen.seed) for i in exact])
        if mistake.id not in CHANGES and made is not None and len(made) == len(right):
            off[mistake] = made - right
    for mistake, made in off.items():
        used = made.isfinite() & (made.abs() > 1e-9)
        if mistake.term and used.any():
            share = ((got - right)[used] / made[used])[0].item()  # of the term, that is missing
            if close(got, right + share * made):
                weight = 1 - share
                text = f"{mistake.term} is {weight:.4g} times as large as it should be"
                text = f"{mistake.term} has the wrong sign" if abs(weight + 1) < 1e-8 else text
                return _by_numbers(seen, text, f"{mistake.id}-in-part")
    for (one, first), (other, second) in itertools.combinations(off.items(), 2):
        both = right + first + second
        if close(got, both) and not (one.several or other.several or _of_one_term(one, other)):
            return _two(seen, one, other)
    return None


def _of_one_term(one: Mistake, other: Mistake) -> bool:
    """Both are about the same term, by the first word of their ids: that it is missing, say, and that it is added."""
    return one.id.split("-")[0] == other.id.split("-")[0]


def _rows(observations: Sequence[Observation]) -> Tensor | None:
    rows = [row for row in map(_row, observations) if row is not None]
    return torch.cat(rows) if rows and len(rows) == len(observations) else None


def _is_exact(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.float64


def _two(seen: Seen, one: Mistake, other: Mistake) -> Verdict:
    end = "" if one.message.endswith("?") else "."
    text = f"two things. First: {one.message}{end} Second: {other.message}"
    return _by_numbers(seen, text, f"{one.id}, {other.id}")


def each_result(seen: Seen) -> Verdict | None:
    """Of several results each has a known mistake of its own, one that leaves the others right."""
    if not seen.failing or seen.failing[0] not in seen.plain:
        return None
    rows = [(result(seen.observations[i]), result(seen.right[i])) for i in seen.plain]
    if not all(isinstance(a, list) and isinstance(b, list) and len(a) == len(b) for a, b in rows):
        return None
    wrong = [j for j in range(len(rows[0][1])) if not all(same(got[j], right[j]) for got, right in rows)]
    made = [next((m for m in seen.part.mistakes if _makes_alone(seen, m, j)), None) for j in wrong]
    found = [mistake for mistake in made if mistake is not None]
    if len(found) < len(made):
        return None
    text = ". ".join(f"In result {j + 1}: {mistake.message}" for j, mistake in zip(wrong, found, strict=True))
    return _by_numbers(seen, f"more than one thing. {text}", ", ".join(mistake.id for mistake in found))


def _makes_alone(seen: Seen, mistake: Mistake, j: int) -> bool:
    """The mistake explains result ``j`` in all plain cases, and makes no other one wrong."""
    for i in seen.plain:
        got, right = result(seen.observations[i]), result(seen.right[i])
        made = result(seen.part.observed_on(i, mistake.function, seen.seed))
        if not isinstance(made, list) or not same(made, [*right[:j], got[j], *right[j + 1 :]]):
            return False
    return True


def nearly_known_mistake(seen: Seen) -> Verdict | None:
    """A known mistake in float32, or with something small added: the same to some digits, wherever that is finite."""
    if not seen.failing or seen.failing[0] not in seen.plain:
        return None
    for mistake in seen.part.mistakes:
        if _is_nearly(seen, mistake):
            return _by_numbers(seen, mistake.message, mistake.id)
    return None


def _is_nearly(seen: Seen, mistake: Mistake) -> bool:
    """Numbers that tell it from a right answer, most of all numbers, and none that speaks against it."""
    finite = telling = every = 0
    for i in seen.plain:
        rows = [_row(seen.observations[i]), _row(seen.part.observed_on(i, mistake.function, seen.seed))]
        rows.append(_row(seen.right[i]))
        if any(row is None for row in rows) or len({len(row) for row in rows if row is not None}) != 1:
            return False
        got, made, right = (row for row in rows if row is not None)
        used = made.isfinite()
        if not torch.allclose(got[used], made[used], rtol=1e-5, atol=1e-6):
            return False
        every += len(made)
        finite += int(used.sum())
        telling += int((~torch.isclose(right[used], made[used], rtol=1e-3, atol=1e-4)).sum())
    return telling >= 2 and 2 * finite > every


def _row(o: Observation) -> Tensor | None:
    """All numbers of the results, one after the other; None if there is anything else in them."""
    value = result(o)
    if o.error is not None or o.timed_out:
        return None
    several = value if isinstance(value, list) else [value]
    if not all(isinstance(one, Tensor) for one in several):
        return None
    return torch.cat([one.double().flatten() for one in several])


def _is_changed(got: Tensor, made: Observation, change: Callable[[Tensor], Tensor]) -> bool:
    value = result(made)
    return isinstance(value, Tensor) and value.is_floating_point() and same(got, change(value))


def always_an_error(seen: Seen) -> Verdict | None:
    """It raises in every case."""
    return _error(seen, 0) if all(o.error is not None for o in seen.observations) and seen.failing else None


def points_or_images(seen: Seen) -> Verdict | None:
    """Points ``(batch, d)`` and images ``(batch, channels, height, width)`` are among the cases: which are right?"""
    dims = [max((v.ndim for v in c.args.values() if isinstance(v, Tensor)), default=0) for c in seen.cases]
    good, bad = _apart(dims, seen.failing)
    if len(good) != 1 or len(bad) != 1:
        return None
    if max(good) < max(bad):
        text = (
            "right for points, and wrong for images, which have three dimensions more than the batch. A number for "
            "each example must get as many dimensions as x has, and a sum must go over all of them but the first"
        )
    else:
        text = (
            "right for images, and wrong for points, which have one dimension beside the batch. Count the dimensions "
            "with x.ndim, or make rows of the examples with flatten(1)"
        )
    return _verdict("dims", text, seen.detail(seen.failing[0]))


def wrong_form(seen: Seen) -> Verdict | None:
    """Another type, shape or dtype than expected."""
    forms = [(found, _is_one_number(seen.right[i])) for i in seen.failing if (found := _form(seen, i)) is not None]
    return _most_telling(forms) if forms else None


def sometimes_an_error(seen: Seen) -> Verdict | None:
    """It raises in the first case that fails."""
    return _error(seen, seen.failing[0]) if seen.failing and seen.observations[seen.failing[0]].error else None


def single_precision(seen: Seen) -> Verdict | None:
    """Close, and not equal, in every plain case that fails; or, where none of these does, in every edge."""
    looked = [i for i in seen.failing if i in seen.plain] or seen.failing
    if not looked or not all(close_in_float32(seen.observations[i], seen.right[i]) for i in looked):
        return None
    worse = [seen.cases[i].name for i in seen.failing if not close_in_float32(seen.observations[i], seen.right[i])]
    return _verdict(
        "precision",
        "right to five digits or more, and not to all. Is a part of it calculated in float32 (look for .float(), "
        ".tolist(), and tensors made without dtype=, such as torch.tensor(0.5)), a constant rounded, or something "
        "small added (an eps=)?",
        f"It is further off here: {'; '.join(worse)}." if worse else "",
        seen.detail(seen.failing[0]),
    )


def own_random_numbers(seen: Seen) -> Verdict | None:
    """It draws where nothing is to be drawn."""
    if not any(seen.observations[i].global_random for i in seen.failing) or any(r.global_random for r in seen.right):
        return None
    first = seen.cases[seen.failing[0]]
    names = [name for name in ("t", "eps", "noise") if name in first.args]
    if names:
        text = f"it draws random numbers of its own; all that is random is given, in {' and '.join(names)}"
    else:
        text = "it draws random numbers, and nothing is random here"
    return _verdict("random", text, seen.detail(seen.failing[0]))


def input_itself(seen: Seen) -> Verdict | None:
    """An argument came back as it was."""
    pairs = [(seen.cases[i], seen.observations[i]) for i in seen.failing]
    for name in (name for name, value in seen.cases[0].args.items() if isinstance(value, Tensor) and pairs):
        if all(same(result(o), case.args[name]) for case, o in pairs):
            return _verdict(
                "input",
                f"this is the input {name} itself: is the result assigned, and returned?",
                seen.detail(seen.failing[0]),
            )
    return None


def related(seen: Seen) -> Verdict | None:
    """Something simple was done to all numbers of a right result."""
    if seen.part.personal or not seen.failing:
        return None
    if seen.failing[0] not in seen.plain:
        return None
    # Of all plain cases, not of those alone that fail: it is said of all numbers.
    found = relation([(result(seen.observations[i]), result(seen.right[i])) for i in seen.plain])
    if found is None:
        found = of_a_size([(seen.cases[i].args, seen.observations[i], seen.right[i]) for i in seen.plain])
    if found is None:
        return None
    name, text = found
    everywhere = relation([(result(o), result(right)) for o, right in zip(seen.observations, seen.right, strict=True)])
    text = text if everywhere == found or not text.startswith("all of") else f"in most of the cases, {text}"
    return _mistake(seen, text, name)


def one_factor(seen: Seen) -> Verdict | None:
    """Of a sum of arguments, each with a factor: which factor is not right?"""
    names = seen.part.linear_in
    if not names or not seen.failing or seen.failing[0] not in seen.plain:
        return None
    got, right, quantities = [], [], []
    for i in seen.plain:
        wanted, made = _first_result(seen.right[i]), _first_result(seen.observations[i])
        if wanted is None or wanted.dtype != torch.float64 or wanted[0].numel() <= len(names):
            continue  # as many unknown factors as equations, or too few digits
        if made is None or made.shape != wanted.shape or made.dtype != wanted.dtype or not made.isfinite().all():
            return None
        terms = [seen.cases[i].args[name].expand_as(wanted) for name in names]
        of_case = seen.part.quantities(seen.cases[i].args)
        for n in range(len(wanted)):
            matrix = torch.stack([term[n].flatten() for term in terms], 1)
            factors = torch.linalg.lstsq(matrix, made[n].flatten()).solution
            if not close(matrix @ factors, made[n].flatten()):
                return None
            got.append(factors)
            right.append(torch.linalg.lstsq(matrix, wanted[n].flatten()).solution)
            quantities.append({name: values[n] for name, values in of_case.items()})
    if len(got) < 2:
        return None
    each = list(zip(names, torch.stack(got, 1), torch.stack(right, 1), strict=True))
    wrong = [(name, a, b) for name, a, b in each if not _as_close(a, b).all()]
    if not wrong:
        return None
    good = [name for name, a, b in each if _as_close(a, b).all()]
    if good:
        text = f"the factor in front of {wrong[0][0]} is not right; that in front of {good[0]} is"
    else:
        text = f"the factors in front of {' and of '.join(names)} are both not right"
    lines, told = [], []
    for name, a, b in wrong:
        at = int((~_as_close(a, b)).nonzero()[0])
        factors = [f"{0.0 if abs(value) < 1e-9 else value:.6g}" for value in (a[at].item(), b[at].item())]
        lines.append(f"In front of {name} it is {factors[0]} for one of the examples, where {factors[1]} belongs.")
        used = b.abs() > 1e-9
        every = {key: torch.stack([of[key] for of in quantities])[used] for key in quantities[0]}
        product = product_of(a[used] / b[used], every) if _as_close(a[~used], b[~used]).all() else None
        told += [f"in front of {name}, the factor is {product} times what it should be"] if product else []
    if len(told) < len(wrong):
        return _verdict("factor", text, *lines, seen.detail(seen.failing[0]))
    found = _verdict("mistake", "; ".join(told), *lines, seen.detail(seen.failing[0]))
    return replace(found, mistake=", ".join(f"factor-of-{name}" for name, _, _ in wrong))


def _as_close(a: Tensor, b: Tensor) -> Tensor:
    return torch.isclose(a, b, rtol=1e-6, atol=1e-8)


def times_quantities(seen: Seen) -> Verdict | None:
    """A result is the right one times a power of something that it is made of, or two."""
    if not seen.failing or seen.failing[0] not in seen.plain:
        return None
    exact = [i for i in seen.plain if (value := _first_result(seen.right[i])) is not None and _is_exact(value)]
    rows = [(_results(seen.observations[i]), _results(seen.right[i])) for i in exact]
    if not rows or not all(got and [v.shape for v in got] == [v.shape for v in want] for got, want in rows):
        return None
    wrong = [j for j in range(len(rows[0][1])) if not all(same(got[j], want[j]) for got, want in rows)]
    if len(wrong) != 1:
        return None
    j = wrong[0]
    ratio: list[Tensor] = []
    every: dict[str, list[Tensor]] = {}
    for i, (got, want) in zip(exact, rows, strict=True):
        used = want[j].abs() > 1e-9
        if not close(got[j][~used], want[j][~used]):
            return None
        ratio.append(got[j][used] / want[j][used])
        for name, value in seen.part.quantities(seen.cases[i].args).items():
            wide = value.view(*value.shape, *[1] * (want[j].ndim - value.ndim))
            every.setdefault(name, []).append(wide.expand_as(want[j])[used])
    product = product_of(torch.cat(ratio), {name: torch.cat(values) for name, values in every.items()})
    if product is None:
        return None
    where = f"result {j + 1} is" if len(rows[0][1]) > 1 else "this is"
    return _mistake(seen, f"{where} {product} times what is asked for", "times-quantities")


def _results(o: Observation) -> list[Tensor]:
    """The tensors that came; none of them where something else came."""
    value = result(o)
    several = value if isinstance(value, list) else [value]
    return several if o.error is None and all(isinstance(one, Tensor) for one in several) else []


def _first_result(o: Observation) -> Tensor | None:
    value = result(o)
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, Tensor) and o.error is None else None


def off_in_each_case(seen: Seen) -> Verdict | None:
    """In each case that is wrong all numbers are off by one amount, or by one factor."""
    if not seen.failing or seen.failing[0] not in seen.plain:
        return None
    pairs = [(result(seen.observations[i]), result(seen.right[i])) for i in seen.plain]
    pairs = [(got, want) for got, want in pairs if _is_exact(want)]
    if not all(_is_exact(got) and got.shape == want.shape and got.isfinite().all() for got, want in pairs):
        return None
    telling = [(got.flatten(), want.flatten()) for got, want in pairs if want.numel() > 1]  # one number fits anything
    if sum(not close(got, want) for got, want in telling) < 2:
        return None
    for how, what in (("by the same amount", "term"), ("by the same factor", "factor")):
        if all(_is_off(got, want, what) for got, want in telling):
            text = (
                f"in each case that is wrong, all of your numbers are off {how}: a {what} that is the same for all of "
                f"them is not right"
            )
            return _mistake(seen, text, f"{what}-of-each-case")
    return None


def _is_off(got: Tensor, want: Tensor, what: str) -> bool:
    """By one amount, or by one factor: that of the largest number."""
    if what == "term":
        return close(got, want + (got - want)[0])
    at = int(want.abs().argmax())
    return bool(want[at]) and close(got, want * (got[at] / want[at]))


def only_edges(seen: Seen) -> Verdict | None:
    """Right in all plain cases: what is special about the one where it is not?"""
    if not seen.failing or seen.failing[0] in seen.plain:
        return None
    first = seen.failing[0]
    names = "; ".join(seen.cases[i].name for i in seen.failing)
    which = "this one" if len(seen.failing) == 1 else "these"
    return _verdict("edge", f"right in the other cases, and wrong in {which}: {names}", seen.detail(first))


def some_sizes(seen: Seen) -> Verdict | None:
    """Right for one size of the batch, or in one case alone."""
    text = _one_batch_size(seen)
    return _verdict("batch", text, seen.detail(seen.failing[0])) if text else None


NOT_FINITE = (
    "Not all of your numbers are finite: look for the root of a negative number, the logarithm of zero, a division by "
    "zero, exp of a large number."
)


def one_result(seen: Seen) -> Verdict | None:
    """Of several results, some are right."""
    if not seen.failing:
        return None
    rows = [(result(seen.observations[i]), result(seen.right[i])) for i in range(len(seen.cases))]
    if not all(isinstance(a, list) and isinstance(b, list) and len(a) == len(b) for a, b in rows):
        return None
    each = [all(same(got[j], want[j]) for got, want in rows) for j in range(len(rows[0][1]))]
    right, wrong = ([str(j + 1) for j, ok in enumerate(each) if ok is which] for which in (True, False))
    if not right:
        return None
    of_one = [(got[each.index(False)], want[each.index(False)]) for got, want in rows[: len(seen.plain)]]
    found = relation(of_one) if len(wrong) == 1 else None
    if found is not None:
        text = f"result {', '.join(right)} is right; of result {wrong[0]}: {found[1]}"
        return _mistake(seen, text, found[0])
    text = f"result {', '.join(right)} is right; result {', '.join(wrong)} is not, and we do not know the mistake"
    return _verdict("value", text, seen.detail(seen.failing[0]))


def unknown(seen: Seen) -> Verdict | None:
    """Wrong, and nothing is known about it."""
    if not seen.failing:
        return None
    if seen.part.personal:
        return _verdict(
            "value",
            "this is not what your own numbers give, and it is none of the mistakes that we know. If you are sure of "
            "it: is the seed of the check the one that your numbers were made from?",
        )
    endless = [i for i in seen.failing if not finite(seen.observations[i])]
    return _verdict(
        "value",
        "this is not right yet, and it is none of the mistakes that we know",
        NOT_FINITE if endless else "",
        seen.detail(endless[0] if endless else seen.failing[0]),
    )


def gradient(seen: Seen) -> Verdict | None:
    """The values are right, and the gradient is not."""
    for i, case in enumerate(seen.cases):
        text = _gradient(case, seen.observations[i], seen.right[i])
        if text:
            return _verdict("gradient", text, seen.inputs(i))
    return None


RULES: tuple[Callable[[Seen], Verdict | None], ...] = (
    not_done,
    endless,
    package_called,
    nothing_returned,
    input_changed,
    generator_unused,
    known_mistake,
    two_mistakes,
    each_result,
    two_places,
    always_an_error,
    points_or_images,
    wrong_form,
    sometimes_an_error,
    single_precision,
    nearly_known_mistake,
    own_random_numbers,
    input_itself,
    two_terms,
    related,
    times_quantities,
    one_factor,
    only_edges,
    some_sizes,
    off_in_each_case,
    one_result,
    unknown,
    gradient,
)


# --- what is wrong with the form


def _form(seen: Seen, i: int) -> Verdict | None:
    if seen.observations[i].error is not None:
        return None
    value, wanted = result(seen.observations[i]), result(seen.right[i])
    detail = seen.detail(i)
    if isinstance(wanted, list):
        if not isinstance(value, list) or len(value) != len(wanted):
            got = f"{len(value)} results" if isinstance(value, list) else kind(value)
            return _verdict("type", f"{len(wanted)} results are expected, separated by a comma; got {got}", detail)
        pairs = list(zip(value, wanted, strict=True))
    else:
        pairs = [(value, wanted)]
    for number, (got, want) in enumerate(pairs, start=1):
        found = _form_of_one(f"result {number}: " if len(pairs) > 1 else "", got, want, detail)
        if found is not None:
            return found
    return None


def _form_of_one(where: str, got: Any, want: Any, detail: str) -> Verdict | None:
    if not numeric(want):
        return None
    if not numeric(got):
        hint = ""
        if isinstance(got, list) and isinstance(want, Tensor):
            hint = ". torch.stack makes a tensor of a list; sort, max and others return two results"
            if all(isinstance(item, bool | int | float) for item in got):
                hint = ". Leave .item() and .tolist() away, and torch.stack makes a tensor of the list"
        wanted = "a plain tensor" if kind(got).startswith("a tensor ") else kind(want)
        return _verdict("type", f"{where}{wanted} is expected, got {kind(got)}{hint}", detail)
    if isinstance(got, Tensor) and not isinstance(want, Tensor) and got.numel() != 1:
        return _verdict("type", f"{where}one number is expected, got a tensor of shape {tuple(got.shape)}", detail)
    if not isinstance(want, Tensor) or not isinstance(got, Tensor):
        if isinstance(want, Tensor) and want.ndim:
            return _verdict("type", f"{where}a tensor is expected, got the number {got:g}", detail)
        return None
    if got.shape != want.shape:
        return _shape(where, got, want, detail)
    if got.dtype != want.dtype:
        names = [str(t.dtype).removeprefix("torch.") for t in (got, want)]
        casts = {torch.float64: ".double()", torch.float32: ".float()"}
        cast = casts.get(got.dtype, ".long(), .int(), argsort and comparisons")
        return _verdict(
            "dtype",
            f"{where}the result is {names[0]}, and {names[1]} is expected: keep the precision of the input. Look for "
            f"{cast}, and for tensors that are made without the dtype= of the input",
            detail,
        )
    return None


def _shape(where: str, got: Tensor, want: Tensor, detail: str) -> Verdict:
    shapes = f"shape {tuple(got.shape)}, where {tuple(want.shape)} is expected"
    if want.ndim and got.ndim > want.ndim and got.shape[: got.ndim - want.ndim + 1] == (len(want),) * (
        got.ndim - want.ndim + 1
    ):  # fmt: skip
        n = len(want)
        if n > 1:
            return _verdict(
                "broadcast",
                f"{where}{shapes}, as if each of the {n} were paired with each other one. Mostly a ({n},) has met a "
                f"({n}, 1), and broadcasting did it. Print the shapes of what you add or multiply",
                detail,
            )
    if got.numel() == want.numel():
        if got.ndim > want.ndim:
            hint = ". A dimension is too many: look for keepdim=, unsqueeze, [:, None], expand"
        elif got.ndim < want.ndim:
            hint = ". A dimension is gone: look for a sum or mean over it, for squeeze, for an index such as [0]"
        elif got.shape == want.shape[::-1]:
            hint = ". The dimensions have changed places: look for .T"
        else:
            hint = ". They are arranged otherwise: look for cat, stack, reshape"
    elif got.ndim > want.ndim:
        hint = ". Something is still to be summed or averaged, or one of several to be taken"
    elif got.ndim < want.ndim:
        hint = ". Too much is summed or averaged, or only one of them is returned. Name dimensions, as in .sum(1)"
    else:
        hint = ". Print the shapes of what you combine"
    return _verdict("shape", f"{where}{shapes}{hint}", detail)


def _most_telling(forms: Sequence[tuple[Verdict, bool]]) -> Verdict:
    """Broadcasting, where all results look like it. Of one number, it cannot be told from a dimension too many; and
    where n happens to be another size, an (n, n) may be no broadcast at all."""
    telling = [found for found, one_number in forms if not one_number]
    if telling and all(found.kind == "broadcast" for found in telling):
        return telling[0]
    return next(found for found, _ in forms if found.kind != "broadcast")


def _is_one_number(o: Observation) -> bool:
    value = result(o)
    return isinstance(value, Tensor) and value.numel() == 1


# --- in which cases it is right


def _one_batch_size(seen: Seen) -> str:
    good, bad = _apart([case.batch or 0 for case in seen.cases], seen.failing)
    if len(good) != 1 or not bad or 0 in good | bad:
        return ""
    batch = good.pop()
    right = [case for i, case in enumerate(seen.cases) if i not in seen.failing]
    if all(_single(case) for case in right):  # there all is compared less strictly
        return ""
    if batch == 1 and len(right) > 1:
        batches = ", ".join(map(str, sorted(bad)))
        return (
            f"right in all cases with one example, and wrong in all with {batches}. Is something summed, averaged or "
            f"mixed over the examples?"
        )
    names = "; ".join(case.name for case in right)
    where = f"right in {'one case' if len(right) == 1 else 'these cases'} alone: {names}."
    if batch == 1:
        return (
            f"{where} Sizes of 1 hide much: is something mixed over the examples or over the dimensions, taken of each "
            f"entry alone, or of the first one alone?"
        )
    if all(batch in _others(case) for case in right):
        return f"{where} Two sizes are equal there: is a size, or a sum, taken from the wrong dimension?"
    return f"{where} Is a size written as a number?"


def _others(case: Case) -> set[int]:
    """The sizes of a case's tensors, but for the first of each."""
    return {size for value in case.args.values() if isinstance(value, Tensor) for size in value.shape[1:]}


def _single(case: Case) -> bool:
    return any(isinstance(value, Tensor) and value.dtype == torch.float32 for value in case.args.values())


def _apart(kinds: Sequence[int], failing: Sequence[int]) -> tuple[set[int], set[int]]:
    """The kinds of cases that are always right, and those that are always wrong; empty sets if there are others."""
    bad = {kinds[i] for i in failing}
    good = {kind for i, kind in enumerate(kinds) if i not in failing}
    return (good, bad) if not good & bad else (set(), set())


# --- gradients and errors


def _gradient(case: Case, o: Observation, right: Observation) -> str:
    if not case.grad:
        return ""
    if o.gradient_error is not None:
        text = o.gradient_error.text.splitlines()[0] if o.gradient_error.text else ""
        return f"the values are right, but going backwards through them fails with {o.gradient_error.type}: {text}"
    wanted, got = right.gradients or {}, o.gradients or {}
    for name, gradient in wanted.items():
        if gradient is None or not gradient.any():
            continue
        found = got.get(name)
        if found is None:
            return (
                f"the values are right, but no gradient reaches {name}: the result is detached from it. Look for "
                f".detach(), .item(), .data, torch.no_grad(), torch.tensor(...) and numpy"
            )
        if found.shape == gradient.shape and close(found, gradient):
            continue
        if found.shape == gradient.shape and torch.allclose(found.double(), gradient.double(), rtol=1e-3, atol=1e-5):
            return (
                f"the values are right, but the gradient with respect to {name} only to some digits: is something "
                f"small added (an eps=), or a part of it calculated in float32?"
            )
        return (
            f"the values are right, but the gradient with respect to {name} is not: most often a part of the "
            f"calculation is detached. Look for .detach(), .item(), .data, torch.no_grad(), torch.normal, and for "
            f"torch.autograd.grad without create_graph=True"
        )
    return ""


# What PyTorch's words mean, for those who read them for the first time.
ONE_NUMBER = "math.sqrt, float and the like take one number; torch.sqrt takes a tensor."
HINTS = (
    (
        "must match the size of tensor",
        "Print the shapes of what you combine. A number for each example must get as many dimensions as x has.",
    ),
    ("shapes cannot be multiplied", "Print the shapes of what you multiply. Is a .T missing, or one too many?"),
    ("one element tensors", ONE_NUMBER),
    ("elements cannot be converted to Scalar", ONE_NUMBER),
    ("out of bounds", "Of n entries the first is number 0, and the last is number n - 1."),
    ("complex", "eig gives complex numbers; a symmetric matrix has real ones: eigh."),
    ("Can't call numpy() on Tensor", "NumPy ends the gradient: take torch.exp, torch.log, ... for np.exp, np.log."),
    ("must be Tensor, not float", "torch.log, torch.sqrt and the like take a tensor; math.log takes a number."),
    ("expected m1 and m2 to have the same dtype", "Two precisions meet: keep that of the input."),
    (
        "'tuple' object has no attribute",
        "A tuple stands here: several results are unpacked, as in a, b = f(x), and a comma at "
        "the end of a line makes a tuple of one.",
    ),
    ("Boolean value of Tensor", "An if takes one truth value, and this tensor does not have just one: torch.where."),
)


def _error(seen: Seen, i: int) -> Verdict:
    o = seen.observations[i]
    assert o.error is not None
    text = o.error.text.strip().splitlines()
    headline = f"it raises {o.error.type}" + (f": {text[0][:300]}" if text else "")
    hint = next((hint for words, hint in HINTS if words in o.error.text), "")
    line = f"at        {o.error.line}" if o.error.line else ""
    return _verdict("error", headline, hint, line, seen.inputs(i), _printed(o))


def _printed(o: Observation) -> str:
    return f"printed   {o.printed.strip()[:500]}" if o.printed.strip() else ""
