"""The parts of the four homeworks, a file for each, in the order of the lecture: reference answers and known mistakes.

In a process that runs what students wrote, this package need not be there.
"""

from lecture11.homework.part import Part
from lecture11.homework.parts import (
    alpha_bar,
    best_denoiser,
    denoising_loss,
    e_step,
    effective_sample_size,
    elbo,
    elbo_kl,
    em_curve,
    error_curve,
    gaussian_log_prob,
    half_signal,
    iw_bound,
    kl_per_latent,
    linear_elbo,
    loss_weight,
    m_step,
    mu_theta,
    pca_reconstruct,
    posterior,
    q_sample,
    q_step,
    reconstruction_error,
    reparametrise,
    sampler,
    score_gradient,
    simple_loss,
)
from lecture11.registry import by_id

_IN_ORDER = (
    *(reconstruction_error, pca_reconstruct, error_curve, denoising_loss, best_denoiser),
    *(gaussian_log_prob, elbo_kl, elbo, iw_bound, effective_sample_size, kl_per_latent),
    *(reparametrise, score_gradient, e_step, m_step, linear_elbo, em_curve),
    *(alpha_bar, q_step, q_sample, half_signal, simple_loss, posterior, mu_theta, sampler, loss_weight),
)

PARTS: dict[str, Part] = by_id("parts", ((module.PART.id, module.PART) for module in _IN_ORDER))
