"""The commands on models of one's own, as a new user would call them: on data sets and on a folder of images."""

import contextlib
import gzip
import inspect
import io
import json
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import several
import torch
from PIL import Image

from lecture11 import checkpoints, cli, data, diffusion, models, networks, training, vae
from lecture11.commands import export

Run = Callable[..., tuple[int, str]]
TINY = ["--set", "widths=8,8", "batch_size=300", "epochs=2", "lr=0.01"]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> tuple[int, str]:
    """Exit status and what was printed, but for the progress bar."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        try:
            code = cli.main(arguments)
        except SystemExit as error:  # argparse's
            code = int(error.code or 0)
    return code, out.getvalue()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of coloured pictures of several shapes: dark ones and bright ones."""
    rng = np.random.default_rng(0)
    for name, level in (("bright", 200), ("dark", 20)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(level, level + 40, (16 + i % 3, 12, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i:02}.{'png' if i % 2 else 'jpg'}")
    return tmp_path / "photos"


def test_a_folder_is_read_at_one_size_and_a_tenth_is_held_out(photos: Path) -> None:
    train, test = (data.Folder(photos, split, side=8, labels=True, workers=0) for split in ("train", "test"))
    assert (len(train), len(test), train.shape, train.classes) == (36, 4, (3, 8, 8), ("bright", "dark"))
    assert not set(train.paths) & set(test.paths)
    x, y = next(train.batches(torch.arange(36)[None]))
    assert (x.shape, x.dtype) == ((36, 3, 8, 8), torch.float32)
    # The mean of a bright picture is 220 of 255, and of a dark one 40.
    assert x[y == 0].mean().item() == pytest.approx(220 / 255, abs=0.01)
    assert x[y == 1].mean().item() == pytest.approx(40 / 255, abs=0.01)
    signed = data.Folder(photos, "train", side=8, value_range=(-1.0, 1.0), channels=1, workers=0)
    (grey,) = next(signed.batches(torch.tensor([[0, 1]])))
    assert grey.shape == (2, 1, 8, 8)
    assert grey.mean().item() == pytest.approx(2 * 220 / 255 - 1, abs=0.02)
    # By processes that read ahead: the same pictures in the same order.
    ahead = data.Folder(photos, "train", side=8, labels=True, workers=1)
    for here, there in zip(train.batches(torch.arange(36).view(4, 9)), ahead.batches(torch.arange(36).view(4, 9)),
                           strict=True):  # fmt: skip
        assert torch.equal(here[0], there[0])
        assert torch.equal(here[1], there[1])


def test_a_folder_with_splits_of_its_own_keeps_them(photos: Path, here: Path) -> None:
    for split in ("train", "test"):
        (here / "sorted").mkdir(exist_ok=True)
        (photos / {"train": "bright", "test": "dark"}[split]).rename(here / "sorted" / split)
    train, test = (data.Folder(here / "sorted", split, workers=0) for split in ("train", "test"))
    assert (len(train), len(test), train.classes) == (20, 20, ())
    with pytest.raises(ValueError, match="their classes are not known"):
        data.Folder(here / "sorted", "train", labels=True)


@pytest.mark.parametrize("workers", [0, 1])
def test_what_is_wrong_with_a_folder_is_said(photos: Path, here: Path, workers: int) -> None:
    with pytest.raises(data.DataUnavailableError, match="'nowhere' is no folder of images"):
        data.Folder("nowhere", "train")
    (here / "empty").mkdir()
    with pytest.raises(data.DataUnavailableError, match=r"empty holds no image: what ends in .jpg"):
        data.Folder(here / "empty", "train")
    (photos / "dark" / "00.jpg").write_bytes(b"junk")
    folder = data.Folder(photos, "train", workers=workers)
    with pytest.raises(data.CorruptDataError) as caught:
        list(folder.batches(torch.arange(36)[None]))
    assert str(caught.value).endswith("dark/00.jpg is no image that can be read: remove it, or get it again")
    assert "\n" not in str(caught.value)


def test_a_streamed_run_that_was_cut_off_is_the_run(photos: Path, here: Path) -> None:
    def trainer() -> training.Trainer:
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64, 1))
        loss = lambda model, x, y, generator: (model(x)[:, 0] - y).square()  # noqa: E731
        folder = data.Folder(photos, "train", side=8, labels=True, workers=0)
        return training.Trainer(model, loss, folder, batch_size=10, lr=0.01)

    whole = trainer()
    list(whole.run(steps=8))
    part = trainer()
    list(part.run(steps=5, checkpoint=here / "run"))  # in the middle of the second epoch, of three batches
    again = trainer()
    again.resume(here / "run")
    part_of_8 = trainer()
    run = part_of_8.run(steps=8, checkpoint=here / "cut", checkpoint_every=1)
    for _ in range(5):
        next(run)
    run.close()
    resumed = trainer()
    resumed.resume(here / "cut")
    list(resumed.run(steps=8))
    assert torch.equal(resumed.model[1].weight, whole.model[1].weight)
    (photos / "dark" / "01.png").unlink()
    with pytest.raises(training.CheckpointError, match="of another run: data was 36 images"):
        trainer().resume(here / "run")


