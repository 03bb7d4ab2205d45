"""Every public function of the package, called rightly and then with one argument wrong.

A wrong call must raise an error of the package's own, a ValueError or a TypeError that names the argument, or give what
the converted argument gives. A public function that has no right call here turns a test red, so that the next one is
tried too.

The check of types and shapes by which the other tests run the package is off here: users do not have it.
"""

import collections.abc
import contextlib
import dataclasses
import importlib
import inspect
import io
import itertools
import pkgutil
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import jaxtyping
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

import lecture11
from lecture11 import autoencoder, data, diffusion, gaussian, networks, vae

MODULES = (
    "gaussian", "autoencoder", "vae", "em", "diffusion", "networks", "evaluation", "figures", "widgets", "data",
    "data.dataset", "data.planar",
)  # fmt: skip
# Modules whose functions are not tried here.
OTHER_MODULES = {
    "arguments": "what the trainer asks its arguments: test_training.py",
    "checkpoints": "files: test_training.py, test_cli.py",
    "checks": "what tries the others: test_checks.py",
    "cli": "the commands: test_cli.py, test_commands.py",
    "commands": "test_cli.py, test_commands.py",
    "homework": "what students write: tests/homework",
    "models": "names of models and settings: test_models.py, test_commands.py",
    "precision": "test_precision.py",
    "processes": "test_training.py, test_commands.py",
    "registry": "test_symbolic_vae.py, homework/test_homework_answers.py",
    "symbolic": "false statements: test_symbolic_sceptic.py",
    "training": "test_training.py",
}


def of_classes(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
    """A model that takes a class."""
    return 0.1 * x_t if y is None else 0.1 * x_t + y.view(-1, *[1] * (x_t.ndim - 1))


# Public, and not tried here.
ELSEWHERE = {
    "data.load": "reads files: test_data.py",
    "data.dataset.checked_range": "by Dataset.rescaled, and in test_data.py",
    "gaussian.Mixture.to": "takes what torch.Tensor.to takes",
    "gaussian.total": "a step of the functions that check",
    "figures.use_style": "takes nothing",
    "data.planar.gaussian_mixture": "takes nothing",
} | dict.fromkeys(
    ["data.folder.Folder", "data.folder.Folder.batches", "data.folder.Folder.first", "data.folder.Folder.part",
     "data.folder.Folder.fingerprint", "data.from_files"],
    "reads files: test_commands.py",
) | dict.fromkeys(
    ["vae.Elbo", "vae.NaiveEstimate", "em.EMState", "evaluation.Estimate", "evaluation.SampleQuality",
     "diffusion.bound.Bound", "diffusion.sampling.Stage"],
    "what functions return, made by nobody else",
)  # fmt: skip


def short(function: Any) -> str:
    return f"{function.__module__}.{function.__qualname__}".removeprefix("lecture11.").removesuffix(".__init__")


def public() -> dict[str, Callable]:
    """What the modules offer: functions, constructors and methods, by name."""
    found: dict[str, Callable] = {}
    for name in MODULES:
        module = importlib.import_module(f"lecture11.{name}")
        for label in getattr(module, "__all__", vars(module)):
            thing = getattr(module, label)
            home = getattr(thing, "__module__", None) or ""
            if label.startswith("_") or not home.startswith("lecture11") or home == "lecture11.checks":
                continue
            if home == "lecture11.precision" or (isinstance(thing, type) and issubclass(thing, BaseException)):
                continue
            if not isinstance(thing, type):
                if inspect.isfunction(thing) and (home == module.__name__ or hasattr(module, "__all__")):
                    found[short(thing)] = thing
            elif home.startswith(module.__name__) or hasattr(module, "__all__"):
                found[short(thing)] = thing
                for method, value in vars(thing).items():
                    if not method.startswith("_") or (method == "__call__"):
                        value = getattr(value, "__func__", value)
                        if inspect.isfunction(value):
                            found[f"{short(thing)}.{method}"] = getattr(thing, method)
    return found


# Right calls: arguments by name. Made anew for each call, since generators and figures are used up.


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=dtype)


def single(*shape: int, seed: int = 0) -> Tensor:
    return randn(*shape, seed=seed, dtype=torch.float32)


def pixels(n: int = 3, *shape: int) -> Tensor:
    return torch.randint(256, (n, *(shape or (1, 2, 3))), generator=rng(5)).double() / 127.5 - 1


def some_model(x_t: Tensor, t: Tensor) -> Tensor:
    return 0.9 * x_t + 0.01 * t.view(-1, *[1] * (x_t.ndim - 1))


def halved(x: Tensor) -> Tensor:
    return x / 2


def of_sum(z: Tensor) -> Tensor:
    return z.sum(1)


def seeded(make: Callable[[], Any]) -> Any:
    torch.manual_seed(0)
    return make()


