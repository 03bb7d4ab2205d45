"""A chain as LaTeX: each line printed from its SymPy expression, the reason above it, for a page and for a phone."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import sympy
from sympy.printing.conventions import requires_partial
from sympy.printing.latex import LatexPrinter

from lecture11.symbolic.facts import Assumption, Definition, Derivation, Hypothesis, Source, Step
from lecture11.symbolic.terms import KL, Mean, Normal

WIDTH = 62.0  # in the widths of an x: as many fit in a column of the book
NARROW = 30.0  # and so many on a screen of 390 px
INDENT = 1.5
SHORT = 7.0  # a fraction that stands before what it multiplies


def typeset(derivation: Derivation) -> str:
    """The chain as ``$$ ... $$``, which notebooks and the book display; below it the definitions that it cites.

    Where that is too wide for a phone, comments hold the form for one, which only the book reads.
    """
    wide, narrow = _chain(derivation, WIDTH), _chain(derivation, NARROW)
    if narrow == wide:
        return f"$${wide}$$"
    comment = "\n".join(f"% {line}" for line in narrow.splitlines())
    return f"$${wide}\n% narrow:\n{comment}\n$$"


def _chain(derivation: Derivation, room: float) -> str:
    lines = _aligned("", derivation.start, room)
    for step in derivation.steps:
        lines.append(rf"&\quad {_words(_reason(derivation, step), room)}")
        lines += _aligned("= ", step.expression, room)
    if derivation.nonnegative:
        lines.append(r"&\ge 0")
    cited = [fact.source for step in derivation.steps for fact in derivation.facts(step)]
    definitions = [source for source in dict.fromkeys(cited) if not isinstance(source, Derivation)]
    if definitions:
        lines.append(r"&\small\text{where}")
    said = ""
    for definition in definitions:
        words, *equation = _definition(definition, room)
        lines += equation if words == said else [words, *equation]
        said = words
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _definition(definition: Definition | Assumption, room: float) -> list[str]:
    """What a definition says, or what is assumed, with its number in the lecture, and below it ``left = right``."""
    said = "assume: " * isinstance(definition, Assumption) + definition.statement
    said += f" ({definition.formula})" if definition.formula else ""
    left, right = (laid_out(side, room - 5) for side in (definition.left, definition.right))
    if len(left) == len(right) == 1 and width(left[0] + "=" + right[0]) + 4 <= room:
        equation = [rf"&\qquad {left[0]} = {right[0]}"]
    else:
        equation = [
            *(rf"&\qquad {line}" for line in left),
            *(rf"&\qquad {'= ' if i == 0 else ''}{line}" for i, line in enumerate(right)),
        ]
    return [rf"&\quad {_words(said, room)}", *equation]


def _aligned(sign: str, e: sympy.Expr, room: float) -> list[str]:
    first, *others = laid_out(e, room - (2 if sign else 0))
    return [f"&{sign}{first}", *(rf"&\quad {line}" for line in others)]


def _reason(derivation: Derivation, step: Step) -> str:
    """The reason and what it cites: the chain, the number of a statement, or the name that a definition gives."""
    cited = dict.fromkeys(
        "induction" if isinstance(by, Hypothesis) else _cited(fact.source)
        for by, fact in zip(step.by, derivation.facts(step), strict=True)
    )
    return f"{step.reason} ({', '.join(cited)})" if cited else step.reason


def _cited(source: Source) -> str:
    if isinstance(source, Derivation):
        return source.key
    name = f"${latex(source.left)}$"
    return source.formula or (name if width(name) < 6 else source.key)


def _words(text: str, room: float) -> str:
    """Words as small text, over as many lines as they need."""
    lines = [""]
    for word in _WORD.findall(prose(text)):
        if lines[-1] and width(f"{lines[-1]} {word}") * 0.8 > room - 2:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return " \\\\\n&\\quad ".join(rf"\small\text{{{line}}}" for line in lines)


class _Quotient(NamedTuple):
    """A product as one writes it: its sign, and the factors above and below the bar."""

    negative: bool
    above: list[sympy.Expr]
    below: list[sympy.Expr]


@lru_cache(maxsize=20_000)
def _quotient(e: sympy.Expr) -> _Quotient:
    """The factors in the order in which one reads them: numbers, constants, brackets, variables, noise."""
    negative, above, below = False, [], []
    number = sympy.Integer(1)
    todo = list(_halved(e)) if e.is_Add else e.as_ordered_factors() if e.is_Mul else [e]
    for factor in todo:
        base, power = factor.as_base_exp() if factor.is_Pow else (factor, sympy.S.One)
        if _product_of(1 / factor) is not None:
            base, power = 1 / factor, sympy.S.NegativeOne
        turned = bool(power.is_Rational and power.is_negative)
        if base.is_Add and abs(power) == 1:
            if all(term.could_extract_minus_sign() for term in base.args):
                base, negative = -base, not negative
            content, base = base.primitive()
            number *= content**power
        if base.is_Rational and power.is_Integer:
            number *= base**power
        elif turned:
            below.append(base**-power)
        else:
            above.append(base**power)
    if number.is_negative:
        negative, number = not negative, -number
    if sympy.sqrt(sympy.pi) in below:
        above, below, number = _one_root(above, below, number)
    above, below = sorted(above, key=_place), sorted(below, key=_place)
    above = [sympy.Integer(number.p)] * (number.p != 1 or not above) + above
    return _Quotient(negative, above, [sympy.Integer(number.q)] * (number.q != 1) + below)


def _halved(e: sympy.Add) -> tuple[sympy.Expr, sympy.Expr]:
    """``(1/2, a - b)`` for ``a/2 - b/2``, which SymPy makes of their half; ``(1, e)`` for any other sum."""
    numbers = {abs(term.as_coeff_Mul()[0]) for term in e.args}
    number = numbers.pop()
    fits = not numbers and number.q != 1 and all(sympy.fraction(term / number)[1] == 1 for term in e.args)
    if fits and (len(e.args) > 2 or len({term.could_extract_minus_sign() for term in e.args}) == 2):
        return number, sympy.Add(*(term / number for term in e.args))
    return sympy.S.One, e


def _one_root(
    above: list[sympy.Expr], below: list[sympy.Expr], number: sympy.Rational
) -> tuple[list[sympy.Expr], list[sympy.Expr], sympy.Rational]:
    """The roots of a normal density, which SymPy takes apart, in one: ``sqrt(g / (2 pi v))``."""

    def is_root(f: sympy.Expr) -> bool:
        return bool(f.is_Pow and f.exp == sympy.S.Half)

    inside = number**2 * sympy.Mul(*(f.base for f in above if is_root(f)))
    inside /= sympy.Mul(*(f.base for f in below if is_root(f)))
    above, below = [f for f in above if not is_root(f)], [f for f in below if not is_root(f)]
    if sympy.fraction(inside)[0] == 1:
        return above, [*below, sympy.Pow(1 / inside, sympy.S.Half, evaluate=False)], sympy.S.One
    return [sympy.Pow(inside, sympy.S.Half, evaluate=False), *above], below, sympy.S.One


def _product_of(e: sympy.Expr) -> sympy.Product | None:
    """``exp(Sum(log f))`` as the product that it is."""
    if isinstance(e, sympy.exp) and isinstance(e.args[0], sympy.Sum) and isinstance(e.args[0].function, sympy.log):
        return sympy.Product(e.args[0].function.args[0], *e.args[0].limits)
    return None


_NAME = re.compile(r"(x|y|z|\\epsilon)(?![a-zA-Z])")
_NOISE = re.compile(r"(\\epsilon|z)(_\{?[\dt][^\\]*)?$")


def _place(factor: sympy.Expr) -> float:
    base, power = factor.as_base_exp() if factor.is_Pow else (factor, sympy.S.One)
    if base.is_Number:
        return 0
    if power == sympy.S.Half:
        return 1.1 if base.is_Add else 1
    if base.is_Add:
        return 2 if power == 1 else 2.5
    if base.is_Symbol or base.is_Function:
        variable = _NAME.match(latex(base))
        if variable:
            return 4 if variable[1] == r"\epsilon" else 3
    for place, kind in ((7, Mean), (6, Normal), (5, (sympy.Sum, sympy.Integral, sympy.log, sympy.exp))):
        if base.has(*kind) if isinstance(kind, tuple) else base.has(kind):
            return place
    return 1.2 if power == 1 else 1.5


def _order(term: sympy.Expr) -> tuple[bool, bool]:
    """Of the terms of a sum: first what is not subtracted, noise and codes after what they move."""
    quotient = _quotient(term)
    names = (latex(factor.as_base_exp()[0]) for factor in quotient.above)
    return quotient.negative, any(map(_NOISE.match, names))


class _Printer(LatexPrinter):
    """SymPy's, in the order in which one writes: ``x - m`` for ``-m + x``, ``x + s eps`` for ``eps s + x``."""

    def _as_ordered_terms(self, expr: sympy.Expr, order: str | None = None) -> list[sympy.Expr]:
        return sorted(super()._as_ordered_terms(expr, order), key=_order)

    def _print_Add(self, expr: sympy.Add, order: str | None = None) -> str:
        if _halved(expr)[0] != 1:
            return self._print_Mul(expr)
        text = ""
        for term in self._as_ordered_terms(expr, order):
            negative = _quotient(term).negative
            size = self._print(-term if negative else term)
            text += f"{' - ' if negative else ' + '}{size}"
        return text.removeprefix(" + ").strip()

    def _print_exp(self, expr: sympy.Expr, exp: str | None = None) -> str:
        product = _product_of(expr)
        if product is None or exp is not None:
            return str(self._print_ExpBase(expr, exp))
        return str(self._print(product))

    def _print_Mul(self, expr: sympy.Expr) -> str:
        negative, above, below = _quotient(expr)
        text = _over(above, below)
        if negative and not below and len(above) == 1 and above[0].is_Add:
            text = rf"\left({text}\right)"
        return f"- {text}" if negative else text

    def in_line(self, factors: list[sympy.Expr]) -> str:
        """Factors beside each other, in brackets where that is needed."""
        if len(factors) == 1:
            return str(self._print(factors[0]))
        texts = []
        for i, factor in enumerate(factors):
            text = self._print(factor)
            needed = self._needs_mul_brackets(factor, first=i == 0, last=i == len(factors) - 1)
            texts.append(rf"\left({text}\right)" if needed else text)
        return " ".join(texts)