def test_a_diffusion_model_of_one_s_own_from_training_to_samples(here: Path) -> None:
    command = ["train", "diffusion", "--data", "digits", *TINY]
    code, text = call(*command, "--output", "runs/m.safetensors")
    assert code == 0, text
    assert re.search(r"runs/m.safetensors: the run is finished, validation loss .*best\), 8 steps", text)
    assert sorted(path.name for path in (here / "runs").iterdir()) == [
        f"m.safetensors{ending}" for ending in ("", ".best", ".checkpoint", ".jsonl", ".png")
    ]
    lines = [json.loads(line) for line in (here / "runs/m.safetensors.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8]
    check_validation(lines[1]["validation"], here / "runs/m.safetensors")
    assert lines[1]["examples_per_second"] > 0
    assert Image.open(here / "runs/m.safetensors.png").size == (102, 42)  # 10 x 4 images of 8 pixels, 2 between

    model = models.load(here / "runs/m.safetensors")
    assert isinstance(model, diffusion.VelocityModel)
    kept = models.about(here / "runs/m.safetensors")
    assert (kept["data"], tuple(kept["widths"]), kept["classes"], kept["lr"]) == ("digits", (8, 8), 10, 0.01)

    code, text = call("sample", "runs/m.safetensors", "--n", "6", "--class", "7", "--guidance", "2", "--steps", "3")
    assert (code, text) == (0, "samples.png and samples.npz: 6 images of (1, 8, 8)\n")
    arrays = np.load(here / "samples.npz")
    assert (arrays["images"].shape, arrays["images"].dtype) == ((6, 1, 8, 8), np.uint8)
    assert arrays["classes"].tolist() == [7] * 6
    first = arrays["images"].copy()
    call("sample", "runs/m.safetensors", "--n", "6", "--class", "7", "--guidance", "2", "--steps", "3", "--seed", "1")
    assert (np.load(here / "samples.npz")["images"] != first).any()

    # Started again: nothing is trained, the log has each line once. With more epochs: the run goes on.
    assert call(*command, "--output", "runs/m.safetensors")[0] == 0
    assert len((here / "runs/m.safetensors.jsonl").read_text().splitlines()) == 2
    code, text = call(*command, "--epochs", "3", "--output", "runs/m.safetensors")
    assert (code, "12 steps" in text) == (0, True)
    lines = [json.loads(line) for line in (here / "runs/m.safetensors.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8, 12]
    code, text = call("train", "diffusion", "--data", "digits", *TINY[:-1], "lr=0.02", "--output", "runs/m.safetensors")
    assert code == 1
    assert "of another run: lr was 0.01, is 0.02" in text


def check_validation(found: float, path: Path) -> None:
    """The loss that was logged is that of the weights on images that were not trained on, a twentieth of them."""
    settings = models.about(path)
    images = models.own.read(settings, "train")
    kept, out = models.own.held_out(settings, images)
    assert (len(kept), len(out)) == (1425, 75)
    both = torch.cat([kept.x, out.x]).flatten(1)
    assert sorted(both.tolist()) == sorted(images.x.flatten(1).tolist())
    assert out.y.unique().tolist() == list(range(10))
    with torch.no_grad():
        rng = torch.Generator().manual_seed(0)
        loss = models.class_loss(models.load(path), out.x, out.y, classes=10, generator=rng)
    assert found == pytest.approx(loss.mean().item(), rel=1e-3)  # half precision


def test_a_run_ends_when_the_loss_on_images_held_out_no_longer_falls(here: Path) -> None:
    """A rate so high that the loss soon rises: the run stops, keeps the best weights, and is finished."""
    command = ["train", "autoencoder", "--data", "digits", "--output", "m", "--set", "hidden=16", "latents=2"]
    command += ["epochs=40", "batch_size=400", "warmup=0", "lr=0.5", "patience=2"]
    code, text = call(*command)
    assert code == 0, text
    lines = [json.loads(line) for line in (here / "m.jsonl").read_text().splitlines()]
    losses = [line["validation"] for line in lines if "validation" in line]
    assert 3 <= len(losses) < 40
    assert losses.index(min(losses)) == len(losses) - 3
    assert min(losses[-2:]) > losses[-3]
    _, out = models.own.held_out(models.about("m"), data.load("digits", "train"))
    for path, expected in (("m.best", losses[-3]), ("m", losses[-1])):
        with torch.no_grad():
            error = (models.load(here / path)(out.x) - out.x).square().flatten(1).sum(1).mean()
        assert error.item() == pytest.approx(expected, rel=0.01)  # half precision
    assert "m: no lower loss for 2 epochs, validation loss" in text
    assert f"(lowest {losses[-3]:.4g} after epoch {len(losses) - 2}: m.best), {3 * len(losses)} steps" in text
    # Started again nothing is trained; with more patience it goes on.
    assert call(*command) == (code, text)
    assert len((here / "m.jsonl").read_text().splitlines()) == len(lines)
    _, text = call(*command[:-1], "patience=3")
    assert f" {3 * len(losses)} steps" not in text


def test_the_numbers_are_written_for_tensorboard_where_it_is_installed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            self.folder = folder

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((self.folder, name, value, step))

        def flush(self) -> None:
            pass

    command = ["train", "autoencoder", "--data", "digits", "--output", "m", "--tensorboard", "--epochs", "1"]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert call(*command) == (1, "lecture11 train: --tensorboard: it is not installed, pip install tensorboard\n")
    assert not list(here.iterdir())
    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    assert call(*command)[0] == 0
    (line,) = [json.loads(line) for line in (here / "m.jsonl").read_text().splitlines()]
    step = line.pop("step")
    assert sorted(written) == sorted(("m.tensorboard", name, value or 0.0, step) for name, value in line.items())


def cifar(rows: int, labels: int, seed: int) -> bytes:
    """Images in CIFAR's binary format: the bytes of the labels, the last of them the class, then 3 x 32 x 32."""
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, labels + 3072)).astype(np.uint8)
    pixels[:, labels - 1] = np.arange(rows) % 3
    return pixels.tobytes()


def test_files_of_one_s_own_as_those_of_mnist_and_cifar(here: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 10, 8)).astype(np.uint8)
    (here / "idx").mkdir()
    for name in ("train", "t10k"):
        file = bytes([0, 0, 8, 3]) + np.array([30, 10, 8], ">u4").tobytes() + pixels.tobytes()
        (here / "idx" / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(file))
    train = data.from_files(here / "idx", "train", value_range=(-1, 1))
    assert (train.shape, train.y, train.value_range) == ((1, 10, 8), None, (-1, 1))
    assert torch.equal(((train.x + 1) * 127.5).round()[:, 0], torch.tensor(pixels).float())
    labels = bytes([0, 0, 8, 1]) + np.array([30], ">u4").tobytes() + bytes(range(30))
    (here / "idx" / "train-labels-idx1-ubyte").write_bytes(labels)
    assert data.from_files(here / "idx", "train").y.tolist() == list(range(30))

    for folder, files, n_labels in (("c10", ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"), 1),
                                    ("c100/cifar-100-binary", ("train.bin", "test.bin"), 2)):  # fmt: skip
        (here / folder).mkdir(parents=True)
        for seed, file in enumerate(files):
            (here / folder / file).write_bytes(cifar(6, n_labels, seed))
        train = data.from_files(here / folder.split("/")[0], "train")
        assert (train.shape, len(train)) == ((3, 32, 32), 6 * (len(files) - 1))
        assert train.y.tolist() == [0, 1, 2] * 2 * (len(files) - 1)
        first = np.frombuffer(cifar(6, n_labels, 0), np.uint8).reshape(6, -1)[4, n_labels:].reshape(3, 32, 32)
        assert torch.equal((train.x[4] * 255).round(), torch.tensor(first).float())
    code, text = call("train", "classifier", "--data", "c10", "--set", "width=8", "batch_size=4", "epochs=1")
    assert code == 0, text
    assert models.about("classifier-c10.safetensors")["shape"] == [3, 32, 32]
    assert "6 examples of shape (3, 32, 32), values in [0, 1], labels 0..2" in call("data", "c100")[1]
    assert data.from_files(here, "train") is None


def test_what_is_wrong_with_files_of_one_s_own_is_said(here: Path) -> None:
    (here / "data_batch_1").write_bytes(b"pickle")
    with pytest.raises(data.DataUnavailableError, match="as pickles, which can run code"):
        data.from_files(here, "train")
    (here / "train.bin").write_bytes(bytes(3073))
    with pytest.raises(data.CorruptDataError, match=r"train.bin has 3,073 bytes, which is no multiple of 3074"):
        data.from_files(here, "train")
    image = bytes([0, 0, 8, 3]) + np.array([1, 2, 2], ">u4").tobytes() + bytes(4)
    (here / "t10k-images-idx3-ubyte").write_bytes(image)
    (here / "train.bin").unlink()
    with pytest.raises(data.DataUnavailableError, match="has t10k-images-idx3-ubyte, but no train-images-idx3-ubyte"):
        data.from_files(here, "train")
    (here / "train-images-idx3-ubyte").write_bytes(image)
    code, text = call("train", "classifier", "--data", ".")
    assert (code, text) == (1, "lecture11 train: a classifier needs classes, and . has no file of labels\n")


def test_a_vae_an_autoencoder_and_a_classifier_of_a_folder(
    photos: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data.folder, "_processors", lambda: 1)  # no process for each epoch of so few images
    small = ["--set", "side=8", "batch_size=12", "epochs=2"]
    for kind, more in (("vae", ["hidden=16", "latents=2"]), ("autoencoder", ["hidden=16", "latents=2"]),
                       ("classifier", ["width=8", "lr=0.01", "epochs=8"])):  # fmt: skip
        code, text = call("train", kind, "--data", "photos", *small, *more)
        assert code == 0, text
    model = models.load("vae-photos.safetensors")
    assert isinstance(model, vae.VAE)
    assert model.likelihood == "sigma-gaussian"
    assert call("sample", "vae-photos.safetensors", "--n", "3")[0] == 0
    assert np.load("samples.npz")["images"].shape == (3, 3, 8, 8)
    for name, numbers in (("vae", 5), ("autoencoder", 2), ("classifier", 1)):
        code, text = call("evaluate", f"{name}-photos.safetensors", "--json")
        assert code == 0, text
        found = json.loads(text)
        assert len(found) == numbers
        assert all(np.isfinite(value) for value in found.values())
    assert found["accuracy"] == 1.0  # dark and bright


def test_evaluation_is_by_the_package_s_own_functions(here: Path) -> None:
    code, text = call("evaluate", "diffusion-digits", "--images", "30", "--json", "--seed", "3")
    assert code == 0, text
    x = data.load("digits", "test", value_range=(-1, 1)).x[:30]
    x = ((x + 1) * 127.5).round() / 127.5 - 1
    bound = diffusion.sampled_bound(
        models.load("diffusion-digits"), models.SCHEDULE, x, draws=10, clip=True,
        generator=torch.Generator().manual_seed(3),
    )  # fmt: skip
    assert json.loads(text) == {"bound on -log p, bits/dim": pytest.approx(bound.mean().item() / 64 / np.log(2))}


@pytest.mark.slow
def test_an_exported_model_answers_as_pytorch_does(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the tests' checks of types cannot be traced
    torch.manual_seed(0)
    network = diffusion.VelocityModel(networks.UNet(1, (8,), classes=3), models.SCHEDULE)
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.3)
    settings = models.own.settings("diffusion", "digits", "cpu", ["widths=8"]) | {"shape": (1, 8, 8), "classes": 3}
    training.save_weights(network, here / "m.safetensors", settings=settings)
    code, text = call("export", "m.safetensors")
    assert code == 0, text
    assert text.startswith("m.onnx: at most ")
    import onnxruntime

    x, t, y = torch.randn(5, 1, 8, 8), torch.tensor([1, 10, 100, 500, 1000]), torch.tensor([0, 1, 2, 3, 3])
    (eps,) = onnxruntime.InferenceSession("m.onnx").run(None, {"x_t": x.numpy(), "t": t.numpy(), "y": y.numpy()})
    expected = models.load(here / "m.safetensors")(x, t, y)  # a batch of another size than was traced
    torch.testing.assert_close(torch.from_numpy(eps), expected, atol=1e-5, rtol=0)


def test_a_wrong_export_is_not_kept(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, save

    def wrong(network: torch.nn.Module, examples: tuple, path: Path, **how: object) -> None:
        x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in "xy")
        graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "wrong", [x], [y])
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)

    monkeypatch.setattr(torch.onnx, "export", wrong)
    export.write(torch.nn.Identity(), (torch.randn(2, 3),), ["x"], "y", here / "m.onnx")
    (here / "m.onnx").unlink()
    with pytest.raises(ValueError, match=r"m.onnx would differ from PyTorch by .*: not written"):
        export.write(torch.nn.Linear(3, 3), (torch.randn(2, 3),), ["x"], "y", here / "m.onnx")
    assert not list(here.iterdir())


