"""Checks a chain as a whole: what the kernel asks, and that it says why, with no fact too few and none too many.

What a proof is, and what must be trusted, stands in ``kernel.py``. Nothing here can let a step pass that the kernel
refuses.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic import kernel
from lecture11.symbolic.algebra import DivergentError, same_by_algebra
from lecture11.symbolic.compare import same_by_numbers
from lecture11.symbolic.errors import CitationError, GapError, MeaninglessError, ProofError, WrongStepError
from lecture11.symbolic.facts import Derivation, Fact, Step, cited
from lecture11.symbolic.rewriting import rewrite
from lecture11.symbolic.terms import LETTERS, letter_of, printed


class EmptyStepError(ProofError):
    """A step that repeats what stands before it."""


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


@contextmanager
def _as_proof_errors(what: Any) -> Iterator[None]:
    """Whatever goes wrong in a check, a chain is not proved."""
    try:
        yield
    except ProofError:
        raise
    except DivergentError as error:
        raise MeaninglessError(f"{getattr(what, 'key', what)}: {error}") from None
    except Exception as error:
        name = getattr(what, "key", repr(what))
        raise ProofError(f"{name}: it cannot be judged ({type(error).__name__}: {error})") from error


def check(derivation: Derivation) -> None:
    """Verifies a chain, and all chains that it rests on. There is nothing else to check.

    Raises:
        WrongStepError, GapError, EmptyStepError, CitationError, DefinitionError, MeaninglessError: at the first step
            that fails, named by its number; ProofError is the general kind of these.
    """
    with _as_proof_errors(derivation):
        kernel.check_parts(derivation)
        for number, step in enumerate(derivation.steps, start=1):
            _check_words(derivation, number, step)
        _check_letters(derivation)
        try:
            kernel.verify(derivation)
        except WrongStepError:
            for number, step in enumerate(derivation.steps, start=1):
                _say_what_is_missing(derivation, number, step)
            raise
        for number, step in enumerate(derivation.steps, start=1):
            _check_idle(derivation, number, step)


def check_step(derivation: Derivation, number: int, instead: Step | None = None) -> None:
    """Verifies one step, the first being number 1, or another one in its place. Raises as ``check``."""
    step = instead or derivation.steps[number - 1]
    with _as_proof_errors(derivation):
        _check_words(derivation, number, step)
        kernel.check_line(step.expression, derivation)
        try:
            kernel.check_step(derivation, number, step)
        except WrongStepError:
            _say_what_is_missing(derivation, number, step)
            raise
        _check_idle(derivation, number, step)


def _place(derivation: Derivation, number: int, step: Step) -> str:
    return f"{derivation.key}, step {number} ({step.reason or 'no reason'})"


def _check_words(derivation: Derivation, number: int, step: Step) -> None:
    where = _place(derivation, number, step)
    if not (isinstance(step.reason, str) and step.reason.strip()):
        raise GapError(where, ": say why it equals what stands before it: ", step.expression)
    if step.expression == derivation.lines[number - 1]:
        raise EmptyStepError(where, ": it repeats ", step.expression)


def _holds(derivation: Derivation, number: int, step: Step, facts: Iterable[Fact]) -> bool:
    """By numbers: that it does not hold is seen at the first of them."""
    facts = tuple(facts)
    before, after = derivation.lines[number - 1], step.expression
    left, right = (rewrite(side, facts, derivation.range) for side in (before, after))
    return same_by_numbers(left, right, where=derivation.range)


def _shows(derivation: Derivation, number: int, step: Step, facts: Iterable[Fact]) -> bool:
    """By algebra: what is true of all numbers may need a fact all the same, to show it."""
    before, after = derivation.lines[number - 1], step.expression
    left, right = (rewrite(side, facts, derivation.range) for side in (before, after))
    return same_by_algebra(left, right, derivation.range)


def _say_what_is_missing(derivation: Derivation, number: int, step: Step) -> None:
    facts = derivation.facts(step)
    pool = [fact for other in derivation.steps for fact in derivation.facts(other)]
    if (
        set(pool) - set(facts)
        and not _holds(derivation, number, step, facts)
        and _holds(derivation, number, step, pool)
    ):
        raise GapError(f"{_place(derivation, number, step)}: it holds only with a fact that it does not cite") from None


def _check_idle(derivation: Derivation, number: int, step: Step) -> None:
    facts = derivation.facts(step)
    for fact in facts:
        others = tuple(other for other in facts if other is not fact)
        if _holds(derivation, number, step, others) and _shows(derivation, number, step, others):
            raise GapError(f"{_place(derivation, number, step)}: it holds without {fact.key}, which it cites")


@lru_cache(maxsize=10_000)
def _as_seen(letter: sympy.Expr) -> str:
    """What is printed, without braces, blanks and empty indices, which nobody sees."""
    return re.sub(r"_(?![A-Za-z0-9\\{])|[{}\s]", "", printed(letter).replace("_{}", "").replace(r"^{\prime}", "'"))


def _check_letters(derivation: Derivation) -> None:
    """Two letters that print alike would be taken for one."""
    facts = [fact for step in derivation.steps for fact in derivation.facts(step)]
    seen: dict[str, sympy.Expr] = {}
    functions: dict[str, Any] = {}
    laws: set[str] = set()
    lines = [sympy.sympify(line) for line in derivation.lines]
    # A letter e would be taken for the number where that stands too, as in e^x or ln e, or where it is given a value.
    powers = (e for line in lines for e in line.atoms(sympy.Pow, sympy.log))
    if (
        any(line.has(sympy.exp, sympy.E) for line in lines)
        or any(e.args[0].is_Symbol and not e.args[-1].is_Integer for e in powers)
        or any(fact.left.is_Symbol and printed(fact.left) == printed(sympy.E) for fact in facts)
    ):
        seen[printed(sympy.E)] = sympy.E
    for e in (*derivation.lines, *(side for fact in facts for side in (fact.left, fact.right))):
        for letter in sympy.sympify(e).atoms(sympy.Symbol, AppliedUndef):
            if isinstance(letter, AppliedUndef):
                function = functions.setdefault(letter.func.__name__, letter.func)
                if function != letter.func:
                    raise MeaninglessError(f"{derivation.key}: two functions of other kinds have the name {function}")
                known = letter_of(letter)
                head = known.latex if known else printed(sympy.Symbol(letter.func.__name__.rstrip("_")))
                key = f"{re.sub('[{}]', '', head)} {len(letter.args)}"
                if known and known.law_of:  # the same p stands for many laws, told apart by their variables
                    laws.add(key)
                elif not (known and known.entry):
                    other = functions.setdefault(key, letter.func)
                    if other != letter.func:
                        raise MeaninglessError(f"{derivation.key}: {other} and {letter.func} print alike")
            other = seen.setdefault(_as_seen(letter), letter)
            if other != letter:
                raise MeaninglessError(
                    f"{derivation.key}: two letters print alike, as {printed(letter)}: {sympy.srepr(other)} and "
                    f"{sympy.srepr(letter)}. Take the letter of the file that speaks of it"
                )
    if alike := laws & {*functions}:
        raise MeaninglessError(f"{derivation.key}: a density and a function print alike: {min(alike)[:-2]}")
    for key in functions:
        if key.endswith("' 1") and key.replace("'", "") in functions:
            raise MeaninglessError(f"{derivation.key}: {key[:-2]} prints like the slope of {key[:-3]}")
    for text, letter in seen.items():
        known = functions.get(f"{text.partition('_')[0]} 1")
        if letter.is_Symbol and re.search(r"_\d+$", text) and known and known.__name__ in LETTERS:
            raise MeaninglessError(f"{derivation.key}: {text} prints like {known} of a number")
        of = functions.get(f"{text} 1")
        # (One of the project's letters has its argument as an index, if it has no other.)
        if letter.is_Symbol and of and ("_" in text or of.__name__ not in LETTERS):
            raise MeaninglessError(f"{derivation.key}: {text} before a bracket prints like the function {of}")
    for text in seen:
        if factors := _factors(text, {*seen} - {text}):
            raise MeaninglessError(f"{derivation.key}: {text} prints like the product of {', '.join(factors)}")


def _factors(text: str, letters: set[str]) -> list[str]:
    """The letters, one after the other, that a text is made of; none if it is not. What follows an index is in it."""
    if text in letters:
        return [text]
    found = ([one, *_factors(text[len(one) :], letters)] for one in letters if "_" not in one and text.startswith(one))
    return next((factors for factors in found if len(factors) > 1), [])


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
    """Raises CitationError if a chain is cited that is not among ``proved``."""
    known = {id(other) for other in proved}
    with _as_proof_errors(derivation):
        kernel.check_is_chain(derivation)
        for source in cited(derivation):
            if isinstance(source, Derivation) and id(source) not in known:
                raise CitationError(f"{derivation.key}: {source.key} is not proved before it")