@lru_cache(maxsize=20_000)
def latex(e: sympy.Basic) -> str:
    """An expression in LaTeX, on one line."""
    return _Printer().doprint(e)


# --- Names in prose ---------------------------------------------------------------------------------------------------

_LATEX = {"abar": r"\bar\alpha", "eps": r"\epsilon", "mu~": r"\tilde\mu", "beta~": r"\tilde\beta"}
_GREEK = ("alpha", "beta", "epsilon", "mu", "sigma", "theta", "phi", "lambda")
_SYMBOL = rf"(?:{'|'.join([*map(re.escape, _LATEX), *_GREEK])}|[A-Za-z])"
_INDEXED = re.compile(rf"(?<![\w\\$])({_SYMBOL})_(?:\(([^()]+)\)|\{{([^{{}}]+)\}}|(\w+))")
_POWER = re.compile(rf"(?<![\w\\$^])({_SYMBOL})\^(\w(?!\w)|\*)")
_ROOT = re.compile(r"sqrt\(((?:[^()]|\([^()]*\))*)\)")
_WORD = re.compile(r"[^\s$]*\$[^$]*\$\S*|\S+")


def prose(text: str) -> str:
    """Words in which ``abar_t``, ``x_(t-1)``, ``w^2``, ``sqrt(beta_t)`` are typeset; what is between dollars stays."""
    text = _ROOT.sub(lambda match: rf"$\sqrt{{{_INDEXED.sub(_symbol, match[1])}}}$", text)
    text = _outside_dollars(_POWER, lambda match: f"${_name(match[1])}^{{{match[2]}}}$", text)
    return _outside_dollars(_INDEXED, lambda match: f"${_symbol(match)}$", text)


