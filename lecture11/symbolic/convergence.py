"""Do integrals of names converge, and have names slopes, with what they stand for written out? Part of what is trusted.

The algebra takes the mean of an unknown function to converge, and its slope to exist: a chain about it is one about all
functions for which they do, and for one they must (``witness.py``). Of a name that a definition or an assumption
explains that would be a claim. Here such a name is written out below integrals and derivatives. Where that comes to no
end, as of a recursion, each of its right sides must be *tame*: made of sums, products and powers, so that it grows like
a power of its variables, by induction.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.algebra import DivergentError
from lecture11.symbolic.errors import DefinitionError, MeaninglessError
from lecture11.symbolic.facts import Assumption, Definition, is_axiom
from lecture11.symbolic.meaning import check_integrals, check_meaning, check_slope, has_kind, is_law
from lecture11.symbolic.signs import Where, below_sum, in_range, never_negative, outside
from lecture11.symbolic.substitution import is_variable, put, values_of
from lecture11.symbolic.terms import BINDERS, KL, Mean, Normal, bound_by, depends, is_entry, last_sum, law_variables
from lecture11.symbolic.witness import Known, has_witness

Head = tuple  # of a name: the function of SymPy, and how many arguments it takes


def _head(e: AppliedUndef) -> Head:
    return e.func, len(e.args)


def check_pointwise(assumption: Assumption) -> None:
    """Whether what is assumed for all values of a real variable says what a name is: only that can be written out.

    Raises:
        DefinitionError
    """
    left = assumption.left
    real = [x for x in assumption.for_all if not x.is_integer]
    if any(depends(side, x) for side in (left, assumption.right) for x in real) and not (
        left.is_Symbol or isinstance(left, AppliedUndef | Mean | KL)
    ):
        raise DefinitionError(
            f"{assumption.key}: {left} = {assumption.right} for all {real[0]}: write it with the one name on its left "
            "of which it speaks"
        )


_meanings: dict[tuple, "Meanings"] = {}


def meanings(premises: tuple[Definition | Assumption, ...]) -> "Meanings":
    """What names stand for, below a chain with these premises. They are known by what they say, not by their names."""
    said = tuple((type(one), one.left, one.right, one.where) for one in premises)
    if said not in _meanings:
        _meanings[said] = Meanings(tuple(map(replace, premises)))  # copies, which nobody changes
    return _meanings[said]


class Meanings:
    """What names of real variables stand for, by definitions and assumptions."""

    def __init__(self, premises: Iterable[Definition | Assumption]) -> None:
        self.of: dict[Head, list[Definition | Assumption]] = {}
        for one in premises:
            axiom = isinstance(one, Definition) and is_axiom(one)
            if isinstance(one.left, AppliedUndef) and not axiom and any(not x.is_integer for x in one.left.args):
                self.of.setdefault(_head(one.left), []).append(one)
        uses = {name: {_head(e) for one in ones for e in one.right.atoms(AppliedUndef)} & set(self.of)
                for name, ones in self.of.items()}  # fmt: skip
        for _ in uses:  # all names behind a name
            uses = {name: used.union(*(uses[other] for other in used)) for name, used in uses.items()}
        self.endless = {name for name, ones in self.of.items() if len(ones) > 1 or name in uses[name]}
        # Of what a name stands for that an assumption explains too, something is known that nothing here says.
        self._partly: dict[Head, list[Definition | Assumption]] = {}
        for ones in self.of.values():
            if len(ones) > 1 and any(isinstance(one, Assumption) for one in ones):
                for name in (name for one in ones for name in _names(one.right) if not law_variables(name)):
                    self._partly.setdefault(_head(name), []).extend(ones)
        self.endless |= {*self._partly}
        self._tame = frozenset(
            name for name in self.endless if name not in self.of or not law_variables(self.of[name][0].left)
        )
        self._known: dict[tuple, None] = {}
        self._written: dict[tuple, sympy.Basic] = {}

    def check(self, e: sympy.Expr, where: Where, key: str) -> None:
        """Whether all integrals in an expression converge, and all slopes exist, with names written out.

        Raises:
            MeaninglessError
        """
        where = outside(where, e)
        if (e, where) not in self._known:
            # Names that do not stand in it, nor behind it, do not matter: what is known beside others, is known here.
            meanings(tuple(self._behind(e)))._check_all(e, where, key)
            self._known[e, where] = None

    def _check_all(self, e: sympy.Expr, where: Where, key: str) -> None:
        if (e, where) in self._known:
            return
        told = {*self.of, *self._partly}
        for binder, there in _outermost(e, where):
            self._check_witness(binder, there, key)
            if any(_head(name) in told or is_entry(name) for name in binder.atoms(AppliedUndef)):
                written = self._written_out(binder, there)
                says = partial("{}: {} is {}".format, key, binder, written)  # long to print, and seldom wanted
                for part in sympy.preorder_traversal(written):
                    self._check(part, there, says)
        self._known[e, where] = None

    def _check_witness(self, e: sympy.Basic, where: Where, key: str) -> None:
        for mean in self._written_out(e, where).atoms(Mean):
            if mean.atoms(AppliedUndef, KL) and not has_witness(mean, Known(self._tame, where)):
                raise MeaninglessError(
                    f"{key}: {mean} does not converge, whatever its functions are, or does not show it: not if each of "
                    "them falls as exp(-x^2)"
                )

    def _written_out(self, e: sympy.Basic, where: Where) -> sympy.Basic:
        """``e`` with all names that a premise explains, but for those of recursions."""
        if not e.args or not any(_head(name) in self.of for name in e.atoms(AppliedUndef)):
            return e
        if (e, where) not in self._written:
            self._written[e, where] = self._write_out(e, where)
        return self._written[e, where]

    def _write_out(self, e: sympy.Basic, where: Where) -> sympy.Basic:
        if isinstance(e, BINDERS):
            where = _within(e, where)
            if isinstance(e, sympy.Integral) and len(e.limits) == 1 and never_negative(e.limits[0][1], where):
                above = sympy.Dummy(positive=True)  # as is what lies between such ends
                inside = self._written_out(e.function.xreplace({e.variables[0]: above}), where)
                return sympy.Integral(inside.xreplace({above: e.variables[0]}), *e.limits)
            kept = {*bound_by(e), *(part for part in e.args if isinstance(part, sympy.Tuple))}
            written = e.func(*(part if part in kept else self._written_out(part, where) for part in e.args))
            if isinstance(e, KL) and bound_by(written) != bound_by(e):
                f, g = written.args  # which do not say what it is over
                return Mean(sympy.log(f) - sympy.log(g), bound_by(e)[0], f)
            return written
        arguments = [self._written_out(argument, where) for argument in e.args]
        explained = self.of.get(_head(e), ()) if isinstance(e, AppliedUndef) and not is_entry(e) else ()
        if len(explained) != 1 or _head(e) in self.endless:
            return e.func(*arguments)
        (one,) = explained
        values = values_of(one.left, arguments)
        if not law_variables(one.left) and not _says(one, values, where):
            return e.func(*arguments)
        return self._written_out(put(one.right, values), where)

    def _check(self, e: sympy.Basic, where: Where, says: Callable[[], str]) -> None:
        for name in e.atoms(AppliedUndef) if isinstance(e, Mean | KL | sympy.Integral | sympy.Derivative) else ():
            left_over = _head(name) in self.of and _head(name) not in self.endless and name not in e.variables
            if left_over and not (law_variables(name) or is_entry(name)) and any(depends(name, x) for x in e.variables):
                raise MeaninglessError(f"{says()}: what {name} is there, its definition or assumption does not say")
        if isinstance(e, sympy.Derivative):
            check_slope(e, where)
            for one in self._behind(e.expr):
                for x in one.left.args:
                    if is_variable(x) and not x.is_integer:
                        check_slope(sympy.Derivative(one.right, x), where)
        elif isinstance(e, sympy.Integral):
            check_meaning(e, where)
            for name in e.atoms(AppliedUndef):
                if _head(name) in self.endless and depends(name, e.variables[0]):
                    raise MeaninglessError(
                        f"{says()}: what {name} is, more than one definition says: that {e} converges does not show"
                    )
        elif isinstance(e, Mean):
            self._check_mean(e, e.args[0], where, says)
        elif isinstance(e, KL):
            self._check_mean(e, sympy.log(e.args[0]) - sympy.log(e.args[1]), where, says)

    def _check_mean(self, e: Mean | KL, f: sympy.Expr, where: Where, says: Callable[[], str]) -> None:
        law = e.args[2] if isinstance(e, Mean) else e.args[0]
        inside = [name for name in _names(f * law) if name not in e.variables
                  and any(depends(name, x) for x in e.variables)]  # fmt: skip
        for wide in (f * law).atoms(Normal):
            if not self._is_tame(wide.args[2], e.variables):
                raise MeaninglessError(f"{says()}: the variance of {wide} grows faster than any power of its variable")
        for name in inside:
            if _head(name) in self.endless and not (
                self._is_tame(name, e.variables) and self._has_moments(name, e.variables)
            ):
                raise MeaninglessError(f"{says()}: {name} does not show that it grows like a power at most")
        if any(map(self._is_unknown, inside)):
            if any(not isinstance(part.args[0], sympy.Sum) for part in e.atoms(sympy.exp)):
                _check_value(e, where, says)
            return  # an unknown function: the chain is about those for which the integral converges
        if inside and self._is_tame(f, e.variables) and _decays(f * law, e.variables):
            return
        if inside:
            raise MeaninglessError(f"{says()}: that it converges does not show")
        _check_value(e, where, says)

    def _is_unknown(self, name: AppliedUndef) -> bool:
        return _head(name) not in self.of and _head(name) not in self._partly and not is_entry(name)

    def _behind(self, e: sympy.Expr) -> list[Definition | Assumption]:
        """All that explains what stands in an expression."""
        found: dict[int, Definition | Assumption] = {}
        open_ = [e]
        while open_:
            for name in open_.pop().atoms(AppliedUndef):
                for one in (*self.of.get(_head(name), ()), *self._partly.get(_head(name), ())):
                    if id(one) not in found:
                        found[id(one)] = one
                        open_.append(one.right)
        return [one for ones in self.of.values() for one in ones if id(one) in found]

    def _is_tame(self, e: sympy.Expr, variables: tuple[sympy.Expr, ...], above: frozenset = frozenset()) -> bool:
        """Whether it grows like a power of the variables at most; of a recursion, if each of its right sides does."""
        if e in variables or is_entry(e) or not any(depends(e, x) for x in variables):
            return True
        if isinstance(e, AppliedUndef):
            if _head(e) in self._partly or not all(self._is_tame(argument, variables, above) for argument in e.args):
                return False
            if law_variables(e) and any(
                self._is_unknown(name) for one in self._behind(e) for name in _names(one.right)
            ):
                return True  # as an unknown density
            return _head(e) in above or all(
                self._is_tame(one.right, _real(one.left), above | {_head(e)}) for one in self.of.get(_head(e), ())
            )
        if isinstance(e, sympy.log):
            return self._has_tame_log(e.args[0], variables, above)
        if isinstance(e, sympy.exp):  # a product
            f = e.args[0]
            return (
                isinstance(f, sympy.Sum)
                and isinstance(f.function, sympy.log)
                and self._is_tame(f.function.args[0], variables, above)
            )
        if isinstance(e, Normal):
            return not any(depends(e.args[2], x) for x in variables)
        if isinstance(e, sympy.Sum):
            return self._is_tame(e.function, variables, above)
        if isinstance(e, Mean):
            parts, inner = (e.args[0], e.args[2]), (*variables, *e.variables)
            return (
                is_law(e.args[2], e.variables)
                and self._has_moments(e.args[2], inner, above)
                and all(self._is_tame(part, inner, above) for part in parts)
            )
        kept = e.is_Add or e.is_Mul or isinstance(e, sympy.Abs | sympy.sin | sympy.cos)
        kept = kept or (e.is_Pow and e.exp.is_Rational and e.exp > 0)
        return bool(kept) and all(self._is_tame(part, variables, above) for part in e.args)

    def _has_moments(self, e: sympy.Expr, variables: tuple[sympy.Expr, ...], above: frozenset = frozenset()) -> bool:
        """Whether the means of powers, under all laws in an expression, grow like a power of the variables at most.

        What a law is given moves them, of which its values, that are bounded, say nothing: ``N(w; exp(y^2), 1)``.
        """
        inner = (*variables, *(x for mixture in e.atoms(Mean) for x in mixture.variables))
        laws = [law for law in e.atoms(Normal, AppliedUndef) if law_variables(law)]
        return all(self._is_tame(part, inner, above) for law in laws for part in law.args) and all(
            self._has_moments(one.right, _real(one.left), above | {("law", _head(law))})
            for law in laws if ("law", _head(law)) not in above for one in self.of.get(_head(law), ())
        )  # fmt: skip

    def _has_tame_log(self, e: sympy.Expr, variables: tuple[sympy.Expr, ...], above: frozenset) -> bool:
        if isinstance(e, sympy.exp):
            return self._is_tame(e.args[0], variables, above)
        if isinstance(e, Normal):
            return all(self._is_tame(part, variables, above) for part in (*e.args, 1 / e.args[2]))
        if e.is_Mul:
            return all(self._has_tame_log(part, variables, above) for part in e.args)
        if e.is_Pow:
            return self._has_tame_log(e.base, variables, above) and self._is_tame(e.exp, variables, above)
        if not self._is_tame(e, variables, above):
            return False
        # It may also come near to 0, as fast as its smallest part: of a mean, by Jensen's inequality, as fast as under
        # its law, which has moments if it is tame.
        if e.is_Add or isinstance(e, sympy.Sum | Mean | sympy.Abs):
            inner = (*variables, *(e.variables if isinstance(e, Mean) else ()))
            return all(self._has_tame_log(part, inner, above) for part in (e.args if e.is_Add else e.args[:1]))
        explained = self.of.get(_head(e), ()) if isinstance(e, AppliedUndef) and e not in variables else ()
        mark = ("log", _head(e)) if explained else ()
        return mark in above or all(self._has_tame_log(one.right, _real(one.left), above | {mark}) for one in explained)


def _says(one: Definition | Assumption, values: dict[sympy.Expr, sympy.Expr], where: Where) -> bool:
    """Whether it says what its name is at some values: it is about all of them, each given by a variable of its own."""
    real = _real(one.left)
    plain = all(map(is_variable, real)) and len({*real}) == len(real)
    free = isinstance(one, Definition) or {*real} <= {*one.for_all}
    there = all(in_range(put(end, values), where) for end in one.where)
    return plain and free and there and all(has_kind(values[x], x, where, ()) for x in real)


def _real(name: AppliedUndef) -> tuple[sympy.Expr, ...]:
    return tuple(x for x in name.args if not x.is_integer)


def _check_value(e: sympy.Expr, where: Where, says: Callable[[], str]) -> None:
    try:
        check_integrals(e, where)
    except DivergentError as error:
        raise MeaninglessError(f"{says()}: {error}") from None


def _names(e: sympy.Expr) -> list[AppliedUndef]:
    """All that stands for a function of real numbers."""
    return [name for name in e.atoms(AppliedUndef) if any(not x.is_integer for x in name.args)]


def _decays(e: sympy.Expr, variables: tuple[sympy.Expr, ...]) -> bool:
    """Whether a density of some variables is a factor, or one of each of their parts."""
    factors = sympy.Mul.make_args(e)
    products = [factor.args[0].function for factor in factors if isinstance(factor, sympy.exp)
                and isinstance(factor.args[0], sympy.Sum)]  # fmt: skip
    parts = [part for log in products for part in sympy.Mul.make_args(log.args[0] if log.args else log)]
    of = {one for factor in (*factors, *parts) for one in law_variables(factor)}
    return all(any(one == x or (is_entry(one) and depends(one, x)) for one in of) for x in variables)


def _outermost(e: sympy.Basic, where: Where) -> Iterable[tuple[sympy.Basic, Where]]:
    """The outermost integrals and slopes, each with the range where it stands."""
    if isinstance(e, Mean | KL | sympy.Integral | sympy.Derivative):
        yield e, where
        return
    for argument in e.args:
        yield from _outermost(argument, _within(e, where))


def _within(e: sympy.Basic, where: Where) -> Where:
    """The range where the parts of an expression stand: of a sum, its index is known to lie between its ends."""
    return below_sum(where, *last_sum(e)[1:]) if isinstance(e, sympy.Sum) else where
