"""A chain as LaTeX: each line printed from its SymPy expression, the reason above it, to fit a phone."""

import re
from collections.abc import Callable, Iterator

import sympy
from sympy.printing.latex import LatexPrinter

from lecture11.symbolic.chain import Definition, Derivation, Step
from lecture11.symbolic.terms import Mean, Normal

WIDTH = 30.0  # in the widths of an x: as many fit on a screen of 390 px
INDENT = 1.5


def typeset(derivation: Derivation) -> str:
    """The chain as ``$$ ... $$``, which notebooks and the book display; below it the definitions that it cites."""
    lines = _aligned("", derivation.start)
    for step in derivation.steps:
        lines.append(rf"&\quad {_words(_reason(derivation, step))}")
        lines += _aligned("= ", step.expression)
    if derivation.nonnegative:
        lines.append(r"&\ge 0")
    cited = [fact.source for step in derivation.steps for fact in derivation.facts(step)]
    definitions = [source for source in dict.fromkeys(cited) if isinstance(source, Definition)]
    if definitions:
        lines.append(r"&\small\text{where}")
    for definition in definitions:
        lines += _definition(definition)
    return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


def _definition(definition: Definition) -> list[str]:
    """``left = right`` and its number in the lecture, on one line if there is room."""
    name = rf"\quad\small\text{{({definition.formula})}}" if definition.formula else ""
    left, right = latex(definition.left), laid_out(definition.right, WIDTH - 5)
    if len(right) == 1 and width(left + "=" + right[0] + name) + 2 <= WIDTH:
        return [rf"&\quad {left} = {right[0]}{name}"]
    return [rf"&\quad {left}{name}", *(rf"&\qquad {'= ' if i == 0 else ''}{line}" for i, line in enumerate(right))]


def _aligned(sign: str, e: sympy.Expr) -> list[str]:
    first, *others = laid_out(e, WIDTH - (2 if sign else 0))
    return [f"&{sign}{first}", *(rf"&\quad {line}" for line in others)]


def _reason(derivation: Derivation, step: Step) -> str:
    """The reason and what it cites: the number of a statement, or the name that a definition gives."""
    facts = derivation.facts(step)
    cited = dict.fromkeys(fact.source.formula or f"${latex(fact.source.left)}$" for fact in facts)
    return f"{step.reason} ({', '.join(cited)})" if cited else step.reason


def _words(text: str) -> str:
    """Words as small text, over as many lines as they need."""
    lines = [""]
    for word in _WORD.findall(prose(text)):
        if lines[-1] and width(f"{lines[-1]} {word}") * 0.8 > WIDTH - 2:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return " \\\\\n&\\quad ".join(rf"\small\text{{{line}}}" for line in lines)


class _Printer(LatexPrinter):
    """SymPy's, but a sum does not begin with a minus if it can help it: ``x - m``, not ``-m + x``."""

    def _as_ordered_terms(self, expr: sympy.Expr, order: str | None = None) -> list[sympy.Expr]:
        return sorted(super()._as_ordered_terms(expr, order), key=lambda term: term.could_extract_minus_sign())


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


def laid_out(e: sympy.Expr, room: float = WIDTH) -> list[str]:
    """An expression as one line, or as several: broken before a sign, between factors, inside brackets."""
    whole = latex(e)
    if width(whole) <= room:
        return [whole]
    if isinstance(e, sympy.Add):
        return _packed(_signed(e), room)
    if isinstance(e, sympy.Mul):
        return _product(e, room)
    if isinstance(e, Mean):
        return _mean(e, room)
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
        below = " ".join(rf"\, d{latex(x)}" for x, n in e.variable_count)
        return _bracketed(rf"\frac{{d}}{{{below}}}\Big(", laid_out(e.expr, room - INDENT), r"\Big)", room)
    if isinstance(e, sympy.Sum | sympy.Product):
        sign = latex(e.func(sympy.Symbol("|"), *e.limits)).removesuffix("|")
        return _bracketed(rf"{sign}\Big(", laid_out(e.function, room - 3), r"\Big)", room)
    return [whole]


def _signed(e: sympy.Add) -> Iterator[tuple[str, sympy.Expr]]:
    for term in _Printer()._as_ordered_terms(e):
        negative = term.could_extract_minus_sign()
        yield ("- " if negative else "+ "), (-term if negative else term)


def _packed(terms: Iterator[tuple[str, sympy.Expr]], room: float) -> list[str]:
    """As many terms on a line as fit."""
    lines: list[str] = []
    alone = False  # whether the last line belongs to a term that took several
    for i, (sign, term) in enumerate(terms):
        sign = "" if i == 0 and sign == "+ " else sign
        parts = laid_out(term, room - width(sign))
        parts[0] = sign + parts[0]
        if term.is_Add:
            parts[0] = f"{sign}({latex(term)})" if len(parts) == 1 else parts[0]
        if lines and len(parts) == 1 and not alone and width(f"{lines[-1]} {parts[0]}") <= room:
            lines[-1] += f" {parts[0]}"
        else:
            lines += parts
        alone = len(parts) > 1
    return lines


def _product(e: sympy.Mul, room: float) -> list[str]:
    above, below = sympy.fraction(e, exact=True)
    if below != 1 and above.could_extract_minus_sign() and not above.is_Add:
        return _prefixed("- ", laid_out(-e, room - 1.5))
    if below != 1:
        lines = _factors(above, room)
        under = laid_out(below, room - 3)
        brackets = below.is_Add or len(under) > 1
        under = _bracketed(r"\big(", under, r"\big)", room - 1) if brackets else under
        return [*lines, *_prefixed(r"\big/\, ", under)]
    return _factors(e, room)


def _factors(e: sympy.Expr, room: float) -> list[str]:
    """The factors of a product, as many on a line as fit, sums among them in brackets."""
    if e.is_Add:
        return _bracketed(r"\big(", laid_out(e, room - INDENT), r"\big)", room)
    if not e.is_Mul:
        return laid_out(e, room)
    if e.could_extract_minus_sign():
        return _prefixed("- ", _factors(-e, room - 1.5))
    lines: list[str] = []
    alone = False
    for factor in sorted(e.as_ordered_factors(), key=lambda f: f.has(Mean) or isinstance(f, sympy.log)):
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
         r"\int": 1.4, r"\sqrt": 1.6, r"\,": 0.3, r"\;": 0.5, r"\sim": 2.2, r"\mid": 1.6, "=": 2.6, "+": 2.4, "-": 2.4,
         r"\cdot": 1.2, ",": 0.9, ";": 1.0, "(": 0.8, ")": 0.8, r"\operatorname": 0.0, r"\text": 0.0}  # fmt: skip


def width(text: str) -> float:
    """About how wide LaTeX is, in the widths of an x: a fraction as wide as its wider half, an index smaller."""
    return _width(list(filter(str.strip, _TOKEN.findall(text))))


def _width(tokens: list[str]) -> float:
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
            total += max(_width(above), _width(below)) + 0.5
        elif token in "^_":
            size = 0.75 * _width(argument())
            if i < len(tokens) and tokens[i] in "^_" and tokens[i] != token:
                i += 1
                size = max(size, 0.75 * _width(argument()))
            total += size
        elif token == "{":
            i -= 1
            total += _width(argument())
        else:
            total += 0.0 if token in _NOTHING else _WIDE.get(token, 1.0)
    return total
