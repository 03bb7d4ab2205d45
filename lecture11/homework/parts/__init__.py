"""The parts of the four homeworks, in the order of the lecture: reference answers and known mistakes.

In a process that runs what students wrote, this package need not be there.
"""

from lecture11.homework.part import Part
from lecture11.homework.parts import autoencoders, diffusion, em, vae

PARTS: dict[str, Part] = {
    part.id: part for module in (autoencoders, vae, em, diffusion) for part in module.PARTS
}  # fmt: skip
