"""A fact in use: what it may say, and its left side replaced by its right one. Part of what a proof trusts."""

from collections.abc import Iterable
from functools import lru_cache

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.errors import CitationError
from lecture11.symbolic.facts import (
    Derivation,
    Fact,
    fixed,
)
from lecture11.symbolic.meaning import check_made, check_meaning, check_side, check_taken_out, has_kind, is_law
from lecture11.symbolic.signs import Where, below_sum, in_range, without
from lecture11.symbolic.substitution import hides, is_variable, own_arguments
from lecture11.symbolic.terms import (
    BINDERS,
    KL,
    Mean,
    bound_by,
    canonical,
    depends,
    kind,
    last_sum,
)


def check_fact(fact: Fact, where: Where, using: Derivation | None = None) -> None:
    """Whether a fact says no more than its source has proved.

    Raises:
        CitationError: it renames what is not a variable of it, or gives it a value of another kind.
    """
    taken = fixed(fact.source)
    if fact.hypothesis and fact.source is not using:
        raise CitationError(f"{fact.key}: the hypothesis of another chain")
    for renaming in fact.renamings:
        for e in (e for pair in renaming for e in pair):
            check_made(e)
    within = (*where, *fact.where)
    for i, renaming in enumerate(fact.renamings):
        # Its letters get other values later on: of these alone speaks the range where the fact is used.
        so_far = Fact(fact.source, fact.renamings[: i + 1], fact.hypothesis).where
        there = within if i + 1 == len(fact.renamings) else so_far
        for old, new in renaming:
            letter = old if old.is_Symbol else old.func
            if letter in (fact.fixed if i else taken):  # of a hypothesis, the first takes it one index back
                raise CitationError(
                    f"{fact.key}: it is not stated for all {old}, of which a definition or an assumption speaks"
                )
            variables: tuple[sympy.Expr, ...] = ()
            if fact.hypothesis and i:
                _check_moved(fact, old, new)
            if isinstance(old, AppliedUndef):
                # For all values of its variables, whatever they are declared to be: it may stand at any of them.
                places = {x: sympy.Dummy(str(x), **({"integer": True} if counted else {"real": True}))
                          for x, counted in zip(own_arguments(old), _counted(fact, i, old), strict=True)}  # fmt: skip
                both = set(places) & {other for other, _ in renaming}
                if both:
                    raise CitationError(f"{fact.key}: {min(both, key=str)} is renamed, and stands in {old}: one by one")
                old, new = (e.xreplace(places) for e in (old, new))
                variables = own_arguments(old)
            check_meaning(new, there)
            bound_only = old.is_Symbol and is_variable(new) and kind(new) == kind(old)
            if not bound_only and not has_kind(new, old, there, variables):
                raise CitationError(f"{fact.key}: {new} does not show that it is what {old} is declared to be")
    for side in (fact.left, fact.right):
        check_side(side, within, fact.key)


def _check_moved(fact: Fact, old: sympy.Expr, new: sympy.Expr) -> None:
    """Whether a hypothesis takes a function to a mean of it alone, with the same indices.

    At the first number of an induction it has become another function, of which no line of the chain speaks: nor if it
    is one of integers, which may stand beside a function of real numbers, or is cited with a letter of integers.
    """
    if old.is_Symbol:
        return
    f, law = (new.args[0], new.args[2]) if isinstance(new, Mean) else (new, new)
    itself = isinstance(new, Mean) and f.func == old.func and len(f.args) == len(old.args)
    if not (itself and is_law(law, new.variables) and not law.has(old.func)) or any(
        a != b for a, b in zip(old.args, f.args, strict=True) if a.is_integer or b.is_integer
    ):
        raise CitationError(
            f"{fact.key}: the hypothesis is cited for {new} in place of {old}: it may be for a mean of {old} alone, "
            "under a law, with the same indices"
        )


