"""Denoising diffusion: noise added step by step, taken away step by step, and the bound on the likelihood (F21-F41).

A model is any callable ``eps = model(x_t, t)``: the noise that it sees in ``x_t``, with ``t`` a LongTensor of steps
1..T, one an example. Images live in [-1, 1]. ``VelocityModel`` makes one of a network for ``v``, and ``Guided`` one of
a model that is asked for classes, ``model(x_t, t, y)``.
"""

from lecture11.diffusion.bound import (
    Bound,
    decoder_log_prob,
    discretised_log_likelihood,
    negative_elbo_lines,
    optimal_variance,
    prior_divergence,
    sampled_bound,
    step_divergence,
    variational_bound,
)
from lecture11.diffusion.exact import noised_law, optimal_class_eps, optimal_eps, reverse_law, sampler_law
from lecture11.diffusion.forward import q_chain, q_merged, q_sample, q_step, simple_loss
from lecture11.diffusion.guidance import Guided
from lecture11.diffusion.posterior import posterior_mean_from_eps, posterior_mean_from_x0, predict_x0
from lecture11.diffusion.sampling import (
    Stage,
    ddim_chain,
    ddim_sample,
    ddim_step,
    dpm_chain,
    dpm_sample,
    karras_steps,
    p_mean,
    p_step,
    sample,
    sample_chain,
    step_variance,
)
from lecture11.diffusion.schedule import NoiseSchedule
from lecture11.diffusion.velocity import VelocityModel
from lecture11.networks import timestep_embedding

__all__ = [
    "Bound",
    "Guided",
    "NoiseSchedule",
    "Stage",
    "VelocityModel",
    "ddim_chain",
    "ddim_sample",
    "ddim_step",
    "decoder_log_prob",
    "discretised_log_likelihood",
    "dpm_chain",
    "dpm_sample",
    "karras_steps",
    "negative_elbo_lines",
    "noised_law",
    "optimal_class_eps",
    "optimal_eps",
    "optimal_variance",
    "p_mean",
    "p_step",
    "posterior_mean_from_eps",
    "posterior_mean_from_x0",
    "predict_x0",
    "prior_divergence",
    "q_chain",
    "q_merged",
    "q_sample",
    "q_step",
    "reverse_law",
    "sample",
    "sample_chain",
    "sampled_bound",
    "sampler_law",
    "simple_loss",
    "step_divergence",
    "step_variance",
    "timestep_embedding",
    "variational_bound",
]