S = diffusion.NoiseSchedule.linear(12, 0.01, 0.3)
ONE = gaussian.Mixture(torch.ones(1).double(), randn(1, 2), torch.eye(2).double()[None])
TWO = gaussian.Mixture(torch.tensor([0.3, 0.7]).double(), randn(2, 2), torch.eye(2).double().repeat(2, 1, 1))
LINEAR = vae.LinearGaussian(randn(4, 2), randn(4), 0.5)
T3 = torch.tensor([1, 7, 12])


def mlp_vae(likelihood: str = "gaussian") -> vae.VAE:
    return seeded(lambda: vae.VAE(networks.MLP((4,), (5,), (2, 2)), networks.MLP((2,), (5,), (4,)), likelihood))


def axes() -> Any:
    return plt.subplots()[1]


def image(n: int = 0) -> Tensor:
    return torch.rand(*([n] if n else []), 1, 4, 4, generator=rng(2))


def figure_list(n: int = 2) -> list[Figure]:
    return [plt.figure(figsize=(1, 1)) for _ in range(n)]


def dataset() -> data.Dataset:
    return data.Dataset(image(5), torch.arange(5), "some", "train", (0.0, 1.0))


MODEL: dict[str, Any] = {"model": some_model, "s": S}
STEP: dict[str, Any] = {"variance": "beta", "clip": True}
GRID: dict[str, Any] = {"cdf": "tanh", "levels": 17}