def _outside_dollars(pattern: re.Pattern[str], new: Callable[[re.Match[str]], str], text: str) -> str:
    parts = re.split(r"(\$[^$]*\$)", text)
    return "".join(part if part.startswith("$") else pattern.sub(new, part) for part in parts)


def _symbol(match: re.Match[str]) -> str:
    name, index = match[1], next(filter(None, match.groups()[1:]))
    return f"{_name(name)}_{{{_name(index)}}}"


def _name(word: str) -> str:
    return _LATEX.get(word, f"\\{word}" if word in _GREEK else word)


# --- Lines that fit ---------------------------------------------------------------------------------------------------


def laid_out(e: sympy.Expr, room: float) -> list[str]:
    """An expression as one line, or as several: broken before a sign, between factors, inside brackets."""
    whole = latex(e)
    if width(whole) <= room:
        return [whole]
    e = _product_of(e) or e
    if isinstance(e, sympy.Add) and _halved(e)[0] == 1:
        return _packed(_signed(e), room)
    if isinstance(e, sympy.Mul | sympy.Add):
        return _product(e, room)
    if isinstance(e, Mean):
        return _mean(e, room)
    if isinstance(e, KL):
        return _bracketed(r"\operatorname{KL}\big(", [f"{latex(e.args[0])},", latex(e.args[1])], r"\big)", room)
    if isinstance(e, Normal):
        x, mean, variance = e.args
        inside = [f"{latex(x)};", *_with_comma(laid_out(mean, room - INDENT)), *laid_out(variance, room - INDENT)]
        if width(f"{inside[0]} {inside[1]}") <= room - INDENT:
            inside[:2] = [f"{inside[0]}\\, {inside[1]}"]
        return _bracketed(r"\mathcal{N}\big(", inside, r"\big)", room)
    if isinstance(e, sympy.log | sympy.exp):
        name = r"\log" if isinstance(e, sympy.log) else r"\exp"
        return _bracketed(rf"{name}\Big(", laid_out(e.args[0], room - INDENT), r"\Big)", room)
    if isinstance(e, sympy.Pow) and e.exp.is_Number and e.exp.is_positive:
        inside = laid_out(e.base, room - INDENT)
        if e.exp == sympy.S.Half:
            return _bracketed(r"\sqrt{\phantom{x}}\Big(", inside, r"\Big)", room)
        return _bracketed(r"\Big(", inside, rf"\Big)^{{{latex(e.exp)}}}", room)
    if isinstance(e, sympy.Derivative):
        sign, order = (r"\partial" if requires_partial(e.expr) else "d"), sum(n for _, n in e.variable_count)
        below = r" \, ".join(f"{sign} {latex(x)}" + (f"^{{{n}}}" if n > 1 else "") for x, n in e.variable_count)
        above = f"{sign}^{{{order}}}" if order > 1 else sign
        return _bracketed(rf"\frac{{{above}}}{{{below}}} \Big(", laid_out(e.expr, room - INDENT), r"\Big)", room)
    if isinstance(e, sympy.Sum | sympy.Product):
        sign = latex(e.func(sympy.Symbol("|"), *e.limits)).removesuffix("|")
        if isinstance(e.function, Normal):  # it has brackets of its own
            return _prefixed(sign, laid_out(e.function, room - width(sign)))
        return _bracketed(rf"{sign}\Big(", laid_out(e.function, room - 3), r"\Big)", room)
    return [whole]


