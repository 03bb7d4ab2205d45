"""Is an expression never negative, whatever its symbols stand for? Asked of its form alone."""

import sympy

from lecture11.symbolic.terms import Mean


def never_negative(e: sympy.Expr) -> bool:
    """Whether it is made of squares and of what is assumed to be positive, by sums, products and means.

    False means that it does not show, not that it is negative somewhere.
    """
    if e.is_nonnegative:
        return True
    if isinstance(e, sympy.Add | sympy.Mul):
        return all(map(never_negative, e.args))
    if isinstance(e, sympy.Pow):
        return never_negative(e.base)
    if isinstance(e, Mean):
        return never_negative(e.args[0]) and never_negative(e.args[2])
    if isinstance(e, sympy.Sum):
        return never_negative(e.function)
    if isinstance(e, sympy.Integral) and len(e.limits) == 1:
        t, *limits = e.limits[0]
        # Of a number between 0 and 1, both it and what is missing to 1 are positive.
        between = 1 / (1 + sympy.Dummy("w", positive=True))
        return limits == [0, 1] and never_negative(sympy.together(e.function.xreplace({t: between})))
    return False
