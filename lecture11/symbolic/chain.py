"""What a proof is here: a chain of expressions, each with the reason why it equals the one before; and what checks it.

A reason may cite facts: definitions, and results of chains that were proved before. A cited fact says that one
expression may be replaced by another; a step holds if both its ends, so rewritten, are equal. That is asked of SymPy's
algebra, and of numbers at random points that know nothing of SymPy's rules. Whatever else is cited, or fails to be, is
an error: an equation that needs a fact does not hold without it, and a fact that no equation needs is refused.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.compare import BINDERS, bound_by, depends, same_by_algebra, same_by_numbers
from lecture11.symbolic.signs import never_negative

Renaming = Mapping[sympy.Expr, Any]


class ProofError(Exception):
    """A chain that proves nothing. The message names the derivation and the step."""

    def __str__(self) -> str:
        return "".join(map(str, self.args))  # printed only when asked for: expressions are slow to print


class WrongStepError(ProofError):
    """The two ends of a step differ."""


class GapError(ProofError):
    """The two ends may be equal, but the step does not say why: no reason, a missing fact, one too many, or a leap."""


class EmptyStepError(ProofError):
    """A step that repeats what stands before it."""


class CitationError(ProofError):
    """A step rests on what is not proved before it."""


@dataclass(frozen=True)
class Fact:
    """``left = right``, as a step may use it: taken from a definition or from a proved chain, with other names.

    Made by ``at`` of the two. Its sides are computed from its source, so that it cannot say anything else.
    """

    source: "Definition | Derivation"
    renamings: tuple[tuple[tuple[sympy.Expr, sympy.Expr], ...], ...] = ()

    @cached_property
    def left(self) -> sympy.Expr:
        return self._rename(self.source.left)

    @cached_property
    def right(self) -> sympy.Expr:
        return self._rename(self.source.right)

    @property
    def key(self) -> str:
        return self.source.key

    def at(self, renaming: Renaming) -> "Fact":
        """The same fact with other names, after those that it has."""
        pairs = tuple((old, sympy.sympify(new)) for old, new in renaming.items())
        return Fact(self.source, (*self.renamings, pairs))

    def _rename(self, e: sympy.Expr) -> sympy.Expr:
        for renaming in self.renamings:
            names = dict(renaming)
            for inner in e.atoms(*BINDERS):
                for x in bound_by(inner):
                    others = {other.xreplace(names) for other in inner.atoms(sympy.Symbol, AppliedUndef) - {x}}
                    if x.xreplace(names) in others:
                        raise CitationError(
                            f"{self.key}: with these names, {x} below an integral becomes another quantity"
                        )
            e = e.xreplace(names)
        return e


class _Source:
    """What can be cited."""

    key: str

    @property
    def formula(self) -> str:
        """The id in the lecture, ``F28`` of ``F28.base``; empty if the lecture has none."""
        return self.key.partition(".")[0] if self.key.startswith("F") else ""

    def at(self, renaming: Renaming) -> Fact:
        """The same fact with other names: ``F28.at({t: t - 1})``."""
        return Fact(self).at(renaming)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Definition(_Source):
    """``left`` is a name for ``right``: nothing to prove.

    Attributes:
        key: the id of the statement in the lecture, or what is defined.
        statement: in words.
    """

    key: str
    statement: str
    left: sympy.Expr
    right: sympy.Expr


class Hypothesis:
    """Cited in the step of an induction: the statement itself, one index earlier."""


HYPOTHESIS = Hypothesis()


@dataclass(frozen=True)
class Step:
    """The next line of a chain.

    Attributes:
        expression: what stands there.
        reason: why it equals the line before, in a few words: 'complete the square'.
        by: the facts it needs, none of them idle.
    """

    expression: sympy.Expr
    reason: str
    by: "tuple[Fact | Definition | Derivation | Hypothesis, ...]" = ()


@dataclass(frozen=True)
class Induction:
    """What makes a chain the step of an induction: it may cite ``HYPOTHESIS``, its own statement one index earlier.

    Attributes:
        index: the symbol that the statement holds for.
        base: the chain that proves it at ``first``.
    """

    index: sympy.Symbol
    base: "Derivation"
    first: int = 1


@dataclass(frozen=True)
class Code:
    """The function of the package that computes a result.

    Attributes:
        name: where it is: ``diffusion.q_sample``.
        compute: returns the function's values at 1,000 random points, and the points: an array for each quantity.
        of: which part of the result the function computes, if not all of it.
    """

    name: str
    compute: Callable[[], tuple[Any, dict[sympy.Expr, Any]]]
    of: Callable[[sympy.Expr], sympy.Expr] = lambda result: result


@dataclass(frozen=True)
class Derivation(_Source):
    """``start = ... = the expression of the last step``.

    Attributes:
        key: the id of the statement, ``F28``; of several for one statement, ``F28.base``.
        statement: what is proved, in words.
        start: the left side; what it means, the first steps take from definitions.
        steps: the chain.
        code: the function of the package that computes the result.
        printed: what the notes print instead, by the id of the erratum: a chain must not be able to end there.
        induction: if the chain is the step of an induction.
        nonnegative: whether the result is never negative, and shows it: as a sum of squares, for example.
    """

    key: str
    statement: str
    start: sympy.Expr
    steps: tuple[Step, ...]
    code: Code | None = None
    printed: tuple[tuple[str, sympy.Expr], ...] = ()
    induction: Induction | None = None
    nonnegative: bool = False

    @property
    def left(self) -> sympy.Expr:
        return self.start

    @property
    def right(self) -> sympy.Expr:
        """The result."""
        return self.steps[-1].expression

    def facts(self, step: Step) -> tuple[Fact, ...]:
        """What a step cites."""
        return tuple(self._fact(cited) for cited in step.by)

    def _fact(self, cited: "Fact | Definition | Derivation | Hypothesis") -> Fact:
        if not isinstance(cited, Hypothesis):
            return cited if isinstance(cited, Fact) else Fact(cited)
        if self.induction is None:
            raise CitationError(f"{self.key} is no induction, and has no hypothesis to cite")
        return self.at({self.induction.index: self.induction.index - 1})

    def __repr__(self) -> str:
        return f"{self.key}, in {len(self.steps)} {'step' if len(self.steps) == 1 else 'steps'}: {self.statement}"

    def _repr_latex_(self) -> str:
        from lecture11.symbolic.show import typeset

        return typeset(self)


@dataclass(frozen=True)
class Experiment:
    """A statement that is no algebra, or that is a choice: a test that could fail stands for it.

    Attributes:
        key: the id of the statement.
        statement: what is tested, in words.
        test: the test, ``tests/test_x.py::test_y``.
    """

    key: str
    statement: str
    test: str


# --- The checker -----------------------------------------------------------------------------------------------------


def check(derivation: Derivation) -> None:
    """Verifies every step by itself.

    Raises:
        WrongStepError, GapError, EmptyStepError, CitationError: at the first step that fails, named by its number.
    """
    if not derivation.steps:
        raise GapError(f"{derivation.key} has no step")
    for number in range(1, len(derivation.steps) + 1):
        check_step(derivation, number)
    if derivation.induction:
        _check_induction(derivation, derivation.induction)
    if derivation.nonnegative and not never_negative(derivation.right):
        raise GapError(f"{derivation.key}: {derivation.right} does not show that it is never negative")


def check_step(derivation: Derivation, number: int, instead: Step | None = None) -> None:
    """Verifies one step, the first being number 1, or another one in its place. Raises as ``check``."""
    step = instead or derivation.steps[number - 1]
    before = derivation.steps[number - 2].expression if number > 1 else derivation.start
    where = f"{derivation.key}, step {number} ({step.reason or 'no reason'})"
    if not step.reason.strip():
        raise GapError(where, ": say why it equals what stands before it: ", step.expression)
    if step.expression == before:
        raise EmptyStepError(where, ": it repeats ", before)
    facts = derivation.facts(step)
    left, right = (rewrite(side, facts, where) for side in (before, step.expression))
    if not same_by_numbers(left, right):
        pool = [fact for other in derivation.steps for fact in derivation.facts(other)]
        left, right = (rewrite(side, pool, where) for side in (before, step.expression))
        if set(pool) - set(facts) and same_by_numbers(left, right):
            raise GapError(f"{where}: it holds only with a fact that it does not cite")
        raise WrongStepError(where, ": ", before, " is not equal to ", step.expression)
    if not same_by_algebra(left, right):
        raise GapError(where, ": the numbers agree, but algebra does not get from ", left, " to ", right)
    for fact in facts:
        others = [other for other in facts if other is not fact]
        left, right = (rewrite(side, others, where) for side in (before, step.expression))
        if same_by_numbers(left, right):
            raise GapError(f"{where}: it holds without {fact.key}, which it cites")


def rewrite(e: sympy.Expr, facts: Iterable[Fact], where: str = "") -> sympy.Expr:
    """``e`` with the left side of each fact replaced by the right, until none is left.

    Raises:
        CitationError: the facts go round in a circle.
    """
    try:
        return _rewrite(e, tuple((fact.left, fact.right) for fact in facts))
    except RecursionError:
        raise CitationError(f"{where}: the facts it cites replace each other for ever") from None


@lru_cache(maxsize=10_000)
def _rewrite(e: sympy.Expr, rules: tuple[tuple[sympy.Expr, sympy.Expr], ...]) -> sympy.Expr:
    for _ in range(10):
        idle = True
        for left, right in rules:
            before, e = e, replace_free(e, left, right)
            idle = idle and e == before
        if idle:
            return e
    raise RecursionError


def replace_free(e: sympy.Expr, left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    """``e`` with ``left`` replaced by ``right``, but for variables of integrals, sums and derivatives.

    Raises:
        CitationError: ``right`` would bring in the variable of an integral, which there means something else.
    """
    if e == left:
        return right
    if not e.has(left):
        return e
    bound = bound_by(e)
    if left in bound:
        return e
    for x in bound:
        if depends(right, x) and not depends(left, x):
            raise CitationError(
                f"{left} stands where {x} is a variable: there it cannot become {right}. Write it as a function of {x}"
            )
    return e.func(*(replace_free(argument, left, right) for argument in e.args))


def _check_induction(derivation: Derivation, induction: Induction) -> None:
    first = derivation.at({induction.index: induction.first})
    base = Fact(induction.base)
    if (first.left, first.right) != (base.left, base.right):
        raise GapError(
            f"{derivation.key}: {base.key} proves {base.left} = {base.right}, not {first.left} = {first.right}"
        )


def check_all(derivations: Iterable[Derivation]) -> None:
    """Verifies derivations in their order: each may cite definitions, and those before it.

    Raises:
        CitationError: a derivation cites one that stands after it, itself, or a circle. And as ``check``.
    """
    proved: list[Derivation] = []
    for derivation in derivations:
        check_citations(derivation, proved)
        check(derivation)
        proved.append(derivation)


def check_citations(derivation: Derivation, proved: Iterable[Derivation]) -> None:
    """Raises CitationError if something is cited that is neither a definition nor among ``proved``."""
    known = {id(other) for other in proved}
    for number, step in enumerate(derivation.steps, start=1):
        for cited in step.by:
            source = cited.source if isinstance(cited, Fact) else cited
            if isinstance(source, Derivation) and id(source) not in known:
                raise CitationError(f"{derivation.key}, step {number}: {source.key} is not proved before it")
    if derivation.induction and id(derivation.induction.base) not in known:
        raise CitationError(f"{derivation.key}: its base {derivation.induction.base.key} is not proved before it")
