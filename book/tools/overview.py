"""Makes book/images/overview.png, the picture in the README, from figures that the chapters computed.

python book/tools/overview.py
"""

import base64
import io
from pathlib import Path

import nbformat
import PIL.Image

BOOK = Path(__file__).parents[1]
# A chapter, and which of its pictures.
SOURCES = [("01-autoencoder.ipynb", 0), ("01-autoencoder.ipynb", 2), ("02-denoising-autoencoder.ipynb", 1)]
HEIGHT, GAP = 240, 16


def pictures(notebook: str) -> list[PIL.Image.Image]:
    """All pictures that the notebook's cells show, in order."""
    cells = nbformat.read(BOOK / notebook, as_version=4).cells
    data = [o.data["image/png"] for c in cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
    return [PIL.Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB") for png in data]


def main() -> None:
    chosen = [pictures(notebook)[i] for notebook, i in SOURCES]
    scaled = [image.resize((round(image.width * HEIGHT / image.height), HEIGHT)) for image in chosen]
    width = sum(image.width for image in scaled) + GAP * (len(scaled) + 1)
    overview = PIL.Image.new("RGB", (width, HEIGHT + 2 * GAP), "white")
    left = GAP
    for image in scaled:
        overview.paste(image, (left, GAP))
        left += image.width + GAP
    target = BOOK / "images" / "overview.png"
    target.parent.mkdir(exist_ok=True)
    overview.save(target, optimize=True)
    print(f"{target.relative_to(BOOK.parent)}: {width} x {overview.height}, {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