RIGHT: dict[str, Callable[[], dict[str, Any]]] = {
    "gaussian.log_prob": lambda: {"x": randn(3, 2), "mean": randn(3, 2, seed=1), "log_var": randn(3, 2, seed=2)},
    "gaussian.kl": lambda: {
        name: randn(3, 2, seed=i) for i, name in enumerate(("mu_q", "log_var_q", "mu_p", "log_var_p"))
    },
    "gaussian.kl_to_standard_normal": lambda: {"mu": randn(3, 2), "log_var": randn(3, 2, seed=1)},
    "gaussian.reparametrise": lambda: {"mu": randn(3, 2), "log_var": randn(3, 2, seed=1), "eps": randn(3, 2, seed=2)},
    "gaussian.noise_like": lambda: {"x": randn(3, 2), "generator": rng()},
    "gaussian.standard_normal": lambda: {"seed": 3, "dtype": torch.float64},
    "gaussian.Mixture": lambda: {f.name: getattr(TWO, f.name) for f in dataclasses.fields(TWO)},
    "gaussian.Mixture.noised": lambda: {"self": TWO, "noise_std": 0.5},
    "gaussian.Mixture.log_prob": lambda: {"self": TWO, "x": randn(3, 2)},
    "gaussian.Mixture.responsibilities": lambda: {"self": TWO, "x": randn(3, 2)},
    "gaussian.Mixture.score": lambda: {"self": TWO, "x": randn(3, 2)},
    "gaussian.Mixture.sample": lambda: {"self": TWO, "n": 3, "generator": rng()},
    # Auto-encoders
    "autoencoder.AutoEncoder": lambda: {"encoder": nn.Linear(4, 2), "decoder": nn.Linear(2, 4)},
    "autoencoder.AutoEncoder.encode": lambda: {"self": seeded(lambda: autoencoder.linear(4, 2)), "x": single(3, 4)},
    "autoencoder.AutoEncoder.decode": lambda: {"self": seeded(lambda: autoencoder.linear(4, 2)), "z": single(3, 2)},
    "autoencoder.AutoEncoder.forward": lambda: {"self": seeded(lambda: autoencoder.linear(4, 2)), "x": single(3, 4)},
    "autoencoder.linear": lambda: {"d": 4, "k": 2},
    "autoencoder.reconstruction_error": lambda: {"model": halved, "x": randn(3, 1, 2, 2)},
    "autoencoder.denoising_error": lambda: {
        "model": halved, "x": randn(3, 4), "noise_std": 0.5, "eps": randn(3, 4, seed=1)
    },
    "autoencoder.add_noise": lambda: {"x": randn(3, 4), "noise_std": torch.rand(3).double(), "generator": rng()},
    "autoencoder.PCA": lambda: {"x": randn(6, 1, 2, 2), "k": 2},
    "autoencoder.PCA.encode": lambda: {"self": autoencoder.PCA(randn(6, 1, 2, 2), 2), "x": randn(3, 1, 2, 2)},
    "autoencoder.PCA.decode": lambda: {"self": autoencoder.PCA(randn(6, 1, 2, 2), 2), "z": randn(3, 2)},
    "autoencoder.PCA.__call__": lambda: {"self": autoencoder.PCA(randn(6, 1, 2, 2), 2), "x": randn(3, 1, 2, 2)},
    "autoencoder.principal_angles": lambda: {"a": randn(4, 2), "b": randn(4, 2, seed=1)},
    "autoencoder.optimal_denoiser": lambda: {"clean": TWO, "y": randn(3, 2), "noise_std": 0.5},
    "autoencoder.score_of_denoiser": lambda: {"denoised": randn(3, 2), "y": randn(3, 2, seed=1), "noise_std": 0.5},
    "autoencoder.walk_to_data": lambda: {
        "denoise": lambda y, s: y / (1 + s), "y": randn(3, 2), "noise_stds": [2.0, 1.0, 0.0]
    },
    # VAEs
    "vae.VAE": lambda: {
        "encoder": nn.Linear(4, 2), "decoder": nn.Linear(2, 4), "likelihood": "bernoulli", "latents": 2,
    },
    "vae.VAE.encode": lambda: {"self": mlp_vae(), "x": single(3, 4)},
    "vae.VAE.mean": lambda: {"self": mlp_vae(), "z": single(3, 2)},
    "vae.VAE.log_likelihood": lambda: {
        "self": mlp_vae("bernoulli"), "x": single(3, 4).gt(0).float(), "z": single(5, 3, 2),
    },
    "vae.VAE.elbo": lambda: {"self": mlp_vae(), "x": single(3, 4), "eps": single(3, 2)},
    "vae.VAE.log_weights": lambda: {"self": mlp_vae(), "x": single(3, 4), "k": 5, "eps": single(5, 3, 2)},
    "vae.VAE.importance_weighted_bound": lambda: {"self": mlp_vae(), "x": single(3, 4), "k": 5, "eps": single(5, 3, 2)},
    "vae.VAE.log_marginal": lambda: {"self": mlp_vae(), "x": single(3, 4), "k": 5, "generator": rng(), "chunk": 7},
    "vae.VAE.sample": lambda: {"self": mlp_vae("sigma-gaussian"), "n": 3, "generator": rng()},
    "vae.aggregated_log_prob": lambda: {"z": randn(5, 2), "mu": randn(3, 2), "log_var": randn(3, 2, seed=1)},
    "vae.negative_bound": lambda: {
        "model": mlp_vae("bernoulli"), "x": torch.rand(3, 4), "k": 2, "redraw": True, "generator": rng()
    },
    "vae.reparametrised_gradient": lambda: {
        "f": of_sum, "mu": randn(2), "log_var": randn(2, seed=1), "eps": randn(5, 2)
    },
    "vae.score_function_gradient": lambda: {
        "f": of_sum, "mu": randn(2), "log_var": randn(2, seed=1), "eps": randn(5, 2)
    },
    "vae.LinearGaussian": lambda: {"weight": randn(4, 2), "bias": randn(4), "variance": 0.5},
    "vae.LinearGaussian.optimum": lambda: {"x": randn(9, 4), "k": 2, "variance": 0.5},
    "vae.LinearGaussian.log_likelihood": lambda: {"self": LINEAR, "x": randn(3, 4), "z": randn(3, 2)},
    "vae.LinearGaussian.log_prob": lambda: {"self": LINEAR, "x": randn(3, 4)},
    "vae.LinearGaussian.posterior": lambda: {"self": LINEAR, "x": randn(3, 4)},
    "vae.LinearGaussian.elbo": lambda: {
        "self": LINEAR, "x": randn(3, 4), "mean": randn(3, 2), "covariance": torch.eye(2).double()
    },
    "vae.naive_log_marginal": lambda: {"model": LINEAR, "x": randn(3, 4), "k": 5, "generator": rng()},
    "em.fit": lambda: {"model": LINEAR, "x": randn(9, 4), "steps": 3},
    "em.fit_exactly": lambda: {"model": LINEAR, "x": randn(9, 4), "steps": 3},
    "em.fit_by_gradient": lambda: {
        "model": mlp_vae(), "x": single(9, 4), "steps": 3, "e_steps": 1, "m_steps": 2, "joint": False, "batch_size": 4,
        "lr": 0.01, "seed": 3,
    },
    "em.e_step": lambda: {"model": LINEAR, "x": randn(9, 4)},
    "em.m_step": lambda: {"model": LINEAR, "x": randn(9, 4), "mean": randn(9, 2), "covariance": torch.eye(2).double()},
    # Diffusion
    "diffusion.schedule.NoiseSchedule": lambda: {"betas": torch.tensor([0.1, 0.2, 0.3]).double()},
    "diffusion.schedule.NoiseSchedule.linear": lambda: {"T": 20, "beta_1": 0.001, "beta_T": 0.01, "rescale": True},
    "diffusion.schedule.NoiseSchedule.cosine": lambda: {"T": 20, "max_beta": 0.5},
    "diffusion.schedule.NoiseSchedule.variance_between": lambda: {"self": S, "t_from": T3 - 1, "t_to": T3},
    "diffusion.schedule.NoiseSchedule.check": lambda: {"self": S, "t": T3, "first": 1},
    "diffusion.forward.q_step": lambda: {"s": S, "x_prev": randn(3, 2), "t": T3, "eps": randn(3, 2, seed=1)},
    "diffusion.forward.q_sample": lambda: {"s": S, "x_0": randn(3, 2), "t": T3, "eps": randn(3, 2, seed=1)},
    "diffusion.forward.q_merged": lambda: {
        "s": S, "x": randn(3, 2), "t_from": T3 - 1, "t_to": T3, "eps": randn(3, 2, seed=1)
    },
    "diffusion.forward.q_chain": lambda: {"s": S, "x_0": randn(3, 2), "generator": rng()},
    "diffusion.forward.simple_loss": lambda: MODEL | {"x_0": randn(3, 2), "t": T3, "eps": randn(3, 2, seed=1)},
    "diffusion.posterior.predict_x0": lambda: {"s": S, "x_t": randn(3, 2), "t": T3, "eps": randn(3, 2, seed=1)},
    "diffusion.posterior.posterior_mean_from_x0": lambda: {
        "s": S, "x_0": randn(3, 2), "x_t": randn(3, 2, seed=1), "t": T3
    },
    "diffusion.posterior.posterior_mean_from_eps": lambda: {
        "s": S, "x_t": randn(3, 2), "t": T3, "eps": randn(3, 2, seed=1)
    },
    "diffusion.exact.noised_law": lambda: {"s": S, "data": TWO, "t": 3},
    "diffusion.exact.optimal_class_eps": lambda: {
        "s": S, "data": TWO, "classes": torch.tensor([0, 1]), "x_t": randn(3, 2), "t": T3, "y": torch.tensor([0, 1, 1])
    },
    "diffusion.exact.optimal_eps": lambda: {"s": S, "data": TWO, "x_t": randn(3, 2), "t": T3},
    "diffusion.exact.reverse_law": lambda: {"s": S, "data": TWO, "x_t": randn(2), "t": 3},
    "diffusion.exact.sampler_law": lambda: {"s": S, "data": ONE, "variance": "beta"},
    "diffusion.sampling.step_variance": lambda: {"s": S, "t": T3, "variance": "beta"},
    "diffusion.sampling.p_mean": lambda: {
        "s": S, "x_t": randn(3, 2), "t": T3, "eps": randn(3, 2, seed=1), "clip": True,
    },
    "diffusion.sampling.p_step": lambda: STEP
    | {"s": S, "x_t": randn(3, 2), "t": T3, "eps": randn(3, 2, seed=1), "noise": randn(3, 2, seed=2)},
    "diffusion.sampling.sample_chain": lambda: MODEL
    | STEP
    | {"shape": (3, 2), "generator": rng(), "x_T": randn(3, 2)},
    "diffusion.sampling.sample": lambda: MODEL | STEP | {"shape": (3, 2), "generator": rng(), "x_T": randn(3, 2)},
    "diffusion.sampling.ddim_step": lambda: {
        "s": S, "x_t": randn(3, 2), "t": T3, "t_prev": T3 - 1, "eps": randn(3, 2, seed=1), "eta": 0.5,
        "noise": randn(3, 2, seed=2), "clip": True,
    },
    "diffusion.sampling.ddim_chain": lambda: MODEL
    | {"shape": (3, 2), "steps": [3, 7, 12], "eta": 0.5, "clip": True, "generator": rng(), "x_T": randn(3, 2)},
    "diffusion.sampling.ddim_sample": lambda: MODEL
    | {"shape": (3, 2), "steps": 5, "eta": 0.5, "clip": True, "generator": rng(), "x_T": randn(3, 2)},
    "diffusion.sampling.dpm_chain": lambda: MODEL
    | {"shape": (3, 2), "steps": [3, 7, 12], "clip": True, "generator": rng(), "x_T": randn(3, 2)},
    "diffusion.sampling.dpm_sample": lambda: MODEL
    | {"shape": (3, 2), "steps": 5, "clip": True, "generator": rng(), "x_T": randn(3, 2)},
    "diffusion.sampling.karras_steps": lambda: {"s": S, "n": 5, "rho": 7.0},
    "diffusion.guidance.Guided": lambda: {"model": of_classes, "y": torch.tensor([0, 1, 1]), "scale": 2.0},
    "diffusion.guidance.Guided.forward": lambda: {
        "self": diffusion.Guided(of_classes, torch.tensor([0, 1, 1]), 2.0), "x_t": randn(3, 2), "t": T3
    },
    "diffusion.velocity.VelocityModel": lambda: {
        "network": seeded(lambda: networks.TimeMLP(2, (4,), 6)), "s": S
    },
    "diffusion.velocity.VelocityModel.forward": lambda: {
        "self": diffusion.VelocityModel(seeded(lambda: networks.TimeMLP(2, (4,), 6)), S), "x_t": single(3, 2), "t": T3
    },
    "diffusion.bound.prior_divergence": lambda: {"s": S, "x_0": randn(3, 2)},
    "diffusion.bound.step_divergence": lambda: MODEL
    | STEP
    | {"x_0": pixels(), "t": torch.tensor([2, 7, 12]), "eps": randn(3, 1, 2, 3)},
    "diffusion.bound.optimal_variance": lambda: MODEL
    | {"x_0": pixels(), "draws": 2, "per_dim": True, "clip": True, "generator": rng()},
    "diffusion.bound.decoder_log_prob": lambda: MODEL | STEP | GRID | {"x_0": pixels(), "x_1": randn(3, 1, 2, 3)},
    "diffusion.bound.discretised_log_likelihood": lambda: GRID
    | {"x_0": pixels(), "mean": randn(3, 1, 2, 3), "log_scale": randn(3, 1, 2, 3, seed=1)},
    "diffusion.bound.variational_bound": lambda: MODEL
    | STEP
    | GRID
    | {"x_0": pixels(), "noise": randn(12, 3, 1, 2, 3), "chunk": 7},
    "diffusion.bound.sampled_bound": lambda: MODEL | STEP | GRID | {"x_0": pixels(), "draws": 2, "generator": rng()},
    "diffusion.bound.negative_elbo_lines": lambda: MODEL | STEP | GRID | {"x_0": pixels(), "generator": rng()},
    # Networks
    "networks.MLP": lambda: {"in_shape": (2, 3), "hidden": (4,), "out_shape": (3,), "activation": nn.Tanh},
    "networks.MLP.forward": lambda: {"self": seeded(lambda: networks.MLP((2, 3), (4,), (3,))), "x": single(5, 2, 3)},
    "networks.NoiseLevelMLP": lambda: {"dim": 2, "hidden": (4,)},
    "networks.NoiseLevelMLP.forward": lambda: {
        "self": seeded(lambda: networks.NoiseLevelMLP(2, (4,))), "y": single(3, 2), "noise_std": torch.rand(3) + 0.1
    },
    "networks.timestep_embedding": lambda: {"t": T3, "dim": 6},
    "networks.TimeMLP": lambda: {"dim": 2, "hidden": (4,), "embedding": 6},
    "networks.TimeMLP.forward": lambda: {
        "self": seeded(lambda: networks.TimeMLP(2, (4,), 6)), "x_t": single(3, 2), "t": T3
    },
    "networks.UNet": lambda: {"channels": 1, "widths": (8, 16), "blocks": 1, "embedding": 8},
    "networks.UNet.forward": lambda: {
        "self": seeded(lambda: networks.UNet(1, (8,), embedding=8)), "x_t": single(3, 1, 4, 4), "t": T3
    },
    "networks.ImageClassifier": lambda: {"image_shape": (1, 8, 8), "classes": 3, "width": 8},
    "networks.ImageClassifier.features": lambda: {"self": classifier(), "x": single(3, 1, 8, 8)},
    "networks.ImageClassifier.forward": lambda: {"self": classifier(), "x": single(3, 1, 8, 8)},
    # Evaluation
    "evaluation.estimate": lambda: {"values": randn(5)},
    "evaluation.measured": lambda: {"value": 1.5, "digits": 4},
    "evaluation.verdict": lambda: {"claim": "error", "value": 0.5, "at_most": 1.0, "unit": "nats"},
    "evaluation.frechet_distance": lambda: {"a": randn(9, 3), "b": randn(8, 3, seed=1)},
    "evaluation.sample_quality": lambda: {
        "classifier": classifier(), "samples": pixels(9, 1, 8, 8).float(), "real": -pixels(8, 1, 8, 8).float()
    },
    "evaluation.Table": lambda: {"header": ["a", "b"], "rows": [["1", "2"]], "caption": "Some."},
    # Figures and widgets
    "figures.structure_of_autoencoder": lambda: {"image": image(), "code": randn(3), "reconstruction": image()},
    "figures.latent_curve": lambda: {
        "points": randn(5, 2), "reconstructions": randn(5, 2, seed=1), "curve": randn(7, 2), "title": "some"
    },
    "figures.codes_against_normal": lambda: {"codes": randn(5, 2), "labels": torch.arange(5)},
    "figures.structure_of_vae": lambda: {
        "image": image(), "mu": randn(3), "sigma": randn(3).exp(), "z": randn(3), "reconstruction": image()
    },
    "figures.denoising_chain": lambda: {"chain": {2: 2 * image() - 1, 1: 2 * image() - 1}},
    "figures.scatter_classes": lambda: {"ax": axes(), "points": randn(5, 2), "labels": torch.arange(5)},
    "figures.reparametrisation_graph": lambda: {
        "gradients": {"z": 1.0, "mu": 2.0, "sigma": 3.0, "theta": 4.0, "phi": 50.0}
    },
    "figures.image_rows": lambda: {"rows": {"a": image(2), "b": [image()]}, "low": -1.0},
    "figures.vector_field": lambda: {
        "ax": axes(), "points": randn(5, 2), "vectors": randn(5, 2, seed=1), "color": "red",
    },
    "figures.grid": lambda: {"limit": 2.0, "n": 3},
    "widgets.image_html": lambda: {"figure": plt.figure(figsize=(1, 1)), "alt": "some", "dpi": 40},
    "widgets.picture_slider": lambda: {
        "figures": figure_list(), "labels": ["a", "b"], "alts": ["some", "other"], "description": "which", "start": 1
    },
    "widgets.picture_grid": lambda: {
        "figures": [figure_list(), figure_list()], "row_labels": ["a", "b"], "column_labels": ["c", "d"],
        "alts": [["1", "2"], ["3", "4"]], "descriptions": ("row", "column"), "start": (0, 1),
    },
    # Data
    "data.dataset.Dataset": lambda: {f.name: getattr(dataset(), f.name) for f in dataclasses.fields(data.Dataset)},
    "data.dataset.Dataset.take": lambda: {"self": dataset(), "n": 3},
    "data.dataset.Dataset.part": lambda: {"self": dataset(), "rows": torch.tensor([0, 2])},
    "data.dataset.Dataset.rescaled": lambda: {"self": dataset(), "low": -1.0, "high": 1.0},
    "data.dataset.Dataset.binarised": lambda: {"self": dataset(), "generator": rng()},
} | {
    f"diffusion.schedule.NoiseSchedule.{table}": lambda: {"self": S, "t": T3}
    for table in ("beta", "alpha", "alpha_bar", "noise_variance", "snr", "posterior_variance", "loss_weight")
} | {f"data.planar.{name}": lambda: {"n": 5, "seed": 3} for name in ("ring", "moons", "swiss_roll")}  # fmt: skip