def _signed(e: sympy.Add) -> Iterator[tuple[str, sympy.Expr]]:
    for term in _Printer()._as_ordered_terms(e):
        negative = _quotient(term).negative
        yield ("- " if negative else "+ "), (-term if negative else term)


def _packed(terms: Iterator[tuple[str, sympy.Expr]], room: float) -> list[str]:
    """As many terms on a line as fit."""
    lines: list[str] = []
    alone = False  # whether the last line belongs to a term that took several
    for i, (sign, term) in enumerate(terms):
        sign = "" if i == 0 and sign == "+ " else sign
        parts = laid_out(term, room - width(sign))
        parts[0] = sign + parts[0]
        if any(part.startswith(r"\cdot") for part in parts[1:]):
            parts[1:] = [rf"\;\; {part}" for part in parts[1:]]
        if term.is_Add:
            parts[0] = f"{sign}({latex(term)})" if len(parts) == 1 else parts[0]
        if lines and len(parts) == 1 and not alone and width(f"{lines[-1]} {parts[0]}") <= room:
            lines[-1] += f" {parts[0]}"
        else:
            lines += parts
        alone = len(parts) > 1
    return lines


def _product(e: sympy.Expr, room: float) -> list[str]:
    negative, above, below = _quotient(e)
    if negative:
        return _prefixed("- ", _fraction(above, below, room - 1.5))
    return _fraction(above, below, room)


