"""Makes book/images/overview.png, the picture in the README, from figures that the chapters computed."""

import base64
import io
from pathlib import Path

import nbformat
import PIL.Image
import PIL.ImageChops

BOOK = Path(__file__).resolve().parents[1] / "book"
PICTURE = BOOK / "images" / "overview.png"
# A chapter, and which of its pictures.
SOURCES = [("01-autoencoder.ipynb", 0), ("01-autoencoder.ipynb", 2), ("02-denoising-autoencoder.ipynb", 1)]
HEIGHT, GAP = 240, 16


def pictures(notebook: str) -> list[PIL.Image.Image]:
    """All pictures that the notebook's cells show, in order."""
    cells = nbformat.read(BOOK / notebook, as_version=4).cells
    data = [o.data["image/png"] for c in cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
    return [PIL.Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB") for png in data]


def overview() -> PIL.Image.Image:
    """The pictures side by side.

    Raises:
        ValueError: a chapter has fewer pictures than ``SOURCES`` says.
    """
    chosen = []
    for notebook, i in SOURCES:
        found = pictures(notebook)
        if i >= len(found):
            raise ValueError(f"{notebook} shows {len(found)} pictures, number {i} is wanted: change SOURCES")
        chosen.append(found[i])
    scaled = [image.resize((round(image.width * HEIGHT / image.height), HEIGHT)) for image in chosen]
    width = sum(image.width for image in scaled) + GAP * (len(scaled) + 1)
    made = PIL.Image.new("RGB", (width, HEIGHT + 2 * GAP), "white")
    left = GAP
    for image in scaled:
        made.paste(image, (left, GAP))
        left += image.width + GAP
    return made


def stale() -> list[Path]:
    """Its colours are compared, not its bytes: those depend on the version of zlib."""
    if PICTURE.exists():
        with PIL.Image.open(PICTURE) as stored:
            made = overview()
            if stored.size == made.size and not PIL.ImageChops.difference(stored.convert("RGB"), made).getbbox():
                return []
    return [PICTURE]


def write() -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    overview().save(PICTURE, optimize=True)
