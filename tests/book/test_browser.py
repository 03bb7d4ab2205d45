"""The built pages in a real browser, with no other host to ask."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import axe_playwright_python
import pytest
from book_source import CompressingHandler, compressed, served, toc_files
from live import WEIGHTS
from playwright.sync_api import Browser, Page, Request

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


@pytest.fixture(scope="module")
def browser(url: str, chromium: Browser) -> Iterator[Opened]:
    """One page for all tests: what they share is loaded once."""
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


def test_a_page_is_light(opened: Opened, site: Path) -> None:
    """What came before the reader asked for anything or moved down, as a server sends it."""
    addresses = opened.page.evaluate("""() => ['navigation', 'resource'].flatMap((type) =>
      performance.getEntriesByType(type).map((e) => new URL(e.name).pathname))""")
    sizes = {address: len(compressed(site / unquote(address[1:]))) for address in set(addresses)}
    assert len(sizes) > 10
    chapter = re.search(r"/\d+-[^/]*$", next(iter(addresses)))  # or its proofs: a notebook
    heaviest = sorted(sizes, key=lambda address: -sizes[address])[:5]
    assert sum(sizes.values()) <= (1_000_000 if chapter else 300_000), [(sizes[a], a) for a in heaviest]
    # No model; the tables of a figure that has no button are no model.
    assert {Path(address).name for address in sizes} & {path.name for path in WEIGHTS.iterdir()} == set()


def test_formulas_are_typeset(opened: Opened) -> None:
    """As they came; each with its MathML for screen readers, and no script that could have typeset it."""
    count = lambda what: opened.page.locator(what).count()  # noqa: E731
    formulas = count("article .math")
    assert count("article .math > mjx-container > mjx-math[aria-hidden=true]") == formulas
    assert count("article .math > mjx-container > mjx-assistive-mml > math") == formulas
    assert count("mjx-merror, [data-mjx-error], script[src*=athjax]") == 0
    empty = """() => [...document.querySelectorAll('article mjx-math')].filter((e) => e.checkVisibility() &&
      e.getBoundingClientRect().width < 2).map((e) => e.parentElement.textContent)"""
    assert opened.page.evaluate(empty) == []


def test_nothing_jumps(opened: Opened) -> None:
    """While the page comes, and while a reader goes down from figure to figure."""
    shifts = """async () => {
      const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      for (const figure of document.querySelectorAll('article :is(figure, img)')) {
        if (!figure.checkVisibility()) continue;
        scrollTo({top: figure.getBoundingClientRect().top + scrollY - 700, behavior: 'instant'});
        await frame();
        scrollTo({top: figure.getBoundingClientRect().top + scrollY - 100, behavior: 'instant'});
        await frame();
      }
      scrollTo({top: 0, behavior: 'instant'});
      await frame();
      const entries = await new Promise((done) => {
        new PerformanceObserver((list) => done(list.getEntries())).observe({type: 'layout-shift', buffered: true});
        setTimeout(() => done([]), 100);
      });
      return entries.filter((e) => !e.hadRecentInput).map((e) => [e.value, ...e.sources.map((s) =>
        s.node?.outerHTML?.slice(0, 60) ?? s.node?.nodeName)]);
    }"""
    found = opened.page.evaluate(shifts)
    assert sum(value for value, *_ in found) < 0.05, found


@pytest.mark.parametrize("width", [320, 1280])
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


def test_what_has_the_focus_is_seen_to_have_it(opened: Opened) -> None:
    opened.page.keyboard.press("Tab")  # a reader who uses keys
    alike = """() => {
      const look = (e) => ['outlineStyle', 'outlineWidth', 'boxShadow'].map((key) => getComputedStyle(e)[key]).join();
      const seen = new Set();
      return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')].filter((e) => {
        const kind = `${e.tagName} ${e.type} ${e.className} ${e.parentElement.className}`;
        if (seen.has(kind) || !e.checkVisibility({visibilityProperty: true})) return false;
        seen.add(kind);
        e.blur();
        const before = look(e);
        e.focus({preventScroll: true});
        if (document.activeElement !== e) return false;
        e.getAnimations().forEach((animation) => animation.finish());
        return look(e) === before;
      }).map((e) => e.outerHTML.slice(0, 120));
    }"""
    assert opened.page.evaluate(alike) == []


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


AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# Nine tenths of a page's elements are pieces of formulas and of code, which axe would look at one by one. (MathJax
# hides the glyphs and gives the MathML; the colours of code have a test of their own above.)
PLAIN = """() => {
  document.querySelectorAll('.math').forEach((e) => e.replaceChildren('x'));
  document.querySelectorAll('pre, dt.sig').forEach((e) => e.replaceChildren(e.textContent));
}"""


# The rule of links in text asks for the colours around each. One of each kind stands for all that look like it.
ONE_LINK = """() => {
  const seen = new Set();
  for (const link of document.querySelectorAll('a')) {
    const kind = [link, link.parentElement, link.closest('div')].map((e) => e.tagName + e.className).join();
    if (seen.has(kind)) link.replaceWith(link.textContent);
    seen.add(kind);
  }
}"""
OF_COLOURS = ["color-contrast", "link-in-text-block"]


def faults(page: Page) -> dict[str, list[str]]:
    """What axe-core finds, by rule, in both themes. Contrast has a test of its own above."""
    page.evaluate(f"() => {{ if (!window.axe) {{ {AXE} }} }}")
    page.evaluate(PLAIN)
    found = _run_axe(page, {"rules": {rule: {"enabled": False} for rule in OF_COLOURS}})
    page.evaluate(ONE_LINK)
    for theme in ("light", "dark"):
        page.evaluate("theme => Object.assign(document.documentElement.dataset, {theme, mode: theme})", theme)
        found |= _run_axe(page, {"runOnly": OF_COLOURS[1:]})
    return found


def _run_axe(page: Page, options: dict[str, object]) -> dict[str, list[str]]:
    return page.evaluate(
        """async (options) => Object.fromEntries((await axe.run(document, options)).violations.map(
          ({id, nodes}) => [id, nodes.map((n) => n.html.slice(0, 120))]))""",
        {"preload": False, "resultTypes": ["violations"], **options},
    )


def test_axe_finds_no_fault(opened: Opened) -> None:
    # Nothing is let pass: what the theme leaves without a name gets one (_ext/light.py).
    assert faults(opened.page) == {}


def test_a_fault_is_found(browser: Opened) -> None:
    browser.open("/book/bibliography.html")
    browser.page.evaluate("""() => document.querySelector('article.bd-article').insertAdjacentHTML('beforeend',
      '<button></button><p>Read <a class="odd" href="x" style="color: #345; text-decoration: none">this</a>.</p>')""")
    assert faults(browser.page).keys() == {"button-name", "link-in-text-block"}


def test_keys_reach_what_scrolls_in_a_fold(browser: Opened) -> None:
    browser.page.set_viewport_size({"width": 390, "height": 844})
    browser.open("/book/08-adding-noise.html")
    stops = """() => [...document.querySelectorAll('article pre')].filter((e) => e.checkVisibility()
      && e.scrollWidth > e.clientWidth).map((e) => e.tabIndex)"""
    before = len(browser.page.evaluate(stops))
    browser.page.evaluate("() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    browser.page.wait_for_function(f"() => ({stops})().every((index) => index === 0)", timeout=5_000)
    assert len(browser.page.evaluate(stops)) > before


def test_the_search_finds_a_page(browser: Opened) -> None:
    browser.open("/search.html?q=notation")
    browser.page.wait_for_selector("#search-results li a")
    assert (browser.outside, browser.errors) == ([], [])


def test_a_request_to_another_host_is_noted_and_gets_nowhere(browser: Opened) -> None:
    browser.open("/search.html")
    browser.page.evaluate("() => fetch('https://example.org/x').catch(() => {})")
    assert browser.outside == ["https://example.org/x"]
    assert ["net::ERR_NAME_NOT_RESOLVED" in error for error in browser.errors] == [True]


# Seconds until a page, its styles and the fonts of its formulas have come.
ARRIVAL = """() => document.fonts.ready.then(() => ['navigation', 'resource']
  .flatMap((type) => performance.getEntriesByType(type)).filter((e) => /\\.(html|css|woff)\\b/.test(e.name))
  .map((e) => [e.name, e.responseEnd / 1000]))"""


def test_a_slow_line_costs_formulas_less_than_three_seconds(site: Path, chromium: Browser) -> None:
    """1.6 Mbit/s, as on a phone, beyond what this machine takes without it; best of three, for it may be busy."""
    costs = []
    with served(site, CompressingHandler) as address:
        for _ in range(3):
            took = []
            for throughput in (-1, 200_000):
                page = chromium.new_page(viewport={"width": 390, "height": 844})
                line = page.context.new_cdp_session(page)
                line.send("Network.enable")
                line.send("Network.setCacheDisabled", {"cacheDisabled": True})
                slow = {"latency": 150 * (throughput > 0), "downloadThroughput": throughput, "uploadThroughput": -1}
                line.send("Network.emulateNetworkConditions", {"offline": False, **slow})
                page.goto(f"{address}/book/11-the-bound.html", wait_until="domcontentloaded")
                ends = page.evaluate(ARRIVAL)
                page.close()
                assert sum(name.endswith(".woff") for name, _ in ends) >= 4
                took.append(max(end for _, end in ends))
            costs.append(took[1] - took[0])
            if 0.5 < costs[-1] < 3:  # less than half a second: the line was not slow
                return
    pytest.fail(f"the line costs {costs} s", pytrace=False)


def test_without_a_script_formulas_are_there(url: str, chromium: Browser) -> None:
    page = chromium.new_page(java_script_enabled=False)
    page.goto(f"{url}/book/04-elbo.html")
    formulas = page.locator("article p mjx-math")
    assert formulas.count() > 20
    assert (formulas.first.bounding_box() or {"width": 0})["width"] > 5
    assert page.locator("article figure img").first.is_visible()
    page.close()