def test_a_page_gets_weights_and_what_it_must_know(here: Path) -> None:
    import safetensors.torch

    code, text = call("export", "diffusion-digits", "--format", "web")
    assert code == 0, text
    about = json.loads((here / "diffusion-digits.json").read_text())
    assert (about["kind"], about["shape"], len(about["alpha_bar"])) == ("diffusion", [1, 8, 8], 1000)
    assert len({path.stat().st_mode for path in here.iterdir()}) == 1  # as the user's other files, for a web server
    tensors = safetensors.torch.load_file(here / "diffusion-digits.safetensors")
    for name, x in models.load("diffusion-digits").state_dict().items():
        assert torch.equal(tensors[name].float(), x)


@pytest.mark.parametrize("model", [["autoencoder", "--data", "digits", "--set", "hidden=8"], ["diffusion-ring"]])
def test_every_option_of_the_trainer_can_be_set(here: Path, model: list[str]) -> None:
    """And with the same settings the run goes on, with others it is another run."""
    others = {
        "batch_size": 600, "lr": 0.005, "warmup": 1, "weight_decay": 0.1, "schedule": "constant", "clip_norm": 3.0,
        "ema_decay": 0.5, "mixed_precision": "bf16", "accumulate": 2, "seed": 7,
    }  # fmt: skip
    arguments = set(inspect.signature(training.Trainer).parameters) - {"model", "loss", "data"}
    assert arguments == set(others) == set(models.own.TRAINING)
    command = ["train", *model, "--output", "m", "--epochs", "1", "--set", *(f"{k}={v}" for k, v in others.items())]
    code, text = call(*command)
    assert code == 0, text
    run = checkpoints.read("m.checkpoint").description["run"]
    assert {key: run[key] for key in others} == others
    kept = checkpoints.read("m").description
    kept = kept["changed"] if "recipe" in kept else kept["settings"]
    assert {key: kept[key] for key in others} == others
    assert call(*command) == (0, text)
    code, text = call(*command, "clip_norm=inf", "ema_decay=0")
    assert (code, "clip_norm was 3.0, is inf; ema_decay was 0.5, is None" in text) == (1, True)


