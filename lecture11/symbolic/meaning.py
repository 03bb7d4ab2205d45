"""Does an expression have a meaning, for all values of its letters? Part of what a proof trusts (``kernel.py``).

No division by what may be 0, no root or logarithm of what may be negative, no sum with its ends the wrong way round, no
law with a variance that may not be positive, no letter of a kind that is not known here.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef, UndefinedFunction

from lecture11.symbolic.algebra import DivergentError, grows_slowly, is_normal_in, work_out
from lecture11.symbolic.errors import MeaninglessError
from lecture11.symbolic.signs import (
    Where,
    below_sum,
    in_range,
    is_fraction,
    never_negative,
    nonzero,
    outside,
    positive,
    without,
)
from lecture11.symbolic.substitution import counts, differ, is_variable, names_in
from lecture11.symbolic.terms import (
    BINDERS,
    GREEK,
    KL,
    TAKEN,
    Mean,
    Normal,
    bound_by,
    caught,
    depends,
    is_entry,
    is_taken,
    kind,
    last,
    last_sum,
    law_variables,
    letter_of,
    printed,
    rest,
)

_KNOWN = (sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.erf, sympy.Abs, Normal)
_MADE_OF = {
    *_KNOWN, *BINDERS, sympy.Tuple, sympy.Symbol, sympy.Integer, sympy.Rational,
    *map(type, (sympy.S.Zero, sympy.S.One, sympy.S.NegativeOne, sympy.S.Half, sympy.pi, sympy.E)),
}  # fmt: skip
# Two dashes below the line would be printed as a power, and d with a letter as in an integral.
_NAME = re.compile(r"(?!d\\?[A-Za-z](?![A-Za-z]))\\?[A-Za-z]+[0-9]*(_[A-Za-z0-9]+)*_?'*")
_ALL_KINDS = ({"positive": True}, {"integer": True, "nonnegative": True}, {"real": True, "nonzero": True})
_PLAIN = {name for kinds in _ALL_KINDS for name in vars(sympy.Function("f", **kinds))} - {"eval"}
_PLAIN |= {"_latex", "_sympystr"}


def check_made(e: Any, seen: set[int] | None = None) -> None:
    """Whether an expression is made of SymPy's own parts alone, and of letters of the kinds that are known here.

    A letter of another kind (even, negative) would be taken for any of those; a class or a function of one's own may
    say of itself what it likes, and an object may have been changed behind SymPy's back.

    Args:
        seen: objects, by ``id``, that were looked at in the same pass: nothing is looked at twice.

    Raises:
        MeaninglessError
    """
    seen = set() if seen is None else seen
    if id(e) in seen:
        return
    if type(e) not in _MADE_OF and type(type(e)) is not UndefinedFunction:
        raise MeaninglessError(f"{e!r} is nothing that a proof here can speak of")
    made = e.args if isinstance(e, sympy.Tuple) else (type(e).__name__, *e._hashable_content())
    if (e.args or isinstance(e, sympy.Symbol)) and hash(e) != hash(made):  # numbers have a hash of their own
        raise MeaninglessError(f"{e!r} was changed after it was made")
    if isinstance(e, sympy.Symbol):
        _check_letter(e, e.name, e.assumptions0 == _of_kind(*kind(e))[0])
    elif isinstance(e, AppliedUndef):
        _check_letter(e, e.func.__name__, e.func._kwargs == _of_kind(*kind(e))[1])
        if not set(vars(e.func)) <= _PLAIN:
            raise MeaninglessError(f"{e.func} has methods of its own: {', '.join(set(vars(e.func)) - _PLAIN)}")
        if is_taken(e.func):  # by now; nor may it become a letter later on
            raise MeaninglessError(f"{e.func} has the name of another quantity: take another one")
    for argument in e.args:
        check_made(argument, seen)
    seen.add(id(e))


def _check_letter(e: sympy.Expr, name: str, known: bool) -> None:
    if not known:
        raise MeaninglessError(
            f"{e} is declared to be of another kind than integer, positive, nonnegative, nonzero and real"
        )
    if not _is_plain(name, isinstance(e, sympy.Symbol)):
        raise MeaninglessError(
            f"the name {name!r} may print like something else: take letters of ASCII, with an index behind _ or a dash "
            "behind them, and not those of SymPy"
        )


@lru_cache
def _of_kind(*kinds: str) -> tuple[dict, dict]:
    """What SymPy knows of a symbol, and of a function, that was declared to be of some kinds."""
    declared = dict.fromkeys(kinds, True)
    return sympy.Symbol("s", **declared).assumptions0, sympy.Function("f", **declared)._kwargs


@lru_cache(maxsize=10_000)
def _is_plain(name: str, of_symbol: bool) -> bool:
    commands = re.findall(r"\\[A-Za-z]+", printed(sympy.Symbol(name))) if of_symbol else []
    word = re.sub(r"[_'].*", "", name)  # log_2 is a logarithm, and sin' a slope
    return bool(_NAME.fullmatch(name)) and not {name, word} & TAKEN and {*commands} <= GREEK


@lru_cache(maxsize=50_000)
def check_meaning(e: sympy.Expr, where: Where = (), bound: tuple[sympy.Expr, ...] = ()) -> None:
    """Whether an expression is a real number for all values of its letters, in a range.

    Raises:
        MeaninglessError: it does not show that it is.
    """
    if not isinstance(e, sympy.Expr):
        raise MeaninglessError(f"{e!r} is no expression of SymPy")
    if isinstance(e, sympy.Symbol | sympy.Rational) or e in (sympy.pi, sympy.E):
        if not e.is_real:
            raise MeaninglessError(e, " is not declared to be real: give Symbol(..., real=True)")
        return
    if type(e) in BINDERS:
        _check_binder(e, where, bound)
        return
    if isinstance(e, AppliedUndef) and not e.is_real:
        raise MeaninglessError(e, " is not declared to be real: give Function(..., real=True)")
    if type(e) not in _KNOWN and type(type(e)) is not UndefinedFunction:
        raise MeaninglessError(f"{e.func.__name__} is nothing that a proof here can speak of: in ", e)
    for argument in e.args:
        check_meaning(argument, where, bound)
    if isinstance(e, sympy.log) and not positive(e.args[0], where):
        raise MeaninglessError(f"the logarithm of {e.args[0]}, which does not show that it is positive")
    if e.is_Pow and e.base != sympy.E:
        _check_power(e.base, e.exp, where)
    if isinstance(e, Normal):
        x, _, variance = e.args
        if not positive(variance, where):
            raise MeaninglessError(
                f"a normal law with the variance {variance}, which does not show that it is positive"
            )
        if is_variable(x) and not is_normal_in(e, x):
            raise MeaninglessError(f"{e} is no law of {x}: its mean or its variance depends on it")


def _is_unknown(e: sympy.Expr, x: sympy.Expr) -> bool:
    return any(depends(name, x) and name != x for name in e.atoms(AppliedUndef))


def _check_power(base: sympy.Expr, exponent: sympy.Expr, where: Where) -> None:
    if exponent.is_Integer:
        if exponent < 0 and not nonzero(base, where):
            raise MeaninglessError(f"a division by {base}, which does not show that it is not 0")
    elif exponent.is_Rational and exponent > 0:
        if not never_negative(base, where):
            raise MeaninglessError(f"a root of {base}, which does not show that it is not negative")
    elif not positive(base, where):
        raise MeaninglessError(f"{base}^({exponent}): the base does not show that it is positive")


def _check_binder(e: sympy.Expr, where: Where, bound: tuple[sympy.Expr, ...]) -> None:
    variables = bound_by(e)
    if isinstance(e, Mean) and (isinstance(e.args[0], sympy.Tuple) or isinstance(e.args[2], sympy.Tuple)):
        raise MeaninglessError(f"{e}: a mean is of a number")
    if isinstance(e, KL):
        if not (len(variables) == 1 and all(is_law(law, variables) for law in e.args)):
            raise MeaninglessError(f"{e}: a divergence is of two densities of one variable")
    elif not variables or (not isinstance(e, sympy.Derivative) and len(set(variables)) < len(variables)):
        raise MeaninglessError(f"{e} has no variable, or one twice")
    for x in variables:
        _check_variable(e, x, where, bound)
        for law in e.atoms(Normal) if isinstance(e, Mean) else ():
            if depends(law.args[2], x) and not (grows_slowly(law.args[2], x) or _is_unknown(law.args[2], x)):
                raise MeaninglessError(f"{e}: the variance of {law} grows faster than any power of {x}")
    inner = (*bound, *variables)
    if isinstance(e, sympy.Sum | sympy.Integral) and (x := caught(e)):
        raise MeaninglessError(f"{e}: its ends depend on {x}, a variable within: rename that")
    if isinstance(e, sympy.Sum):
        _check_sum(e, where, bound)
        return
    if isinstance(e, sympy.Integral):
        if len(e.limits) != 1 or len(e.limits[0]) != 3 or any(end.is_infinite for end in e.limits[0][1:]):
            raise MeaninglessError(f"{e}: an integral has two finite ends; for one over all numbers there is Mean")
        for end in e.limits[0][1:]:
            check_meaning(end, where, bound)
            if depends(end, variables[0]):
                raise MeaninglessError(f"{e}: its ends depend on its variable: rename that")
        if e.limits[0][1:] == (0, 1):
            x, check = variables[0], (0, 1, 1 / (1 + sympy.Dummy("w", positive=True)))
            slopes = {slope: sympy.Dummy("slope", real=True) for slope in e.function.atoms(sympy.Derivative)}
            for slope in slopes:
                check_slope(slope, where)
                for variable in slope.variables:
                    _check_variable(slope, variable, where, inner)
            parts = (e.function, *(slope.expr for slope in slopes))
            # Each factor by itself: where one is 0, SymPy does not look at the others.
            factors = (factor for part in parts for product in part.atoms(sympy.Mul) for factor in product.args)
            for part in (*parts, *factors):
                for value in check:  # its ends, and whatever lies between them
                    there = part.xreplace(slopes).xreplace({x: sympy.sympify(value)})
                    if there.has(sympy.zoo, sympy.nan):
                        raise MeaninglessError(f"{e}: a division by what is 0 at {x} = {value}: in {part}")
                    check_meaning(there, where, inner)
            return
    if isinstance(e, sympy.Derivative):
        check_slope(e, where)
    for part in e.args if isinstance(e, Mean | KL) else e.args[:1]:
        if not isinstance(part, sympy.Tuple):
            check_meaning(part, without(where, variables), inner)


def _check_sum(e: sympy.Sum, where: Where, bound: tuple[sympy.Expr, ...]) -> None:
    variables = bound_by(e)
    f, i, low, high = last_sum(e)
    if not (low.is_integer and high.is_integer):
        raise MeaninglessError(f"{e}: from {low} to {high}: a sum goes from an integer to an integer")
    if i.is_nonzero and not i.is_positive:
        raise MeaninglessError(f"{e}: {i} is declared not to be 0, which an index need not be told")
    if not in_range(high - low + 1, where):
        raise MeaninglessError(f"{e}: from {low} to {high} does not show that it is no sum the wrong way round")
    if counts(i) and not in_range(low - (1 if i.is_positive else 0), where):
        raise MeaninglessError(f"{e}: {i} is declared to begin later than {low}")
    for end in (low, high):
        check_meaning(end, where, bound)
    if any(depends(end, x) for end in (low, high) for x in variables):
        raise MeaninglessError(f"{e}: its ends depend on its index, or on that of a sum in it: rename that")
    check_meaning(f, below_sum(where, i, low, high), (*bound, i))
    check_taken_out(f, i, where, (*bound, *variables))


def check_slope(e: sympy.Derivative, where: Where) -> None:
    """Whether a derivative exists everywhere, if those of unknown functions do.

    Raises:
        MeaninglessError
    """
    if e.expr.has(KL):
        raise MeaninglessError(f"{e}: a divergence is not differentiated: write it out first")
    # Up to an end, what leaps within an integral has a slope with a leap: of that it does not show where it leaps.
    moved = [name for name in e.expr.atoms(AppliedUndef) if any(depends(name, x) for x in e.variables)
             or (e.expr.has(sympy.Integral) and not all(x.is_integer for x in name.args))]  # fmt: skip
    entries = [name for name in moved if is_entry(name)]
    if any(not n.is_Integer for _, n in e.variable_count) or e.expr.has(sympy.Abs, rest, last) or entries:
        raise MeaninglessError(f"{e} is a derivative that need not exist")
    if any(name.is_integer for name in moved):
        raise MeaninglessError(f"{e} is the derivative of what takes integers alone, and leaps")
    rooted = [p.base for p in e.expr.atoms(sympy.Pow) if p.exp.is_Rational and not p.exp.is_Integer]
    if not all(positive(base, where) for base in rooted):
        raise MeaninglessError(f"{e} is the derivative of a root, which need not exist at 0")


def check_taken_out(f: sympy.Expr, i: sympy.Symbol, where: Where, bound: tuple[sympy.Expr, ...] = ()) -> None:
    """Whether parts of a term that do not depend on its index have a meaning outside of the sum.

    They may be taken out of it, and it may have no terms, of which none has to have a meaning.

    Raises:
        MeaninglessError
    """
    for part in _without(f, (i,)):
        check_meaning(part, where, bound)


def _without(e: sympy.Basic, variables: tuple[sympy.Expr, ...]) -> Iterator[sympy.Expr]:
    """The largest parts of an expression that depend on none of the variables, nor on those of what they are below."""
    if not any(depends(e, x) for x in variables):
        yield e
        return
    inner = (*variables, *bound_by(e)) if isinstance(e, BINDERS) else variables
    for argument in e.args:
        yield from _without(argument, inner)


def _check_variable(e: sympy.Expr, x: sympy.Expr, where: Where, bound: tuple[sympy.Expr, ...]) -> None:
    if not is_variable(x) or not x.is_real:
        raise MeaninglessError(f"{e}: {x} is no real variable")
    if isinstance(e, sympy.Sum):
        if not (x.is_Symbol and x.is_integer):
            raise MeaninglessError(f"{e}: {x} is no integer to sum over")
    elif isinstance(e, sympy.Derivative):
        if x.is_integer:
            raise MeaninglessError(f"{e}: {x} is an integer, over which there is no derivative")
    elif kind(x) != {"real": True}:
        raise MeaninglessError(f"{e}: {x} is not a variable that takes all real values")
    if x in bound and not isinstance(e, sympy.Derivative):
        raise MeaninglessError(f"{e}: {x} is the variable of an integral or a sum around it")
    if isinstance(x, AppliedUndef):
        check_one_state(x, e)
        for state, there in (*names_in(e.args[0], where), *names_in(e.args[-1], where)):
            if state.func == x.func and state != x and not differ(state, x, there):
                raise MeaninglessError(f"{e}: is {state} the variable {x}? Their indices do not show it")


def check_one_state(x: sympy.Expr, *sides: sympy.Basic) -> None:
    """Whether a state that is a variable is one and the same wherever it stands: no letter of it gets another meaning.

    Raises:
        MeaninglessError
    """
    for binder in (binder for e in sides for binder in e.atoms(*BINDERS)):
        for y in bound_by(binder):
            if y != x and depends(x, y):
                raise MeaninglessError(f"{x} is a variable, and in {binder} it is another one: rename {y} there")


def is_law(e: sympy.Expr, variables: tuple[sympy.Expr, ...]) -> bool:
    """Whether an expression is a density of some variables: a normal one, an unknown one, a product or a mixture."""
    if not variables:
        return e == 1
    if len(variables) == 1 and is_normal_in(e, variables[0]):
        return True
    if isinstance(e, AppliedUndef) and sorted(law_variables(e), key=str) == sorted(variables, key=str):
        given = e.args[len(law_variables(e)) :]  # of a timed one, all times too
        return not any(depends(part, x) for part in given for x in variables)
    if isinstance(e, Mean):
        f, _, law = e.args
        inner = e.variables
        return is_law(f, variables) and is_law(law, inner) and not any(depends(law, x) for x in variables)
    factors = sympy.Mul.make_args(e)
    if len(factors) < 2:
        return False
    for factor in factors:
        own = tuple(x for x in law_variables(factor) if x in variables)
        rest = sympy.Mul(*(other for other in factors if other is not factor))
        others = tuple(x for x in variables if x not in own)
        if own and is_law(factor, own) and not any(depends(rest, x) for x in own) and is_law(rest, others):
            return True
    return False


def has_kind(new: sympy.Expr, old: sympy.Expr, where: Where, variables: tuple[sympy.Expr, ...]) -> bool:
    """Whether what is put in the place of ``old`` is of its kind: a density, positive, an integer, a number."""
    letter = letter_of(old) if isinstance(old, AppliedUndef) else None
    if letter and letter.law_of:
        return is_law(new, variables[: letter.law_of])
    if letter and letter.fraction:
        return is_fraction(new, where) or (positive(new, where) and positive(1 - new, where))
    if old.is_integer and not new.is_integer:
        return False
    if old.is_integer and old.is_nonnegative and old.is_Symbol:
        return True  # from which number on, the range says
    if old.is_positive:
        return positive(new, where)
    if old.is_nonnegative:
        return never_negative(new, where)
    return nonzero(new, where) if old.is_nonzero else True


def _absolute(e: Mean, where: Where) -> Iterator[Mean]:
    """Of an integral over several variables those of its exponentials alone, in each order: what is 0 after the first
    may be infinite as a whole.

    Raises:
        MeaninglessError: of a term it does not show which exponentials it has.
    """
    law, variables = e.args[2], e.variables
    for term in sympy.Add.make_args(sympy.expand_mul(work_out(e.args[0], where) * law)):
        if any(depends(u, x) for u in term.atoms(AppliedUndef) - {*variables} for x in variables):
            continue  # an unknown function: the chain is about those for which the integral converges
        parts = sympy.Mul.make_args(term)
        factors = [part for part in parts if isinstance(base := part.as_base_exp()[0], Normal) or base == sympy.E]
        if any(_hides(part, variables) for part in parts if part not in factors):
            raise MeaninglessError(
                f"{e}: that it converges over all variables at once does not show: write it as a sum of powers times "
                "exponentials"
            )
        if factors:
            for n in range(len(variables)):
                yield Mean(sympy.Mul(*factors), sympy.Tuple(*variables[n:], *variables[:n]), 1)


def _hides(e: sympy.Basic, variables: tuple[sympy.Expr, ...]) -> bool:
    """Whether it may grow faster than a power of the variables, or fall, for all that its form says."""
    if not any(depends(e, x) for x in variables):
        return False
    if isinstance(e, sympy.log):
        return any(_hides(part, variables) for inner in e.atoms(sympy.exp, Normal) for part in inner.args)
    kinds = (sympy.exp, Normal, Mean, KL, sympy.Integral, sympy.Derivative)
    return isinstance(e, kinds) or any(_hides(part, variables) for part in e.args)


def check_side(e: sympy.Expr, where: Where, key: str) -> None:
    """Whether an expression has a meaning in a range, and its integrals converge."""
    check_meaning(e, where)
    where = outside(where, e)
    try:
        check_integrals(e, where)
    except DivergentError as error:
        raise MeaninglessError(f"{key}: {error}") from None


@lru_cache(maxsize=20_000)
def check_integrals(e: sympy.Basic, where: Where) -> None:
    """Whether its integrals converge, over several variables in whichever order.

    Raises:
        DivergentError, MeaninglessError
    """
    work_out(e, where)
    for mean in e.atoms(Mean):
        if len(mean.variables) > 1:
            there = without(where, mean.variables)
            for part in _absolute(mean, there):
                work_out(part, there)