def classifier() -> networks.ImageClassifier:
    return seeded(lambda: networks.ImageClassifier((1, 8, 8), 3, 8))


# Where other values, numbers of examples or shapes are not wrong: 'function argument', or the argument anywhere.
ANY_VALUE = {"seed", "first", "networks.timestep_embedding t", "networks.TimeMLP.forward t", "data.dataset.Dataset y"}
ANY_NUMBER = {"value", "at_most", "low", "high"}
MANY_NUMBERS = {
    "autoencoder.add_noise x",
    "diffusion.bound.sampled_bound x_0",
    "diffusion.bound.optimal_variance x_0",
    "diffusion.bound.negative_elbo_lines x_0",
    "em.fit x",
    "em.fit_exactly x",
    "em.fit_by_gradient x",
    "evaluation.estimate values",
    "evaluation.frechet_distance a",
    "evaluation.frechet_distance b",
    "evaluation.sample_quality samples",
    "evaluation.sample_quality real",
    "vae.VAE.log_marginal x",
    "vae.negative_bound x",
    "em.e_step x",
    "vae.LinearGaussian.optimum x",
    "gaussian.noise_like x",
    "autoencoder.PCA x",
}
ANY_SHAPE = {
    "autoencoder.add_noise x",
    "autoencoder.walk_to_data y",
    "autoencoder.PCA x",
    "data.dataset.Dataset x",
    "autoencoder.reconstruction_error x",
    "diffusion.forward.q_chain x_0",
    "diffusion.bound.prior_divergence x_0",
    "diffusion.bound.sampled_bound x_0",
    "diffusion.bound.optimal_variance x_0",
    "diffusion.bound.negative_elbo_lines x_0",
    "diffusion.sampling.step_variance t",
    "em.m_step x",
    "networks.timestep_embedding t",
    "vae.LinearGaussian weight",
    "vae.VAE.log_likelihood z",
    "gaussian.noise_like x",
    "diffusion.guidance.Guided.forward x_t",
} | {f"{name} t" for name in RIGHT if name.startswith("diffusion.schedule.NoiseSchedule.")}
NONE_INSIDE = {
    "networks.MLP in_shape",
    "networks.MLP hidden",
    "networks.MLP out_shape",
    "networks.NoiseLevelMLP hidden",
    "networks.TimeMLP hidden",
}
# Arguments of several kinds.
KINDS = {"noise_std": "number", "log_scale": "number", "steps": "number list"}
# Errors that come from further in name the argument of what was called there.
ALSO = {
    "autoencoder.AutoEncoder.decode z": "x",
    "vae.VAE.mean z": "x",
    "vae.VAE.log_likelihood z": "x",
    "em.fit_by_gradient x": "data",
    "em.fit x": "data",
}


