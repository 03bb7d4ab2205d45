"""What the tests ask of a page that a browser has opened."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import axe_playwright_python
from playwright.sync_api import Page, Request

# Text and the colour behind it, for each piece of text of the page, with the contrast as WCAG defines it.
# (axe-core does this too, for as many seconds as this takes tenths.)
LOW_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  // A page has ten thousand pieces of text and a handful of colours: each is worked out once.
  const once = (work, known = new Map()) => (key) => known.get(key) ?? known.set(key, work(key)).get(key);
  const rgba = once((colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  });
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3])).concat([1]);
  const background = once((element) =>
    element ? over(rgba(getComputedStyle(element).backgroundColor), background(element.parentElement))
      : [255, 255, 255, 1]);
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const low = [];
  const check = (element, text) => {
    const behind = background(element);
    const [a, b] = [luminance(over(rgba(getComputedStyle(element).color), behind)), luminance(behind)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) low.push(`${contrast.toFixed(1)}: ${text.slice(0, 40)}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !element.checkVisibility()) continue;
    if (element.closest('mjx-assistive-mml, script, noscript, button, .headerlink')) continue;
    check(element, text);
  }
  // The glyphs of a formula are no text; terms in a colour are told from each other by it.
  for (const term of document.querySelectorAll('mjx-mstyle[style*="color"]'))
    if (term.checkVisibility()) check(term, term.closest('.math').textContent);
  return [...new Set(low)];
}"""


# What a reader has before him when a page opens, with everything folded. The core ends where the exercises begin.
# Heights in screens, from the top of the page. Pictures below 60 px are icons; what is folded has no height.
MEASURE = """(height) => {
  const seen = (e) => e.checkVisibility() && e.getBoundingClientRect().height > 1;
  const all = (what) => [...document.querySelectorAll(`article.bd-article ${what}`)].filter(seen);
  const end = (e, side) => (e.getBoundingClientRect()[side] + scrollY) / height;
  const pictures = all('img, svg').filter((e) => e.getBoundingClientRect().height > 60);
  return {
    core: end(document.querySelector('#exercises'), 'top'),
    figure: pictures.length ? end(pictures[0], 'bottom') : null,
    lines: all('div.cell_input pre').reduce((sum, e) => sum + e.innerText.trimEnd().split('\\n').length, 0),
  };
}"""
UNFOLD = "() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
# Code, and what else is set as such, that has to be scrolled sideways; what is folded has no width.
WIDE_CODE = """(what) => [...document.querySelectorAll(`article.bd-article ${what}`)]
  .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
  .map((e) => `${e.scrollWidth} > ${e.clientWidth}: ${e.innerText.slice(0, 60)}`)"""

# Formulas that have to be scrolled sideways, the folded ones not; their fonts decide how wide they are.
WIDE_FORMULAS = """async () => {
  await document.fonts.ready;
  return [...document.querySelectorAll('article.bd-article div.math')]
    .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth)
    .map((e) => `${e.scrollWidth} > ${e.clientWidth}: ${e.querySelector('[id]')?.id ?? e.textContent.slice(0, 60)}`);
}"""


@dataclass
class Opened:
    """A page of the site, and what it did that it should not."""

    page: Page
    url: str
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._note_request)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.on("response", lambda r: self.errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.outside.append(request.url)

    def open(self, path: str) -> None:
        # What the last page still had to say is not said of this one.
        self.page.goto("about:blank")
        self.outside.clear()
        self.errors.clear()
        self.page.goto(self.url + path, wait_until="load")
        self.page.evaluate("() => document.fonts.ready.then(() => null)")

    def show(self, width: int, height: int, media: Literal["screen", "print"] = "screen", before: str = "") -> None:
        """Shows the page on another screen, or as on paper, after the change ``before`` of it.

        It is laid out once, not for each of these.
        """
        self.page.evaluate("() => { document.body.style.display = 'none'; }")
        if before:
            self.page.evaluate(before)
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(media=media)
        self.page.evaluate("() => { document.body.style.display = ''; }")


AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
NO_FORMULAS = "() => document.querySelectorAll('.math').forEach((e) => e.replaceChildren('x'))"
# Nine tenths of a page's elements are pieces of formulas and of code, which axe would look at one by one. (MathJax
# hides the glyphs and gives the MathML; the colours of code have a test of their own above.)
PLAIN = f"""() => {{
  ({NO_FORMULAS})();
  document.querySelectorAll('pre, dt.sig').forEach((e) => e.replaceChildren(e.textContent));
}}"""


# The rule of links in text asks for the colours around each. One of each kind stands for all that look like it, and
# nothing else is left of the page but the words around them.
ONE_LINK = """() => {
  const seen = new Set();
  for (const link of document.querySelectorAll('a')) {
    const kind = [link, link.parentElement, link.closest('div')].map((e) => e.tagName + e.className).join();
    if (seen.has(kind)) link.replaceWith(link.textContent);
    seen.add(kind);
  }
  for (const e of document.querySelectorAll('body *')) if (!e.querySelector('a') && !e.closest('a')) e.remove();
}"""
OF_COLOURS = ["color-contrast", "link-in-text-block"]


def faults(page: Page) -> dict[str, list[str]]:
    """What axe-core finds, by rule, in both themes. It takes the page apart. Contrast has a test of its own."""
    found = faults_of_structure(page)
    page.evaluate(ONE_LINK)
    for theme in ("light", "dark"):
        page.evaluate("theme => Object.assign(document.documentElement.dataset, {theme, mode: theme})", theme)
        found |= _run_axe(page, {"runOnly": OF_COLOURS[1:]})
    return found


def faults_of_structure(page: Page) -> dict[str, list[str]]:
    """What axe-core finds, by rule, that is no question of colours. The page's formulas are gone afterwards."""
    page.evaluate(f"() => {{ if (!window.axe) {{ {AXE} }} }}")
    page.evaluate(PLAIN)
    # As a reader has it: what follows the layout, such as which boxes are reached by keys, takes a frame.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
    return _run_axe(page, {"rules": {rule: {"enabled": False} for rule in OF_COLOURS}})


def _run_axe(page: Page, options: dict[str, object]) -> dict[str, list[str]]:
    return page.evaluate(
        """async (options) => Object.fromEntries((await axe.run(document, options)).violations.map(
          ({id, nodes}) => [id, nodes.map((n) => n.html.slice(0, 120))]))""",
        {"preload": False, "resultTypes": ["violations"], **options},
    )
