"""``lecture11 export``: a model for other programs, as ONNX or as weights with a description."""

import argparse
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecture11.commands.common import described, in_a_line

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lecture11.models import own

TEXT = """\
Writes a model in a form that needs neither this package nor PyTorch.

  lecture11 export diffusion-mnist --format onnx    OUTPUT.onnx: eps(x_t, t) or, of a model with classes, eps(x_t, t, y)
  lecture11 export vae-mnist --format web           OUTPUT.safetensors and OUTPUT.json, which a page can read

ONNX files are run by onnxruntime and compared with PyTorch before they are kept: pip install "lecture11[export]". Of a
VAE and an auto-encoder there are two, OUTPUT-encoder.onnx and OUTPUT-decoder.onnx.
"""
TOLERANCE = 1e-5


def add(commands: Any) -> None:
    export = commands.add_parser("export", help="write a model for other programs: ONNX, or for a web page")
    described(export, TEXT)
    export.add_argument("model", help="a model that ships, or the file that lecture11 train wrote")
    export.add_argument("--format", choices=("onnx", "web"), default="onnx", help="(default: %(default)s)")
    export.add_argument("--output", type=Path, help="without its ending (default: the model's name)")
    export.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    def work() -> None:
        from lecture11 import checkpoints, models

        output = options.output or Path(Path(options.model).name.removesuffix(".safetensors"))
        endings = (".safetensors", ".json") if options.format == "web" else (".onnx",)
        for ending in endings:
            checkpoints.check_writable(f"{output}{ending}")
        settings, model = models.about(options.model), models.load(options.model)
        (web if options.format == "web" else onnx)(model, settings, output)

    return in_a_line("export", work)


def web(model: "nn.Module", settings: "own.Settings", output: Path) -> None:
    """Plain safetensors in half precision, and what a program must know to use them."""
    import safetensors.torch
    import torch

    from lecture11.models import SCHEDULE, own

    tensors = {name: x.half().contiguous() if x.is_floating_point() else x for name, x in model.state_dict().items()}
    # Not by save_file, whose files only their owner can read: a web server is somebody else.
    Path(f"{output}.safetensors").write_bytes(safetensors.torch.save(tensors))
    # How it was trained says nothing to a page, and JSON has no infinite ``clip_norm``.
    description = {key: value for key, value in settings.items() if key not in own.COMMON} | {"dtype": "float16"}
    if settings["kind"] == "diffusion":
        description["alpha_bar"] = SCHEDULE.alpha_bar(torch.arange(1, SCHEDULE.T + 1)).tolist()
    Path(f"{output}.json").write_text(json.dumps(description) + "\n", encoding="utf-8")
    print(f"{output}.safetensors and {output}.json: {len(tensors)} tensors")


def onnx(model: "nn.Module", settings: "own.Settings", output: Path) -> None:
    """Each part of the model as an ONNX file, kept if it answers as PyTorch does."""
    import torch

    shape, rng = tuple(settings["shape"]), torch.Generator().manual_seed(0)
    x = torch.randn(2, *shape, generator=rng)
    if settings["kind"] == "diffusion":
        t = torch.tensor([1, 700])
        y = (torch.tensor([0, settings["classes"]]),) if settings["classes"] else ()
        write(model, (x, t, *y), ["x_t", "t", "y"][: 2 + len(y)], "eps", Path(f"{output}.onnx"))
    elif settings["kind"] == "classifier":
        write(model, (x,), ["x"], "logits", Path(f"{output}.onnx"))
    else:
        is_vae = settings["kind"] == "vae"
        k = model.latents if is_vae else model.encode(x).shape[1]  # type: ignore[operator]
        z = torch.randn(2, k, generator=rng)  # type: ignore[arg-type]
        inner = {"encoder": (model.encoder, x, "x", "mu_log_var" if is_vae else "z"),
                 "decoder": (model.decoder, z, "z", "logits" if model.likelihood == "bernoulli" else "x")
                 if is_vae else (model.decoder, z, "z", "x")}  # fmt: skip
        for part, (network, example, name, answer) in inner.items():
            write(network, (example,), [name], answer, Path(f"{output}-{part}.onnx"))  # type: ignore[arg-type]


def write(network: "nn.Module", examples: "tuple[Tensor, ...]", names: list[str], answer: str, path: Path) -> None:
    """One ONNX file for batches of any size.

    Raises:
        ValueError: the libraries are missing, or its answers differ from PyTorch's.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  (PyTorch needs it, and says so in many lines)
    except ImportError as error:
        raise ValueError(f'{error.name} is missing: pip install "lecture11[export]"') from error
    import torch

    beside = path.with_name(f"{path.name}.tmp")
    batch = torch.export.Dim("batch", min=1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "# The axis name: batch will not be used")  # one name for all inputs
            torch.onnx.export(
                network.eval(), examples, beside, input_names=names, output_names=[answer], dynamo=True, verbose=False,
                external_data=False, dynamic_shapes=tuple({0: batch} for _ in examples),
            )  # fmt: skip
        run = onnxruntime.InferenceSession(beside, providers=["CPUExecutionProvider"])
        worst = 0.0  # of the largest answer, if that is above 1: such are the digits that float32 has
        for n in (2, 3):  # the batch that was traced, and another
            many = tuple(torch.cat([x, x])[:n] for x in examples)
            (found,) = run.run(None, {name: x.numpy() for name, x in zip(names, many, strict=True)})
            with torch.no_grad():
                expected = network(*many)
            difference = (torch.from_numpy(found) - expected).abs().max() / expected.abs().max().clamp(min=1)
            worst = max(worst, difference.item())
        if not worst <= TOLERANCE:
            raise ValueError(f"{path} would differ from PyTorch by {worst:.2g}, more than {TOLERANCE:g}: not written")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    print(f"{path}: at most {worst:.1g} from PyTorch; {path.stat().st_size:,} bytes")