def wrong_tensors(x: Tensor) -> Iterator[tuple[str, Any]]:
    yield from (
        ("numpy", x.numpy()), ("list", x.tolist()), ("None", None), ("text", "x"), ("object", object()),
        ("complex", x.to(torch.complex64)), ("bool", x > 0), ("leading axis", x[None]), ("trailing axis", x[..., None]),
        ("empty", x[:0]), ("int16", (100 * x).to(torch.int16) if x.is_floating_point() else x.to(torch.int16)),
        ("uint8", (100 * x).to(torch.uint8) if x.is_floating_point() else x.to(torch.uint8)),
    )  # fmt: skip
    if len(x) > 1:
        yield "one example", x[:1]
        yield "another number of examples", torch.cat([x, x])
    if x.ndim > 1 and x.shape[-1] > 1:
        yield "last axis of length 1", x[..., :1]
    if x.is_floating_point():
        yield from (("int64", (100 * x).long()), ("number", 0.5), ("nan", x * float("nan")), ("infinite", x / 0))
        yield "another precision", x.to(torch.float32 if x.dtype == torch.float64 else torch.float64)
    else:
        yield from (("float", x.float()), ("number in text", "3"), ("negative", x - 100), ("too large", x + 10_000))


def wrong_integers(k: int) -> Iterator[tuple[str, Any]]:
    yield from (
        ("fraction", k + 0.5), ("float", float(k)), ("True", True), ("text", str(k)), ("None", None), ("list", [k]),
        ("nan", float("nan")), ("NumPy's int64", np.int64(k)), ("NumPy's uint8", np.uint8(k)), ("negative", -1),
        ("zero", 0), ("tensor of floats", torch.tensor([1.5, 2.5])), ("NumPy array", np.array([k, k])),
    )  # fmt: skip


