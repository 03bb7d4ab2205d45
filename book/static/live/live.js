// @ts-check
/**
 * Starts each live figure of a page some screens before the reader comes to it, so that nothing moves in sight. A figure
 * that fails leaves its still picture.
 */
const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      const figure = /** @type {HTMLElement} */ (entry.target);
      import(`./${figure.dataset.live}.js`).then((module) => module.default(figure));
    }
  },
  { rootMargin: "8000px" },
);
document.querySelectorAll("figure[data-live]").forEach((figure) => near.observe(figure));
