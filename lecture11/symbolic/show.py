"""A chain as LaTeX: each line printed from its SymPy expression, the reason above it, to fit a phone."""

import re

import sympy

from lecture11.symbolic.chain import Derivation, Step

WIDTH = 32  # in symbols; on a screen of 390 px about as many fit


def typeset(derivation: Derivation) -> str:
    """The chain as ``$$ ... $$``, which notebooks and the book display."""
    lines = [f"&{_broken(derivation.start)}"]
    for step in derivation.steps:
        lines.append(rf"&\quad\small\text{{{_reason(derivation, step)}}}")
        lines.append(f"&= {_broken(step.expression)}")
    return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


def _reason(derivation: Derivation, step: Step) -> str:
    cited = dict.fromkeys(fact.source.formula for fact in derivation.facts(step) if fact.source.formula)
    return f"{step.reason} ({', '.join(cited)})" if cited else step.reason


def _broken(e: sympy.Expr) -> str:
    """A sum that is too wide goes over several lines, broken before a sign."""
    if not e.is_Add or _width(sympy.latex(e)) <= WIDTH:
        return sympy.latex(e)
    lines = [""]
    for term in e.as_ordered_terms():
        text = sympy.latex(term)
        text = text if text.startswith("-") or lines == [""] else f"+ {text}"
        if lines[-1] and _width(lines[-1] + text) > WIDTH:
            lines.append("")
        lines[-1] += f" {text}"
    return " \\\\\n&\\quad ".join(lines)


def _width(latex: str) -> int:
    """About how many symbols wide it is: no braces, no positions, a command for one symbol, a fraction for its half."""
    half = re.sub(r"\\(left|right|,|;|!|quad|mathcal|mathbb|bar|tilde|text)", "", latex)
    half = re.sub(r"\\frac", "", half)
    return len(re.sub(r"[{}_^\s]", "", re.sub(r"\\[a-zA-Z]+", "#", half)))