def test_help_names_every_setting(here: Path) -> None:
    text = call("train", "--help")[1]
    said = dict(line.split(maxsplit=1) for line in text.splitlines() if line.startswith("  ") and line.split()[1:])
    for kind, how in models.own.KINDS.items():
        assert all(re.search(rf"\b{key}\b", said[kind]) for key in how.network)
    assert all(re.search(rf"\b{key}\b", text) for key in models.own.COMMON)


def test_an_importance_weighted_auto_encoder_is_a_setting(here: Path) -> None:
    """The loss on images held out is that of k draws, which is lower."""
    small = ["train", "vae", "--data", "digits", "--epochs", "1", "--set", "hidden=8", "latents=2", "batch_size=400"]
    code, text = call(*small, "k=5")
    assert code == 0, text
    found = [json.loads(line) for line in Path("vae-digits.safetensors.jsonl").read_text().splitlines()][-1]
    model = models.load("vae-digits.safetensors")
    _, out = models.own.held_out(models.about("vae-digits.safetensors"), data.load("digits", "train"))
    bound = vae.negative_bound(model, out.x, k=5, redraw=True, generator=torch.Generator().manual_seed(0)).mean()
    assert found["validation"] == pytest.approx(bound.item(), rel=1e-3)  # half precision
    # A file that is older than the setting is one without it.
    older = {key: value for key, value in models.about("vae-digits.safetensors").items() if key != "k"}
    assert models.own.build(older).latents == 2


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["train", "diffusion"], "a diffusion needs --data"),
        (["train", "diffusion", "--data", "nowhere"], "'nowhere' is no folder of images, and no data set"),
        (["train", "diffusion", "--data", "moons"], "'moons' are points, not images"),
        (["train", "diffusion", "--data", "digits", "--preset", "tpu"], "no preset is called 'tpu'. There are: cpu"),
        (
            ["train", "diffusion", "--data", "digits", "--set", "width=3"],
            "--set width=3: no setting is called 'width'. There are: accumulate, batch_size, blocks, channels",
        ),
        (
            ["train", "diffusion", "--data", "digits", "--set", "widths"],
            "--set widths: give KEY=VALUE, such as wid",
        ),
        (
            ["train", "vae", "--data", "digits", "--set", "schedule=linear"],
            "schedule must be 'cosine' or 'constant'",
        ),
        (["train", "vae", "--data", "digits", "--set", "clip_norm=-1"], "clip_norm must lie in (0, inf], got -1"),
        (["train", "diffusion-digits", "--set", "widths=8"], "no setting is called 'widths'. There are: accumulate, b"),
        (["train", "diffusion", "--data", "digits", "--set", "widths=0,8"], "widths must be at least 1, got 0"),
        (["train", "vae", "--data", "digits", "--set", "latents=0"], "latents must be at least 1, got 0"),
        (["train", "diffusion-digits", "--set", "lr=0"], "lr must lie in (0, inf), got 0"),
        (["train", "diffusion", "--data", "digits", "--set", "lr=fast"], "lr is a number, such as 0.002"),
        (["train", "diffusion", "--data", "digits", "--set", "epochs=0"], "epochs must be at least 1, got 0"),
        (["train", "diffusion", "--data", "digits", "--set", "accumulate=3"], "batch_size 128 must be a multiple of 3"),
        (["train", "diffusion", "--data", "digits", "--set", "batch_size=2000"], "batch_size must lie in 1..1425"),
        (["train", "vae", "--data", "digits", "--set", "validation=1"], "validation must lie in [0, 1), got 1"),
        (["train", "vae", "--data", "digits", "--set", "validation=0", "patience=1"], "validation=0 keeps none"),
        (
            ["train", "vae", "--data", "digits", "--set", "side=16"],
            "--set side=16 is for a folder's images; those of d",
        ),
        (["train", "vae", "--data", "digits", "--set", "channels=3"], "--set channels=3 is for a folder's images"),
        (["train", "diffusion-digits", "--preset", "cpu"], "diffusion-digits has a recipe"),
        (["train", "vae", "--data", "digits", "--output", "/proc/m"], "cannot be written"),
        (["sample", "gan"], "no model and no file is called 'gan'"),
        (["sample", "classifier-mnist"], "of the kind classifier: it draws nothing"),
        (["sample", "diffusion-digits", "--class", "3"], "--class 3: diffusion-digits knows no classes"),
        (["sample", "diffusion-digits", "--guidance", "2"], "diffusion-digits knows no classes to be guided to"),
        (["evaluate", "diffusion-digits", "--data", "mnist-small"], "takes images of (1, 8, 8), mnist-small has"),
        (["evaluate", "diffusion-digits", "--judge", "vae-mnist"], "--judge vae-mnist is a model of the kind vae"),
        (["export", "gan"], "no model and no file is called 'gan'"),
        (["data", "nowhere"], "'nowhere' is no folder of images"),
    ],
)
def test_each_wrong_turn_is_one_line(here: Path, arguments: list[str], fault: str) -> None:
    code, text = call(*arguments)
    assert code == 1
    assert text.count("\n") == 1, text
    assert text.startswith(f"lecture11 {arguments[0]}: ")
    assert fault in text
    assert not list(here.iterdir())


