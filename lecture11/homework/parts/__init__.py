"""The parts of the four homeworks, in the order of the lecture: reference answers and known mistakes.

In a process that runs what students wrote, this package need not be there.
"""

from lecture11.homework.part import Part
from lecture11.homework.parts.autoencoders import PARTS as AUTOENCODERS
from lecture11.homework.parts.diffusion import PARTS as DIFFUSION
from lecture11.homework.parts.em import PARTS as EM
from lecture11.homework.parts.vae import PARTS as VAE

PARTS: dict[str, Part] = {part.id: part for part in (*AUTOENCODERS, *VAE, *EM, *DIFFUSION)}
