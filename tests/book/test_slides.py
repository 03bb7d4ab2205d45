"""The slides: what is core and not folded, one idea each, and all of it fits, on a screen and on paper."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import slides
from book_source import BOOK, parsed, tags
from bs4 import BeautifulSoup
from page import LOW_CONTRAST, faults_of_structure
from playwright.sync_api import Browser, Page

FIRST_THREE = ("Home", "ArrowRight", "ArrowRight")
NAMES = sorted(path.stem for path in BOOK.glob("[0-9][0-9]-*.ipynb"))
# What is seen of the slide that is shown, and stands beyond its edges. The curves of a plot may end outside of it.
OUTSIDE = """() => Reveal.getSlides().flatMap((section) => {
    const { h, v } = Reveal.getIndices(section);
    Reveal.slide(h, v);
    const slide = section.querySelector('.slide'), page = slide.getBoundingClientRect();
    const seen = 'h1, h2, p, li, td, th, pre, img, svg, canvas, input, label, button, mjx-math, mjx-mtd';
    return [...slide.querySelectorAll(seen)].filter((e) => e.checkVisibility()).filter((e) => {
      const box = e.getBoundingClientRect();
      return box.width > 0 && (box.left < page.left - 1 || box.right > page.right + 1 ||
        box.top < page.top - 1 || box.bottom > page.bottom + 1);
    }).map((e) => `${h}/${v} ${e.outerHTML.slice(0, 80)}`);
  })"""


FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.set_default_timeout(120_000)
    yield page
    page.close()


def opened(page: Page, address: str, width: int = 1280, height: int = 720) -> list[str]:
    """Opens slides, and waits until all is typeset. What went wrong, and what was asked of other hosts."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if request.url[:16] != address[:16] else None)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address)
    page.wait_for_selector("html.ready", state="attached")
    return wrong


def test_each_chapter_has_slides(site: Path) -> None:
    assert sorted(path.stem for path in (site / "slides").glob("*.html")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_core_becomes_slides(site: Path, name: str) -> None:
    deck = parsed(site / "slides" / f"{name}.html")
    chapter = parsed(site / "book" / f"{name}.html")
    shown = deck.select(".slide")
    core = [math for math in chapter.select("article div.math:not(.narrow)") if not math.find_parent("details")]
    assert [tag for slide in shown for tag in tags(slide)] == [tag for math in core for tag in tags(math)]
    figures = chapter.select("article figure.live")
    live = [figure["data-live"] for figure in figures if not figure.find_parent("details")]
    assert [figure["data-live"] for figure in deck.select(".slide figure.live")] == live
    headings = [heading.get_text() for heading in deck.select(".slide h2")]
    assert headings[0] == "After this chapter you can"
    assert headings[-1] == "Summary"
    assert len(shown) >= 10
    assert all(image.get("alt") for image in deck.select("img"))
    ids = [element["id"] for element in deck.select("[id]")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_each_slide_fits(page: Page, url: str, name: str) -> None:
    assert opened(page, f"{url}/slides/{name}.html") == []
    assert page.locator("mjx-merror").count() == 0
    figures = page.locator(".slide figure.live")
    for i in range(figures.count()):
        page.evaluate(
            "(i) => { const at = Reveal.getIndices(document.querySelectorAll('figure.live')[i].closest('section'));"
            " Reveal.slide(at.h, at.v); }",
            i,
        )
        page.wait_for_function(
            "(i) => document.querySelectorAll('figure.live')[i].querySelector('.live-controls')", arg=i
        )
        page.evaluate(FRAMES)  # it has drawn, and the slide has been fitted to it
    sizes = """() => [...document.querySelectorAll('.slide')].map((slide) =>
      ['--words', '--thing'].map((name) => +slide.style.getPropertyValue(name)))"""
    assert page.evaluate(OUTSIDE) == []
    assert [pair for pair in page.evaluate(sizes) if min(pair) < 0.45] == []


def test_a_larger_screen_shows_the_same(page: Page, url: str) -> None:
    opened(page, f"{url}/slides/03-probabilistic-decoder.html", 1920, 1080)
    assert page.evaluate(OUTSIDE) == []
    assert page.locator(".slides").evaluate("(e) => e.getBoundingClientRect().width") == pytest.approx(1920, abs=2)


def test_everybody_can_use_them(page: Page, url: str) -> None:
    page.emulate_media(color_scheme="dark")
    opened(page, f"{url}/slides/09-the-way-back.html")
    theme = "() => document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    for move in FIRST_THREE:
        page.keyboard.press(move)
        for key in ("d", "d"):
            assert page.evaluate(LOW_CONTRAST) == []
            before = page.evaluate(theme)
            page.keyboard.press(key)
            assert page.evaluate(theme) != before
    assert page.locator(".slide-number").inner_text().split()[0] == "3"
    for move in FIRST_THREE:
        page.keyboard.press(move)
        assert faults_of_structure(page) == {}
    page.emulate_media(color_scheme="light")


def test_faint_text_on_a_slide_is_found(page: Page, url: str) -> None:
    opened(page, f"{url}/slides/09-the-way-back.html")
    page.evaluate("""() => document.querySelector('.present .slide').insertAdjacentHTML('beforeend',
      '<p style="color: #ccc">faint</p>')""")
    assert [text.split(": ")[1] for text in page.evaluate(LOW_CONTRAST)] == ["faint"]


def test_the_speaker_sees_the_prose(page: Page, url: str) -> None:
    opened(page, f"{url}/slides/04-elbo.html#/2/1")
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    notes = popup.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("In code it gives").wait_for()
    assert notes.locator("math").count() >= 2  # formulas as MathML
    popup.value.close()


def test_a_folder_without_a_server(page: Page, site: Path) -> None:
    """The pictures stay as they are stored; all else is the same."""
    opened(page, f"{(site / 'slides' / '04-elbo.html').as_uri()}")
    assert page.locator(".slide mjx-container").count() > 10
    pictures = "() => [...document.querySelectorAll('.slide img')].every((image) => image.naturalWidth > 0)"
    assert page.evaluate(pictures)


def test_they_are_printed(page: Page, site: Path, url: str) -> None:
    count = len(parsed(site / "slides" / "04-elbo.html").select(".slide"))
    opened(page, f"{url}/slides/04-elbo.html?view=print")
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert max(int(found) for found in re.findall(rb"/Count (\d+)", printed)) == count


def test_sentences() -> None:
    def split(text: str) -> list[str]:
        paragraph = BeautifulSoup(f"<p>{text}</p>", "html.parser").p
        assert paragraph is not None
        return slides.sentences(paragraph)

    assert split("One. Two (of A. Three) more? <b>Bold.</b> End") == [
        "One.",
        "Two (of A. Three) more?",
        "<b>Bold.</b>",
        "End",
    ]
    assert split("By Burda et al. (2016), a &lt; b. <i>x</i> is.") == [
        "By Burda et al. (2016), a &lt; b.",
        "<i>x</i> is.",
    ]
    assert split("Version 1.5 e.g. of <i>A. B</i> holds:") == ["Version 1.5 e.g. of <i>A. B</i> holds:"]
