"""The built pages in a real browser, with no other host to ask."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from book_source import toc_files
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# In CI the absence of a browser is a failure (see the fixture), not a silence.
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true",
    reason="no browser: sudo apt-get install chromium (Debian), or install Google Chrome",
)

# Text and the colour behind it, for each piece of text in the article, with the contrast as WCAG defines it.
LOW_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3])).concat([1]);
  const background = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
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

# What a slider is there to change: the texts and pictures that can be seen, its own number beside it left out.
VISIBLE = """(output) => [...output.querySelectorAll('img, .widget-html-content, .widget-label')]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height > 1)
  .map((e) => e.src || e.innerText).join()"""


@dataclass
class Opened:
    """A page, and what it did that it should not."""

    page: Page
    url: str
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.url + path, wait_until="load")
        self.page.evaluate("() => window.MathJax && MathJax.startup.promise")
        if self.page.query_selector('script[type="application/vnd.jupyter.widget-view+json"]'):
            self.page.wait_for_selector(".jupyter-widgets")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, "CI needs a browser: apt-get install chromium"
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield browser
        browser.close()


def new_page(context: BrowserContext, url: str) -> Opened:
    opened = Opened(context.new_page(), url)

    def only_here(route: Route) -> None:
        if route.request.url.startswith(url):
            route.continue_()
        else:
            opened.outside.append(route.request.url)
            route.abort()

    context.route("**/*", only_here)
    opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.page.on("console", lambda line: opened.errors.append(line.text) if line.type == "error" else None)
    opened.page.on("response", lambda r: opened.errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    return opened


@pytest.fixture(scope="module", params=toc_files())
def opened(request: pytest.FixtureRequest, browser: Browser, url: str) -> Iterator[Opened]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        opened = new_page(context, url)
        opened.open(f"/{request.param}.html")
        yield opened


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
    outside = """() => [...document.querySelectorAll('article img, article table, article pre, .jupyter-widgets')]
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


def test_sliders_move_by_keyboard(opened: Opened) -> None:
    for handle in opened.page.locator(".noUi-handle").all():
        output = handle.locator("xpath=ancestor::*[contains(@class, 'cell_output')]")
        handle.focus()
        handle.press("Home")
        first = output.evaluate(VISIBLE)
        handle.press("ArrowRight")
        assert output.evaluate(VISIBLE) != first, "ArrowRight changed nothing that can be seen"


def test_the_search_finds_a_page(browser: Browser, url: str) -> None:
    with browser.new_context() as context:
        opened = new_page(context, url)
        opened.open("/search.html?q=notation")
        opened.page.wait_for_selector("#search-results li a")
        assert (opened.outside, opened.errors) == ([], [])