def wrong_numbers(a: float) -> Iterator[tuple[str, Any]]:
    yield from (
        ("nan", float("nan")), ("infinite", float("inf")), ("text", str(a)), ("None", None), ("True", True),
        ("list", [a]), ("complex", complex(a)), ("NumPy's float64", np.float64(a)), ("NumPy's float32", np.float32(a)),
        ("tensor of integers", torch.tensor([1, 2])), ("NumPy array", np.array([a, a])),
        ("0-dim tensor", torch.tensor(a)),
    )  # fmt: skip


def wrong_functions(f: Callable) -> Iterator[tuple[str, Any]]:
    yield from (("None", None), ("number", 3), ("text", "model"))
    for name, spoil in (
        ("gives None", lambda out: None), ("gives a tuple", lambda out: (out,)),
        ("gives NumPy", lambda out: out.numpy()),
        ("gives one example", lambda out: out[:1]), ("gives integers", lambda out: out.long()),
        ("gives another axis", lambda out: out[..., None]),
    ):  # fmt: skip
        yield name, lambda *args, spoil=spoil: spoil(f(*args).detach())


def wrong_sequences(values: Any) -> Iterator[tuple[str, Any]]:
    yield from (("None", None), ("number", 5), ("text", "ab"), ("None inside", [None, *values[1:]]))
    if all(isinstance(v, int) for v in values):
        yield from (
            ("fraction inside", [values[0] + 0.5, *values[1:]]), ("True inside", [True, *values[1:]]),
            ("negative inside", [-1, *values[1:]]), ("zero inside", [0, *values[1:]]),
            ("NumPy array", np.array(values)),
            ("NumPy's integers", [np.int64(v) for v in values]), ("empty", []),
        )  # fmt: skip
    elif all(isinstance(v, float) for v in values):
        yield from (("nan inside", [float("nan"), *values[1:]]), ("NumPy array", np.array(values)), ("empty", []))
        yield "tensor", torch.tensor(values, dtype=torch.float64)