def _fraction(above: list[sympy.Expr], below: list[sympy.Expr], room: float) -> list[str]:
    """A product over another: what is short before the rest, or both broken into lines, with a bar between them."""
    simple = [f for f in above if _place(f) < 2]
    rest = above[len(simple) :]
    before = _over(simple or [sympy.S.One], below)
    if rest and (simple or below) and width(before) < SHORT:
        lines = _factors(rest, room - INDENT)
        if width(before + lines[0]) > room:
            lines = _factors(rest, room - width(before))
        return [f"{before} {lines[0]}", *(rf"\;\; {line}" for line in lines[1:])]
    if not below:
        return _factors(above, room)
    return [rf"\frac{{{_stacked(_terms(above, room))}}}{{{_stacked(_terms(below, room))}}}"]


def _terms(factors: list[sympy.Expr], room: float) -> list[str]:
    """A half of a fraction: a sum that is alone there needs no brackets."""
    return laid_out(factors[0], room) if len(factors) == 1 else _factors(factors, room)


def _stacked(lines: list[str]) -> str:
    """Lines as one piece; what stands above or below a bar is set as large as what stands beside it."""
    if len(lines) == 1:
        return rf"\displaystyle {lines[0]}"
    return r"\begin{aligned} " + r" \\ ".join(f"&{line}" for line in lines) + r" \end{aligned}"


def _over(above: list[sympy.Expr], below: list[sympy.Expr]) -> str:
    line = _Printer().in_line
    return rf"\frac{{{line(above)}}}{{{line(below)}}}" if below else line(above)


def _factors(factors: list[sympy.Expr], room: float) -> list[str]:
    """The factors of a product, as many on a line as fit, sums among them in brackets."""
    if len(factors) == 1 and not factors[0].is_Add:
        return laid_out(factors[0], room)
    lines: list[str] = []
    alone = False
    for factor in factors:
        parts = laid_out(factor, room - INDENT)
        if factor.is_Add:
            opening, closing = (r"\left(", r"\right)") if len(parts) == 1 else (r"\big(", r"\big)")
            parts = _bracketed(opening, parts, closing, room)
        if lines and len(parts) == 1 and not alone and width(f"{lines[-1]} {parts[0]}") <= room:
            lines[-1] += f" {parts[0]}"
        else:
            lines += _prefixed(r"\cdot\, ", parts) if lines else parts
        alone = len(parts) > 1
    return lines


def _mean(e: Mean, room: float) -> list[str]:
    f, x, law = e.args
    inside = laid_out(f, room - INDENT)
    if law == 1:
        over = "".join(rf"\, d{latex(variable)}" for variable in e.variables)
        return _bracketed(r"\int ", inside, over, room)
    below = latex(Mean(sympy.Symbol("|"), x, law)).partition(r"\left[")[0]
    if width(below) <= room - 1:
        return _bracketed(rf"{below}\Big[", inside, r"\Big]", room)
    over = rf"\text{{over }} {latex(x)} \sim "
    if isinstance(law, Normal) and law.args[0] == x:
        mean, variance = (laid_out(argument, room - INDENT) for argument in law.args[1:])
        law_lines = _bracketed(rf"{over}\mathcal{{N}}\big(", [*_with_comma(mean), *variance], r"\big)", room)
    else:
        law_lines = _prefixed(over, laid_out(law, room - width(over)))
    return [*_bracketed(r"\mathbb{E}\Big[", inside, r"\Big]", room), *law_lines]


