"""What a reader has before him: how long a chapter's core is on a desktop, when the first picture comes, how much code,
and whether a formula is cut.

The core ends where the exercises begin. All is measured as the page opens, with everything folded.
"""

import re
from typing import Any

import pytest
from book_source import toc_files
from test_browser import Opened, browser  # noqa: F401

CHAPTERS = [name for name in toc_files() if re.match(r"\d\d-", name.rpartition("/")[2])]
WIDTH, HEIGHT = 1280, 1000  # of a screen
MOST_SCREENS, FIRST_FIGURE, MOST_LINES = 12, 1.5, 160

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
# Code that has to be scrolled sideways, the folded code too.
WIDE_CODE = """() => {
  document.querySelectorAll('article.bd-article details').forEach((e) => { e.open = true; });
  return [...document.querySelectorAll('article.bd-article div.cell_input pre')]
    .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth)
    .map((e) => `${e.scrollWidth} > ${e.clientWidth}: ${e.innerText.slice(0, 60)}`);
}"""

# Formulas that have to be scrolled sideways, the folded ones not; their fonts decide how wide they are.
WIDE_FORMULAS = """async () => {
  await document.fonts.ready;
  return [...document.querySelectorAll('article.bd-article div.math')]
    .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth)
    .map((e) => `${e.scrollWidth} > ${e.clientWidth}: ${e.querySelector('[id]')?.id ?? e.textContent.slice(0, 60)}`);
}"""


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(request: pytest.FixtureRequest, browser: Opened) -> Opened:  # noqa: F811
    browser.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    browser.page.emulate_media(media="screen")
    browser.open(f"/{request.param}.html")
    return browser


def measure(opened: Opened) -> dict[str, Any]:
    return opened.page.evaluate(MEASURE, HEIGHT)


def test_the_core_is_short_and_begins_with_a_figure(chapter: Opened) -> None:
    found = measure(chapter)
    assert found["core"] <= MOST_SCREENS, f"the core has {found['core']:.1f} screens: fold what only checks"
    assert found["figure"] is not None
    assert found["figure"] <= FIRST_FIGURE, f"the first figure ends at {found['figure']:.1f} screens"
    assert found["lines"] <= MOST_LINES, f"{found['lines']} lines of code are to be seen: hide those that only draw"


def test_formulas_fit_their_box(chapter: Opened) -> None:
    assert chapter.page.evaluate(WIDE_FORMULAS) == []


def test_code_fits_its_box(chapter: Opened) -> None:
    assert chapter.page.evaluate(WIDE_CODE) == []
    chapter.page.set_viewport_size({"width": 700, "height": HEIGHT})  # about that of a sheet
    chapter.page.emulate_media(media="print")
    assert chapter.page.evaluate(WIDE_CODE) == []


def test_a_page_that_is_too_long_is_found(browser: Opened) -> None:  # noqa: F811
    browser.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    browser.page.emulate_media(media="screen")
    browser.open(f"/{CHAPTERS[0]}.html")
    before = measure(browser)
    browser.page.evaluate("""() => {
      const add = (html) => document.querySelector('article h1').insertAdjacentHTML('afterend', html);
      add('<div class="cell_input"><pre>' + 'x'.repeat(99) + '\\n1\\n2</pre></div><p style="height: 3000px">.</p>');
      add('<div class="math"><mjx-container style="display: inline-block; width: 999px">y</mjx-container></div>');
      add('<details><summary>Folded</summary><p style="height: 9000px">.</p><pre>1\\n2</pre></details>');
    }""")
    after = measure(browser)
    assert 3 < after["core"] - before["core"] < 4
    assert 3 < after["figure"] - before["figure"] < 4
    assert after["lines"] == before["lines"] + 3
    assert [text.split(": ")[1] for text in browser.page.evaluate(WIDE_FORMULAS)] == ["y"]
    assert [text.split(": ")[1][:4] for text in browser.page.evaluate(WIDE_CODE)] == ["xxxx"]
