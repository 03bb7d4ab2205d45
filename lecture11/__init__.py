"""The package behind the course: formulas, models, samplers and checks, one module per part of the lecture.

Import what you need, for example ``from lecture11 import data, autoencoder``. This module itself imports
nothing, so that ``import lecture11`` costs no time and no torch.
"""

__version__ = "0.1.0"
