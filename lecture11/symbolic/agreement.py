"""Does the code compute what was proved? The result of a chain as a function of floats, against the package's own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from lecture11.symbolic.algebra import work_out
from lecture11.symbolic.facts import Derivation
from lecture11.symbolic.terms import canonical


def largest_difference(derivation: Derivation, result: sympy.Expr | None = None) -> float:
    """Between the result of a chain and the package's function, at 1,000 random points, in float64.

    The absolute difference, where values are larger than 1 the relative one.

    Args:
        result: another expression than the result of the chain.

    Raises:
        ValueError: no function belongs to this derivation, or it has another number of points.
    """
    if derivation.code is None:
        raise ValueError(f"no function of the package belongs to {derivation.key}")
    computed, points = derivation.code.compute()
    return difference(derivation.code.of(derivation.right if result is None else result), computed, points)


def difference(e: sympy.Expr, computed: Any, points: Mapping[sympy.Expr, Any]) -> float:
    """The same between any expression at some points, and what was computed there."""
    computed = np.asarray(computed, dtype=np.float64)
    if computed.shape != (1000,):
        raise ValueError(f"1,000 values are needed, got shape {computed.shape}")
    names = {canonical(quantity): sympy.Dummy(f"v{i}") for i, quantity in enumerate(points)}
    function = sympy.lambdify(list(names.values()), work_out(e).xreplace(names), ["scipy", "numpy"])
    values = np.broadcast_to(function(*map(np.asarray, points.values())), computed.shape)
    return float(np.max(np.abs(values - computed) / np.maximum(1, np.abs(computed))))
