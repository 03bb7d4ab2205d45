"""The built pages in a real browser, with no other host to ask."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import axe_playwright_python
import pytest
from book_source import toc_files
from playwright.sync_api import Browser, Page, Request

# Text and the colour behind it, for each piece of text in the article, with the contrast as WCAG defines it.
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
  const walker = document.createTreeWalker(document.querySelector('article.bd-article'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !element.checkVisibility() || element.closest('mjx-assistive-mml, button, .headerlink')) continue;
    const behind = background(element);
    const [a, b] = [luminance(over(rgba(getComputedStyle(element).color), behind)), luminance(behind)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) low.push(`${contrast.toFixed(1)}: ${text.slice(0, 40)}`);
  }
  return [...new Set(low)];
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
        self.page.evaluate("() => window.MathJax && MathJax.startup.promise")


@pytest.fixture(scope="module")
def browser(url: str, chromium: Browser) -> Iterator[Opened]:
    """One page for all tests: what they share, MathJax above all, is loaded and compiled once."""
    page = chromium.new_page()
    # Long enough for a machine that does much else: a page that hangs is found all the same.
    page.set_default_timeout(120_000)
    yield Opened(page, url)
    page.close()


@pytest.fixture(scope="module", params=toc_files())
def opened(request: pytest.FixtureRequest, browser: Opened) -> Opened:
    """A page of the book, freshly opened in a wide window."""
    browser.page.set_viewport_size({"width": 1280, "height": 900})
    browser.open(f"/{request.param}.html")
    return browser


def test_asks_no_other_host_and_logs_no_error(opened: Opened) -> None:
    assert opened.outside == []
    assert opened.errors == []


def test_formulas_are_typeset(opened: Opened) -> None:
    formulas = opened.page.locator("article .math")
    assert opened.page.locator("article .math > mjx-container").count() >= formulas.count()
    assert opened.page.locator("mjx-merror, [data-mjx-error]").all_inner_texts() == []
    assert [text for text in formulas.all_inner_texts() if "\\" in text] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_does_not_scroll_sideways(opened: Opened, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 844})
    assert opened.page.evaluate("() => document.documentElement.scrollWidth") <= width
    # A page that hides what sticks out would pass the line above: nothing may stick out of the column of text.
    outside = """() => [...document.querySelectorAll('article img, article table, article pre')]
      .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
      .filter((e) => { for (let p = e.parentElement; p.matches('article *'); p = p.parentElement)
        if (['auto', 'scroll'].includes(getComputedStyle(p).overflowX)) return false; return true; })
      .map((e) => e.outerHTML.slice(0, 80))"""
    assert opened.page.evaluate(outside) == []
    # What sticks out on the left of a box cannot be scrolled to.
    cut = """() => [...document.querySelectorAll('div.math > mjx-container')].filter((e) =>
      e.getBoundingClientRect().left < e.parentElement.getBoundingClientRect().left - 1).map((e) => e.innerText)"""
    assert opened.page.evaluate(cut) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out(opened: Opened, theme: str) -> None:
    opened.page.evaluate("theme => Object.assign(document.documentElement.dataset, {theme, mode: theme})", theme)
    assert opened.page.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == theme
    assert opened.page.evaluate(LOW_CONTRAST) == []


def test_text_that_does_not_stand_out_is_found(browser: Opened) -> None:
    browser.open(f"/{toc_files()[0]}.html")
    before = browser.page.evaluate(LOW_CONTRAST)
    browser.page.evaluate("""() => document.querySelector('article.bd-article').insertAdjacentHTML('beforeend',
      `<div style="background: #777"><p style="color: #999">faint</p><p style="color: #000">plain</p>
       <div style="background: rgba(0, 0, 0, 0.9)"><p style="color: #222">dark</p></div></div>`)""")
    assert browser.page.evaluate(LOW_CONTRAST) == [*before, "1.6: faint", "1.2: dark"]


def test_sliders_move_by_keyboard(opened: Opened) -> None:
    opened.page.evaluate("() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    for figure in opened.page.locator("figure.pictures").all():
        picture = figure.locator("img")
        for slider in figure.locator("input").all():
            slider.press("Home")
            first, value = picture.get_attribute("src"), slider.get_attribute("aria-valuetext")
            slider.press("ArrowRight")
            assert picture.get_attribute("src") != first, "ArrowRight changed nothing that can be seen"
            assert slider.get_attribute("aria-valuetext") != value
            # The picture is there: it was fetched when the slider was reached.
            picture.evaluate("(image) => image.decode()")


# What axe-core finds in the theme, by rule: this list may only become shorter.
THEME = {"region", "summary-name"}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["book/index", "book/how-to-run", "book/homework/index"])
def test_axe_finds_no_fault(browser: Opened, page: str) -> None:
    """Contrast has a test of its own above, on all pages and in both themes."""
    browser.open(f"/{page}.html")
    browser.page.evaluate(f"() => {{ {AXE} }}")
    options = {"preload": False, "resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": False}}}
    found = browser.page.evaluate(
        """async (options) => (await axe.run(document, options)).violations.map(
          ({id, nodes}) => [id, nodes.map((n) => n.html.slice(0, 120))])""",
        options,
    )
    assert [json.dumps(fault) for fault in found if fault[0] not in THEME] == []


def test_paper_shows_all_and_no_empty_frame(opened: Opened) -> None:
    opened.page.emulate_media(media="print")
    try:
        hidden = """() => [...document.querySelectorAll('article figure img')].filter((e) => !e.checkVisibility()
          && !e.closest('details:not([open])')).map((e) => e.alt)"""
        assert opened.page.evaluate(hidden) == []
        controls = opened.page.locator("article :is(.live-controls, .live-stage)")
        assert [c for c in controls.all() if c.is_visible()] == []
        wide = """() => [...document.querySelectorAll('article pre')].filter((e) => e.checkVisibility()
          && e.scrollWidth > e.clientWidth + 1).map((e) => e.innerText.slice(0, 60))"""
        assert opened.page.evaluate(wide) == []
    finally:
        opened.page.emulate_media(media="screen")


def test_the_search_finds_a_page(browser: Opened) -> None:
    browser.open("/search.html?q=notation")
    browser.page.wait_for_selector("#search-results li a")
    assert (browser.outside, browser.errors) == ([], [])


def test_a_request_to_another_host_is_noted_and_gets_nowhere(browser: Opened) -> None:
    browser.open("/search.html")
    browser.page.evaluate("() => fetch('https://example.org/x').catch(() => {})")
    assert browser.outside == ["https://example.org/x"]
    assert ["net::ERR_NAME_NOT_RESOLVED" in error for error in browser.errors] == [True]
