"""What can be wrong with a chain."""


class ProofError(Exception):
    """A chain that proves nothing. The message names the derivation and the step."""

    def __str__(self) -> str:
        return "".join(map(str, self.args))  # printed only when asked for: expressions are slow to print


class WrongStepError(ProofError):
    """The two ends of a step differ."""


class GapError(ProofError):
    """The two ends may be equal, but the step does not say why: no reason, a missing fact, one too many, or a leap."""


class CitationError(ProofError):
    """A step rests on what is not proved before it, or on a fact where it does not hold."""


class DefinitionError(ProofError):
    """What is called a definition is none: it does more than give a new name to an expression."""


class MeaninglessError(ProofError):
    """An expression that has no meaning for some values of its letters, or does not show that it has one."""
