"""Variational auto-encoders: the likelihood, the bound below it, the divergence, and gradients (F6-F17).

Codes of one number are enough where coordinates do not mix: for a diagonal covariance densities are products over the
coordinates, and their logarithms and divergences are sums (``F7``, ``F16.product``, ``F16``). Images have ``d``
pixels throughout.
"""

from lecture11.symbolic.vae import decoder, elbo, gradients

DERIVATIONS = (*decoder.DERIVATIONS, *elbo.DERIVATIONS, *gradients.DERIVATIONS)
EXPERIMENTS = (*decoder.EXPERIMENTS, *gradients.EXPERIMENTS)
