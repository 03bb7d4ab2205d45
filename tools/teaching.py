"""Makes the pictures of the teacher's page: a class of twelve is graded by the page's own commands, and photographed.

    make book && make generate WHAT=teaching

It takes a sandbox for the grader, Chromium for the pages, and the built site for the slides, so the pictures are made
again only when what they show has changed: ``made-from.txt`` beside them knows of what they were made.
"""

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
from playwright.sync_api import Page

from lecture11.homework import build
from tools import browser
from tools.pdf import SITE

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "book" / "images" / "teaching"
TEMPLATES = ROOT / "lecture11" / "homework" / "grading" / "templates"
HOMEWORK = "02-vae-elbo"
SHARP = 1.5  # dots of a picture for a point of the page
# How the answers differ from the solution: the part, what stands there, and what stands there instead.
SLIPS = {
    "mean": ("elbo-kl", ".sum(1)", ".mean(1)"),
    "half": ("elbo-kl", "0.5 * ", ""),
    "variance": ("elbo", "torch.exp(0.5 * log_var)", "torch.exp(log_var)"),
    "constant": ("elbo", " + math.log(2 * math.pi)", ""),
    "log k": ("iw-bound", " - math.log(len(log_w))", ""),
    "sort": ("kl-per-latent", ".sort(descending=True).values", ""),
}
CLASS = {
    "Aisha Karim": (),
    "Ben Fischer": ("mean",),
    "Chloé Martin": ("mean", "log k"),
    "Daniel Park": (),
    "Elif Demir": ("variance",),
    "Felix Braun": ("mean", "variance", "sort"),
    "Giulia Rossi": (),
    "Hana Sato": ("half",),
    "Ivan Petrov": ("log k", "constant"),
    "Jonas Weber": ("mean",),
    "Kim Nguyen": ("sort",),
}
ABSENT = "Lena Vogel"
WORDS = (
    "By about 1.5 nats: there the curve passes 100. Over hundreds of nats one draw has all the weight, from a "
    "wrong place.",
    "The estimate rests on a single draw, and a draw from the prior nearly never hits what belongs to this image.",
    "By two or three, I read it off the picture.",
)
DECIDED = {"Aisha Karim": ("2", ""), "Ben Fischer": ("1", "and how far may they spread?")}


def stale() -> list[Path]:
    """The list of what the pictures were made of, if it is another one now."""
    made = FOLDER / "made-from.txt"
    return [] if made.exists() and made.read_text(encoding="utf-8") == _made_from() else [made]


def write() -> None:
    """Makes the pictures, if they are not those of today.

    Raises:
        RuntimeError: something is missing here.
    """
    if not stale():
        return
    if browser.CHROMIUM is None or not (SITE / "slides").is_dir():
        raise RuntimeError("the pictures of the teacher's page want Chromium (.ci/chromium) and the site (make book)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        graded = _graded(Path(folder))
        with browser.started() as chromium:
            for name, picture in _pictures(chromium.new_page, graded):
                # Text in a few colours: smaller without loss than with it.
                few = picture.quantize(32, PIL.Image.Quantize.MEDIANCUT, dither=PIL.Image.Dither.NONE).convert("RGB")
                few.save(FOLDER / f"{name}.webp", lossless=True, quality=100, method=6)
    (FOLDER / "made-from.txt").write_text(_made_from(), encoding="utf-8")


def _made_from() -> str:
    files = [*sorted(TEMPLATES.iterdir()), ROOT / "book" / "static" / "slides.css"]
    seen = {str(path.relative_to(ROOT)): path.read_bytes() for path in files}
    seen["the class"] = repr((SLIPS, CLASS, ABSENT, WORDS, DECIDED, SHARP)).encode()
    return "".join(f"{hashlib.sha256(content).hexdigest()[:16]}  {name}\n" for name, content in seen.items())


# --- the class


def _graded(folder: Path) -> Path:
    """The folder with the grades of the class, where the answers in words are partly read."""
    with (folder / "roster.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["full name", "id"], *([name, 700 + i] for i, name in enumerate([*CLASS, ABSENT]))])
    rows = ["homework,student,deadline,handed in,late days,per day", ",,2026-05-12 23:59,,1,20"]
    (folder / "deadlines.csv").write_text("\n".join(rows), encoding="utf-8")
    with zipfile.ZipFile(folder / "hw2.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, slips) in enumerate(CLASS.items()):
            entry = f"{name}_{700 + number}_assignsubmission_file_/hw2.ipynb"
            archive.writestr(
                zipfile.ZipInfo(entry, (2026, 5, 8 + number // 2, 20, 0, 0)), _notebook(name, number, slips)
            )
    output = folder / "hw2-grades"
    output.mkdir()
    (output / "seed.txt").write_text("the same cases each time", encoding="utf-8")
    command = [Path(sys.executable).with_name("lecture11"), "grade", "hw2.zip", "--homework", HOMEWORK]
    command += ["--roster", "roster.csv", "--deadlines", "deadlines.csv"]
    _run(command, folder)
    with (output / "decisions.csv").open("a", encoding="utf-8", newline="") as file:
        for name, (points, reason) in DECIDED.items():
            csv.writer(file).writerow([name, HOMEWORK, "effective-sample-size-question", points, reason])
    _run(command, folder)
    return output


def _run(command: list[Any], folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr[-2000:]}")


def _notebook(name: str, number: int, slips: tuple[str, ...]) -> bytes:
    """A solved notebook with these slips."""
    made = build.solution(build.source(HOMEWORK))
    for cell in made["cells"]:
        about, text = cell["metadata"].get("lecture11", {}), build.text_of(cell)
        if "seed" in about:
            text = text.replace("your name", name)
        for part, old, new in (SLIPS[slip] for slip in slips):
            if about.get("role") == "answer" and about["part"] == part:
                assert old in text, f"{part} has no {old} any more: change SLIPS"
                text = text.replace(old, new)
        if about.get("role") == "question":
            text = f"{text}\n\n{WORDS[number % len(WORDS)]}"
        cell["source"] = text
    return json.dumps(made).encode()


# --- the pictures


def _pictures(new_page: Any, graded: Path) -> Iterator[tuple[str, PIL.Image.Image]]:
    """The pictures by their names."""
    page: Page = new_page(viewport={"width": 720, "height": 860}, device_scale_factor=SHARP)
    page.goto((graded / "class.html").as_uri())
    page.locator("details").first.evaluate("one => { one.open = true }")
    yield "class", _photograph(page, "h2")
    page.goto((graded / "answers.html").as_uri())
    page.set_viewport_size({"width": 720, "height": 600})
    yield "answers", _photograph(page, "h2")
    page = new_page(viewport={"width": 390, "height": 1000}, device_scale_factor=SHARP)
    report = next(path for path in (graded / "reports").iterdir() if path.name.startswith("Ben-"))
    page.goto(report.as_uri())
    yield "report", _photograph(page, "h1")
    page = new_page(viewport={"width": 960, "height": 540}, device_scale_factor=1)
    with browser.served(SITE) as address:
        page.goto(f"{address}/slides/04-elbo.html#/2", wait_until="networkidle")
        page.evaluate("() => window.MathJax?.startup?.promise")
        page.wait_for_timeout(500)  # a slide moves in
        yield "slides", _photograph(page, "body")


def _photograph(page: Page, first: str) -> PIL.Image.Image:
    """What the window shows, when the first element of this kind has come to its upper edge."""
    page.locator(first).first.evaluate("one => scrollTo(0, one.getBoundingClientRect().top + scrollY - 16)")
    return PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")
