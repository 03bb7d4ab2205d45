"""The built pages in a real browser, with no other host to ask."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from book_source import CompressingHandler, compressed, toc_files
from live import WEIGHTS
from page import LOW_CONTRAST, MEASURE, NO_FORMULAS, PLAIN, UNFOLD, WIDE_CODE, WIDE_FORMULAS, Opened, faults
from playwright.sync_api import Browser

from tools.browser import served

CHAPTERS = [name for name in toc_files() if re.match(r"\d\d-", name.rpartition("/")[2])]
# Chapters come first: what is asked of them alone then has the same parameters, and is asked while they are open.
PAGES = [*CHAPTERS, *(name for name in toc_files() if name not in CHAPTERS)]
of_chapters = pytest.mark.parametrize("opened", CHAPTERS, indirect=True)
WIDTH, HEIGHT = 1280, 1000  # of a screen
MOST_SCREENS, FIRST_FIGURE, MOST_LINES = 12, 1.5, 160


@pytest.fixture(scope="module")
def browser(url: str, chromium: Browser) -> Iterator[Opened]:
    """One page for all tests: what they share is loaded once."""
    page = chromium.new_page()
    # Long enough for a machine that does much else: a page that hangs is found all the same.
    page.set_default_timeout(120_000)
    yield Opened(page, url)
    page.close()


@pytest.fixture(scope="module", params=PAGES)
def opened(request: pytest.FixtureRequest, browser: Opened) -> Opened:
    """A page of the book, freshly opened in a wide window.

    To lay out a page takes longer than most tests of it. They come in an order that asks for few layouts: as it opens,
    with all folds open, on a phone, and last what takes it apart: on paper, and what axe finds.
    """
    browser.page.goto("about:blank")
    browser.show(WIDTH, HEIGHT)
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
    # No line begins with the comma that follows a formula, or ends with the bracket before it.
    loose = r"""() => [...document.querySelectorAll('article span.math')].filter((e) => {
      const [before, after] = [e.previousSibling, e.nextSibling].map((n) => n?.nodeType === 3 ? n.data : '');
      return !e.parentElement.matches('.tied') && (/[([]$/.test(before) || /^[-,.;:?!)\]]/.test(after));
    }).map((e) => e.parentElement.textContent.slice(0, 80))"""
    assert opened.page.evaluate(loose) == []


def test_nothing_jumps(opened: Opened) -> None:
    """While the page comes, and while a reader goes down from figure to figure."""
    shifts = """async () => {
      const entries = [];
      new PerformanceObserver((list) => entries.push(...list.getEntries()))
        .observe({type: 'layout-shift', buffered: true});
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
      await frame();  // what the last one moved has been told
      return entries.filter((e) => !e.hadRecentInput).map((e) => [e.value, ...e.sources.map((s) =>
        s.node?.outerHTML?.slice(0, 60) ?? s.node?.nodeName)]);
    }"""
    found = opened.page.evaluate(shifts)
    assert sum(value for value, *_ in found) < 0.05, found


def measure(page: Opened) -> dict[str, Any]:
    return page.page.evaluate(MEASURE, HEIGHT)


@of_chapters
def test_the_core_is_short_and_begins_with_a_figure(opened: Opened) -> None:
    found = measure(opened)
    assert found["core"] <= MOST_SCREENS, f"the core has {found['core']:.1f} screens: fold what only checks"
    assert found["figure"] is not None
    assert found["figure"] <= FIRST_FIGURE, f"the first figure ends at {found['figure']:.1f} screens"
    assert found["lines"] <= MOST_LINES, f"{found['lines']} lines of code are to be seen: hide those that only draw"


@of_chapters
def test_formulas_fit_their_box(opened: Opened) -> None:
    assert opened.page.evaluate(WIDE_FORMULAS) == []


def test_nothing_sticks_out_on_a_desktop(opened: Opened) -> None:
    assert sticking_out(opened) == []


def sticking_out(opened: Opened) -> list[str]:
    """What a reader would have to scroll the page sideways for, or could not see at all."""
    return opened.page.evaluate("""() => {
      const found = document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [];
      // A page that hides what sticks out would pass the line above: nothing may stick out of the column of text.
      found.push(...[...document.querySelectorAll('article img, article table, article pre')]
        .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
        .filter((e) => { for (let p = e.parentElement; p.matches('article *'); p = p.parentElement)
          if (['auto', 'scroll'].includes(getComputedStyle(p).overflowX)) return false; return true; })
        .map((e) => e.outerHTML.slice(0, 80)));
      // What sticks out on the left of a box cannot be scrolled to.
      found.push(...[...document.querySelectorAll('div.math > mjx-container')].filter((e) => e.checkVisibility() &&
        e.getBoundingClientRect().left < e.parentElement.getBoundingClientRect().left - 1).map((e) => e.innerText));
      return found;
    }""")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out(opened: Opened, theme: str) -> None:
    opened.page.evaluate("theme => Object.assign(document.documentElement.dataset, {theme, mode: theme})", theme)
    assert opened.page.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == theme
    assert opened.page.evaluate(LOW_CONTRAST) == []


def test_sliders_move_by_keyboard(opened: Opened) -> None:
    opened.page.evaluate(UNFOLD)
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


def test_stored_pictures_are_played(url: str, chromium: Browser) -> None:
    """By keys, once, from the first picture to the last; nothing moves before, and a slider that is taken stops it."""
    page = chromium.new_page()
    page.goto(f"{url}/book/10-training-and-sampling.html")
    figure = page.locator("figure.pictures").filter(has=page.locator("button"))
    button, moved, picture = figure.get_by_role("button"), figure.locator("input").last, figure.locator("img")
    labels = json.loads(moved.get_attribute("data-labels") or "")
    still = picture.get_attribute("src")
    button.scroll_into_view_if_needed()
    page.wait_for_timeout(700)
    assert picture.get_attribute("src") == still
    assert button.get_attribute("aria-label") == "Play: t"
    button.evaluate("(button) => (button.dataset.interval = 100)")
    picture.evaluate("""(image) => {
      window.played = [];
      new MutationObserver(() => played.push(image.alt)).observe(image, {attributeFilter: ['alt']});
    }""")
    button.press("Enter")
    assert (button.inner_text(), button.get_attribute("aria-label")) == ("Pause", "Pause: t")
    page.wait_for_function("(button) => button.textContent === 'Play'", arg=button.element_handle())
    assert [re.findall(r"t = (\d+)", alt)[0] for alt in page.evaluate("() => played")] == labels
    assert picture.get_attribute("src") == still  # the last one, where the sliders stood
    button.press("Space")
    moved.press("ArrowRight")
    assert button.inner_text() == "Play"
    value = moved.input_value()
    page.wait_for_timeout(200)
    assert moved.input_value() == value
    button.press("Space")
    button.press("Space")
    assert (button.inner_text(), button.get_attribute("aria-label")) == ("Play", "Play: t")
    page.close()


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


@of_chapters
def test_code_fits_its_box(opened: Opened) -> None:
    opened.page.evaluate(UNFOLD)
    assert opened.page.evaluate(WIDE_CODE, "div.cell_input pre") == []


def test_nothing_sticks_out_on_a_phone(opened: Opened) -> None:
    opened.page.evaluate(UNFOLD)
    opened.show(320, 844)
    assert sticking_out(opened) == []


def test_paper_shows_all_and_no_empty_frame(opened: Opened) -> None:
    opened.page.evaluate(UNFOLD)
    # About as wide as a sheet. Nothing here is asked of formulas, which take most of the time of a layout.
    opened.show(700, HEIGHT, "print", before=NO_FORMULAS)
    hidden = """() => [...document.querySelectorAll('article figure img')].filter((e) => !e.checkVisibility()
      && !e.closest('details:not([open])')).map((e) => e.alt)"""
    assert opened.page.evaluate(hidden) == []
    controls = opened.page.locator("article :is(.live-controls, .live-stage)")
    assert [c for c in controls.all() if c.is_visible()] == []
    assert opened.page.evaluate(WIDE_CODE, "pre") == []


def test_axe_finds_no_fault(opened: Opened) -> None:
    opened.show(WIDTH, HEIGHT, before=PLAIN)  # or all its code, too, would be laid out, to be thrown away
    # Nothing is let pass: what the theme leaves without a name gets one (_ext/light.py).
    assert faults(opened.page) == {}


def test_text_that_does_not_stand_out_is_found(browser: Opened) -> None:
    browser.open(f"/{toc_files()[0]}.html")
    before = browser.page.evaluate(LOW_CONTRAST)
    browser.page.evaluate("""() => document.querySelector('article.bd-article').insertAdjacentHTML('beforeend',
      `<div style="background: #777"><p style="color: #999">faint</p><p style="color: #000">plain</p>
       <div style="background: rgba(0, 0, 0, 0.9)"><p style="color: #222">dark</p></div></div>`)""")
    assert browser.page.evaluate(LOW_CONTRAST) == [*before, "1.6: faint", "1.2: dark"]


def test_a_page_that_is_too_long_is_found(browser: Opened) -> None:
    browser.show(WIDTH, HEIGHT)
    browser.open(f"/{CHAPTERS[0]}.html")
    before = measure(browser)
    browser.page.evaluate("""() => {
      const add = (html) => document.querySelector('article h1').insertAdjacentHTML('afterend', html);
      add('<div class="cell_input"><pre>' + 'x'.repeat(99) + '\\n1\\n2</pre></div><p style="height: 3000px">.</p>');
      add('<div class="math"><mjx-container style="display: inline-block; width: 999px">y</mjx-container></div>');
      add('<div class="math"><mjx-container style="display: inline-block; margin-left: -99px">z</mjx-container></div>');
      add('<details><summary>Folded</summary><p style="height: 9000px">.</p><pre>1\\n2</pre></details>');
    }""")
    after = measure(browser)
    assert 3 < after["core"] - before["core"] < 4
    assert 3 < after["figure"] - before["figure"] < 4
    assert after["lines"] == before["lines"] + 3
    assert [text.split(": ")[1] for text in browser.page.evaluate(WIDE_FORMULAS)] == ["y"]
    assert [text.split(": ")[1][:4] for text in browser.page.evaluate(WIDE_CODE, "div.cell_input pre")] == ["xxxx"]
    assert sticking_out(browser) == ["z"]


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
    browser.page.evaluate(UNFOLD)
    browser.page.wait_for_function(f"() => ({stops})().every((index) => index === 0)", timeout=5_000)
    assert len(browser.page.evaluate(stops)) > before


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("F33", "09-the-way-back.html#F33"),
        ("posterior mean", "09-the-way-back.html#term-posterior-mean"),
        ("reparameterization", "05-training-a-vae.html#term-reparameterization"),
        ("collapse", "06-judging-a-vae.html"),
        ("q_sample", "api.html#lecture11.diffusion.q_sample"),
    ],
)
def test_the_search_finds_first_what_teaches_it(browser: Opened, query: str, place: str) -> None:
    browser.open(f"/search.html?q={query}")
    browser.page.wait_for_function("() => /found|matching/.test(document.querySelector('.search-summary')?.innerText)")
    first = browser.page.locator("#search-results li a").first.get_attribute("href") or ""
    assert place in first
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