def wrong_others(value: Any) -> Iterator[tuple[str, Any]]:
    yield from (("None", None), ("number", 3), ("object", object()))
    if not isinstance(value, str):
        yield "text", "x"


def wrong(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, bool):
        return iter([("text", "no"), ("None", None), ("number", 0.5), ("tensor", torch.tensor([1, 2]))])
    for kind, mutations in (
        (Tensor, wrong_tensors), (int, wrong_integers), (float, wrong_numbers), (list | tuple, wrong_sequences),
        (nn.Module | gaussian.Mixture | vae.LinearGaussian, wrong_others), (Callable, wrong_functions),
    ):  # fmt: skip
        if isinstance(value, kind):  # type: ignore[arg-type]
            return mutations(value)
    return wrong_others(value)


# What came out


def observed(result: Any) -> Any:
    """The numbers and texts in a result, nested as they are."""
    if isinstance(result, Tensor):
        return result.detach().double()
    if isinstance(result, bool | int | float | np.number):
        return torch.tensor(float(result), dtype=torch.float64)
    if isinstance(result, torch.Generator | str | None):
        return str(result) if isinstance(result, str) else None
    if isinstance(result, nn.Module):
        return [str(tuple(p.shape)) for p in result.parameters()]
    if isinstance(result, diffusion.NoiseSchedule):
        return result.betas
    if isinstance(result, autoencoder.PCA):
        return result.components
    if dataclasses.is_dataclass(result):
        return [observed(getattr(result, field.name)) for field in dataclasses.fields(result)]
    if isinstance(result, collections.abc.Mapping):
        result = list(result.values())
    if isinstance(result, list | tuple | Iterator):
        return [observed(entry) for entry in itertools.islice(result, 20)]
    return type(result).__name__


