"""Answers to each part, a file for each: right ones in different ways, and wrong ones as people write them.

None is made from the package's own catalogue of mistakes: they are written as a student would write them.
"""

from importlib import import_module

from answers.collected import RIGHT, WRONG, Wrong
from lecture11.homework.parts import PARTS

__all__ = ["RIGHT", "WRONG", "Wrong"]

for part in PARTS.values():
    import_module(f"answers.{part.answer}")
