"""What must be trusted: which facts a step may cite, what they say at other letters, and when a step holds.

A chain proves its equation for all values of its letters, of their kinds (``x`` real, ``v`` positive, ``t`` an integer
from 1 on, ``q`` a density) and in its range, wherever the definitions and assumptions hold that it rests on. So

- a *definition* gives a new name to an expression, once, for all values of the variables that stand in its brackets,
  and the expression is of the kind that the name is declared with. It cannot contradict anything;
- anything else that is not proved is an *assumption*, and every chain that rests on it inherits it, and says "assume".
  Assumptions that contradict each other prove anything: plain cases are refused (``definitions.py``), and of the
  project's own models are the judge;
- ``fact.at({v: 1})`` gives other values to letters of which no definition and no assumption below the fact speaks, if
  the values are of the same kind. Variables of integrals and sums that would be caught are renamed;
- in a step, the left side of a fact may be replaced by its right side wherever the fact holds: in its range, and below
  an integral over ``x`` if it holds for all ``x``;
- an expression has a meaning: no division by what may be 0, no root or logarithm of what may be negative, no sum with
  its ends the wrong way round. What has no meaning for some values is refused;
- an induction goes over the integers from its first on, and what it proves holds from there on;
- of an unknown function of real numbers a chain says something if the integrals and slopes on its lines exist, and may
  change their order: so it is for what is smooth and falls fast. An assumption may not be about the others alone.

Trusted are, beside this file, those that it is made of, each of which says why: ``substitution.py`` (other letters),
``meaning.py`` (what has one), ``convergence.py`` and ``witness.py`` (integrals and slopes of names), ``facts.py`` (what
can be cited), ``definitions.py`` (what is one), ``rewriting.py`` (facts in use), ``signs.py`` and ``algebra.py``, with
what the last takes from SymPy and from analysis, and ``terms.py``. Not trusted is whatever else helps to write, print
or attack proofs. Two more judges can refuse, and never let pass: each step is tried at random numbers
(``compare.py``), and the tests compute all premises and lines in concrete models (``models.py``).

It guards against what one writes by mistake or by cunning, in objects of the classes of ``facts.py``. Whoever replaces
functions of this package, or of SymPy, has another checker.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from lecture11.symbolic.algebra import same_by_algebra
from lecture11.symbolic.compare import has_value, same_by_numbers
from lecture11.symbolic.convergence import Meanings, check_pointwise, meanings
from lecture11.symbolic.definitions import (
    behind,
    check_assumptions,
    check_definition,
    check_definitions,
    check_letters,
    check_range,
    check_regular,
    head,
    is_name,
    taken_as_regular,
)
from lecture11.symbolic.errors import CitationError, DefinitionError, GapError, MeaninglessError, WrongStepError
from lecture11.symbolic.facts import (
    Assumption,
    Definition,
    Derivation,
    Fact,
    Hypothesis,
    Induction,
    Source,
    Step,
    cited,
    fixed,
    fixed_by,
    is_axiom,
    premises,
)
from lecture11.symbolic.meaning import check_made, check_one_state, check_side, has_kind
from lecture11.symbolic.rewriting import check_fact, rewrite
from lecture11.symbolic.signs import Where, in_range, never_negative, outside, positive, without
from lecture11.symbolic.substitution import hides, is_variable, letters, own_arguments, substitute
from lecture11.symbolic.terms import (
    BINDERS,
    bound_by,
    canonical,
    depends,
    is_entry,
    kind,
    law_variables,
    letter_of,
)

# --- The names of the project ----------------------------------------------------------------------------------------

_registered: dict[str, Derivation] = {}
_arguments: dict[str, set[int]] = {}  # of each name, how many it takes
_own_premises: set[tuple] = set()
_own_symbols: set[sympy.Symbol] = set()  # that its definitions explain, or of which its assumptions speak


def register(chains: Iterable[Derivation]) -> None:
    """Enters chains whose names nobody else may define, or use with another number of arguments.

    Raises:
        ValueError: a key is given twice, or a name is used with different numbers of arguments.
    """
    for chain in chains:
        if _registered.setdefault(chain.key, chain) is not chain:
            raise ValueError(f"the key {chain.key} is given twice")
        below = premises(chain)
        _own_premises.update(map(_said, below))
        _own_symbols.update(one.left for one in below if one.left.is_Symbol)
        spoken = (letter for one in below if isinstance(one, Assumption) for letter in fixed_by(one))
        _own_symbols.update(letter for letter in spoken if isinstance(letter, sympy.Symbol))
        said = [side for premise in below for side in (premise.left, premise.right)]
        for e in (*chain.lines, *said, *(printed for _, printed in chain.printed)):
            for applied in e.atoms(AppliedUndef):
                numbers = _arguments.setdefault(applied.func.__name__, set())
                numbers.add(len(applied.args))
                if len(numbers) > 1 and not law_variables(applied):
                    raise ValueError(f"{chain.key}: {applied.func} is used with {numbers} arguments")


def _said(premise: Definition | Assumption) -> tuple:
    return type(premise), premise.left, premise.right, premise.where


def check_names(e: sympy.Expr) -> None:
    """Whether each name of the project has as many arguments as there, and each state of a density its time.

    Raises:
        MeaninglessError
    """
    for applied in e.atoms(AppliedUndef):
        numbers = _arguments.get(applied.func.__name__)
        if numbers and len(applied.args) not in numbers:
            raise MeaninglessError(
                f"{applied}: {applied.func} is a name that depends on {max(numbers)} things: list them"
            )
        letter = letter_of(applied)
        if letter and letter.timed:  # times are not printed: what is seen of them is the indices of the states
            half = len(applied.args) // 2
            for state, time in zip(applied.args[:half], applied.args[half:], strict=True):
                if isinstance(state, AppliedUndef) and is_variable(state) and state.args != (time,):
                    raise MeaninglessError(f"{applied}: {state} is not the state at {time}, of which that is the law")


# --- When a chain holds -----------------------------------------------------------------------------------------------


def check_is_chain(chain: Any) -> None:
    """Raises CitationError if it is none: a chain and its parts are of the classes above, with nothing added."""
    if type(chain) is not Derivation:
        raise CitationError(f"{chain!r} is no derivation")
    _check_plain(chain, chain.steps, chain.where)
    if type(chain.nonnegative) is not bool:
        raise CitationError(f"{chain.key}: {chain.nonnegative!r} is neither True nor False")
    if not chain.steps:
        raise GapError(f"{chain.key} has no step")
    for step in chain.steps:
        if type(step) is not Step:
            raise CitationError(f"{chain.key}: {step!r} is no step")
        _check_plain(step, step.by)
    if chain.induction is not None:
        if type(chain.induction) is not Induction:
            raise CitationError(f"{chain.key}: {chain.induction!r} is no induction")
        _check_plain(chain.induction)
        if type(chain.induction.base) is not Derivation:
            raise CitationError(f"{chain.key}: the base of its induction is no derivation, of which each line is known")
        if type(chain.induction.first) is not int:
            raise CitationError(f"{chain.key}: {chain.induction.first!r} is no number to begin at")


def _check_plain(one: Any, *tuples: tuple) -> None:
    if set(vars(one)) != {field.name for field in fields(one)} or any(type(items) is not tuple for items in tuples):
        raise CitationError(f"{one!r} is not as its class makes it")


_numbers: dict[tuple, int] = {}  # of each content that was seen
_verified: set[int] = set()
_converging: set[tuple] = set()  # what was cited for some functions, and shown by lines that have a meaning for them


def _number(source: Source, above: tuple[Source, ...], found: dict[int, int], seen: set[int] | None = None) -> int:
    """A number for all that a source says and rests on: what is changed after it was verified gets another one.

    Args:
        above: what rests on it.
        found: the numbers of sources, by ``id``, that were looked at in the same pass.
        seen: and expressions.

    Raises:
        CitationError: it rests on itself.
    """
    if any(source is other for other in above):
        way = " <- ".join(other.key for other in (*above, source))
        raise CitationError(f"{source.key} rests on itself: {way}")
    seen = set() if seen is None else seen
    if id(source) not in found:
        if isinstance(source, Derivation):
            check_is_chain(source)
        else:
            _check_plain(source, source.where, source.by if isinstance(source, Definition) else source.for_all)
        # Before they are compared with what was verified: an object of one's own may say that it equals anything.
        made = source.lines if isinstance(source, Derivation) else (source.left, source.right)
        for e in (*made, *source.where, *(source.for_all if isinstance(source, Assumption) else ())):
            check_made(e, seen)
        content = [source.__class__, source.left, source.right, source.where]
        for below in cited(source):
            _number(below, (*above, source), found, seen)
        if isinstance(source, Derivation):
            content += [
                (step.expression, *(_cited_as(one, found) for one in step.by)) for step in source.steps
            ]  # fmt: skip
            content.append(source.nonnegative)
            if source.induction is not None:
                content.append((source.induction.index, source.induction.first, found[id(source.induction.base)]))
        elif isinstance(source, Definition):
            content += [tuple(_cited_as(one, found) for one in source.by)]
            content += [None if source.sign is None else found[id(source.sign)]]
        else:
            content.append(source.for_all)
        found[id(source)] = _numbers.setdefault(tuple(content), len(_numbers))
    return found[id(source)]


def _source(one: Any) -> Any:
    return one.source if type(one) is Fact else one


def _cited_as(one: Any, found: dict[int, int]) -> tuple:
    renamings = one.renamings if type(one) in (Fact, Hypothesis) else ()
    pairs = [pair for renaming in (renamings if type(renamings) is tuple else ()) if type(renaming) is tuple
             for pair in renaming]  # fmt: skip
    if [type(renaming) for renaming in (renamings, *renamings)] != [tuple] * (1 + len(renamings)) or any(
        type(pair) is not tuple or len(pair) != 2 for pair in pairs
    ):
        raise CitationError(f"{one!r} has other letters than ``at`` gives")
    for e in (e for renaming in renamings for pair in renaming for e in pair):
        check_made(e)
    return ("hypothesis" if type(one) is Hypothesis else found[id(_source(one))], renamings)


def check_parts(chain: Derivation) -> None:
    """Whether a chain and all that it rests on are made of what a proof can be made of.

    Raises:
        CitationError, GapError, MeaninglessError
    """
    check_is_chain(chain)
    _number(chain, (), {})


def verify(chain: Derivation) -> None:
    """Whether a chain holds, and every chain that it rests on. What was verified is not verified again.

    Raises:
        ProofError: at the first thing that fails.
    """
    check_is_chain(chain)
    numbers: dict[int, int] = {}
    _number(chain, (), numbers)
    _verify(chain, numbers)


def _verify(chain: Derivation, numbers: dict[int, int]) -> None:
    number = numbers[id(chain)]
    if number in _verified:
        return
    for source in _below(chain):
        if isinstance(source, Derivation):
            _verify(source, numbers)
    check_range(chain.range, chain.key, premises(chain))
    check_premises(chain, numbers)
    for line in chain.lines:
        check_line(line, chain)
    for n in range(1, len(chain.steps) + 1):
        check_step(chain, n, chain.steps[n - 1])
    if chain.induction:
        _check_induction(chain, chain.induction)
    if chain.nonnegative:
        first = (chain.induction.index - chain.induction.first,) if chain.induction else ()
        if not never_negative(chain.right, (*chain.where, *first)):
            raise GapError(f"{chain.key}: {chain.right} does not show that it is never negative")
    _verified.add(number)


def _below(source: Source) -> Iterator[Source]:
    """What a chain rests on, through definitions, down to the next chains."""
    for one in cited(source):
        yield one
        if not isinstance(one, Derivation):
            yield from _below(one)


_alone: set[int] = set()  # premises that are definitions, or assumptions
_held: set[tuple[int, ...]] = set()  # and such as do so together


def check_premises(chain: Derivation, numbers: dict[int, int]) -> None:
    """Whether the definitions and assumptions below a chain are such, and do not define a name twice.

    Raises:
        DefinitionError, MeaninglessError
    """
    below = premises(chain)
    together = tuple(numbers[id(premise)] for premise in below)
    if together not in _held:
        _check_together(below, together, chain.key)
        _held.add(together)
    facts = [fact for step in chain.steps for fact in chain.facts(step)]
    sides = [side for one in (*below, *facts) for side in (one.left, one.right)]
    binders = {(e, x) for line in (*chain.lines, *sides) for e in line.atoms(*BINDERS) for x in bound_by(e)}
    taken = tuple({x for _, x in binders})
    names = _explaining(below)
    for one in below if binders else ():
        if isinstance(one, Assumption) and not is_name(one.left):
            apart = {s: sympy.Dummy(str(s), **kind(s)) for s in one.for_all}
            within = without((*chain.range, *(e.xreplace(apart) for e in one.where)), taken)
            both = sympy.Tuple(one.left, one.right).xreplace(apart)
            said = behind(both, both, names)
            spoken = frozenset().union(*map(letters, said))
            for e, x in binders:
                if spoken & letters(e) and any(hides(sympy.S.Zero, side, x, within) for side in said):
                    raise DefinitionError(f"{chain.key}: {one.left} = {one.right} speaks of {x}, and of what stands "
                                          f"in {e}, where that is a variable: list it")  # fmt: skip
    for definition in names if binders else ():
        apart = {s: sympy.Dummy(str(s), **kind(s)) for s in definition.left.args if is_variable(s)}
        left, name = definition.left.xreplace(apart), head(definition.left)[0]
        within = without((*chain.range, *(e.xreplace(apart) for e in definition.where)), taken)
        for right in behind(left, definition.right.xreplace(apart), names):
            for e, x in binders:
                if hides(left, right, x, within) and e.has(name):
                    raise DefinitionError(
                        f"{chain.key}: {definition.left} depends on {x}, and stands where that is a variable: list it"
                    )


def _explaining(below: tuple[Definition | Assumption, ...]) -> list[Definition | Assumption]:
    """Those that say what a name is."""
    return [one for one in below if is_name(one.left) and not is_axiom(one)]


def _check_together(below: tuple[Definition | Assumption, ...], numbers: tuple[int, ...], key: str) -> None:
    for premise, number in zip(below, numbers, strict=True):
        if number not in _alone:
            _check_alone(premise)
            _alone.add(number)
        shows = (*premise.by, *([premise.sign] if premise.sign else [])) if isinstance(premise, Definition) else ()
        for fact in (one if isinstance(one, Fact) else Fact(one) for one in shows):
            for side in (fact.left, fact.right):
                meanings(below).check(side, premise.where, premise.key)
            _check_converges(fact, premise.where, meanings(below), premise.key)
        for side in (premise.left, premise.right):
            meanings(below).check(side, premise.where, premise.key)
    definitions = [premise for premise in below if isinstance(premise, Definition)]
    check_definitions(definitions, key)
    names = _explaining(below)
    for premise in below:
        if isinstance(premise, Assumption) and _said(premise) not in _own_premises:
            check_regular(premise, names)
    check_assumptions([premise for premise in below if isinstance(premise, Assumption)], definitions)


def _check_alone(premise: Definition | Assumption) -> None:
    for side in (premise.left, premise.right):
        check_names(side)
    own = premise.left.args if isinstance(premise.left, AppliedUndef) else ()
    for x in (*own, *getattr(premise, "for_all", ())):
        if isinstance(x, AppliedUndef) and is_variable(x):
            check_one_state(x, premise.left, premise.right)
    check_letters(premise.where, premise.key)
    if isinstance(premise, Definition):
        check_definition(premise)
        foreign = _said(premise) not in _own_premises and not is_axiom(premise)
        name = head(premise.left)[0]
        if foreign and (name in _own_symbols or getattr(name, "__name__", "") in _arguments):
            raise DefinitionError(f"{premise.key}: {name} is a name of the project: take another one")
    else:
        check_pointwise(premise)
        _check_kind(premise, own)
    if is_entry(premise.left) and _said(premise) not in _own_premises:
        raise DefinitionError(f"{premise.key}: {premise.left} is an entry of a list: what these are is known")
    for side in (premise.left, premise.right):
        check_side(side, premise.where, premise.key)


def _check_kind(premise: Assumption, own: tuple[sympy.Expr, ...]) -> None:
    """Whether what is assumed of a name for all values of a letter, can be: what it is declared to be, it is."""
    left, right, where = premise.left, premise.right, premise.where
    if strange := [x for x in premise.for_all if isinstance(x, AppliedUndef) and x not in own]:
        raise DefinitionError(f"{premise.key}: {left} has no variable {strange[0]}, for all of which it is stated")
    moved = [name for name in left.atoms(AppliedUndef) if any(depends(name, x) for x in premise.for_all)]
    shown = positive(right, where) if law_variables(left) else has_kind(right, left, where, own)
    known = shown if left in moved else not any(name.is_integer for name in moved)  # of a part of it, none shows
    never = bool(premise.for_all) and never_negative(left, where) and not never_negative(right, where)
    if not known or never:
        raise DefinitionError(f"{premise.key}: {right} does not show that it is of the kind of {left}")


def regular_functions(chain: Derivation) -> list[AppliedUndef]:
    """Of which unknown functions, as they stand there, a chain takes integrals and slopes to exist and to commute."""
    names = _explaining(premises(chain))
    found = [name for line in chain.lines for e in (line, *behind(line, line, names))
             for name, _ in taken_as_regular(e, names)]  # fmt: skip
    plain = [name.xreplace({s: sympy.Symbol("n" if s.is_integer else "y", **kind(s)) for s in name.atoms(sympy.Dummy)})
             for name in found]  # fmt: skip
    return list({name.func: name for name in sorted(plain, key=lambda e: (len(str(e)), str(e)), reverse=True)}.values())


def check_line(line: sympy.Expr, chain: Derivation) -> None:
    """Whether a line has a meaning, and its integrals converge."""
    check_made(line)
    check_names(line)
    check_side(line, chain.range, chain.key)
    meanings(premises(chain)).check(line, chain.range, chain.key)


def check_step(chain: Derivation, number: int, step: Step) -> None:
    """Whether a step holds, or another one in its place.

    Raises:
        WrongStepError, GapError, CitationError
    """
    where = f"{chain.key}, step {number} ({step.reason or 'no reason'})"
    before = chain.lines[number - 1]
    facts, named = chain.facts(step), meanings(premises(chain))
    # A fact may be used where a sum or an integral gives a letter another meaning: of that the range says nothing.
    sides = (before, step.expression, *(side for fact in facts for side in (fact.left, fact.right)))
    within = outside(chain.range, *sides)
    for fact in facts:
        check_fact(fact, within, chain)
        for side in (fact.left, fact.right):
            named.check(side, (*within, *fact.where), where)
        _check_converges(fact, within, named, where)
    left, right = (rewrite(side, facts, chain.range, where) for side in (before, step.expression))
    if not same_by_numbers(left, right, where=chain.range):
        for side in (left, right):
            if not has_value(side, chain.range):
                raise GapError(where, ": it cannot be decided, since numbers find no value of ", side)
        raise WrongStepError(where, ": ", before, " is not equal to ", step.expression)
    if not same_by_algebra(left, right, chain.range):
        raise GapError(where, ": the numbers agree, but algebra does not get from ", left, " to ", right)


def _check_converges(fact: Fact, where: Where, named: Meanings, place: str, above: frozenset = frozenset()) -> None:
    """Whether the lines by which a fact was shown for all functions have a meaning for those that it is cited for.

    An integral of an unknown function is taken to converge, and so each line is about those for which it does.
    """
    source = fact.source
    if not isinstance(source, Derivation):
        return
    # A function that stands at integers alone is numbers: that a line holds for all of these, it says itself. How it is
    # written where it gets a value says nothing of that: ``f(n)`` names the same function as ``f(x)``.
    functions = {old.func for i, renaming in enumerate(fact.renamings) for old, _ in renaming
                 if old.func in dict(_names(Fact(source, fact.renamings[:i])))}  # fmt: skip
    # And names of which it knows nothing, but the chain that cites it does.
    functions |= {name for name, _ in {*named.of} - {*meanings(premises(source)).of}}
    if not functions:
        return
    # At its first number an induction is its base: no line of its own speaks of that.
    steps = () if any(e.is_number and e < 0 for e in _range(source, fact.renamings)) else source.steps
    given, fact = fact, fact.in_general if steps else fact
    # Further up it rests on the statement for each number below: its index is any, up to the one that it is cited for.
    up_to = (given.renamed(source.induction.index) - fact.renamed(source.induction.index),) if source.induction else ()
    within = tuple(dict.fromkeys((*where, *fact.where, *_range(source, fact.renamings), *(e for e in up_to if e != 0))))
    key = (_number(source, (), {}), fact.renamings, within, named)
    if key in _converging or key in above:
        return
    above = above | {key}
    for line in source.lines if steps else ():
        at_new = fact.renamed(line)
        check_side(at_new, within, place)
        named.check(at_new, within, place)
    cited_there = [below for step in steps for below in source.facts(step)]
    if source.induction:
        cited_there.append(Fact(source.induction.base))
    for below in cited_there:
        if not functions & {*dict(_names(below))}:
            continue
        own = any(isinstance(old, AppliedUndef) for renaming in below.renamings for old, _ in renaming)
        if below.hypothesis and (not own or fact.hypothesis):
            continue  # nothing new; and what it is cited for in its turn, is made of the same
        again = Fact(below.source, (*below.renamings, *fact.renamings), below.hypothesis)
        _check_converges(again, within, named, place, above)
    _converging.add(key)


_spoken: dict[int, frozenset] = {}


def _names(fact: Fact) -> frozenset:
    """Of which functions of real numbers it speaks, or what it rests on, each with the place of such an argument.

    Also what speaks of another name does: that may stand for a mean of one of them.
    """
    source, number = fact.source, _number(fact.source, (), {})
    if number not in _spoken:
        lines, below = (source.left, source.right), list(map(Fact, cited(source)))
        if isinstance(source, Derivation):
            lines, below = source.lines, [one for step in source.steps for one in source.facts(step)]
            below += [Fact(source.induction.base)] if source.induction else []
        _spoken[number] = frozenset().union(*map(_functions, lines))  # for its hypothesis, which is no other source
        _spoken[number] = _spoken[number].union(*map(_names, below))
    names = _spoken[number]
    for renaming in fact.renamings:
        moved, put_in = {old.func for old, _ in renaming}, []
        for old, new in renaming:  # where the function takes real numbers, its letters are some
            own = own_arguments(old) if isinstance(old, AppliedUndef) else ()
            put_in.append(new.xreplace({x: sympy.Dummy() for i, x in enumerate(own) if (old.func, i) in names}))
        names = frozenset(name for name in names if name[0] not in moved).union(*map(_functions, put_in))
    return names


def _functions(e: sympy.Basic) -> frozenset:
    return frozenset(
        (name.func, i) for name in e.atoms(AppliedUndef) for i, x in enumerate(name.args) if not x.is_integer
    )


def _range(chain: Derivation, renamings: tuple[tuple[tuple[sympy.Expr, sympy.Expr], ...], ...]) -> Where:
    """Where the lines of a chain hold, at other letters."""
    range_ = chain.range
    for renaming in renamings:
        range_ = tuple(substitute(e, dict(renaming)) for e in range_)
    return range_


def _check_induction(chain: Derivation, induction: Induction) -> None:
    index, first = induction.index, induction.first
    if not (index.is_Symbol and index.is_integer):
        raise GapError(f"{chain.key}: an induction goes over integers, and {index} is not declared to be one")
    if index in fixed(chain):
        raise GapError(f"{chain.key}: a definition or an assumption speaks of {index}: it holds for one {index} alone")
    if not in_range(first - (1 if index.is_positive else 0 if index.is_nonnegative else first)):
        raise GapError(f"{chain.key}: {index} does not begin at {first}")
    start = (
        substitute(chain.left, {index: sympy.Integer(first)}),
        substitute(chain.right, {index: sympy.Integer(first)}),
    )
    base = Fact(induction.base)
    if tuple(map(canonical, start)) != (canonical(base.left), canonical(base.right)):
        raise GapError(f"{chain.key}: {base.key} proves {base.left} = {base.right}, not {start[0]} = {start[1]}")
    there = tuple(e.xreplace({index: sympy.Integer(first)}) for e in chain.where)
    if not all(in_range(e, there) for e in base.where):
        raise GapError(f"{chain.key}: {base.key} does not hold in all of its range")
