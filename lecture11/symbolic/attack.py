"""Errors planted in a chain, to see the checker find them: an error that passed would be a hole in every proof."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.chain import check, check_step
from lecture11.symbolic.compare import same_by_numbers
from lecture11.symbolic.errors import ProofError
from lecture11.symbolic.facts import Definition, Derivation, Fact, Step, fixed
from lecture11.symbolic.rewriting import rewrite
from lecture11.symbolic.terms import Mean, Normal

Place = tuple[int, ...]


@dataclass(frozen=True)
class Mutant:
    """A step with an error.

    Attributes:
        number: which step, from 1.
        error: what was done to it: 'sign', 'factor 2', 'extra term', 'dropped term', 'root', 'square', 'name', 'index',
            'bounds' of a sum, 'law', or to a 'fact' that it cites.
        step: the step with the error in it.
    """

    number: int
    error: str
    step: Step


def planted_errors(derivation: Derivation, most: int = 2) -> Iterator[Mutant]:
    """Errors in each step of a chain, at most so many of a kind: in its expression, and in the facts that it cites.

    What a change leaves equal to the original is no error, and is left out: that is decided by numbers, with all that
    the step cites. So is a change of a fact that the step does not notice, as a factor that cancels.
    """
    for number, step in enumerate(derivation.steps, start=1):
        facts = derivation.facts(step)
        names = _names(derivation)
        found: dict[str, list[sympy.Expr]] = {}
        for error, place, part in _changes(step.expression, names):
            same_kind = found.setdefault(error, [])
            if len(same_kind) >= most:
                continue
            wrong = _put(step.expression, place, part)
            if wrong in same_kind or wrong.has(sympy.zoo, sympy.nan):
                continue
            if _differ(derivation, facts, wrong, step.expression):
                same_kind.append(wrong)
                yield Mutant(number, error, replace(step, expression=wrong))
        for i, fact in enumerate(facts):
            before = derivation.steps[number - 2].expression if number > 1 else derivation.start
            for _, wrong in changes(fact.right, names):
                by = (*facts[:i], Fact(Definition(fact.key, "planted", fact.left, wrong)), *facts[i + 1 :])
                if _differ(derivation, by, before, step.expression):
                    yield Mutant(number, "fact", replace(step, by=by))
                    break


def _differ(derivation: Derivation, facts: Sequence[Fact], left: sympy.Expr, right: sympy.Expr, seed: int = 1) -> bool:
    """By numbers, with all facts. What cannot even be rewritten or computed differs too."""
    try:
        left, right = (rewrite(side, facts, derivation.range) for side in (left, right))
        return not same_by_numbers(left, right, seed=seed, where=derivation.range)
    except (ProofError, ArithmeticError, ValueError, TypeError, AttributeError):
        return True


def false_claims(derivation: Derivation) -> Iterator[tuple[str, Derivation]]:
    """Chains that go beyond a proved one, one for each way that it has: none of them may pass.

    At values that its letters do not have ('domain'), at numbers before its first ('range'), at other letters than its
    premises speak of ('renaming'), and from another base ('base'). That it needs each fact, ``check`` itself asks.
    """
    letters = derivation.left.free_symbols | derivation.right.free_symbols
    spoken = fixed(derivation)
    for s in sorted(letters, key=str):
        if s in spoken:
            yield "renaming", _instance(derivation, {s: s + 1})
        elif s.is_positive:
            yield "domain", _instance(derivation, {s: -s})
        elif s.is_integer:
            yield "domain", _instance(derivation, {s: s + sympy.Rational(1, 2)})
    for e in derivation.where:
        for s in sorted(e.free_symbols - spoken, key=str):
            yield "range", _instance(derivation, {s: s - e - 1 if e.coeff(s) == 1 else s + e + 1})
            break
    if derivation.induction:
        later = replace(derivation.induction, first=derivation.induction.first + 1)
        yield "base", replace(derivation, induction=later)


def _instance(derivation: Derivation, renaming: dict[sympy.Expr, sympy.Expr]) -> Derivation:
    fact = derivation.at(renaming)
    claim = derivation.left.subs(renaming, simultaneous=True)
    return Derivation(f"{derivation.key} at {renaming}", "a claim", claim, (Step(fact.right, "as before", by=(fact,)),))


def is_refused(claim: Derivation) -> bool:
    """Whether ``check`` refuses a chain."""
    try:
        check(claim)
    except ProofError:
        return True
    return False


def is_caught(derivation: Derivation, mutant: Mutant) -> bool:
    """Whether the checker refuses the step that holds the error."""
    before, facts = derivation.lines[mutant.number - 1], derivation.facts(mutant.step)
    if _differ(derivation, facts, before, mutant.step.expression, seed=0):
        return True  # one of its judges refuses it, which is all that is asked
    try:
        check_step(derivation, mutant.number, mutant.step)
    except ProofError:
        return True
    return False


def _names(derivation: Derivation) -> list[sympy.Expr]:
    """The quantities that a derivation speaks of."""
    places = [derivation.start, *(step.expression for step in derivation.steps)]
    facts = [fact.right for step in derivation.steps for fact in derivation.facts(step)]
    found = {e for place in (*places, *facts) for _, e in _nodes(place) if _is_quantity(e)}
    return sorted(found, key=sympy.default_sort_key)


def _is_quantity(e: sympy.Expr) -> bool:
    return not e.is_integer and (e.is_Symbol or (isinstance(e, AppliedUndef) and len(e.args) == 1))


def _nodes(e: sympy.Basic, place: Place = ()) -> Iterator[tuple[Place, sympy.Expr]]:
    """All parts of an expression with their places, but for names of bound variables and shapes of matrices."""
    if isinstance(e, sympy.Expr):
        yield place, e
    skipped = {0, 1} if isinstance(e, sympy.MatrixBase) else {1} if isinstance(e, Mean) else set()
    for i, argument in enumerate(e.args):
        if i not in skipped:
            yield from _nodes(argument, (*place, i))


def _put(e: sympy.Basic, place: Place, new: sympy.Expr) -> sympy.Expr:
    """``e`` with another expression at a place."""
    if not place:
        return new
    arguments = list(e.args)
    arguments[place[0]] = _put(arguments[place[0]], place[1:], new)
    return e.func(*arguments)


def changes(e: sympy.Expr, names: list[sympy.Expr]) -> Iterator[tuple[str, sympy.Expr]]:
    """Wrong forms of an expression, each with the kind of its error."""
    for error, place, part in _changes(e, names):
        yield error, _put(e, place, part)


def _changes(e: sympy.Expr, names: list[sympy.Expr]) -> Iterator[tuple[str, Place, sympy.Expr]]:
    """The kind of an error, its place, and what is put there."""
    yield "factor 2", (), 2 * e
    yield "sign", (), -e
    for more in (sympy.Integer(1), *names, sympy.Integer(2)):
        yield "extra term", (), e + more
    for place, part in _nodes(e):
        for error, wrong in _changed(part, names):
            yield error, place, wrong


def _changed(part: sympy.Expr, names: list[sympy.Expr]) -> Iterator[tuple[str, sympy.Expr]]:
    if part.is_Add:
        for term in part.args:
            yield "sign", part - 2 * term
            yield "dropped term", part - term
            yield "factor 2", part + term
    if part.is_Pow and part.exp.is_Rational:
        if part.exp.q == 2:
            yield "root", part.base ** (2 * part.exp)
        if part.exp == 2:
            yield "square", part.base
    if part.is_Mul:
        yield "square", part.args[-1] * part
    if isinstance(part, sympy.Sum) and len(part.limits) == 1:
        index, low, high = part.limits[0]
        yield "bounds", sympy.Sum(part.function, (index, low, high + 1))
        yield "bounds", sympy.Sum(part.function, (index, low + 1, high))
    if isinstance(part, Normal):
        yield "law", Normal(part.args[0], part.args[1], -part.args[2])
    if _is_quantity(part):
        for name in names:
            if name != part and name.is_positive == part.is_positive:
                yield "name", name
        if isinstance(part, AppliedUndef) and not part.args[0].is_Symbol | part.args[0].is_Number:
            yield "index", part.func(part.args[0] + 1)
        elif isinstance(part, AppliedUndef):
            yield "index", part.func(part.args[0] - 1)