def test_the_data_are_listed_and_described(photos: Path) -> None:
    code, text = call("data")
    assert code == 0
    ruler, _, _, *rows, _ = text.splitlines()
    assert sorted(row.split()[0] for row in rows) == sorted(data.NAMES)
    for begin, end in (match.span() for match in re.finditer(" +", ruler)):  # columns stay columns
        assert {row[begin:end] for row in rows} == {"  "}
    assert call("data", "digits")[1].startswith("<digits train: 1,500 examples of shape (1, 8, 8)")
    assert "bright: 18\n  dark: 18" in call("data", "photos")[1]


def test_two_processes_train_one_model_of_a_folder(photos: Path, here: Path) -> None:
    """As on one machine, then as on two, with a folder for each: only the first prints, and weights are the same."""
    small = [
        "--data",
        str(photos),
        "--set",
        "side=8",
        "batch_size=12",
        "epochs=1",
        "patience=1",
        "hidden=8",
        "latents=2",
    ]

    def work(i: int) -> list:
        torch.set_num_threads(1)
        one = call("train", "autoencoder", *small, "--output", str(here / "m"))
        (here / f"node {i}").mkdir()
        two = call("train", "autoencoder", *small, "--output", str(here / f"node {i}" / "m"))
        # The first has its checkpoint, the other has none: they would go on from different weights.
        three = call(
            "train", "autoencoder", *small[:-1], "latents=2", "epochs=2", "--output", str(here / f"node {i}" / "m")
        )
        four = call("train", "autoencoder", "--data", "none", "--set", "batch_size=125", "--output", str(here / "n"))
        return [one, two, three, four]

    main, other = several.run(work)
    assert [code for code, _ in main] == [code for code, _ in other] == [0, 0, 1, 1]
    assert [text for _, text in other] == [""] * 4
    assert "m.best), 2 steps" in main[0][1]  # a twentieth of 36 images is held out
    assert "do not find one checkpoint" in main[2][1]
    assert "batch_size 125 must be a multiple of 2" in main[3][1]
    assert list((here / "node 1").iterdir()) == []
    assert (here / "node 0" / "m").read_bytes() == (here / "m").read_bytes()
