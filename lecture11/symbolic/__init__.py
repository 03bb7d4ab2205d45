"""Every statement of the lecture proved: chains of steps in SymPy, a checker for them, and errors planted to try it.

``derivation("F28")`` is a chain; in a notebook it shows itself, and ``check`` verifies it::

    from lecture11 import symbolic

    F28 = symbolic.derivation("F28")
    symbolic.check(F28)

How a chain is built and what the checker asks of it stands in ``lecture11.symbolic.chain``.
"""

import os

# Of each of its functions SymPy keeps the last thousand results, too few for a chain: checks take a fifth longer.
# It asks when it is imported.
os.environ.setdefault("SYMPY_CACHE_SIZE", "100000")

from lecture11.registry import by_id
from lecture11.symbolic import autoencoder, bound, em, forward, kernel, posterior, vae
from lecture11.symbolic.agreement import largest_difference
from lecture11.symbolic.algebra import work_out
from lecture11.symbolic.attack import Mutant, is_caught, planted_errors
from lecture11.symbolic.chain import Code, EmptyStepError, Experiment, check, check_all, check_step
from lecture11.symbolic.errors import (
    CitationError,
    DefinitionError,
    GapError,
    MeaninglessError,
    ProofError,
    WrongStepError,
)
from lecture11.symbolic.facts import HYPOTHESIS, Assumption, Definition, Derivation, Fact, Induction, Step
from lecture11.symbolic.kernel import regular_functions
from lecture11.symbolic.marks import MARKS, Mark
from lecture11.symbolic.show import typeset
from lecture11.symbolic.terms import Mean, Normal, density, indexed, reserve

__all__ = [
    "DERIVATIONS",
    "EXPERIMENTS",
    "HYPOTHESIS",
    "MARKS",
    "Assumption",
    "CitationError",
    "Code",
    "Definition",
    "DefinitionError",
    "Derivation",
    "EmptyStepError",
    "Experiment",
    "Fact",
    "GapError",
    "Induction",
    "Mark",
    "Mean",
    "MeaninglessError",
    "Mutant",
    "Normal",
    "ProofError",
    "Step",
    "WrongStepError",
    "check",
    "check_all",
    "check_step",
    "density",
    "derivation",
    "indexed",
    "is_caught",
    "largest_difference",
    "planted_errors",
    "regular_functions",
    "typeset",
    "work_out",
]

# In the order of the lecture: a part may cite those before it.
PARTS = (autoencoder, vae, em, forward, posterior, bound)
DERIVATIONS: dict[str, Derivation] = by_id("derivations", ((d.key, d) for part in PARTS for d in part.DERIVATIONS))
kernel.register(DERIVATIONS.values())
reserve()
EXPERIMENTS: dict[str, Experiment] = by_id("experiments", ((e.key, e) for part in PARTS for e in part.EXPERIMENTS))


def derivation(key: str) -> Derivation:
    """The chain that proves a statement: ``"F28"``; of several, ``"F28.base"``.

    Raises:
        KeyError: there is none. The message names those of the same statement.
    """
    if key not in DERIVATIONS:
        formula = key.partition(".")[0]
        near = [other for other in DERIVATIONS if other.partition(".")[0] == formula]
        hint = f"there are {', '.join(near)}" if near else "see symbolic.DERIVATIONS and symbolic.EXPERIMENTS"
        raise KeyError(f"no derivation {key}: {hint}")
    return DERIVATIONS[key]
