// @ts-check
/** Slides of a chapter: makes each slide fit, and starts reveal.js. */
(function () {
  const { Reveal, RevealNotes } = /** @type {any} */ (window);
  const root = document.documentElement;
  const stored = localStorage.getItem("theme") ?? ""; // what the reader chose on the book's pages
  const dark = ["dark", "light"].includes(stored)
    ? stored === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "dark" : "light";

  const slides = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".slide"))];

  /**
   * What of a slide is too wide, or too high; also if what is shown has too little room beside the words.
   * @param {HTMLElement} slide
   * @returns {{ wide: boolean, high: boolean }}
   */
  function over(slide) {
    const page = slide.getBoundingClientRect();
    const end = /** @type {Element} */ (slide.lastElementChild).getBoundingClientRect().bottom;
    const thing = slide.querySelector(".thing");
    if (!thing) return { wide: false, high: end > page.bottom - 0.05 * page.height };
    const place = thing.getBoundingClientRect();
    const shown = (
      thing.querySelector("mjx-container, pre, figure, ul, ol, table, img") || thing
    ).getBoundingClientRect();
    return {
      wide: shown.width > place.width + 1,
      high:
        end > page.bottom - 0.05 * page.height || place.height < 0.3 * page.height || shown.height > place.height + 1,
    };
  }

  /**
   * Shrinks what is shown, and where there is too little height the words too, as far as it must.
   * @param {HTMLElement} slide
   */
  function fit(slide) {
    let thing = 1.3;
    let words = 1;
    for (;;) {
      slide.style.setProperty("--thing", `${thing}`);
      slide.style.setProperty("--words", `${words}`);
      const { wide, high } = over(slide);
      if (thing > 0.5 && (wide || (high && (thing > 0.75 || words < 0.8)))) thing -= 0.05;
      else if (high && words > 0.5) words -= 0.05;
      else return;
    }
  }

  async function start() {
    // Formulas keep their size whatever their fonts do; words do not.
    await document.fonts.ready;
    root.classList.add("fitting");
    slides.forEach(fit);
    root.classList.remove("fitting");
    // A figure that computes comes when its slide is near, and grows as it likes.
    const watch = new ResizeObserver((entries) =>
      entries.forEach(
        ({ target }) => target.checkVisibility() && fit(/** @type {HTMLElement} */ (target.closest(".slide"))),
      ),
    );
    document.querySelectorAll("figure.live").forEach((figure) => watch.observe(figure));
    await Reveal.initialize({
      width: 1280,
      height: 720,
      margin: 0,
      center: false,
      hash: true,
      navigationMode: "linear",
      slideNumber: "c/t",
      transition: "none",
      backgroundTransition: "none",
      pdfSeparateFragments: false,
      pdfMaxPagesPerSlide: 1,
      plugins: [RevealNotes],
      keyboardCondition: (/** @type {KeyboardEvent} */ { target }) =>
        !(target instanceof Element && target.closest("figure")),
    });
    Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, () => {
      root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    });
    root.classList.add("ready");
  }

  start();
})();