def _bracketed(opening: str, inside: list[str], closing: str, room: float) -> list[str]:
    """The first line stands beside the opening bracket if there is room, the others are indented."""
    *lines, last = inside
    if not lines and width(opening + last + closing) <= room:
        return [opening + last + closing]
    lines.append(f"{last} {closing}")
    if width(opening + lines[0]) <= room:
        lines[0] = f"{opening} {lines[0]}"
        return [lines[0], *(rf"\;\; {line}" for line in lines[1:])]
    return [opening, *(rf"\;\; {line}" for line in lines)]


def _prefixed(sign: str, lines: list[str]) -> list[str]:
    return [sign + lines[0], *lines[1:]]


def _with_comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},"]


# --- How wide ---------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[{}^_&]|\s+|.")
_NOTHING = {
    r"\left",
    r"\right",
    r"\big",
    r"\Big",
    r"\bar",
    r"\tilde",
    r"\hat",
    r"\small",
    r"\displaystyle",
    r"\!",
    "&",
    "$",
}
_WIDE = {r"\quad": 2.0, r"\qquad": 4.0, r"\log": 2.6, r"\exp": 2.8, r"\mathcal": 0.4, r"\mathbb": 0.2, r"\sum": 2.0,
         r"\prod": 2.0,
         r"\int": 1.4, r"\sqrt": 1.6, r"\,": 0.3, r"\;": 0.5, r"\sim": 2.2, r"\mid": 1.6, "=": 2.6, "+": 2.4, "-": 2.4,
         r"\cdot": 1.2, ",": 0.9, ";": 1.0, "(": 0.8, ")": 0.8, r"\operatorname": 0.0, r"\text": 0.0}  # fmt: skip


@lru_cache(maxsize=20_000)
def width(text: str) -> float:
    """About how wide LaTeX is, in the widths of an x: a fraction as wide as its wider half, an index smaller."""
    return _width(list(filter(str.strip, _TOKEN.findall(text))))


def _width(tokens: list[str], depth: int = 0) -> float:
    total, i = 0.0, 0

    def argument() -> list[str]:
        nonlocal i
        if i >= len(tokens) or tokens[i] != "{":
            i += 1
            return tokens[i - 1 : i]
        depth, begin = 1, i + 1
        while depth and i + 1 < len(tokens):
            i += 1
            depth += {"{": 1, "}": -1}.get(tokens[i], 0)
        i += 1
        return tokens[begin : i - 1]

    while i < len(tokens):
        token = tokens[i]
        i += 1
        if token == r"\frac":
            above, below = argument(), argument()
            # A fraction in a fraction is set smaller, unless it stands in lines.
            total += max(_width(above, depth + 1), _width(below, depth + 1)) * (0.75 if depth else 1) + 0.5
        elif token == r"\begin":
            argument()
            end = len(tokens) - 1 - tokens[::-1].index(r"\end")
            total += max(_width(line) for line in _rows(tokens[i:end]))
            i = end + 1
            argument()
        elif token in "^_":
            sign = tokens[i - 2] if i > 1 and tokens[i - 2] in (r"\sum", r"\prod") else ""
            size = 0.75 * _width(argument(), depth)
            if i < len(tokens) and tokens[i] in "^_" and tokens[i] != token:
                i += 1
                size = max(size, 0.75 * _width(argument(), depth))
            # The bounds of a sum stand above and below its sign, but in a fraction beside it.
            total += max(size - _WIDE[sign], 0) if sign and not depth else size
        elif token == "{":
            i -= 1
            total += _width(argument(), depth)
        else:
            total += 0.0 if token in _NOTHING else _WIDE.get(token, 1.0)
    return total


def _rows(tokens: list[str]) -> list[list[str]]:
    """The lines of an environment; those of one inside it stay together."""
    rows: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += {r"\begin": 1, r"\end": -1}.get(token, 0)
        if token == r"\\" and not depth:
            rows.append([])
        else:
            rows[-1].append(token)
    return rows


Derivation._repr_latex_ = typeset  # type: ignore[attr-defined]  # so that a notebook shows a chain
