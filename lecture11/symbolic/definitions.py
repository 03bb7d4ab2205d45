"""Is a definition one, and do assumptions contradict each other? Part of what a proof trusts (``kernel.py``).

A definition gives a new name to an expression, once, for all values of the variables that stand in its brackets, and
the expression is of the kind that the name is declared with. It cannot contradict anything. An assumption can: a look
at them refuses the plain cases, and a model in which all of a file hold (``models``) excludes the rest.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.algebra import work_out
from lecture11.symbolic.compare import same_by_numbers, some_integers
from lecture11.symbolic.errors import CitationError, DefinitionError, MeaninglessError
from lecture11.symbolic.facts import (
    Assumption,
    Definition,
    Derivation,
    Fact,
    fixed_by,
    is_axiom,
)
from lecture11.symbolic.meaning import check_made, check_meaning, has_kind, is_law
from lecture11.symbolic.rewriting import check_fact, rewrite
from lecture11.symbolic.signs import Where, in_range, nonzero, positive
from lecture11.symbolic.substitution import counts, is_variable, letters, names_in, own_arguments, put, values_of
from lecture11.symbolic.terms import (
    BINDERS,
    KL,
    Mean,
    bound_by,
    depends,
    is_entry,
    kind,
    last,
    law_variables,
    letter_of,
    rest,
)


def check_definition(definition: Definition) -> None:
    """Whether a definition gives a new name to an expression, and to nothing else.

    Raises:
        DefinitionError, MeaninglessError
    """
    left, right, where = definition.left, definition.right, definition.where
    says = f"{definition.key}: {left} = {right}"
    for side in (left, right):
        check_meaning(side, where)
    if is_axiom(definition):
        return
    if isinstance(left, rest | last):
        raise DefinitionError(says, " is no definition: what the parts of a list are is known")
    if not is_name(left):
        raise DefinitionError(
            says, " is no definition: on its left stands no name. If it is assumed, it is an Assumption"
        )
    own = own_arguments(left) if isinstance(left, AppliedUndef) else ()
    variables = [e for e in own if not _is_index(e)]
    times = left.args[len(own) :] if own else ()
    strange = [e for e in times if not (e.is_Symbol or _is_index(e))]
    if len(set(variables)) < len(variables) or not all(map(is_variable, variables)) or strange:
        raise DefinitionError(says, " is no definition: a name is applied to different variables, once for all of them")
    _check_recursion(definition, says)
    if any(x in letters(right) for x in [left]) or not _is_kind_of(definition):
        raise DefinitionError(says, " is no definition: the name is declared to be of a kind that this does not show")


def _is_index(e: sympy.Expr) -> bool:
    """Whether it is a number, or a letter moved by one, such as ``L - 1``: so that it shows the letter."""
    if not e.is_integer or e.is_Symbol or e.has(AppliedUndef):
        return False
    return e.is_Number or any((e - s).is_Number for s in e.free_symbols)


def _is_kind_of(definition: Definition) -> bool:
    left, right, where = definition.left, definition.right, definition.where
    variables = law_variables(left) if isinstance(left, AppliedUndef) else ()
    if left.is_Symbol and counts(left) and not in_range(right - (1 if left.is_positive else 0), where):
        return False
    if has_kind(right, left, where, variables):
        return True
    if definition.sign is not None:
        proof = Fact(definition.sign)
        weak = left.is_nonnegative and not (left.is_positive or left.is_integer)
        proved = isinstance(proof.source, Derivation) and proof.source.nonnegative and proof.left == right
        general = not (letters(left) - {left.func}) & proof.fixed
        return bool(weak and proved and general and all(in_range(e, where) for e in proof.where))
    if variables and definition.by:
        # Something with mass 1, as the facts show; or a density over its own integral.
        above, below = sympy.fraction(sympy.together(right))
        facts = [Fact(one.source, one.renamings) if isinstance(one, Fact) else Fact(one) for one in definition.by]
        for fact in facts:
            check_fact(fact, where)
            if (letters(left) - {left.func}) & fact.fixed:
                return False  # it is not for all values of the variables
        if positive(right, where) and rewrite(Mean(right, _one_or_all(variables), 1), facts, where) == 1:
            return True
        above, below = (rewrite(part, facts, where) for part in (above, below))
        if isinstance(below, Mean) and set(below.variables) == set(variables):
            return positive(above, where) and bool(sympy.expand(below.args[0] * below.args[2] - above) == 0)
    return False


def _one_or_all(variables: tuple[sympy.Expr, ...]) -> sympy.Expr:
    return variables[0] if len(variables) == 1 else sympy.Tuple(*variables)


def _check_recursion(definition: Definition, says: str) -> None:
    """The name may stand on the right at an index that is smaller, counted from somewhere on."""
    if definition.right.has(definition.left):
        raise DefinitionError(says, " is no definition: it speaks of itself")
    if _falling(definition) == set():
        raise DefinitionError(says, " is no definition: it speaks of itself, and not at a smaller index")


def _falling(definition: Definition) -> set[int] | None:
    """Which measures are smaller wherever the name stands on the right; None if it does not stand there."""
    left, where = definition.left, definition.where
    inner = [(e, there) for e, there in names_in(definition.right, where)
             if e.func == left.func and len(e.args) == len(left.args)]  # fmt: skip
    if not inner:
        return None
    measures = enumerate(zip(*map(_measures, (left, *(e for e, _ in inner))), strict=True))
    return {n for n, (first, *others) in measures if in_range(first, where) and all(
        in_range(first - other - 1, there) for other, (_, there) in zip(others, inner, strict=True)
    )}  # fmt: skip


def _measures(e: AppliedUndef) -> list[sympy.Expr]:
    """What may become smaller in a recursion: an index, or of a timed density the steps between its states."""
    letter = letter_of(e)
    steps = [e.args[len(e.args) // 2] - e.args[-1]] if letter and letter.timed else []
    return [argument if argument.is_integer else sympy.nan for argument in e.args] + steps


def check_definitions(all_of_them: Iterable[Definition], key: str) -> None:
    """Whether each name is defined once, and none by way of itself.

    Raises:
        DefinitionError
    """
    named: dict[Any, list[Definition]] = {}
    for definition in all_of_them:
        if not is_axiom(definition):
            others = named.setdefault(head(definition.left), [])
            for other in others:
                if other is not definition and _overlap((other.left, other.where), (definition.left, definition.where)):
                    raise DefinitionError(
                        f"{key}: {definition.left} is defined twice: as {other.right} and as {definition.right}"
                    )
            others.append(definition)
    for several in named.values():
        falling = [found for found in map(_falling, several) if found is not None] if len(several) > 1 else []
        if falling and not set.intersection(*falling):
            raise DefinitionError(
                f"{key}: {several[0].left} is defined by itself at smaller numbers, each time another one"
            )
    uses = {
        name: {
            head(e)
            for definition in definitions
            for side in (definition.right, *definition.where)
            for e in side.atoms(sympy.Symbol, AppliedUndef) - {*definition.left.args}
            if head(e) in named
        } - {name}
        for name, definitions in named.items()
    }  # fmt: skip
    while uses:
        done = [name for name, used in uses.items() if not used]
        if not done:
            raise DefinitionError(f"{key}: definitions in a circle: {', '.join(str(name[0]) for name in uses)}")
        uses = {name: used - set(done) for name, used in uses.items() if name not in done}


def check_assumptions(assumptions: list[Assumption], definitions: list[Definition]) -> None:
    """Whether assumptions contradict each other or a definition, as far as one looks: that none does, a model shows.

    Each is read with the definitions put in, and with each of the others, also at other values of what it is stated
    for. What comes out must not be an equation that no values fulfil, nor one about all values that numbers refute.

    Raises:
        DefinitionError
    """
    known = [fact for fact in map(Fact, definitions) if not any(e.func == fact.left.func and e != fact.left
             for e in fact.right.atoms(AppliedUndef))]  # fmt: skip
    for assumption in assumptions:
        _check_for_all(assumption)
        here = Fact(assumption)
        rest = [Fact(other) for other in assumptions if other is not assumption]
        for facts in (known, [*known, *rest]) if (mass := _mass(assumption)) else ():
            e = _rewritten(mass, facts, assumption.where) - 1
            names = {name for name in letters(e) if not isinstance(name, sympy.Symbol)}
            if _is_refuted(e, assumption, names, assumption.where):
                raise DefinitionError(f"{assumption.key}: {here.left} = {here.right} is no density: its mass is not 1")
        for mean in sympy.Tuple(here.left, here.right).atoms(Mean):
            if mean.args[2] == 1 and is_law(mean.args[0], mean.variables):
                raise DefinitionError(f"{assumption.key}: {mean} is 1, the mass of a density: nothing to assume")
        explained: list[Definition | Assumption] = [
            *definitions,
            *(other for other in assumptions if other is not assumption),
        ]
        there = [fact for side in (here.left, here.right) for fact in _defined_in(side, explained)]
        single = [[other] for other in (*there, *_instances(assumptions))]
        for others in ([], known, rest, [*known, *rest], *single):
            where = assumption.where
            if len(others) == 1:
                where = _together(assumption.where, others[0].where)
            try:
                left, right = (rewrite(side, others, where) for side in (here.left, here.right))
            except CitationError:
                continue  # it does not hold there
            spoken = {e for other in others for e in other.fixed}
            if left != right and _is_refuted(left - right, assumption, spoken, where):
                raise DefinitionError(
                    f"{assumption.key}: {here.left} = {here.right} holds for no values"
                    + "".join(f", where {other.left} = {other.right}" for other in others)
                    + ": assume less"
                )


def taken_as_regular(e: sympy.Basic, explained: Iterable[Definition | Assumption]) -> Iterator[tuple]:
    """Unknown functions of real numbers in an expression, each with an integral or a slope in which it stands.

    Of such the algebra takes integrals to converge, and to change their order with each other and with slopes. A law
    is one of them; and so is a name that is explained at some values alone.
    """
    explained = list(explained)
    for whole in e.atoms(Mean, KL, sympy.Integral, sympy.Derivative):
        for name in whole.atoms(AppliedUndef) - set(bound_by(whole)):
            if (
                not all(x.is_integer for x in name.args)
                and not is_entry(name)
                and not any(_explains(one, name) for one in explained)
            ):
                yield name, whole


def _explains(one: Definition | Assumption, name: AppliedUndef) -> bool:
    """Whether what is said of a name says what it is there: of all real numbers, and of these integers."""
    if head(one.left) != head(name):
        return False
    there = dict(zip(one.left.args, name.args, strict=True))
    letters_or_same = all(
        old == new if not is_variable(old) else new.is_integer or not old.is_integer for old, new in there.items()
    )
    return letters_or_same and all(in_range(e.xreplace(there)) for e in one.where)


def _is_a_moment(whole: sympy.Basic, name: AppliedUndef) -> bool:
    """The mean of a polynomial under an unknown law, without letters of its own: no order is to be changed in it."""
    return (
        isinstance(whole, Mean)
        and {x for x in name.args if not x.is_integer} <= set(whole.variables)
        and whole.args[2].has(name)
        and not whole.args[0].has(*BINDERS)
        and bool(whole.args[0].is_polynomial(*whole.variables))
    )


def check_regular(assumption: Assumption, explained: Iterable[Definition | Assumption]) -> None:
    """Whether an assumption leaves open what the integrals and slopes of unknown functions are.

    It could be about such functions alone for which the algebra is false: for some, two integrals in the other order
    give something else.

    Raises:
        DefinitionError
    """
    others = [one for one in explained if one is not assumption]
    both = sympy.Tuple(assumption.left, assumption.right)
    for side in behind(both, both, others):
        for name, whole in taken_as_regular(side, others):
            if _is_a_moment(whole, name):
                continue
            raise DefinitionError(
                f"{assumption.key}: it says what {whole} is, of an unknown {name}: perhaps of such alone whose "
                "integrals and slopes are not what algebra takes them to be. Say what the function is"
            )


def _rewritten(e: sympy.Expr, facts: list[Fact], where: Where) -> sympy.Expr:
    """``e`` with some facts, as far as they hold there."""
    try:
        return rewrite(e, facts, where)
    except CitationError:
        return e


def _mass(assumption: Assumption) -> sympy.Expr | None:
    """The integral of what is assumed to be a density, over its variables; None if it is assumed of no density."""
    left, real = assumption.left, tuple(x for x in assumption.for_all if not x.is_integer)
    over = law_variables(left) if isinstance(left, AppliedUndef) else next(
        (some for some in (*((x,) for x in real), real) if some and is_law(left, some)), ())  # fmt: skip
    if not over or not set(over) <= set(real):
        return None
    factors = sympy.Mul.make_args(assumption.right)
    varying = sympy.Mul(*(factor for factor in factors if any(depends(factor, x) for x in over)))
    times = assumption.right / varying
    return times if is_law(varying, over) else Mean(assumption.right, _one_or_all(over), 1)


def _check_for_all(assumption: Assumption) -> None:
    """Whether one letter can have the value that it is given for all others: not ``c + k = 0`` for all k."""
    other = {s: sympy.Symbol(f"{s}_other", **kind(s)) for s in assumption.for_all if s.is_Symbol}
    e = work_out(assumption.left - assumption.right, assumption.where)
    if other and _no_values(e, tuple(other), assumption.where):
        raise DefinitionError(
            f"{assumption.key}: {assumption.left} = {assumption.right} holds for no values: assume less"
        )
    unknown = letters(e) & fixed_by(assumption)
    if not other or len(unknown) != 1:
        return
    (c,) = unknown
    there = e.xreplace(other)
    if there == e or not (isinstance(c, sympy.Symbol) and e.is_polynomial(c)):
        return
    # of both as polynomials in c: 0 where they have a common root
    common = sympy.resultant(e, there, c)
    if sympy.expand(common) != 0:
        raise DefinitionError(
            f"{assumption.key}: {assumption.left} = {assumption.right} for no {c} holds for all that it is stated for: "
            "assume less"
        )


@lru_cache(maxsize=1000)
def _no_values(e: sympy.Expr, variables: tuple[sympy.Symbol, ...], where: Where) -> bool:
    """Whether ``e = 0`` for all values of some variables in a range gives equations that no numbers fulfil."""
    equations = []
    if {s for one in where for s in one.free_symbols} <= {*variables}:  # else others say which values there are
        for k in range(4):
            at = some_integers(where, f" {k}")
            equations.append(e.xreplace({s: sympy.Integer(at.get(s, k + 1)) for s in variables}))
    names = {name: sympy.Dummy() for name in e.atoms(AppliedUndef) if not any(depends(name, s) for s in variables)}
    plain = e.xreplace(names)
    if not where and plain.is_polynomial(*variables):  # one that is 0 everywhere has no coefficient but 0
        back = {new: name for name, new in names.items()}
        equations += [one.xreplace(back) for one in sympy.Poly(plain, *variables).coeffs()]
    equations = [one for one in equations if not one.has(*BINDERS)]
    unknown = {name: sympy.Dummy() for one in equations for name in one.atoms(AppliedUndef)}
    numerators = [sympy.fraction(sympy.together(one.xreplace(unknown)))[0] for one in equations]
    polynomials = [one for one in numerators if one != 0 and one.is_polynomial()]
    symbols = sorted({s for one in polynomials for s in one.free_symbols}, key=str)
    if not symbols:
        return bool(polynomials)
    return sympy.groebner(polynomials, *symbols).exprs == [1]


def _defined_in(e: sympy.Expr, definitions: list[Definition | Assumption]) -> Iterator[Fact]:
    """What definitions and assumptions say of the names in an expression, at the indices that stand there."""
    for name in e.atoms(AppliedUndef):
        for one in definitions:
            if head(one.left) == head(name) and not is_axiom(one):
                pairs = tuple((x, at) for x, at in zip(one.left.args, name.args, strict=True) if x != at)
                if all(x.is_Symbol for x, _ in pairs):
                    yield Fact(one, (pairs,))


def _instances(assumptions: list[Assumption]) -> Iterator[Fact]:
    """What they say, and what they say at other values of what they are stated for."""
    for assumption in assumptions:
        yield Fact(assumption)
        other = {s: sympy.Symbol(f"{s}_other", **kind(s)) for s in assumption.for_all if s.is_Symbol}
        if other:
            yield Fact(assumption, (tuple(other.items()),))


def _together(where: Where, other: Where) -> Where:
    """The range in which both hold, if there is one."""
    try:
        some_integers((*where, *other))
    except ValueError:
        return where
    return (*where, *other)


def _is_refuted(e: sympy.Expr, assumption: Assumption, spoken: set, where: Where) -> bool:
    """Whether ``e = 0`` is false for all values; or, of what speaks of nothing but its variables, for some."""
    e = work_out(e, where)
    e = e.xreplace({law: sympy.Dummy("KL", nonnegative=True) for law in e.atoms(KL)})
    if _is_nowhere_zero(e, where):
        return True
    found = letters(e)
    if not found & (spoken | fixed_by(assumption)):
        return not same_by_numbers(e, sympy.S.Zero, where=where)
    (one, *more) = found
    if not more and isinstance(one, sympy.Symbol) and e.is_polynomial(one):
        return not [root for root in sympy.roots(e, one) if root.is_real and has_kind(root, one, (), ())]
    return False


def _is_nowhere_zero(e: sympy.Expr, where: Where) -> bool:
    if nonzero(e, where) or e.is_zero is False or e.is_integer is False:  # 0 is even, and an integer
        return True
    number, other = e.as_coeff_Add()
    if number != 0 and other.is_polynomial() and nonzero(sympy.factor(other) + number, where):
        return True
    if waves := e.atoms(sympy.sin, sympy.cos, sympy.erf) if not e.has(*BINDERS) else ():
        # Each from -1 to 1, its end: of a number from 0 on, or of none.
        inside = {wave: 1 - 2 / (1 + sympy.Dummy("w", nonnegative=True)) for wave in waves}
        ends = {wave: sympy.S.One for wave in waves}
        return all(nonzero(sympy.together(e.xreplace(at)), where) for at in (inside, ends))
    return False


def check_letters(where: Where, key: str) -> None:
    """Raises MeaninglessError if a range speaks of anything but letters that are integers."""
    for e in where:
        check_made(e)
        if not e.is_integer or e.has(AppliedUndef):
            raise MeaninglessError(f"{key}: {e}: a range is one of letters that are integers")


def check_range(where: Where, key: str, below: tuple[Definition | Assumption, ...] = ()) -> None:
    """Whether a range speaks of integers, and there are some in it: with the values that premises give to them.

    Raises:
        MeaninglessError: there are none; or a premise may give a value to one of them, and does not show which.
    """
    check_letters(where, key)
    values = {one.left: one.right.doit() for one in below if one.left.is_Symbol and one.left.is_integer}
    known = {n: value for n, value in values.items() if not value.has(AppliedUndef, sympy.Piecewise, *BINDERS)}
    spoken = frozenset(s for e in where for s in e.free_symbols)
    for _ in known:  # one by way of another
        spoken |= {s for n in spoken & {*known} for s in known[n].free_symbols}
    # Not of densities: of what lists of how many entries they are, an assumption on one says nothing.
    names = [one for one in below if is_name(one.left) and not (is_axiom(one) or law_variables(one.left))]
    for one in below if spoken else ():
        if isinstance(one, Definition) and one.left not in spoken:
            continue
        e = one.left - (one.right.doit() if one.left in values else one.right)
        if e.is_integer and not e.has(AppliedUndef, sympy.Piecewise, *BINDERS) and not getattr(one, "for_all", ()):
            where = (*where, e, -e)  # what is equal, is neither smaller nor larger
            continue
        said = [letters(_without_free_ends(part, {head(one.left) for one in names})) for part in behind(e, e, names)]
        if unread := spoken.intersection(frozenset().union(*said)) - {*getattr(one, "for_all", ())}:
            n = min(unread, key=str)
            raise MeaninglessError(f"{key}: whether {one.left} = {one.right} leaves a {n} in its range, does not show")
    for _ in known:
        where = tuple(e.xreplace(known) for e in where)
    try:
        some_integers(where)
    except ValueError as error:
        raise MeaninglessError(f"{key}: {error}") from None


def _without_free_ends(e: sympy.Basic, explained: set[tuple]) -> sympy.Basic:
    """``e`` with its terms for each sum over an unknown function: that it has a value, says nothing of its ends."""
    if isinstance(e, sympy.Sum) and any(head(name) not in explained for name in e.function.atoms(AppliedUndef)):
        e = e.function.xreplace({i: sympy.Dummy(**kind(i)) for i in e.variables})
    return e.func(*(_without_free_ends(part, explained) for part in e.args)) if e.has(sympy.Sum) else e


def behind(left: sympy.Expr, right: sympy.Expr, others: list[Definition | Assumption]) -> list[sympy.Expr]:
    """What a name stands for, and what that stands for, by way of others.

    Of a name that occurs at several arguments also what it stands for at any: so a recursion comes to an end.
    """
    found, done = [right], {head(left): {left.args}}
    for right in found:
        symbols = [s for s in letters(right) if isinstance(s, sympy.Symbol)]
        for e in (*symbols, *(e for e, _ in names_in(right))):
            before = done.setdefault(head(e), set())
            if e.args not in before and None not in before:  # None stands for any
                at_any = bool(before)
                before |= {e.args, *([None] if at_any else [])}
                for other in others:
                    if head(other.left) == head(e):
                        found.append(
                            _put(other.left, other.right, None if at_any else e.args) if e.args else other.right
                        )
    return found


@lru_cache(maxsize=20_000)
def _put(left: sympy.Expr, right: sympy.Expr, arguments: tuple[sympy.Expr, ...] | None) -> sympy.Expr:
    """What a name stands for at some arguments; at any, if they are None."""
    anything = (sympy.Dummy(**({"integer": True} if x.is_integer else {"real": True})) for x in left.args)
    return put(right, values_of(left, anything if arguments is None else arguments))


def is_name(e: sympy.Expr) -> bool:
    """Whether it is a letter or a name with arguments, which a definition may explain."""
    return e.is_Symbol or isinstance(e, AppliedUndef)


def head(e: sympy.Expr) -> tuple:
    return (e.func, len(e.args)) if isinstance(e, AppliedUndef) else (e, 0)


@lru_cache(maxsize=10_000)
def _overlap(one: tuple[sympy.Expr, Where], other: tuple[sympy.Expr, Where]) -> bool:
    """Whether two definitions of one name may speak of the same index: each for all values of its own variables.

    Args:
        one: its left side, and its range.
    """
    sides = [(list(left.args), where, {s: sympy.Dummy(str(s), **kind(s)) for s in left.args if s.is_Symbol})
             for left, where in (one, other)]  # fmt: skip
    mine, theirs = ([e.xreplace(names) for e in args] for args, _, names in sides)
    where = tuple(e.xreplace(names) for _, needs, names in sides for e in needs)
    free = {name for _, _, names in sides for name in names.values()}
    for i in range(len(mine)):
        a, b = mine[i], theirs[i]
        if not (a.is_integer and b.is_integer):
            continue
        if in_range(a - b - 1, where) or in_range(b - a - 1, where):
            return False
        unknown = [s for s in (a - b).free_symbols & free if abs((a - b).coeff(s)) == 1]
        if unknown:
            s = min(unknown, key=lambda s: s.name)
            solved = {s: sympy.solve(b - a, s)[0]}
            least = 1 if s.is_positive else 0 if s.is_nonnegative else None
            where = tuple(e.xreplace(solved) for e in where) + ((solved[s] - least,) if least is not None else ())
            mine, theirs = ([e.xreplace(solved) for e in side] for side in (mine, theirs))
    return not any(in_range(-e - 1, tuple(other for other in where if other != e)) for e in where)