def _counted(fact: Fact, number: int, name: AppliedUndef) -> list[bool]:
    """Of each argument of a name, whether it is an integer wherever it stands in what a fact says and rests on,
    at the letters that it has before its renaming of some number.
    """
    source, before = fact.source, Fact(fact.source, fact.renamings[:number])
    lines = source.lines if isinstance(source, Derivation) else (source.left, source.right)
    below = [one for step in source.steps for one in source.facts(step)] if isinstance(source, Derivation) else []
    said = [before.renamed(side) for side in (*lines, *(side for one in below for side in (one.left, one.right)))]
    names = (e for side in said for e in side.atoms(AppliedUndef) if len(e.args) == len(name.args))
    found = [e for e in names if e.func == name.func]
    return [all(e.args[i].is_integer for e in (name, *found)) for i in range(len(own_arguments(name)))]


def rewrite(e: sympy.Expr, facts: Iterable[Fact], where: Where = (), place: str = "") -> sympy.Expr:
    """``e`` with the left side of each fact replaced by the right, until none is left.

    Raises:
        CitationError: a fact is used where it does not hold, or the facts go round in a circle.
    """
    rules = tuple((fact.left, fact.right, fact.where, fact.fixed) for fact in facts)
    try:
        return _rewrite(e, rules, where)
    except RecursionError:
        raise CitationError(f"{place}: the facts it cites replace each other for ever") from None


@lru_cache(maxsize=10_000)
def _rewrite(e: sympy.Expr, rules: tuple, where: Where) -> sympy.Expr:
    for _ in range(10):
        before = e
        for rule in rules:
            left, right, needs, fixed_letters = rule
            e = _replace(e, left, right, needs, fixed_letters, where)
        if e == before:
            return e
    raise RecursionError


def _replace(
    e: sympy.Expr, left: sympy.Expr, right: sympy.Expr, needs: Where, fixed: frozenset, where: Where
) -> sympy.Expr:
    """``e`` with ``left`` replaced by ``right``, but for variables of integrals, sums and derivatives."""
    if e == left or (isinstance(e, BINDERS) and isinstance(left, BINDERS) and canonical(e) == canonical(left)):
        for need in needs:
            if not in_range(need, where):
                raise CitationError(f"{left} = {right} holds for {need} >= 0, which does not show here")
        return right
    if not e.args or not (e.has(left) or (isinstance(left, BINDERS) and e.has(type(left)))):
        return e
    bound = bound_by(e)
    if left in bound:
        return e
    for x in bound:
        if hides(left, right, x, where):
            raise CitationError(
                f"{left} stands where {x} is a variable: there it cannot become {right}. Write it as a function of {x}"
            )
        speaks = any(need.has(x) for need in needs)
        if speaks and not depends(left, x):
            raise CitationError(f"{left} = {right} holds in a range of {x}, and stands where {x} is another variable")
        if (speaks or depends(left, x)) and (x.func if isinstance(x, AppliedUndef) else x) in fixed:
            raise CitationError(
                f"{left} stands where {x} is a variable, and that it is {right}, holds for one {x} alone"
            )
    if isinstance(e, sympy.Sum):
        f, i, low, high = last_sum(e)
        ends = [_replace(end, left, right, needs, fixed, where) for end in (low, high)]
        inside = _replace(f, left, right, needs, fixed, below_sum(where, i, low, high))
        if inside != f:
            check_taken_out(inside, i, where)
        return sympy.Sum(inside, (i, *ends))
    within = without(where, bound)
    if isinstance(e, sympy.Derivative):
        if any(x.has(left) for x in e.variables):
            raise CitationError(f"{left} = {right} would change what {e} is differentiated by")
        return sympy.Derivative(_replace(e.expr, left, right, needs, fixed, within), *e.variable_count)
    replaced = e.func(*(_replace(argument, left, right, needs, fixed, within) for argument in e.args))
    if isinstance(e, KL) and bound_by(replaced) != bound:
        raise CitationError(f"{left} = {right} stands in {e}, which would be no divergence over {bound} with it")
    return replaced