def agree(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(agree, a, b))
    return a == b


def rows_agree(a: Any, b: Any) -> bool:
    """Whether they agree but for the number of examples: each has its own result."""
    if isinstance(a, Tensor) and isinstance(b, Tensor) and a.ndim and a.ndim == b.ndim and len(a) != len(b):
        n = min(len(a), len(b))
        return agree(a[:n], b[:n])
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return all(map(rows_agree, a, b))
    return agree(a, b)


def finite(a: Any) -> bool:
    if isinstance(a, Tensor):
        return bool(a.isfinite().all())
    return all(map(finite, a)) if isinstance(a, list) else True


def call(function: Callable, arguments: dict[str, Any]) -> Any:
    arguments = dict(arguments)
    first = [arguments.pop("self")] if "self" in arguments else []
    shape = [2, 3] if function is gaussian.standard_normal else []
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        try:
            return observed(function(*first, *shape, **arguments))
        finally:
            plt.close("all")


def names_it(error: BaseException, place: str) -> bool:
    """Whether the package itself raised it, as a kind of error that a caller can tell, and it names the argument."""
    raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    inside = Path(lecture11.__file__).parent in raised_in.parents
    telling = isinstance(error, ValueError | TypeError) or type(error).__module__.startswith("lecture11")
    names = {place.split()[1], ALSO.get(place, place.split()[1])}
    return inside and telling and any(re.search(rf"\b{name}\b", str(error)) for name in names)


def is_right(place: str, label: str, arguments: dict[str, Any], result: Any, right: Any) -> bool:
    argument = place.split()[1]
    return (
        agree(result, right)
        or (label in ("nan", "infinite", "nan inside") and not finite(result))
        or (label == "infinite" and "clip" in arguments)  # which cuts it, as it says
        or (label in ("negative", "zero", "too large") and bool(ANY_VALUE & {argument, place}))
        or (label in ("nan", "infinite") and argument in ANY_NUMBER)
        or (label == "zero" and place == "diffusion.exact.noised_law t")
        or ("example" in label and (rows_agree(result, right) or place in MANY_NUMBERS))
        or (("axis" in label or "example" in label or label == "empty") and place in ANY_SHAPE | NONE_INSIDE)
        or (label in KINDS.get(argument, "").split())
        or (label == "another precision" and "generator" in arguments)  # other numbers are drawn
    )


def may_be_none(function: Callable, argument: str) -> bool:
    parameter = inspect.signature(function).parameters[argument]
    return parameter.default is None or type(None) in get_args(parameter.annotation)


def faults(name: str, function: Callable) -> Iterator[str]:
    """What went wrong of all wrong calls."""
    right = call(function, RIGHT[name]())
    for argument, value in RIGHT[name]().items():
        for label, _ in [] if argument == "self" else wrong(value):
            if label == "None" and may_be_none(function, argument):
                continue
            arguments = RIGHT[name]()
            arguments[argument] = dict(wrong(arguments[argument]))[label]
            place = f"{name} {argument}"
            try:
                result = call(function, arguments)
            except AssertionError as error:
                if name != "evaluation.verdict":
                    yield f"{place}: {label}: AssertionError {error}"
            except Exception as error:
                if not names_it(error, place):
                    yield f"{place}: {label}: {type(error).__name__} {error}"
            else:
                if not is_right(place, label, arguments, result, right):
                    yield f"{place}: {label}: another result, without a word: {result}"


@pytest.fixture
def as_users_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def test_every_module_is_tried_here_or_elsewhere() -> None:
    assert {module.name for module in pkgutil.iter_modules(lecture11.__path__)} == {
        name for name in (*MODULES, *OTHER_MODULES) if "." not in name
    }


def test_every_public_function_is_tried() -> None:
    assert set(public()) == set(RIGHT) | set(ELSEWHERE)


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize("name", sorted(RIGHT))
def test_wrong_arguments_are_refused_by_name_or_harmless(name: str) -> None:
    assert list(faults(name, public()[name])) == []


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("gaussian.kl_to_standard_normal", ["mu: uint8", "log_var: last axis of length 1", "mu: numpy"]),
        ("diffusion.forward.q_sample", ["x_0: int64", "eps: one example", "eps: leading axis", "s: None"]),
        ("autoencoder.add_noise", ["x: numpy", "x: complex"]),
        ("evaluation.estimate", ["values: numpy", "values: bool"]),
    ],
)
def test_a_function_that_checks_nothing_is_seen(name: str, seen: list[str]) -> None:
    found = list(faults(name, public()[name].__wrapped__))
    assert all(any(fault.startswith(f"{name} {what}:") for fault in found) for what in seen), found
