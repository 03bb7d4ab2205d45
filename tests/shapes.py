"""What each process that runs unit tests imports before them: shapes checked at run time, one thread."""

import dataclasses
import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import hypothesis
import jaxtyping
import torch
from beartype import BeartypeConf, beartype

assert "lecture11" not in sys.modules, "lecture11 was imported before its shapes could be checked"
# Proofs hold no tensors, and walk over expressions; what checks the calls of users need not be checked itself. To check
# each call of these would take five times as long as they do.
importlib.import_module("lecture11.symbolic.falsehoods")
importlib.import_module("lecture11.symbolic.models")
importlib.import_module("lecture11.checks")
# The checks of homework call small functions a hundred thousand times; they have tests of what each gives back.
importlib.import_module("lecture11.homework.parts")
importlib.import_module("lecture11.homework.diagnosis")


by_jaxtyping = jaxtyping.jaxtyped
CALL = by_jaxtyping("context")  # the sizes of axes are those of one call
with_types = beartype(conf=BeartypeConf(violation_type=TypeError))


def without_forward_references(function: FunctionType) -> FunctionType:
    """The function with anything allowed where it names a type in quotes: mostly its own class, not made yet."""
    quoted = {name: Any for name, hint in function.__annotations__.items() if isinstance(hint, str)}
    if not quoted:
        return function
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, None, function.__closure__)
    functools.update_wrapper(copy, function)
    copy.__defaults__, copy.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    copy.__annotations__ = function.__annotations__ | quoted
    del copy.__wrapped__
    return copy


def checked_once(*, typechecker: Any) -> Callable:
    """In place of ``jaxtyping.jaxtyped``, which checks every argument twice: two thirds of the time of most tests.

    That is for its messages alone, which say what all axes are; beartype's say which argument is of which shape.
    """

    def decorate(thing: Any) -> Any:
        if isinstance(thing, type):
            if dataclasses.is_dataclass(thing):
                thing.__init__ = decorate(thing.__init__)
            return thing
        if inspect.isgeneratorfunction(thing):  # beartype would look at the arguments when the first is asked for
            return by_jaxtyping(thing, typechecker=typechecker)
        plain = without_forward_references(thing)
        checking = with_types(plain)
        if checking is plain:
            return thing  # nothing in its signature

        @functools.wraps(thing)
        def call(*args: Any, **kwargs: Any) -> Any:
            if jaxtyping.config.jaxtyping_disable:
                return thing(*args, **kwargs)
            with CALL:
                return checking(*args, **kwargs)

        return call

    return decorate


# From here on, every function of the package checks the shapes and types in its signature.
jaxtyping.jaxtyped = checked_once
jaxtyping.install_import_hook("lecture11", "beartype.beartype")

# Two workers with a thread each: with more they fight over the cores, and sums differ in their last digits.
torch.set_num_threads(1)

# No deadline: the first example of a test pays for imports and caches. Fixed examples: a red test stays red.
hypothesis.settings.register_profile("lecture11", deadline=None, derandomize=True)
hypothesis.settings.load_profile("lecture11")
